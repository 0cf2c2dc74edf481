use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, header},
};
use model::{FloatHistogram, TimeRange, histogram::Span};
use prost::Message as _;
use proto::metrics::{BucketSpan, Metric, MetricFamily};
use runtime::Simulation;
use serde_json::Value;
use storage::{Columns, MemoryStorage, Querier, Queryable};

use super::encoding::{histogram, labels};
use crate::prometheus::{
    State,
    tests::{Answer, get, load::load, send, state},
};

/// The lines of a page, sorted within each family.
fn sorted(page: &str) -> Vec<Vec<String>> {
    let mut families: Vec<Vec<String>> = Vec::new();
    for line in page.lines() {
        match families.last_mut() {
            Some(family) if !line.starts_with("# TYPE") => family.push(line.to_owned()),
            _ => families.push(vec![line.to_owned()]),
        }
    }
    families.iter_mut().for_each(|family| family.sort());
    families
}

fn insert(storage: &MemoryStorage, series: &Value) {
    for series in series.as_array().expect("a list") {
        let mut columns = Columns::default();
        let time = series["timestamp_ms"].as_i64().expect("a time");
        match series.get("integer_histogram") {
            None => columns.push(time, conformance::float(&series["value"])),
            Some(integer) => {
                columns.histogram_times.push(time);
                columns.histograms.push(Arc::new(absolute(integer)));
            }
        }
        storage.insert(labels(&series["labels"]), columns);
    }
}

/// A histogram whose buckets are written as differences.
fn absolute(integer: &Value) -> FloatHistogram {
    let histogram = histogram(integer);
    let sums = |deltas: &[f64]| -> Vec<f64> {
        let sum = |sum: &mut f64, delta: &f64| {
            *sum += delta;
            Some(*sum)
        };
        deltas.iter().scan(0.0, sum).collect()
    };
    FloatHistogram {
        positive_buckets: sums(&histogram.positive_buckets),
        negative_buckets: sums(&histogram.negative_buckets),
        ..histogram
    }
}

/// What a scraper would make of the messages.
fn compare_messages(case: &Value, answer: &Answer) -> Result<(), String> {
    let mut bytes = answer.bytes.as_ref();
    let (mut n_families, mut parsed) = (0, Vec::new());
    while !bytes.is_empty() {
        let family =
            MetricFamily::decode_length_delimited(&mut bytes).map_err(|e| e.to_string())?;
        n_families += 1;
        for metric in &family.metric {
            parse(&family.name, metric, &mut parsed);
        }
    }
    let mut expected = Vec::new();
    for sample in case["parsed_samples"].as_array().expect("a list") {
        let value = match sample.get("float_histogram") {
            None => format!("{}", conformance::float(&sample["value"])),
            Some(value) => format!("{:?}", histogram(value)),
        };
        // Not as labels: these may be empty, and `instance` must be.
        let of = sample["labels"].as_object().expect("an object").iter();
        let of: BTreeMap<&str, &str> =
            of.map(|(name, value)| (name.as_str(), value.as_str().expect("a text"))).collect();
        expected.push(format!("{of:?} {value} {}", sample["timestamp_ms"]));
    }
    let is_same = case["metric_families"].as_u64() == Some(n_families) && parsed == expected;
    if is_same { Ok(()) } else { Err(format!("{n_families} {parsed:#?}, wanted {expected:#?}")) }
}

fn parse(name: &str, metric: &Metric, parsed: &mut Vec<String>) {
    let pairs = metric.label.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()));
    let mut push = |suffix: &str, le: Option<f64>, value: String| {
        let name = format!("{name}{suffix}");
        let le = le.map(model::histogram::bounds::le_text);
        let mut of: BTreeMap<&str, &str> = pairs.clone().collect();
        of.insert(model::METRIC_NAME, &name);
        of.extend(le.as_ref().map(|le| ("le", le.as_str())));
        parsed.push(format!("{of:?} {value} {}", metric.timestamp_ms));
    };
    let Some(histogram) = &metric.histogram else {
        let value = metric.untyped.map(|untyped| untyped.value).unwrap_or_default();
        return push("", None, value.to_string());
    };
    if histogram.positive_span.is_empty() && histogram.negative_span.is_empty() {
        push("_count", None, histogram.sample_count_float.to_string());
        push("_sum", None, histogram.sample_sum.to_string());
        for bucket in &histogram.bucket {
            push("_bucket", Some(bucket.upper_bound), bucket.cumulative_count_float.to_string());
        }
        return push("_bucket", Some(f64::INFINITY), histogram.sample_count_float.to_string());
    }
    let spans = |spans: &[BucketSpan]| -> Vec<Span> {
        spans.iter().map(|span| Span { offset: span.offset, length: span.length }).collect()
    };
    let native = FloatHistogram {
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        zero_count: histogram.zero_count_float,
        count: histogram.sample_count_float,
        sum: histogram.sample_sum,
        positive_spans: spans(&histogram.positive_span),
        negative_spans: spans(&histogram.negative_span),
        positive_buckets: histogram.positive_count.clone(),
        negative_buckets: histogram.negative_count.clone(),
        ..FloatHistogram::default()
    };
    push("", None, format!("{native:?}"));
}

/// Has nothing yet.
struct NotReady;

impl Queryable for NotReady {
    fn querier(&self, _: TimeRange) -> storage::Result<Box<dyn Querier>> {
        Err(storage::Error::NotReady)
    }
}

fn run(case: &Value, lookback: Duration) -> Result<(), String> {
    let storage = MemoryStorage::default();
    match case["load"].as_str() {
        Some(script) => load(&storage, script),
        None => insert(&storage, &case["series"]),
    }
    let simulation = Simulation::new(1);
    let now = Duration::from_millis(case["now_ms"].as_u64().expect("a time"));
    simulation.clock.set_now(now);
    let external = labels(&case["external_labels"]);
    let query = case["query_string"].as_str().expect("a text");
    let query = query.replace('\'', "%27").replace('{', "%7B").replace('}', "%7D");
    let url = format!("/federate?{query}");
    let not_ready = get(State { storage: Arc::new(NotReady), ..state() }, &url);
    let code = case["code_when_storage_not_ready"].as_u64();
    if code.is_some_and(|code| code != u64::from(not_ready.status.as_u16())) {
        return Err(format!("{} while the storage is not ready", not_ready.status));
    }
    let state = State {
        storage: Arc::new(storage),
        runtime: simulation.runtime(),
        external_labels: Arc::new(move || external.clone()),
        lookback_delta: lookback,
        ..state()
    };
    let mut request = Request::get(&url);
    if let Some(accepted) = case["accept"].as_str() {
        request = request.header(header::ACCEPT, accepted);
    }
    let answer = send(state, request.body(Body::empty()).expect("a request"));
    if case.get("parsed_samples").is_some() {
        return compare_messages(case, &answer);
    }
    let is_same = case["code"].as_u64() == Some(u64::from(answer.status.as_u16()))
        && sorted(&answer.body) == sorted(case["body"].as_str().expect("a text"));
    if is_same { Ok(()) } else { Err(format!("{} {}", answer.status, answer.body)) }
}

#[test]
fn federation() {
    let Some(table) = conformance::cases("prometheus/federate/federate.json") else { return };
    let mut score = conformance::Score::new("federate/federate");
    let lookback_ms = table.whole["lookback_delta_ms"].as_u64().expect("a number");
    for case in &table.cases {
        let name = case["name"].as_str().expect("a text");
        score.add(name, run(case, Duration::from_millis(lookback_ms)));
    }
    score.finish(&[]);
}
