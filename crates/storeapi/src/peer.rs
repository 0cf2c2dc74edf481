//! Another server that is asked over StoreAPI.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use grpc::{Channel, MetadataValue, Request, Status, Streaming};
use model::{Labels, Matcher, TimeRange};
use prost::Message as _;
use proto::thanos::{
    self, Func, Grouping, LabelNamesRequest, LabelNamesResponse, LabelValuesRequest,
    LabelValuesResponse, QueryHints, Range, SeriesRequest, SeriesResponse,
    info::{InfoRequest, InfoResponse},
    series_response::Result as Answer,
};
use runtime::{Clock, clock::timeout};
use storage::{Columns, LabelHints, LabelValues, SelectHints};
use telemetry::{Counter, Histogram, Registry, Vector};

use crate::{
    matchers,
    wire::{self, Chunk, RAW},
};

/// So many series come in one message, where the other side can do so.
const BATCH_SERIES: i64 = 64;
/// What a series and a chunk take here, beside their bytes.
const OVERHEAD_BYTES: usize = 96;
/// Warnings of one answer beyond this many are not shown.
const WARNINGS_MAX: usize = 10;

const SECONDS: [f64; 11] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How a peer is asked.
#[derive(Clone)]
pub struct Settings {
    /// In warnings and metrics.
    pub name: String,
    /// For a whole answer.
    pub timeout: Duration,
    /// Ours; series that have them are shown without. Follows the configuration.
    pub external_labels: Arc<dyn Fn() -> Labels + Send + Sync>,
}

/// Another server. Cloning gives another handle to the same connection.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    settings: Settings,
    channel: Channel,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// What asking peers takes.
#[derive(Clone)]
pub struct Metrics {
    requests: Vector<Counter, 2>,
    duration: Vector<Histogram, 1>,
    bytes: Vector<Counter, 1>,
}

impl Metrics {
    pub fn register(registry: &Registry) -> Metrics {
        Metrics {
            requests: registry.counters(
                "vesta_storeapi_client_requests_total",
                "Questions to peers over the StoreAPI.",
                ["peer", "code"],
            ),
            duration: registry.histograms(
                "vesta_storeapi_client_request_duration_seconds",
                "How long answers of peers took.",
                ["peer"],
                &SECONDS,
            ),
            bytes: registry.counters(
                "vesta_storeapi_client_received_bytes_total",
                "Bytes of series that peers sent.",
                ["peer"],
            ),
        }
    }
}

/// What a peer has, perhaps not all of it: then a warning says why.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) series: Vec<(Labels, Vec<Chunk>)>,
    pub(crate) warnings: Vec<String>,
}

/// Memory that several answers share.
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Budget {
        Budget { limit, used: AtomicUsize::new(0) }
    }

    fn take(&self, n_bytes: usize) -> Result<(), String> {
        let used = self.used.fetch_add(n_bytes, Ordering::Relaxed).saturating_add(n_bytes);
        let is_within = used <= self.limit;
        is_within.then_some(()).ok_or_else(|| {
            format!("answers of members take more than {} bytes: the rest is left out", self.limit)
        })
    }
}

