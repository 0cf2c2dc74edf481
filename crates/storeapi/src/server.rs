//! What others may ask.

mod external;
mod labels;
mod others;
mod selection;
mod series;
mod shard;

use std::{sync::Arc, time::Duration};

use axum::Router;
use grpc::{Gate, MetadataValue, Methods, Request, Response, Status, guarded};
use model::{Labels, Timestamp};
use proto::thanos::{
    self, LabelSet, RuleGroup, TargetDiscovery,
    info::{
        ExemplarsInfo, InfoRequest, InfoResponse, MetricMetadataInfo, RulesInfo, StoreInfo,
        TargetsInfo, TsdbInfo,
    },
};
use runtime::Clock;
use storage::{ExemplarQueryable, Queryable};
use telemetry::{Counter, Gauge, Registry, Vector};

use crate::wire::{self, RAW};

/// Who answers.
#[derive(Clone)]
pub struct Sources {
    pub series: Arc<dyn Queryable>,
    pub exemplars: Arc<dyn ExemplarQueryable>,
    pub rules: Arc<dyn Rules>,
    pub targets: Arc<dyn Targets>,
    pub metadata: Arc<dyn Metadata>,
    /// Follows the configuration.
    pub external_labels: Arc<dyn Fn() -> Labels + Send + Sync>,
    /// The time of the oldest sample, if there is one.
    pub oldest: Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>,
}

/// Knows the rules that are evaluated, and their state. External labels are added here.
pub trait Rules: Send + Sync {
    fn groups(&self) -> Vec<RuleGroup>;
}

/// Knows the targets. External labels are added here.
pub trait Targets: Send + Sync {
    fn targets(&self) -> TargetDiscovery;
}

/// Knows what targets say of their metrics.
pub trait Metadata: Send + Sync {
    /// For each metric, sorted by name, what different targets say; of all metrics if `metric` is
    /// empty.
    fn metadata(&self, metric: &str) -> Vec<(String, Vec<model::Metadata>)>;
}

/// What requests may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests that are answered at once; others wait.
    pub concurrency: usize,
    /// For waiting and for the whole of an answer, read by the other side included.
    pub timeout: Duration,
    pub request_bytes: usize,
    /// How much of an answer is prepared before it is sent.
    pub frame_bytes: usize,
    /// In one answer.
    pub series: usize,
    pub samples: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            concurrency: 20,
            timeout: Duration::from_secs(120),
            request_bytes: 1 << 20,
            frame_bytes: 1 << 20,
            series: 10_000_000,
            samples: 1_000_000_000,
        }
    }
}

/// Answers Info, Store, Rules, Targets, Metadata and Exemplars.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    sources: Sources,
    limits: Limits,
    clock: Arc<dyn Clock>,
    gate: Gate,
    running: Gauge,
    requests: Vector<Counter, 2>,
    series_sent: Counter,
    chunk_bytes_sent: Counter,
}

impl Server {
    pub fn new(
        sources: Sources,
        limits: Limits,
        clock: Arc<dyn Clock>,
        registry: &Registry,
    ) -> Server {
        Server(Arc::new(Inner {
            sources,
            limits,
            gate: Gate::new(limits.concurrency, limits.timeout, clock.clone()),
            clock,
            running: registry
                .gauge("vesta_storeapi_requests_running", "Requests of the StoreAPI under way."),
            requests: registry.counters(
                "vesta_storeapi_requests_total",
                "Requests of the StoreAPI that were answered.",
                ["method", "code"],
            ),
            series_sent: registry
                .counter("vesta_storeapi_series_sent_total", "Series in answers of the StoreAPI."),
            chunk_bytes_sent: registry.counter(
                "vesta_storeapi_chunk_bytes_sent_total",
                "Bytes of chunks in answers of the StoreAPI.",
            ),
        }))
    }

    /// The methods, to be merged with those of other services, given to [`grpc::finish`] and
    /// served over HTTP/2.
    pub fn router(&self) -> Router {
        let methods = Methods::new(self.0.limits.request_bytes);
        let methods = self.unary(methods, "/thanos.info.Info/Info", Inner::info);
        let methods = self.unary(methods, "/thanos.Store/LabelNames", Inner::label_names);
        let methods = self.unary(methods, "/thanos.Store/LabelValues", Inner::label_values);
        let inner = self.0.clone();
        let methods = methods.stream("/thanos.Store/Series", move |request| {
            let inner = inner.clone();
            async move { inner.counted("Series", inner.clone().series(request).await) }
        });
        let methods = self.listed(methods, "/thanos.Rules/Rules", Inner::rules);
        let methods = self.listed(methods, "/thanos.Targets/Targets", Inner::targets);
        let methods = self.listed(methods, "/thanos.Metadata/MetricMetadata", Inner::metadata);
        let methods = self.listed(methods, "/thanos.Exemplars/Exemplars", Inner::exemplars);
        methods.into_router()
    }

