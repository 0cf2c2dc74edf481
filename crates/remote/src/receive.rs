//! Remote write, receiving: one request is one batch.

mod batch;
mod cache;
mod metrics;
mod version1;
pub(crate) mod version2;

use std::sync::Arc;

use runtime::{Clock, Runtime};
use storage::Appendable;
use telemetry::Registry;
use tracing::{error, warn};

use self::{batch::Batch, cache::Cache, metrics::Metrics};
use crate::{Message, Unsupported, snappy, wire::Malformed};

/// Neither a body nor what is packed in it may be larger.
pub const BODY_BYTES_MAX: usize = 32 << 20;

/// Samples further ahead of the clock than this are out of bounds.
const AHEAD_MAX_MS: i64 = 10 * 60 * 1000;

/// How a receiver takes samples.
#[derive(Debug, Clone)]
pub struct Options {
    /// The messages that it takes, in the order in which it says so.
    pub accepted: Vec<Message>,
    /// Whether type and unit become labels; only version 2 says them.
    pub type_and_unit_labels: bool,
    /// Whether what a metric means is stored with its series; only version 2 says it of a series.
    pub metadata: bool,
}

/// Takes remote write requests and appends their samples.
pub struct Receiver {
    storage: Arc<dyn Appendable>,
    options: Options,
    clock: Arc<dyn Clock>,
    cache: Cache,
    metrics: Metrics,
}

/// What a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The HTTP status.
    pub status: u16,
    /// Why it failed; empty if it did not.
    pub text: String,
    /// What was written, for the headers; version 1 does not say.
    pub written: Option<Written>,
}

/// How much of a request was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    pub samples: u64,
    pub histograms: u64,
    pub exemplars: u64,
}

/// Why nothing of a request is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    /// To send it again would not help.
    BadRequest(String),
    /// To send it again might.
    Internal(String),
}

/// What came of a request whose good samples are to be written.
#[derive(Debug, Default)]
struct Report {
    written: Written,
    /// Samples that have a type, a help or a unit with them.
    n_with_metadata: u64,
    /// Of version 1 series, of version 2 samples and histograms.
    n_invalid: u64,
    complaints: Complaints,
}

/// What is wrong with parts of a request.
#[derive(Debug, Default)]
struct Complaints {
    /// With the number of the series.
    texts: Vec<(usize, String)>,
    n_more: usize,
}

impl Receiver {
    pub fn new(
        storage: Arc<dyn Appendable>,
        options: Options,
        runtime: &Runtime,
        registry: &Registry,
    ) -> Receiver {
        Receiver {
            storage,
            options,
            clock: runtime.clock.clone(),
            cache: Cache::new(runtime.random.u64()),
            metrics: Metrics::register(registry),
        }
    }

    /// Which message a request brings that has these headers, `""` where it has none.
    pub fn message(
        &self,
        content_type: &str,
        content_encoding: &str,
    ) -> Result<Message, Unsupported> {
        Message::of_headers(content_type, content_encoding, &self.options.accepted)
            .inspect_err(|error| error!(err = %error, "Error decoding remote write request"))
    }

    /// Writes the samples of `body`, a snappy block. Computes and blocks: not for async threads.
    pub fn write(&self, message: Message, body: &[u8]) -> Outcome {
        let request = match snappy::decode(body, BODY_BYTES_MAX) {
            Ok(request) => request,
            Err(broken) => {
                error!(err = %broken, "Error decoding remote write request");
                return Outcome::failed(400, broken.to_string(), None);
            }
        };
        let outcome = match message {
            Message::Version1 => self.write_version1(&request),
            Message::Version2 => self.write_version2(&request),
        };
        if outcome.status != 204 {
            // Upstream logs each sample; one line a request says as much.
            let err = outcome.text.lines().next().unwrap_or_default();
            warn!(status = outcome.status, err, "Error appending remote write");
        }
        outcome
    }

    /// Everything is written, or nothing.
    fn write_version1(&self, request: &[u8]) -> Outcome {
        let mut batch = self.begin();
        let outcome = version1::append(&mut batch, request)
            .and_then(|report| batch.commit().map(|()| report));
        match outcome {
            Ok(report) => {
                self.count(&report);
                Outcome::success(None)
            }
            Err(refusal) => Outcome::refused(refusal, None),
        }
    }

    /// What is good is written, also if something else is not.
    fn write_version2(&self, request: &[u8]) -> Outcome {
        let mut batch = self.begin();
        let outcome = version2::append(&mut batch, request, &self.options)
            .and_then(|report| batch.commit().map(|()| report));
        match outcome {
            Ok(mut report) => {
                self.count(&report);
                match report.complaints.join() {
                    None => Outcome::success(Some(report.written)),
                    Some(text) => Outcome::failed(400, text, Some(report.written)),
                }
            }
            Err(refusal) => Outcome::refused(refusal, Some(Written::default())),
        }
    }

    fn begin(&self) -> Batch<'_> {
        let now = self.clock.now_millis();
        Batch::new(self.storage.appender(), &self.cache, now, now.saturating_add(AHEAD_MAX_MS))
    }

    fn count(&self, report: &Report) {
        if report.n_invalid > 0 {
            self.metrics.invalid_labels.add(report.n_invalid as f64);
        }
        let n_samples = report.written.samples + report.written.histograms;
        let n_without = n_samples.saturating_sub(report.n_with_metadata);
        if n_without > 0 {
            self.metrics.without_metadata.add(n_without as f64);
        }
    }
}

impl Outcome {
    fn success(written: Option<Written>) -> Outcome {
        Outcome { status: 204, text: String::new(), written }
    }

    fn failed(status: u16, text: String, written: Option<Written>) -> Outcome {
        Outcome { status, text, written }
    }

    fn refused(refusal: Refusal, written: Option<Written>) -> Outcome {
        match refusal {
            Refusal::BadRequest(text) => Outcome::failed(400, text, written),
            Refusal::Internal(text) => Outcome::failed(500, text, written),
        }
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Refusal {
        Refusal::BadRequest(malformed.to_string())
    }
}

impl Complaints {
    /// A small request may be wrong in a million places; who reads more than this?
    const MAX: usize = 1000;

    fn push(&mut self, series: usize, text: impl FnOnce() -> String) {
        if self.texts.len() < Complaints::MAX {
            self.texts.push((series, text()));
        } else {
            self.n_more += 1;
        }
    }

    /// All in the order of the series, one a line; nothing if there are none.
    fn join(&mut self) -> Option<String> {
        self.texts.sort_by_key(|(series, _)| *series);
        let mut lines: Vec<&str> = self.texts.iter().map(|(_, text)| text.as_str()).collect();
        let more = format!("{} more errors omitted", self.n_more);
        if self.n_more > 0 {
            lines.push(&more);
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}
