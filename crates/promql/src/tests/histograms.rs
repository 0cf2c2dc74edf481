//! Upstream's tables about native histograms.

use std::sync::Arc;

use conformance::{Score, cases, float};
use model::{FloatHistogram, Labels, METRIC_NAME, histogram::CounterResetHint};
use serde_json::Value as Json;
use storage::Columns;

use super::subject::{Memory, Times, script_options};
use crate::{QueryOptions, SampleValue, Value, functions};

fn check(table: &str, check: impl Fn(&Json) -> Result<(), String>) {
    let path = format!("prometheus/promql/{table}.json");
    let Some(cases) = cases(&path) else { return };
    let mut score = Score::new(&path);
    for (idx, case) in cases.cases.iter().enumerate() {
        let name = case["name"].as_str().unwrap_or_default();
        score.add(format!("{idx} {name}"), check(case));
    }
    score.finish(&[]);
}

fn same<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got:?}, expected {expected:?}")) }
}

fn hint(value: &Json) -> CounterResetHint {
    match value.as_str() {
        None | Some("unknown") => CounterResetHint::Unknown,
        Some("reset") => CounterResetHint::Reset,
        Some("not_reset") => CounterResetHint::NotReset,
        Some("gauge") => CounterResetHint::Gauge,
        Some(other) => panic!("no hint: {other}"),
    }
}

/// A histogram of which only numbers and the hint matter.
fn histogram(value: &Json) -> FloatHistogram {
    let number = |key: &str| if value[key].is_null() { 0.0 } else { float(&value[key]) };
    let numbers = |key: &str| value[key].as_array().into_iter().flatten().map(float).collect();
    FloatHistogram {
        counter_reset_hint: hint(&value["counter_reset_hint"]),
        schema: value["schema"].as_i64().unwrap_or_default() as i32,
        count: number("count"),
        sum: number("sum"),
        custom_values: numbers("custom_values"),
        ..FloatHistogram::default()
    }
}

#[test]
fn histograms_between_two_samples() {
    check("interpolate_histograms", |case| {
        let millis = |key: &str| case[key].as_i64().expect("a time");
        let (before, after) = (histogram(&case["h1"]), histogram(&case["h2"]));
        let (before, after) = ((millis("t1"), &before), (millis("t2"), &after));
        let is_counter = case["is_counter"] == true;
        let got = functions::histogram_at(before, after, millis("t"), is_counter);
        same(got.map(|histogram| histogram.count), Some(float(&case["expected_count"])))
    });
}

#[test]
fn operators_on_two_histograms() {
    check("histogram_binop", |case| {
        let memory = Memory::new(script_options());
        for name in ["lhs", "rhs"] {
            let columns = Columns {
                histogram_times: vec![0],
                histograms: vec![Arc::new(histogram(&case[name]))],
                ..Columns::default()
            };
            let labels = Labels::from_pairs([(METRIC_NAME, name)]);
            memory.loader.storage().insert(labels, columns);
        }
        let query = format!("lhs {} rhs", case["op"].as_str().expect("an operator"));
        let answer = memory
            .ask(&query, Times::Instant(0), &QueryOptions::default())
            .map_err(|error| error.to_string())?;
        let says = |texts: &[String], expected: &Json, part: &str| {
            same(texts.iter().any(|text| text.contains(part)), !expected.is_null())
        };
        says(&answer.warnings, &case["warning"], "conflicting counter resets")?;
        says(&answer.infos, &case["info"], "mismatched custom buckets were reconciled")?;
        let Some(expected) = case.get("result").filter(|result| !result.is_null()) else {
            return Ok(());
        };
        match answer.value {
            Value::Vector(samples) => match samples.first().map(|sample| &sample.value) {
                Some(SampleValue::Histogram(got)) => {
                    let expected = histogram(expected);
                    same(got.counter_reset_hint, expected.counter_reset_hint)?;
                    same(got.count, expected.count)
                }
                other => Err(format!("got {other:?}")),
            },
            other => Err(format!("got {other:?}")),
        }
    });
}

#[test]
fn hints_of_results() {
    check("counter_reset_hint", |case| {
        let load = case["load"].as_str().expect("a load block");
        let memory = Memory::new(script_options()).with(load);
        let query = case["query"].as_str().expect("a query");
        let time = Times::Instant(case["instant_at_ms"].as_i64().expect("a time"));
        let answer =
            memory.ask(query, time, &QueryOptions::default()).map_err(|error| error.to_string())?;
        let Value::Vector(samples) = answer.value else { return Err("no vector".to_owned()) };
        match samples.first().map(|sample| &sample.value) {
            Some(SampleValue::Histogram(got)) => {
                same(got.counter_reset_hint, hint(&case["counter_reset_hint"]))
            }
            other => Err(format!("got {other:?}")),
        }
    });
}