impl Peer {
    pub fn new(
        settings: Settings,
        channel: Channel,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Peer {
        Peer(Arc::new(Inner { settings, channel, clock, metrics }))
    }

    pub fn name(&self) -> &str {
        &self.0.settings.name
    }

    /// What the peer says of itself; an error is a text for the user.
    pub async fn info(&self) -> Result<InfoResponse, String> {
        let call = self.0.channel.unary("/thanos.info.Info/Info", Request::new(InfoRequest {}));
        let answer = self.within(async { call.await.map(grpc::Response::into_inner) }).await;
        answer.map_err(|status| self.complaint(&status))
    }

    /// All that the peer has of a selection, as chunks.
    pub(crate) async fn series(
        &self,
        range: TimeRange,
        hints: &SelectHints,
        matchers: &[Matcher],
        budget: &Budget,
    ) -> Found {
        let mut found = Found::default();
        let reading = async {
            let question = self.question(series_request(range, hints, matchers));
            let answer = self.0.channel.stream("/thanos.Store/Series", question).await?;
            let is_raw = answer.metadata().contains_key(RAW);
            self.read(answer.into_inner(), is_raw, budget, &mut found).await
        };
        if let Err(status) = self.within(reading).await {
            found.warnings.push(status.message_for_user());
        }
        found.warnings.truncate(WARNINGS_MAX);
        for warning in &mut found.warnings {
            *warning = format!("member {}: {warning}", self.name());
        }
        found
    }

    pub(crate) async fn label_names(
        &self,
        range: TimeRange,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> LabelValues {
        let question = self.question(LabelNamesRequest {
            start: range.start.as_millis(),
            end: range.end.as_millis(),
            matchers: matchers::write(matchers),
            without_replica_labels: Vec::new(),
            limit: hints.limit as i64,
            ..LabelNamesRequest::default()
        });
        let asking = async {
            let answer = self.0.channel.unary("/thanos.Store/LabelNames", question).await?;
            let is_raw = answer.metadata().contains_key(RAW);
            let LabelNamesResponse { mut names, warnings } = answer.into_inner();
            let ours = self.ours(is_raw);
            names.retain(|name| ours.get(name).is_none());
            Ok((names, warnings))
        };
        self.values(self.within(asking).await)
    }

    pub(crate) async fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> LabelValues {
        let question = self.question(LabelValuesRequest {
            label: name.to_owned(),
            start: range.start.as_millis(),
            end: range.end.as_millis(),
            matchers: matchers::write(matchers),
            limit: hints.limit as i64,
            ..LabelValuesRequest::default()
        });
        let call = self.0.channel.unary("/thanos.Store/LabelValues", question);
        let answer = self.within(async { call.await.map(grpc::Response::into_inner) }).await;
        self.values(answer.map(|LabelValuesResponse { values, warnings }| (values, warnings)))
    }

    fn values(&self, answer: Result<(Vec<String>, Vec<String>), Status>) -> LabelValues {
        match answer {
            Ok((values, warnings)) => LabelValues {
                values,
                warnings: warnings
                    .iter()
                    .map(|text| format!("member {}: {text}", self.name()))
                    .collect(),
            },
            Err(status) => {
                LabelValues { values: Vec::new(), warnings: vec![self.complaint(&status)] }
            }
        }
    }

    /// Reads an answer to its end, or as far as it makes sense and there is room.
    async fn read(
        &self,
        mut stream: Streaming<SeriesResponse>,
        is_raw: bool,
        budget: &Budget,
        found: &mut Found,
    ) -> Result<(), Status> {
        let ours = self.ours(is_raw);
        let received = self.0.metrics.bytes.with([self.name()]);
        let mut scratch = Columns::default();
        while let Some(message) = stream.message().await? {
            received.add(message.encoded_len() as f64);
            let series = match message.result {
                Some(Answer::Series(series)) => vec![series],
                Some(Answer::Batch(batch)) => batch.series,
                Some(Answer::Warning(warning)) => {
                    found.warnings.push(warning);
                    continue;
                }
                None => continue,
            };
            for series in series {
                let labels = wire::read_labels(&series.labels).map_err(malformed)?;
                let labels = without(&labels, &ours);
                let taken = found.take(labels, series.chunks, &mut scratch, budget);
                if let Err(warning) = taken? {
                    found.warnings.push(warning);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The labels that are to be taken off.
    pub(crate) fn channel(&self) -> &Channel {
        &self.0.channel
    }

    fn ours(&self, is_raw: bool) -> Labels {
        if is_raw { Labels::empty() } else { self.external_labels() }
    }

    pub(crate) fn external_labels(&self) -> Labels {
        (self.0.settings.external_labels)()
    }

    fn question<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert(RAW, MetadataValue::from_static("1"));
        request
    }

    pub(crate) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let inner = &*self.0;
        let begin = inner.clock.monotonic();
        let limit = inner.settings.timeout;
        let answer = match timeout(&*inner.clock, limit, call).await {
            Some(answer) => answer,
            None => {
                // Perhaps nobody is at the other end any more.
                inner.channel.reset().await;
                Err(Status::deadline_exceeded(format!("no answer within {limit:?}")))
            }
        };
        let took = inner.clock.monotonic().saturating_sub(begin);
        inner.metrics.duration.with([self.name()]).observe_duration(took);
        let code = answer.as_ref().map_or_else(Status::code, |_| grpc::Code::Ok);
        inner.metrics.requests.with([self.name(), &format!("{code:?}")]).increment();
        answer
    }

    pub(crate) fn complaint(&self, status: &Status) -> String {
        format!("member {}: {}", self.name(), status.message_for_user())
    }
}

impl Found {
    /// Adds a series, or further chunks of the one before; the inner error is a warning.
    fn take(
        &mut self,
        labels: Labels,
        chunks: Vec<thanos::AggrChunk>,
        scratch: &mut Columns,
        budget: &Budget,
    ) -> Result<Result<(), String>, Status> {
        if self.series.last().is_none_or(|(last, _)| *last != labels) {
            if let Err(warning) = budget.take(labels.as_packed().len() + OVERHEAD_BYTES) {
                return Ok(Err(warning));
            }
            self.series.push((labels, Vec::with_capacity(chunks.len())));
        }
        let Some((_, known)) = self.series.last_mut() else { return Ok(Ok(())) };
        for chunk in chunks {
            let Some(chunk) = wire::read_chunk(chunk, scratch).map_err(malformed)? else {
                continue;
            };
            if let Err(warning) = budget.take(chunk.n_bytes() + OVERHEAD_BYTES) {
                return Ok(Err(warning));
            }
            known.push(chunk);
        }
        Ok(Ok(()))
    }
}

fn series_request(range: TimeRange, hints: &SelectHints, matchers: &[Matcher]) -> SeriesRequest {
    SeriesRequest {
        min_time: range.start.as_millis(),
        max_time: range.end.as_millis(),
        matchers: matchers::write(matchers),
        aggregates: vec![thanos::Aggr::Raw.into()],
        skip_chunks: hints.function == "series",
        query_hints: Some(QueryHints {
            step_millis: hints.step_ms,
            func: Some(Func { name: hints.function.clone() }),
            grouping: Some(Grouping { by: hints.by, labels: hints.grouping.clone() }),
            range: Some(Range { millis: hints.range_ms }),
        }),
        response_batch_size: BATCH_SERIES,
        ..SeriesRequest::default()
    }
}

/// Takes off what has been added to tell one server's series from those of others.
pub(crate) fn without(labels: &Labels, ours: &Labels) -> Labels {
    match ours.is_empty() {
        true => labels.clone(),
        false => {
            labels.filter(|name| ours.get(name).is_none_or(|value| labels.value(name) != value))
        }
    }
}

pub(crate) fn malformed(error: wire::Malformed) -> Status {
    Status::data_loss(format!("the answer makes no sense: {error}"))
}

trait ForUser {
    fn message_for_user(&self) -> String;
}

impl ForUser for Status {
    fn message_for_user(&self) -> String {
        match self.message() {
            "" => self.code().description().to_owned(),
            message => message.to_owned(),
        }
    }
}
