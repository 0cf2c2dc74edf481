//! Histograms as targets send them: whole counts, buckets as deltas.

use super::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, Span, compact::compact};

/// A native histogram with integer counts; each bucket is the difference to the one before.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    pub counter_reset_hint: CounterResetHint,
    pub schema: i32,
    pub zero_threshold: f64,
    pub zero_count: u64,
    pub count: u64,
    pub sum: f64,
    pub positive_spans: Vec<Span>,
    pub negative_spans: Vec<Span>,
    pub positive_buckets: Vec<i64>,
    pub negative_buckets: Vec<i64>,
    /// Upper bounds, without +Inf; only with [`super::CUSTOM_BUCKETS_SCHEMA`].
    pub custom_values: Vec<f64>,
}

impl Histogram {
    /// The same with absolute float counts. What the schema has no use for is left out: zero and
    /// negative buckets of a custom histogram, bounds of an exponential one.
    pub fn to_float(&self) -> FloatHistogram {
        let floats = |deltas: &[i64]| absolute(deltas).map(|count| count as f64).collect();
        let common = FloatHistogram {
            counter_reset_hint: self.counter_reset_hint,
            schema: self.schema,
            count: self.count as f64,
            sum: self.sum,
            positive_spans: self.positive_spans.clone(),
            positive_buckets: floats(&self.positive_buckets),
            ..FloatHistogram::default()
        };
        if self.schema == CUSTOM_BUCKETS_SCHEMA {
            return FloatHistogram { custom_values: self.custom_values.clone(), ..common };
        }
        FloatHistogram {
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count as f64,
            negative_spans: self.negative_spans.clone(),
            negative_buckets: floats(&self.negative_buckets),
            ..common
        }
    }

    /// As [`FloatHistogram::compact`].
    pub fn compact(&mut self, max_empty: u32) {
        let compact = |spans: &mut Vec<Span>, buckets: &mut Vec<i64>| {
            let mut counts: Vec<i64> = absolute(buckets).collect();
            compact(spans, &mut counts, max_empty);
            *buckets = deltas(&counts);
        };
        compact(&mut self.positive_spans, &mut self.positive_buckets);
        compact(&mut self.negative_spans, &mut self.negative_buckets);
    }
}

/// Counts out of deltas.
pub(super) fn absolute(deltas: &[i64]) -> impl Iterator<Item = i64> + '_ {
    deltas.iter().scan(0_i64, |count, delta| {
        *count = count.wrapping_add(*delta);
        Some(*count)
    })
}

/// Deltas out of counts.
pub(super) fn deltas(counts: &[i64]) -> Vec<i64> {
    let mut last = 0_i64;
    let delta = |count: &i64| count.wrapping_sub(std::mem::replace(&mut last, *count));
    counts.iter().map(delta).collect()
}
