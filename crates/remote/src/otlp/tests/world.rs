//! A receiver over a sink that keeps what it is given, and requests to give it.

use std::sync::Arc;

use model::{Labels, float::is_stale, histogram::Histogram};
use parking_lot::Mutex;
use runtime::Simulation;
use storage::{
    AppendError, Appendable, Appender, Exemplar, ExemplarError, HistogramValue, SeriesRef,
};
use telemetry::Registry;

use crate::{
    Outcome,
    otlp::{
        Deltas, Options, Receiver, Settings,
        sink::{Sample, Sink, Value},
        translate::Failure,
    },
};

/// A sample that was taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taken {
    pub(super) family: String,
    pub(super) labels: Labels,
    pub(super) metadata: model::Metadata,
    pub(super) start: i64,
    pub(super) time: i64,
    pub(super) value: Value,
    pub(super) exemplars: Vec<Exemplar>,
}

/// Takes everything.
#[derive(Default)]
pub(super) struct Takes(pub(super) Vec<Taken>);

impl Sink for Takes {
    fn append(&mut self, sample: Sample<'_>) -> Result<(), Failure> {
        self.0.push(Taken {
            family: sample.family.to_owned(),
            labels: sample.labels,
            metadata: sample.metadata.clone(),
            start: sample.start,
            time: sample.time,
            value: sample.value,
            exemplars: sample.exemplars.to_vec(),
        });
        Ok(())
    }
}

pub(super) fn options() -> Options {
    Options {
        deltas: Deltas::Refuse,
        type_and_unit_labels: false,
        metadata: true,
        lookback: std::time::Duration::from_secs(300),
    }
}

/// A receiver over a store that keeps what was committed.
pub(super) struct World {
    pub(super) receiver: Receiver,
    store: Store,
    pub(super) registry: Registry,
}

impl World {
    pub(super) fn new() -> World {
        World::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> World {
        World::of(settings, options())
    }

    pub(super) fn with_deltas(deltas: Deltas) -> World {
        World::of(Settings::default(), Options { deltas, ..options() })
    }

    pub(super) fn of(settings: Settings, options: Options) -> World {
        let (store, registry) = (Store::default(), Registry::default());
        let runtime = Simulation::new(1).runtime();
        let receiver = Receiver::new(Arc::new(store.clone()), options, &runtime, &registry);
        receiver.set_settings(settings);
        World { receiver, store, registry }
    }

    pub(super) fn json(&self, request: &str) -> Outcome {
        self.receiver.write("application/json", "", request.as_bytes())
    }

    /// What is stored, a line a sample.
    pub(super) fn dump(&self) -> String {
        let print = |(labels, time, value): &(Labels, i64, Value)| match value {
            Value::Float(value) if is_stale(*value) => format!("{labels} stale @{time}"),
            Value::Float(value) => format!("{labels} {value} @{time}"),
            Value::Histogram(_) => format!("{labels} histogram @{time}"),
        };
        self.store.0.lock().stored.iter().map(print).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn histograms(&self) -> Vec<Histogram> {
        let contents = self.store.0.lock();
        let histograms = contents.stored.iter().filter_map(|(.., value)| match value {
            Value::Histogram(HistogramValue::Integer(histogram)) => Some((**histogram).clone()),
            _ => None,
        });
        histograms.collect()
    }

    pub(super) fn exemplars(&self) -> Vec<String> {
        let print = |e: &Exemplar| format!("{} {} @{}", e.labels, e.value, e.time.as_millis());
        self.store.0.lock().exemplars.iter().map(print).collect()
    }

    /// What was said of the types of metrics.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.store.0.lock().kinds.clone()
    }
}

#[derive(Default, Clone)]
struct Store(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    stored: Vec<(Labels, i64, Value)>,
    exemplars: Vec<Exemplar>,
    kinds: Vec<&'static str>,
}

impl Appendable for Store {
    fn appender(&self) -> Box<dyn Appender> {
        Box::new(StoreAppender { store: self.clone(), pending: Contents::default() })
    }
}

struct StoreAppender {
    store: Store,
    pending: Contents,
}

impl Appender for StoreAppender {
    fn append(
        &mut self,
        _: SeriesRef,
        labels: &Labels,
        time: model::Timestamp,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        self.pending.stored.push((labels.clone(), time.as_millis(), Value::Float(value)));
        Ok(SeriesRef(1))
    }

    fn append_histogram(
        &mut self,
        _: SeriesRef,
        labels: &Labels,
        time: model::Timestamp,
        value: HistogramValue,
    ) -> Result<SeriesRef, AppendError> {
        self.pending.stored.push((labels.clone(), time.as_millis(), Value::Histogram(value)));
        Ok(SeriesRef(1))
    }

    fn append_exemplar(&mut self, _: SeriesRef, exemplar: &Exemplar) -> Result<(), ExemplarError> {
        self.pending.exemplars.push(exemplar.clone());
        Ok(())
    }

    fn append_metadata(&mut self, _: SeriesRef, metadata: &model::Metadata) {
        self.pending.kinds.push(metadata.kind.as_str());
    }

    fn commit(self: Box<Self>) -> storage::Result<()> {
        let mut contents = self.store.0.lock();
        contents.stored.extend(self.pending.stored);
        contents.exemplars.extend(self.pending.exemplars);
        contents.kinds.extend(self.pending.kinds);
        Ok(())
    }

    fn rollback(self: Box<Self>) {}
}

/// A request of metrics that nobody says whose they are.
pub(super) fn request(metrics: &str) -> String {
    resource(&[], metrics)
}

pub(super) fn resource(attributes: &[(&str, &str)], metrics: &str) -> String {
    let attributes: Vec<String> = attributes
        .iter()
        .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#))
        .collect();
    let attributes = attributes.join(",");
    format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{attributes}]}},"scopeMetrics":[{{"metrics":[{metrics}]}}]}}]}}"#
    )
}

pub(super) fn metric(name: &str, unit: &str, data: &str) -> String {
    format!(r#"{{"name":"{name}","unit":"{unit}",{data}}}"#)
}

/// A gauge of 3 at 1s.
pub(super) fn gauge(name: &str, unit: &str) -> String {
    let point = r#"{"timeUnixNano":"1000000000","asDouble":3}"#;
    metric(name, unit, &format!(r#""gauge":{{"dataPoints":[{point}]}}"#))
}

pub(super) fn sum(
    name: &str,
    unit: &str,
    temporality: u8,
    is_monotonic: bool,
    time_ms: u64,
    value: &str,
) -> String {
    let point = format!(r#"{{"timeUnixNano":"{time_ms}000000","asInt":"{value}"}}"#);
    let data = format!(
        r#""sum":{{"aggregationTemporality":{temporality},"isMonotonic":{is_monotonic},"dataPoints":[{point}]}}"#
    );
    metric(name, unit, &data)
}
