//! Upstream's tables of the engine.

use std::sync::{Arc, Mutex};

use conformance::{Score, cases, float};
use model::{Labels, Matcher, TimeRange};
use serde_json::Value as Json;
use storage::{LabelHints, LabelValues, Querier, Queryable, SelectHints, SeriesSet};

use super::subject::{Memory, Times, script_options};
use crate::{
    Options, QueryOptions, SampleValue, Value,
    float::Sum,
    functions::{Bucket, bucket_quantile},
};

/// Runs `check` over the cases of a table.
pub(super) fn check_table(
    table: &str,
    known: &[(&str, &str)],
    check: impl Fn(&Json, &Json) -> Result<(), String>,
) {
    let path = format!("prometheus/promql/{table}.json");
    let Some(cases) = cases(&path) else { return };
    let mut score = Score::new(&path);
    for (idx, case) in cases.cases.iter().enumerate() {
        let name = case["name"].as_str().or(case["query"].as_str()).unwrap_or_default();
        score.add(format!("{idx} {name}"), check(&cases.whole, case));
    }
    score.finish(known);
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got:?}, expected {expected:?}")) }
}

pub(super) fn text<'a>(case: &'a Json, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

pub(super) fn number(case: &Json, key: &str) -> i64 {
    case[key].as_i64().unwrap_or_default()
}

fn times(case: &Json) -> Times {
    let range = &case["range"];
    if range.is_object() {
        return Times::Range {
            start: number(range, "start_ms"),
            end: number(range, "end_ms"),
            step: number(range, "step_ms") as u64,
        };
    }
    Times::Instant(number(case, "instant_at_ms"))
}

fn texts(value: &Json) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten();
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn labels(value: &Json) -> Labels {
    let pairs = value.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default())))
}

/// Series that no script can load.
fn extra_series(case: &Json) -> Vec<promqltest::LoadedSeries> {
    let all = case["extra_series"].as_array().into_iter().flatten();
    let one = |series: &Json| {
        let mut samples = storage::Columns::default();
        for pair in series["samples"].as_array().into_iter().flatten() {
            samples.push(pair[0].as_i64().unwrap_or_default(), float(&pair[1]));
        }
        if series["generator"].is_object() {
            samples.push(-1_000_000, 1000.0);
            for seconds in -999..=0_i32 {
                samples.push(i64::from(seconds) * 1000, f64::from(1 - seconds));
            }
        }
        promqltest::LoadedSeries { labels: labels(&series["labels"]), samples }
    };
    all.map(one).collect()
}

#[test]
fn results() {
    check_table("query_results", &[], |_, case| {
        let mut memory = Memory::new(script_options()).with(text(case, "load"));
        memory.loader.load(extra_series(case));
        let result = memory.ask(text(case, "query"), times(case), &QueryOptions::default());
        if case["ok"] != true {
            let error = result.err().map(|error| error.to_string()).unwrap_or_default();
            return match (case["error"].as_str(), case["error_contains"].as_str()) {
                (Some(exact), _) => same(error.as_str(), exact),
                (_, Some(part)) if error.contains(part) => Ok(()),
                (None, None) if !error.is_empty() => Ok(()),
                _ => Err(format!("unexpected error {error:?}: {case}")),
            };
        }
        let value = result.map_err(|error| error.to_string())?.value;
        check_value(&value, &case["result"])
    });
}

fn check_value(value: &Value, expected: &Json) -> Result<(), String> {
    let mut wanted: Vec<String> = Vec::new();
    let mut got: Vec<String> = Vec::new();
    match value {
        Value::Scalar(time, value) => {
            got.push(format!("{} {value:?}", time.as_millis()));
            let pair = &expected["value"];
            wanted.push(format!("{} {:?}", pair[0], float(&pair[1])));
        }
        Value::String(time, text) => {
            got.push(format!("{} {text}", time.as_millis()));
            let pair = &expected["value"];
            wanted.push(format!("{} {}", pair[0], pair[1].as_str().unwrap_or_default()));
        }
        Value::Vector(samples) => {
            for sample in samples {
                let value = match &sample.value {
                    SampleValue::Float(value) => format!("{value:?}"),
                    SampleValue::Histogram(histogram) => histogram.to_string(),
                };
                got.push(format!("{} {} {value}", sample.labels, sample.timestamp));
            }
            for sample in expected["result"].as_array().into_iter().flatten() {
                let value = float(&sample["value"]);
                let at = &sample["timestamp_ms"];
                wanted.push(format!("{} {at} {value:?}", labels(&sample["labels"])));
            }
        }
        Value::Matrix(series) => {
            for series in series {
                let points = series.floats.iter();
                let points: Vec<_> =
                    points.map(|point| (point.timestamp.as_millis(), point.value)).collect();
                got.push(format!("{} {points:?}", series.labels));
            }
            for series in expected["result"].as_array().into_iter().flatten() {
                let points = series["floats"].as_array().into_iter().flatten();
                let points: Vec<_> = points
                    .map(|pair| (pair[0].as_i64().unwrap_or_default(), float(&pair[1])))
                    .collect();
                wanted.push(format!("{} {points:?}", labels(&series["labels"])));
            }
        }
    }
    got.sort_unstable();
    wanted.sort_unstable();
    same(got, wanted)
}