    /// A method that computes its answer at once.
    fn unary<Q, A>(
        &self,
        methods: Methods,
        path: &'static str,
        answer: fn(&Inner, Q, Labels) -> Result<A, Status>,
    ) -> Methods
    where
        Q: prost::Message + Default + 'static,
        A: prost::Message + 'static,
    {
        let inner = self.0.clone();
        methods.unary(path, move |request: Request<Q>| {
            let inner = inner.clone();
            async move {
                let is_raw = is_raw(&request);
                let outcome = inner.compute(request, answer).await;
                inner.counted(method_name(path), outcome.map(|answer| respond(answer, is_raw)))
            }
        })
    }

    /// A method that computes the messages of its stream at once.
    fn listed<Q, A>(
        &self,
        methods: Methods,
        path: &'static str,
        answer: fn(&Inner, Q, Labels) -> Result<Vec<A>, Status>,
    ) -> Methods
    where
        Q: prost::Message + Default + 'static,
        A: prost::Message + 'static,
    {
        let inner = self.0.clone();
        methods.stream(path, move |request: Request<Q>| {
            let inner = inner.clone();
            async move {
                let outcome = inner.compute(request, answer).await;
                let outcome = outcome.map(|messages| {
                    Response::new(futures_util::stream::iter(messages.into_iter().map(Ok)))
                });
                inner.counted(method_name(path), outcome)
            }
        })
    }
}

impl Inner {
    /// Answers with the external labels that series are to be shown with.
    async fn compute<Q, A>(
        &self,
        request: Request<Q>,
        answer: fn(&Inner, Q, Labels) -> Result<A, Status>,
    ) -> Result<A, Status> {
        let _place = self.enter().await?;
        let external = self.external_labels(is_raw(&request));
        guarded(|| answer(self, request.into_inner(), external))
    }

    async fn enter(&self) -> Result<Place, Status> {
        let place = self.gate.enter().await?;
        self.running.add(1.0);
        Ok(Place { _place: place, running: self.running.clone() })
    }

    fn external_labels(&self, is_raw: bool) -> Labels {
        if is_raw { Labels::empty() } else { (self.sources.external_labels)() }
    }

    fn counted<T>(&self, method: &str, outcome: Result<T, Status>) -> Result<T, Status> {
        let code = outcome.as_ref().map_or_else(Status::code, |_| grpc::Code::Ok);
        self.requests.with([method, &format!("{code:?}")]).increment();
        outcome
    }

    fn info(&self, _: InfoRequest, external_labels: Labels) -> Result<InfoResponse, Status> {
        let labels = LabelSet { labels: wire::labels(&external_labels) };
        let oldest = (self.sources.oldest)().map_or(0, Timestamp::as_millis);
        // There is no last sample: more come all the time.
        let (min_time, max_time) = (oldest, i64::MAX);
        let label_sets = match external_labels.is_empty() {
            true => Vec::new(),
            false => vec![labels.clone()],
        };
        Ok(InfoResponse {
            label_sets,
            component_type: "sidecar".to_owned(),
            store: Some(StoreInfo {
                min_time,
                max_time,
                supports_sharding: true,
                supports_without_replica_labels: true,
                tsdb_infos: vec![TsdbInfo { labels: Some(labels), min_time, max_time }],
            }),
            rules: Some(RulesInfo {}),
            metric_metadata: Some(MetricMetadataInfo {}),
            targets: Some(TargetsInfo {}),
            exemplars: Some(ExemplarsInfo { min_time, max_time }),
        })
    }
}

/// A place among the requests that are answered, counted.
struct Place {
    _place: grpc::Place,
    running: Gauge,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.add(-1.0);
    }
}

fn is_raw<Q>(request: &Request<Q>) -> bool {
    request.metadata().contains_key(RAW)
}

fn respond<A>(answer: A, is_raw: bool) -> Response<A> {
    let mut response = Response::new(answer);
    if is_raw {
        response.metadata_mut().insert(RAW, MetadataValue::from_static("1"));
    }
    response
}

fn method_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn storage_failed(error: storage::Error) -> Status {
    match error {
        storage::Error::NotReady => Status::unavailable(error.to_string()),
        error => Status::internal(error.to_string()),
    }
}

/// What becomes of a request for the conditions that it has.
fn read_matchers(matchers: &[thanos::LabelMatcher]) -> Result<Vec<model::Matcher>, Status> {
    crate::matchers::read(matchers).map_err(Status::invalid_argument)
}
