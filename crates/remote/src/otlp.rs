//! OTLP metrics, receiving: one request is one batch.
//!
//! Requests are walked in place, protobuf ([`protobuf`]) or JSON ([`json`]), and told point by
//! point to a [`Translator`], which makes samples of them for a [`Sink`]. Nothing is held but the
//! point at hand, whatever a request may claim.

mod accumulate;
mod any;
mod exemplars;
mod histograms;
mod json;
mod labels;
mod metrics;
mod names;
mod point;
mod protobuf;
mod sink;
mod target_info;
mod translate;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use runtime::{Clock, Runtime};
use storage::Appendable;
use telemetry::Registry;
use tracing::{error, warn};

use self::{
    accumulate::Accumulator,
    metrics::Metrics,
    sink::{Sink, StorageSink},
    translate::{Report, Translator},
};
use crate::{BODY_BYTES_MAX, Outcome};

/// Samples further ahead of the clock than this are out of bounds.
const AHEAD_MAX_MS: i64 = 10 * 60 * 1000;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// What becomes of names that Prometheus did not know of old, and whether they get suffixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    #[default]
    UnderscoreEscapingWithSuffixes,
    UnderscoreEscapingWithoutSuffixes,
    NoUtf8EscapingWithSuffixes,
    NoTranslation,
}

/// Which resource attributes become labels of every series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promoted {
    Only(Vec<String>),
    AllBut(Vec<String>),
}

/// The section `otlp` of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub strategy: Strategy,
    pub promoted: Promoted,
    /// Whether `target_info` says what job and instance were made of.
    pub keep_identifying_resource_attributes: bool,
    pub convert_histograms_to_nhcb: bool,
    pub promote_scope_metadata: bool,
    /// Whether names that begin with one underscore get `key` in front.
    pub label_name_underscore_sanitization: bool,
    pub label_name_preserve_multiple_underscores: bool,
}

/// What is done with sums and histograms that tell what was added since the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deltas {
    #[default]
    Refuse,
    /// Added up here: `--enable-feature=otlp-deltatocumulative`.
    Accumulate,
    /// Stored as they are: `--enable-feature=otlp-native-delta-ingestion`.
    Store,
}

/// What does not change while a receiver runs.
#[derive(Debug, Clone)]
pub struct Options {
    pub deltas: Deltas,
    /// Whether type and unit become labels.
    pub type_and_unit_labels: bool,
    /// Whether what a metric means is stored with its series.
    pub metadata: bool,
    /// Half of it lies between two samples of `target_info`.
    pub lookback: Duration,
}

/// Takes OTLP metrics and appends their samples.
pub struct Receiver {
    storage: Arc<dyn Appendable>,
    options: Options,
    /// Held to take a handle; no other lock is taken under it.
    settings: RwLock<Arc<Settings>>,
    /// Held while a request with deltas is translated; nothing is locked under it but the storage.
    accumulator: Mutex<Accumulator>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            strategy: Strategy::default(),
            promoted: Promoted::Only(Vec::new()),
            keep_identifying_resource_attributes: false,
            convert_histograms_to_nhcb: false,
            promote_scope_metadata: false,
            label_name_underscore_sanitization: true,
            label_name_preserve_multiple_underscores: true,
        }
    }
}

impl Strategy {
    /// The strategy that configuration files call so; nothing is the default.
    pub fn parse(name: &str) -> Option<Strategy> {
        Some(match name {
            "" | "UnderscoreEscapingWithSuffixes" => Strategy::UnderscoreEscapingWithSuffixes,
            "UnderscoreEscapingWithoutSuffixes" => Strategy::UnderscoreEscapingWithoutSuffixes,
            "NoUTF8EscapingWithSuffixes" => Strategy::NoUtf8EscapingWithSuffixes,
            "NoTranslation" => Strategy::NoTranslation,
            _ => return None,
        })
    }