#[test]
fn statistics() {
    check_table("query_statistics", &[], |_, case| {
        let options = QueryOptions { per_step_stats: true, ..QueryOptions::default() };
        let ask = |samples_max: u64| {
            let engine = Options { samples_max, ..script_options() };
            let memory = Memory::new(engine).with(text(case, "load"));
            memory.ask(text(case, "query"), times(case), &options)
        };
        let stats = ask(1_000_000).map_err(|error| error.to_string())?.stats;
        let steps = |key: &str| -> Vec<(i64, u64)> {
            let pairs = case[key].as_array().into_iter().flatten();
            let pair = |pair: &Json| (pair[0].as_i64(), pair[1].as_u64());
            pairs.map(pair).map(|(time, n)| (time.unwrap(), n.unwrap())).collect()
        };
        let millis = |steps: &[(model::Timestamp, u64)]| -> Vec<(i64, u64)> {
            steps.iter().map(|(time, n)| (time.as_millis(), *n)).collect()
        };
        let got = (
            stats.total_samples,
            stats.samples_read,
            stats.peak_samples,
            millis(&stats.total_samples_per_step),
            millis(&stats.samples_read_per_step),
        );
        let expected = (
            number(case, "total_samples") as u64,
            number(case, "samples_read") as u64,
            number(case, "peak_samples") as u64,
            steps("total_samples_per_step"),
            steps("samples_read_per_step"),
        );
        same(got, expected)?;
        if case["fails_when_max_samples_is_peak_minus_one"] == true {
            check_limit(&ask, stats.peak_samples)?;
        }
        Ok(())
    });
}

fn check_limit(
    ask: &dyn Fn(u64) -> crate::Result<crate::QueryResult>,
    peak: u64,
) -> Result<(), String> {
    ask(peak).map_err(|error| format!("with {peak} samples: {error}"))?;
    let error = ask(peak - 1).err().map(|error| error.to_string());
    let expected = "query processing would load too many samples into memory in query execution";
    same(error.as_deref(), Some(expected))
}

#[test]
fn sample_limits() {
    check_table("max_query_samples", &[], |_, case| {
        let ask = |samples_max: u64| {
            let engine = Options { samples_max, ..script_options() };
            let memory = Memory::new(engine).with(text(case, "load"));
            memory.ask(text(case, "query"), times(case), &QueryOptions::default())
        };
        check_limit(&ask, number(case, "peak_samples") as u64)
    });
}

/// Has no series, and remembers what it was asked for.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<SelectHints>>>);

impl Queryable for Listener {
    fn querier(&self, _: TimeRange) -> storage::Result<Box<dyn Querier>> {
        Ok(Box::new(self.clone()))
    }
}

impl Querier for Listener {
    fn select(&self, _: bool, hints: &SelectHints, _: &[Matcher]) -> storage::Result<SeriesSet> {
        self.0.lock().expect("nobody panics").push(hints.clone());
        Ok(SeriesSet::default())
    }

    fn label_values(&self, _: &str, _: &LabelHints, _: &[Matcher]) -> storage::Result<LabelValues> {
        Ok(LabelValues::default())
    }

    fn label_names(&self, _: &LabelHints, _: &[Matcher]) -> storage::Result<LabelValues> {
        Ok(LabelValues::default())
    }
}

