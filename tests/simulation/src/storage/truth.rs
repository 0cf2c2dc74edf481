//! What the value of each series is at each time: a sample that says otherwise was invented.

use std::sync::Arc;

use model::{
    FloatHistogram, Labels,
    float::{STALE, is_stale},
    histogram::{CUSTOM_BUCKETS_SCHEMA, Histogram, Span},
};
use storage::{Columns, HistogramValue};

use crate::dice::hash;

/// A series, by its number.
pub(super) type SeriesIdx = u8;

/// A sample: what its value is follows.
pub(super) type Sample = (SeriesIdx, i64);

pub(super) const N_SERIES: SeriesIdx = 8;

/// Values go on in such steps.
const STEP_MS: i64 = 1000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Floats,
    Integers,
    FloatHistograms,
    CustomBuckets,
    /// Floats and histograms by turns.
    Mixed,
}

fn kind(series: SeriesIdx) -> Kind {
    match series {
        0..=2 => Kind::Floats,
        3 | 4 => Kind::Integers,
        5 => Kind::FloatHistograms,
        6 => Kind::CustomBuckets,
        _ => Kind::Mixed,
    }
}

pub(super) fn labels(series: SeriesIdx, padding: usize) -> Labels {
    let number = series.to_string();
    let name = format!("metric_{}", series % 3);
    let padding = "x".repeat(padding);
    let all = [("__name__", name.as_str()), ("series", &number), ("padding", &padding)];
    Labels::from_pairs(all.into_iter().filter(|(_, value)| !value.is_empty()))
}

/// The number that is in the labels.
pub(super) fn series_of(labels: &Labels, padding: usize) -> Option<SeriesIdx> {
    let number = labels.get("series")?.parse().ok().filter(|number| *number < N_SERIES)?;
    (*labels == self::labels(number, padding)).then_some(number)
}

pub(super) enum Value {
    Float(f64),
    Histogram(HistogramValue),
}

/// Whether the series ends here for a while.
fn is_marker(series: SeriesIdx, time: i64) -> bool {
    kind(series) != Kind::Mixed && hash(&[u64::from(series), time as u64]).is_multiple_of(11)
}

pub(super) fn value((series, time): Sample) -> Value {
    let step = time.div_euclid(STEP_MS);
    let is_marker = is_marker(series, time);
    let integer = |schema: i32| {
        let histogram = if is_marker { marker() } else { histogram(series, step, schema) };
        Value::Histogram(HistogramValue::Integer(Box::new(histogram)))
    };
    match kind(series) {
        Kind::Floats if is_marker => Value::Float(STALE),
        Kind::Floats => Value::Float(float(series, step)),
        Kind::Integers => integer(3),
        Kind::CustomBuckets => integer(CUSTOM_BUCKETS_SCHEMA),
        Kind::Mixed if step % 5 < 3 => Value::Float(float(series, step)),
        Kind::FloatHistograms | Kind::Mixed => {
            let histogram = if is_marker { marker() } else { histogram(series, step, 1) };
            Value::Histogram(HistogramValue::Float(Box::new(histogram.to_float())))
        }
    }
}

fn marker() -> Histogram {
    Histogram { sum: STALE, ..Histogram::default() }
}

/// Constant for a while, then counting, then anything.
fn float(series: SeriesIdx, step: i64) -> f64 {
    match step.div_euclid(150) % 3 {
        0 => f64::from(series),
        1 => (step % 1000) as f64,
        _ => f64::from_bits(hash(&[u64::from(series), step as u64]) & !(1 << 62)),
    }
}

