//! A world small enough to read: series from `load` blocks, and a query language of a few forms.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use conformance::float;
use model::{Labels, Matcher, TimeRange, Timestamp, float as floats};
use runtime::clock::SimulatedClock;
use serde_json::Value as Json;
use storage::{Columns, MemoryStorage, Queryable, SelectHints};

use crate::{
    Definition, Group, Metrics, Notify, Query, Sample, SampleValue, Settings, World,
    alerting::Restore, file,
};

/// Answers from `storage` with the lookback of five minutes.
pub(crate) struct TinyQuery(pub(crate) Arc<dyn Queryable>);

impl Query for TinyQuery {
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<Sample>, String> {
        let expr = expr.trim();
        let float = |labels, value| Sample { labels, value: SampleValue::Float(value) };
        if expr.contains("label_replace") {
            // vector(0) or label_replace(vector(0), "test", "x", "", "")
            let labels = Labels::from_pairs([("test", "x")]);
            return Ok(vec![float(Labels::default(), 0.0), float(labels, 0.0)]);
        }
        if let Some(inner) = expr.strip_prefix("sort(").and_then(|rest| rest.strip_suffix(')')) {
            return self.instant(inner, time);
        }
        let mut words = expr.rsplitn(3, ' ');
        let (Some(right), Some(operator), Some(left)) = (words.next(), words.next(), words.next())
        else {
            return self.select(expr, time);
        };
        let mut samples = self.select(left, time)?;
        let number: Option<f64> = right.parse().ok();
        samples.retain_mut(|sample| {
            let SampleValue::Float(value) = &mut sample.value else { return false };
            match (operator, number) {
                ("<", Some(number)) => return *value < number,
                (">", Some(number)) => return *value > number,
                ("+", Some(number)) => *value += number,
                // Only ever added to itself.
                _ => *value += *value,
            }
            sample.labels = sample.labels.without_name();
            true
        });
        Ok(samples)
    }
}

impl TinyQuery {
    fn select(&self, selector: &str, time: Timestamp) -> Result<Vec<Sample>, String> {
        let (name, pairs) = parse_metric(selector);
        let mut matchers = vec![Matcher::equal("__name__", name)];
        matchers.extend(pairs.iter().map(|(name, value)| Matcher::equal(*name, *value)));
        let lookback = Duration::from_millis(5 * 60 * 1000 - 1);
        let range = TimeRange { start: time - lookback, end: time };
        let querier = self.0.querier(range).map_err(|error| error.to_string())?;
        let set = querier.select(true, &SelectHints::new(range), &matchers);
        let mut samples = Vec::new();
        for series in set.map_err(|error| error.to_string())?.series {
            let mut columns = Columns::default();
            series.read(range, &mut columns).map_err(|error| error.to_string())?;
            match columns.values.last() {
                Some(value) if !floats::is_stale(*value) => samples
                    .push(Sample { labels: series.labels(), value: SampleValue::Float(*value) }),
                _ => {}
            }
        }
        Ok(samples)
    }
}

/// `name{a="b"}` as its parts.
fn parse_metric(text: &str) -> (&str, Vec<(&str, &str)>) {
    let (name, rest) = text.split_once('{').unwrap_or((text, ""));
    let pairs = rest.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
    (name, pairs.map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))).collect())
}

/// Fills a storage from a `load` block: a step, then series with values such as `1 2x3 stale`.
pub(crate) fn load(text: &str) -> MemoryStorage {
    let storage = MemoryStorage::default();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(header) = lines.next() else { return storage };
    let step = header.trim().strip_prefix("load ").expect("a load block");
    let step = model::duration::parse(step).expect("a step").as_millis() as i64;
    for line in lines {
        let line = line.trim();
        let end = line.find('}').map_or_else(|| line.find(' '), |end| Some(end + 1));
        let (metric, values) = line.split_at(end.expect("values"));
        let (name, pairs) = parse_metric(metric);
        let labels = Labels::from_pairs(pairs.into_iter().chain([("__name__", name)]));
        let mut columns = Columns::default();
        for value in values.split_whitespace().flat_map(expand) {
            columns.push(columns.times.len() as i64 * step, value);
        }
        storage.insert(labels, columns);
    }
    storage
}

