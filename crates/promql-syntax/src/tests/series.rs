//! Upstream's tables of series notation.

use model::{
    FloatHistogram, Labels,
    histogram::{CounterResetHint, Span},
};
use serde_json::{Value, json};

use super::{same, table, text};
use crate::{
    SequenceValue, histogram_notation, parse_metric, parse_series, parse_start_timestamp_sequence,
    parse_start_timestamps,
};

#[test]
fn series_are_described_as_upstream() {
    table("promql/parser/series_descriptions", |case| {
        let parsed = parse_series(text(case, "input"));
        let (labels, values) = match (case["ok"] == true, parsed) {
            (true, parsed) => parsed.map_err(|error| error.to_string())?,
            (false, Ok(parsed)) => return Err(format!("accepted as {parsed:?}")),
            (false, Err(error)) => {
                let error = error.to_string();
                let part = case["error_contains"].as_str().unwrap_or_default();
                return if error.contains(part) { Ok(()) } else { same(&error, part) };
            }
        };
        let wanted = case["labels"].as_object().expect("an object").iter();
        let wanted =
            Labels::from_pairs(wanted.map(|(name, value)| (name, value.as_str().expect("a text"))));
        same(&labels.to_string(), &wanted.to_string())?;
        let found: Vec<Value> = values.iter().map(plain).collect();
        same(&json!(found).to_string(), &floats(&case["values"]).to_string())
    });
}

/// The values with numbers as floats.
fn floats(values: &Value) -> Value {
    let float = |value: &Value| match value["value"].is_null() {
        true => value.clone(),
        false => json!({"value": conformance::float(&value["value"])}),
    };
    values.as_array().expect("a list").iter().map(float).collect()
}

fn plain(value: &SequenceValue) -> Value {
    match value {
        SequenceValue::Omitted => json!({"omitted": true}),
        SequenceValue::Float(value) => json!({"value": value}),
        SequenceValue::Histogram(histogram) => json!(format!("{histogram:?}")),
    }
}

#[test]
fn histograms_are_described_as_upstream() {
    table("promql/parser/histogram_series_descriptions", |case| {
        let values = match parse_series(text(case, "input")) {
            Ok((_, values)) if case["ok"] == true => values,
            Ok((_, values)) => return Err(format!("accepted as {values:?}")),
            Err(error) if case["ok"] == true => return Err(error.to_string()),
            Err(error) => return same(&error.to_string(), text(case, "error")),
        };
        let wanted = case["histograms"].as_array().expect("a list").iter();
        let wanted: Vec<_> = wanted.map(|one| SequenceValue::Histogram(histogram(one))).collect();
        same(&format!("{values:?}"), &format!("{wanted:?}"))
    });
}

#[test]
fn histograms_print_as_upstream() {
    table("promql/parser/histogram_notation", |case| {
        let notation = text(case, "notation");
        same(&histogram_notation(&histogram(&case["histogram"])), notation)?;
        let (_, values) =
            parse_series(&format!("{{}} {notation}")).map_err(|error| error.to_string())?;
        match values.as_slice() {
            [SequenceValue::Histogram(histogram)] => same(&histogram_notation(histogram), notation),
            other => Err(format!("{other:?}")),
        }
    });
}

fn histogram(value: &Value) -> FloatHistogram {
    let float = |key: &str| match value[key].is_null() {
        true => 0.0,
        false => conformance::float(&value[key]),
    };
    let list = |key: &str| value[key].as_array().cloned().unwrap_or_default();
    let floats = |key: &str| list(key).iter().map(conformance::float).collect();
    let spans = |key: &str| {
        let int = |span: &Value, key: &str| span[key].as_i64().expect("an integer");
        let span = |span: &Value| Span {
            offset: int(span, "offset") as i32,
            length: int(span, "length") as u32,
        };
        list(key).iter().map(span).collect()
    };
    FloatHistogram {
        counter_reset_hint: match value["counter_reset_hint"].as_str() {
            Some("gauge") => CounterResetHint::Gauge,
            Some("reset") => CounterResetHint::Reset,
            Some("not_reset") => CounterResetHint::NotReset,
            _ => CounterResetHint::Unknown,
        },
        schema: value["schema"].as_i64().unwrap_or_default() as i32,
        zero_threshold: float("zero_threshold"),
        zero_count: float("zero_count"),
        count: float("count"),
        sum: float("sum"),
        positive_spans: spans("positive_spans"),
        negative_spans: spans("negative_spans"),
        positive_buckets: floats("positive_buckets"),
        negative_buckets: floats("negative_buckets"),
        custom_values: floats("custom_values"),
    }
}

#[test]
fn start_timestamps_are_described_as_upstream() {
    table("promqltest/extra/start_timestamp_sequences", |case| {
        let offsets = match parse_start_timestamp_sequence(text(case, "input")) {
            Ok(offsets) if case["ok"] == true => offsets,
            Ok(offsets) => return Err(format!("accepted as {offsets:?}")),
            Err(error) if case["ok"] == true => return Err(error.to_string()),
            Err(_) => return Ok(()),
        };
        let plain = |offset: Option<i64>| match offset {
            Some(offset) => json!({"offset_ms": offset}),
            None => json!({"omitted": true}),
        };
        let found: Vec<Value> = offsets.into_iter().map(plain).collect();
        same(&json!(found).to_string(), &case["values"].to_string())
    });
}

#[test]
fn lines_with_start_timestamps_are_told_from_others() {
    let check = |line: &str, metric: &str, offsets: &[Option<i64>]| {
        let found = parse_start_timestamps(line).expect(line).expect("has start timestamps");
        assert_eq!(found.labels, parse_metric(metric).expect(metric), "{line}");
        assert_eq!(found.offsets, offsets, "{line}");
    };
    check("  my_counter@st -1mx1", "my_counter", &[Some(-60_000), Some(-60_000)]);
    check("x{a=\"b@st 1\"}@st\t_ 1s", "x{a=\"b@st 1\"}", &[None, Some(1000)]);
    check("{\"x y\"}@st", "{\"x y\"}", &[]);
    for line in ["", "x 1 2", "x{a=\"@st 1m\"} 1", "x@start 1", "{", "@st 1m"] {
        assert_eq!(parse_start_timestamps(line), Ok(None), "{line}");
    }
    assert!(parse_start_timestamps("x@st 1q").is_err());
}

#[test]
fn too_many_values_are_refused() {
    for line in ["x 1x99999999999", "x _x4000000 1x4000000", "x {{}}x4000000"] {
        let error = parse_series(line).expect_err(line).to_string();
        assert!(error.ends_with("too many values in series, more than 4000000"), "{error}");
    }
    assert!(parse_start_timestamp_sequence("1sx99999999999").is_err());
}

#[test]
fn values_of_all_kinds() {
    let check = |line: &str, wanted: &str| {
        let (_, values) = parse_series(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let print = |value: &SequenceValue| match value {
            SequenceValue::Omitted => "_".to_owned(),
            SequenceValue::Float(value) if model::float::is_stale(*value) => "stale".to_owned(),
            SequenceValue::Float(value) => value.to_string(),
            SequenceValue::Histogram(histogram) => histogram_notation(histogram),
        };
        assert_eq!(values.iter().map(print).collect::<Vec<_>>().join(" "), wanted, "{line}");
    };
    check("x 1 stale _ Inf -Inf NaN", "1 stale _ inf -inf NaN");
    check("sum 1e3+0.5x2 2x1", "1000 1000.5 1001 2 2");
    check("x{} {{count:1}}+{{count:2}}x1 3", "{{count:1}} {{count:3}} 3");
    check("a:b 1_000", "1000");
}