/// Counts up for a while, with buckets that come and go.
fn histogram(series: SeriesIdx, step: i64, schema: i32) -> Histogram {
    let n = step.rem_euclid(700) as u64 + u64::from(series);
    let positive = match step.div_euclid(200) % 3 {
        0 => vec![Span { offset: 0, length: 2 }],
        1 => vec![Span { offset: 0, length: 1 }, Span { offset: 2, length: 1 }],
        _ => vec![Span { offset: 0, length: 3 }],
    };
    let n_positive: u32 = positive.iter().map(|span| span.length).sum();
    // The first count, then differences: as many in each.
    let deltas = |n_buckets: u32| (0..n_buckets).map(|idx| if idx == 0 { n as i64 } else { 1 });
    let total = |n_buckets: u32| (0..u64::from(n_buckets)).map(|idx| n + idx).sum::<u64>();
    if schema == CUSTOM_BUCKETS_SCHEMA {
        return Histogram {
            schema,
            count: total(n_positive),
            sum: n as f64 / 2.0,
            positive_spans: positive,
            positive_buckets: deltas(n_positive).collect(),
            custom_values: vec![0.1, 0.5, 2.5],
            ..Histogram::default()
        };
    }
    Histogram {
        schema,
        zero_threshold: 0.25,
        zero_count: n,
        count: n + total(n_positive) + total(1),
        sum: n as f64 * 1.5,
        positive_spans: positive,
        negative_spans: vec![Span { offset: 1, length: 1 }],
        positive_buckets: deltas(n_positive).collect(),
        negative_buckets: deltas(1).collect(),
        ..Histogram::default()
    }
}

/// The times of what was read of a series; an error if something is wrong with it.
pub(super) fn check(series: SeriesIdx, columns: &Columns) -> Result<Vec<i64>, String> {
    let floats = columns.times.iter().zip(&columns.values);
    for (time, found) in floats {
        match value((series, *time)) {
            Value::Float(expected) if expected.to_bits() == found.to_bits() => {}
            Value::Float(expected) => {
                return Err(format!("series {series} at {time} is {found}, not {expected}"));
            }
            Value::Histogram(_) => {
                return Err(format!("series {series} at {time} is {found}, not a histogram"));
            }
        }
    }
    for (time, found) in columns.histogram_times.iter().zip(&columns.histograms) {
        let Value::Histogram(expected) = value((series, *time)) else {
            return Err(format!("series {series} at {time} is {found:?}, not a float"));
        };
        let expected = expected.to_float();
        if !is_same(found, &expected) {
            return Err(format!("series {series} at {time} is {found:?}, not {expected:?}"));
        }
    }
    let mut times = [&columns.times[..], &columns.histogram_times].concat();
    times.sort_unstable();
    let is_rising = |times: &[i64]| times.is_sorted_by(|a, b| a < b);
    if !is_rising(&columns.times) || !is_rising(&columns.histogram_times) || !is_rising(&times) {
        return Err(format!("series {series} has a time twice, or out of order"));
    }
    Ok(times)
}

/// Whether both say the same, with whatever empty buckets.
fn is_same(found: &Arc<FloatHistogram>, expected: &FloatHistogram) -> bool {
    if is_stale(expected.sum) || is_stale(found.sum) {
        return is_stale(expected.sum) && is_stale(found.sum);
    }
    let totals = |h: &FloatHistogram| {
        (h.schema, [h.zero_threshold, h.zero_count, h.count, h.sum].map(f64::to_bits))
    };
    let buckets = |h: &FloatHistogram| {
        (
            filled(&h.positive_spans, &h.positive_buckets),
            filled(&h.negative_spans, &h.negative_buckets),
        )
    };
    totals(found) == totals(expected)
        && buckets(found) == buckets(expected)
        && found.custom_values == expected.custom_values
}

/// The numbers of the buckets that have something, with their counts.
fn filled(spans: &[Span], counts: &[f64]) -> Vec<(i32, f64)> {
    let mut number = 0;
    let mut numbers = Vec::new();
    for span in spans {
        number += span.offset;
        for _ in 0..span.length {
            numbers.push(number);
            number += 1;
        }
    }
    let filled = numbers.into_iter().zip(counts.iter().copied());
    filled.filter(|(_, count)| *count != 0.0).collect()
}