fn expand(notation: &str) -> Vec<f64> {
    if notation == "stale" {
        return vec![floats::STALE];
    }
    let (value, repeats) = notation.split_once('x').unwrap_or((notation, "0"));
    vec![value.parse().expect("a value"); repeats.parse::<usize>().expect("a count") + 1]
}

/// Fills a storage from series as JSON.
pub(crate) fn series(json: &Json) -> MemoryStorage {
    let storage = MemoryStorage::default();
    for one in json.as_array().into_iter().flatten() {
        let mut columns = Columns::default();
        for sample in one["samples"].as_array().into_iter().flatten() {
            columns.push(sample[0].as_i64().expect("a time"), float(&sample[1]));
        }
        storage.insert(labels(&one["labels"]), columns);
    }
    storage
}

pub(crate) fn labels(json: &Json) -> Labels {
    let pairs = json.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default())))
}

/// Alerts as they were sent.
#[derive(Default)]
pub(crate) struct Outbox(pub(crate) Mutex<Vec<model::Alert>>);

impl Notify for Outbox {
    fn send(&self, alerts: Vec<model::Alert>) {
        self.0.lock().expect("no sender panics").extend(alerts);
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        interval: Duration::from_secs(60),
        query_offset: Duration::ZERO,
        resend_delay: Duration::from_secs(60),
        restore: Restore {
            outage_tolerance: Duration::from_secs(30 * 60),
            grace_period: Duration::from_secs(10 * 60),
        },
        external_labels: Labels::default(),
        external_url: String::new(),
    }
}

pub(crate) fn world(storage: &MemoryStorage) -> (World, Arc<SimulatedClock>, Arc<Outbox>) {
    let (clock, outbox) = (Arc::new(SimulatedClock::default()), Arc::new(Outbox::default()));
    let world = World {
        query: Arc::new(TinyQuery(Arc::new(storage.clone()))),
        storage: Arc::new(storage.clone()),
        history: Arc::new(storage.clone()),
        notify: outbox.clone(),
        clock: clock.clone(),
        metrics: Metrics::register(&telemetry::Registry::default()),
    };
    (world, clock, outbox)
}

/// A rule from JSON in the form of rule files.
pub(crate) fn rule(json: &Json) -> file::Rule {
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let duration = |name: &str| match json[name].as_str() {
        Some(text) => model::duration::parse(text).expect("a duration"),
        None => Duration::ZERO,
    };
    let pairs = json["labels"].as_object().into_iter().flatten();
    let pairs = pairs.map(|(n, v)| (n.clone(), v.as_str().unwrap_or_default().to_owned()));
    let labels: BTreeMap<_, _> = pairs.collect();
    let kind = match json.get("alert") {
        Some(_) => file::Kind::Alerting(file::Alerting {
            hold: duration("for"),
            keep_firing_for: duration("keep_firing_for"),
            annotations: BTreeMap::new(),
        }),
        None => file::Kind::Recording,
    };
    file::Rule { name: text("alert") + &text("record"), expr: text("expr"), labels, kind }
}

/// A group of one rule.
pub(crate) fn group(rule: file::Rule, limit: Option<usize>, restored: bool) -> Group {
    let definition = Definition {
        file: "rules.yml".to_owned(),
        name: "group".to_owned(),
        interval: Duration::from_secs(60),
        query_offset: None,
        limit,
        rules: vec![Arc::new(rule)],
    };
    Group::new(definition, restored)
}

/// The samples of metric `name` at exactly `time`, as `{labels} value`, sorted.
pub(crate) fn written(storage: &MemoryStorage, name: &str, time: Timestamp) -> Vec<String> {
    let range = TimeRange { start: time, end: time };
    let matchers = [Matcher::equal("__name__", name)];
    let querier = storage.querier(range).expect("memory answers");
    let set = querier.select(true, &SelectHints::new(range), &matchers).expect("memory answers");
    let mut lines = Vec::new();
    for series in set.series {
        let mut columns = Columns::default();
        series.read(range, &mut columns).expect("memory answers");
        let values = columns.values.iter().filter(|value| !floats::is_stale(**value));
        lines.extend(values.map(|value| format!("{} {value}", series.labels())));
    }
    lines.sort();
    lines
}