    fn escapes(self) -> bool {
        matches!(
            self,
            Strategy::UnderscoreEscapingWithSuffixes | Strategy::UnderscoreEscapingWithoutSuffixes
        )
    }

    fn has_suffixes(self) -> bool {
        matches!(
            self,
            Strategy::UnderscoreEscapingWithSuffixes | Strategy::NoUtf8EscapingWithSuffixes
        )
    }
}

/// Why a request is not read at all.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("unsupported content type: {0}, supported: [{JSON}, {PROTOBUF}]")]
    ContentType(String),
    #[error("unsupported compression: {0}. Only \"gzip\" or no compression supported")]
    Compression(String),
    #[error("gzip: {0}")]
    Gzip(std::io::Error),
    #[error(transparent)]
    Protobuf(#[from] crate::wire::Malformed),
    #[error(transparent)]
    Json(#[from] json::Malformed),
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
            settings: RwLock::default(),
            accumulator: Mutex::default(),
            clock: runtime.clock.clone(),
            metrics: Metrics::register(registry),
        }
    }

    /// Translates by `settings` from now on.
    pub fn set_settings(&self, settings: Settings) {
        *self.settings.write() = Arc::new(settings);
    }

    /// Writes the samples of `body`, which came with these headers, `""` where it had none.
    /// Computes and blocks: not for async threads.
    pub fn write(&self, content_type: &str, content_encoding: &str, body: &[u8]) -> Outcome {
        let now = self.clock.now_millis();
        let mut sink =
            StorageSink::new(self.storage.appender(), now.saturating_add(AHEAD_MAX_MS), self);
        match self.translate(content_type, content_encoding, body, now, &mut sink) {
            Ok(report) => self.finish(report, sink),
            Err(unreadable) => {
                error!(err = %unreadable, "Error decoding OTLP write request");
                answer(400, unreadable.to_string())
            }
        }
    }

    fn translate(
        &self,
        content_type: &str,
        content_encoding: &str,
        body: &[u8],
        now: i64,
        sink: &mut dyn Sink,
    ) -> Result<Report, Unreadable> {
        if ![PROTOBUF, JSON].contains(&content_type) {
            return Err(Unreadable::ContentType(content_type.to_owned()));
        }
        let mut unpacked = Vec::new();
        let body = match content_encoding {
            "" => body,
            "gzip" => {
                stdx::capped::gunzip(body, BODY_BYTES_MAX, &mut unpacked)
                    .map_err(Unreadable::Gzip)?;
                &unpacked
            }
            other => return Err(Unreadable::Compression(other.to_owned())),
        };
        let settings = self.settings.read().clone();
        let mut accumulator = match self.options.deltas {
            Deltas::Accumulate => Some(self.accumulator.lock()),
            _ => None,
        };
        if let Some(accumulator) = &mut accumulator {
            accumulator.begin(now);
        }
        let mut translator =
            Translator::new(&settings, &self.options, accumulator.as_deref_mut(), sink);
        match content_type {
            JSON => json::walk(body, &mut translator)?,
            _ => protobuf::walk(body, &mut translator)?,
        }
        Ok(translator.finish())
    }

    /// Writes everything, or nothing if something went wrong.
    fn finish(&self, report: Report, sink: StorageSink<'_>) -> Outcome {
        for (category, _) in &report.warnings {
            self.metrics.warnings.with([category.name()]).increment();
        }
        if !report.warnings.is_empty() {
            let warnings: Vec<&str> = report.warnings.iter().map(|(_, text)| &**text).collect();
            warn!(?warnings, "Warnings translating OTLP metrics to Prometheus write request");
        }
        let Some(failure) = report.failure else {
            return match sink.commit() {
                Ok(()) => answer(200, String::new()),
                Err(error) => answer(500, error.to_string()),
            };
        };
        error!(err = failure.text, "Error appending OTLP write");
        answer(if failure.is_refused { 400 } else { 500 }, failure.text)
    }
}

fn answer(status: u16, text: String) -> Outcome {
    Outcome { status, text, written: None }
}