#[test]
fn hints() {
    check_table("select_hints", &[], |_, case| {
        let lookback = std::time::Duration::from_secs(5);
        let options = Options { lookback, ..script_options() };
        let memory = Memory::new(options);
        let listener = Listener::default();
        let options = QueryOptions::default();
        let at = model::Timestamp::from_millis;
        let query = text(case, "query");
        let result = match times(case) {
            Times::Instant(time) => memory.engine.instant(&listener, query, at(time), &options),
            Times::Range { start, end, step } => {
                let step = std::time::Duration::from_millis(step);
                memory.engine.range(&listener, query, at(start), at(end), step, &options)
            }
        };
        result.map_err(|error| error.to_string())?;
        let got = listener.0.lock().expect("nobody panics").clone();
        let expected = case["hints"].as_array().into_iter().flatten().map(|hints| {
            let range = TimeRange::from_millis(number(hints, "start_ms"), number(hints, "end_ms"));
            SelectHints {
                step_ms: number(hints, "step_ms"),
                range_ms: number(hints, "range_ms"),
                function: text(hints, "func").to_owned(),
                grouping: texts(&hints["grouping"]),
                by: hints["by"] == true,
                ..SelectHints::new(range)
            }
        });
        same(got, expected.collect())
    });
}

#[test]
fn options_of_the_engine() {
    check_table("engine_option_validation", &[], |_, case| {
        let options = Options {
            at_modifier: case["at_modifier"] == true,
            negative_offset: case["negative_offset"] == true,
            ..script_options()
        };
        let memory = Memory::new(options);
        let result =
            memory.ask(text(case, "query"), Times::Instant(1_000_000), &QueryOptions::default());
        let error = result.err().map(|error| error.to_string());
        same(error.as_deref(), case["error"].as_str())
    });
}

#[test]
fn lookbacks() {
    check_table("lookback_delta", &[], |_, case| {
        let millis = |key: &str| std::time::Duration::from_millis(number(case, key) as u64);
        let options = Options { lookback: millis("engine_lookback_ms"), ..script_options() };
        let memory = Memory::new(options).with(text(case, "load"));
        let options =
            QueryOptions { lookback: Some(millis("query_lookback_ms")), ..QueryOptions::default() };
        let result = memory.ask(text(case, "query"), times(case), &options);
        let Value::Vector(samples) = result.map_err(|error| error.to_string())?.value else {
            return Err("no vector".to_owned());
        };
        same(!samples.is_empty(), case["expect_samples"] == true)
    });
}

#[test]
fn annotations_of_rates() {
    check_table("rate_annotations", &[], |_, case| {
        let options = Options {
            type_and_unit_labels: case["type_and_unit_labels"] == true,
            use_start_timestamps: false,
            ..script_options()
        };
        let memory = Memory::new(options).with(text(case, "load"));
        let result = memory.ask(text(case, "query"), times(case), &QueryOptions::default());
        let result = result.map_err(|error| error.to_string())?;
        same((result.warnings, result.infos), (texts(&case["warnings"]), texts(&case["infos"])))
    });
}

#[test]
fn quantiles_of_buckets() {
    check_table("bucket_quantile", &[], |_, case| {
        let buckets = case["buckets"].as_array().into_iter().flatten();
        let bucket = |pair: &Json| Bucket { upper_bound: float(&pair[0]), count: float(&pair[1]) };
        let buckets: Vec<Bucket> = buckets.map(bucket).collect();
        for pair in case["quantiles"].as_array().into_iter().flatten() {
            let (phi, expected) = (float(&pair[0]), float(&pair[1]));
            let got = bucket_quantile(phi, &mut buckets.clone());
            same(got.forced.is_some(), case["forced_monotonic"] == true)?;
            same(got.fixed, case["fixed_precision"] == true)?;
            if !promqltest::almost_equal(got.value, expected, 1e-12) {
                return Err(format!("φ {phi}: got {}, expected {expected}", got.value));
            }
        }
        Ok(())
    });
}

#[test]
fn compensated_sums() {
    check_table("kahan_sum", &[], |_, case| {
        let (first, second) = (float(&case["first"]), float(&case["second"]));
        for (a, b) in [(first, second), (second, first)] {
            let total = Sum::default().plus(a).plus(b).total();
            let expected = float(&case["expected"]);
            let is_same = total == expected || (total.is_nan() && expected.is_nan());
            if !is_same {
                return Err(format!("{a} and {b}: got {total}, expected {expected}"));
            }
        }
        Ok(())
    });
}

#[test]
fn interpolated_floats() {
    check_table("interpolate", &[], |_, case| {
        let point = |key: &str| (case[key][0].as_i64().unwrap_or_default(), float(&case[key][1]));
        let got = crate::eval::windows::interpolate(
            point("p1"),
            point("p2"),
            number(case, "timestamp_ms"),
            case["is_counter"] == true,
        );
        same(got, float(&case["expected"]))
    });
}
