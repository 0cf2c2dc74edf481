//! Histograms out of the tables' JSON.

use conformance::float;
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    Labels,
    histogram::{Bucket, CounterResetHint, FloatHistogram, Histogram, Span},
};

pub(super) enum Either {
    Float(FloatHistogram),
    Integer(Histogram),
}

impl Either {
    pub(super) fn into_float(self) -> FloatHistogram {
        match self {
            Either::Float(histogram) => histogram,
            Either::Integer(histogram) => histogram.to_float(),
        }
    }
}

/// The histogram of a case, of the kind that the case says.
pub(super) fn histogram(case: &Value, key: &str) -> Either {
    match case["kind"].as_str() {
        Some("integer") => Either::Integer(integer_histogram(&case[key])),
        _ => Either::Float(float_histogram(&case[key])),
    }
}

pub(super) fn float_histogram(value: &Value) -> FloatHistogram {
    FloatHistogram {
        counter_reset_hint: hint(value),
        schema: value["schema"].as_i64().unwrap_or_default() as i32,
        zero_threshold: number(&value["zero_threshold"]),
        zero_count: number(&value["zero_count"]),
        count: number(&value["count"]),
        sum: number(&value["sum"]),
        positive_spans: spans(&value["positive_spans"]),
        negative_spans: spans(&value["negative_spans"]),
        positive_buckets: list(&value["positive_buckets"], float),
        negative_buckets: list(&value["negative_buckets"], float),
        custom_values: list(&value["custom_values"], float),
    }
}

pub(super) fn integer_histogram(value: &Value) -> Histogram {
    let integer = |value: &Value| value.as_i64().expect("an integer");
    Histogram {
        counter_reset_hint: hint(value),
        schema: value["schema"].as_i64().unwrap_or_default() as i32,
        zero_threshold: number(&value["zero_threshold"]),
        zero_count: value["zero_count"].as_u64().unwrap_or_default(),
        count: value["count"].as_u64().unwrap_or_default(),
        sum: number(&value["sum"]),
        positive_spans: spans(&value["positive_spans"]),
        negative_spans: spans(&value["negative_spans"]),
        positive_buckets: list(&value["positive_buckets"], integer),
        negative_buckets: list(&value["negative_buckets"], integer),
        custom_values: list(&value["custom_values"], float),
    }
}

pub(super) fn buckets(value: &Value) -> Vec<Bucket> {
    list(value, |bucket| Bucket {
        lower: float(&bucket["lower"]),
        upper: float(&bucket["upper"]),
        lower_inclusive: bucket["lower_inclusive"] == true,
        upper_inclusive: bucket["upper_inclusive"] == true,
        count: float(&bucket["count"]),
        index: bucket["index"].as_i64().expect("an integer") as i32,
    })
}

pub(super) fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().expect("a map").iter();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().expect("a text"))))
}

fn hint(value: &Value) -> CounterResetHint {
    match value["counter_reset_hint"].as_str() {
        None | Some("unknown") => CounterResetHint::Unknown,
        Some("reset") => CounterResetHint::Reset,
        Some("not_reset") => CounterResetHint::NotReset,
        Some("gauge") => CounterResetHint::Gauge,
        Some(other) => panic!("no hint: {other}"),
    }
}

fn number(value: &Value) -> f64 {
    if value.is_null() { 0.0 } else { float(value) }
}

fn spans(value: &Value) -> Vec<Span> {
    list(value, |span| Span {
        offset: span["offset"].as_i64().expect("an integer") as i32,
        length: span["length"].as_u64().expect("a count") as u32,
    })
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(read).collect()
}

/// A histogram of any layout, also one that makes no sense.
pub(super) fn arbitrary() -> impl Strategy<Value = FloatHistogram> {
    let offset = prop_oneof![8 => 0_i32..5, 1 => -5_i32..0, 1 => any::<i32>()];
    let schema = prop_oneof![-4_i32..=8, Just(-53)];
    (schema, any::<bool>()).prop_flat_map(move |(schema, fits)| of(schema, offset.clone(), fits))
}

/// A histogram that could have been observed, but for its count.
pub(super) fn sensible() -> impl Strategy<Value = FloatHistogram> {
    (-4_i32..=8).prop_flat_map(|schema| of(schema, 0_i32..5, true))
}

fn of(
    schema: i32,
    offset: impl Strategy<Value = i32> + Clone,
    fits: bool,
) -> impl Strategy<Value = FloatHistogram> {
    let span = (offset, 0_u32..4).prop_map(|(offset, length)| Span { offset, length });
    let spans = proptest::collection::vec(span, 0..5);
    let counts = proptest::collection::vec(prop_oneof![Just(0.0), Just(1.0), Just(2.5)], 0..8);
    let sides = (spans.clone(), spans, counts.clone(), counts);
    (sides, 0.0..3.0).prop_map(move |(sides, zero_threshold)| {
        let (positive_spans, negative_spans, mut positive_buckets, mut negative_buckets) = sides;
        let needed = |spans: &[Span]| spans.iter().map(|span| span.length as usize).sum();
        if fits {
            positive_buckets.resize(needed(&positive_spans), 1.0);
            negative_buckets.resize(needed(&negative_spans), 0.0);
        }
        FloatHistogram {
            schema,
            zero_threshold,
            positive_spans,
            negative_spans,
            positive_buckets,
            negative_buckets,
            custom_values: if schema == -53 { vec![1.0, 2.0, 3.5] } else { Vec::new() },
            ..FloatHistogram::default()
        }
    })
}
