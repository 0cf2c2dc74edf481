//! What replicas have of one series at one time, and which of it stays.
//!
//! A pure rule, so that replicas that take from each other, in any order and any number of times,
//! become equal: merging is commutative, associative and idempotent.

use std::{cmp::Ordering, sync::Arc};

use model::{
    FloatHistogram,
    float::is_stale,
    histogram::{CounterResetHint, Span},
};

use crate::{
    Columns, Mark,
    columns::{merge_tail, retain},
};

#[cfg(test)]
mod tests;

/// Between the parts of a histogram.
const END_OF_BUCKETS: u64 = u64::MAX;

/// What one replica has.
#[derive(Debug, Clone, Copy)]
pub enum Sample<'a> {
    Float(f64),
    Histogram(&'a FloatHistogram),
}

impl Sample<'_> {
    /// Of two samples the greater one stays: a value rather than a staleness marker, a histogram
    /// rather than a float, the larger float in IEEE's total order, of histograms the one with the
    /// larger bytes. Equal are those of the same content.
    pub fn rank(self, other: Sample<'_>) -> Ordering {
        let by_value = other.is_stale().cmp(&self.is_stale());
        by_value.then_with(|| match (self, other) {
            (Sample::Float(a), Sample::Float(b)) => a.total_cmp(&b),
            (Sample::Histogram(_), Sample::Float(_)) => Ordering::Greater,
            (Sample::Float(_), Sample::Histogram(_)) => Ordering::Less,
            (Sample::Histogram(a), Sample::Histogram(b)) => words(a).cmp(words(b)),
        })
    }

    /// The same for the same content, on every machine.
    pub fn digest(self) -> u64 {
        match self {
            Sample::Float(value) => value.to_bits(),
            Sample::Histogram(histogram) => words(histogram).fold(1, |sum, word| mix(sum ^ word)),
        }
    }

    fn is_stale(self) -> bool {
        match self {
            Sample::Float(value) => is_stale(value),
            Sample::Histogram(histogram) => is_stale(histogram.sum),
        }
    }
}

/// Spreads the bits of a number over all of another one; each number has one of its own.
#[inline]
pub fn mix(number: u64) -> u64 {
    // The finalizer of SplitMix64.
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What a histogram says. How its buckets are laid out and what is known of a reset before it
/// depend on the chunk that it stands in, and replicas cut chunks as they like.
fn words(histogram: &FloatHistogram) -> impl Iterator<Item = u64> {
    let is_gauge = histogram.counter_reset_hint == CounterResetHint::Gauge;
    let head = [
        u64::from(is_gauge),
        u64::from(histogram.schema as u32),
        histogram.count.to_bits(),
        histogram.sum.to_bits(),
        histogram.zero_count.to_bits(),
        histogram.zero_threshold.to_bits(),
    ];
    head.into_iter()
        .chain(populated(&histogram.positive_spans, &histogram.positive_buckets))
        .chain([END_OF_BUCKETS])
        .chain(populated(&histogram.negative_spans, &histogram.negative_buckets))
        .chain([END_OF_BUCKETS])
        .chain(histogram.custom_values.iter().map(|bound| bound.to_bits()))
}

/// Index and count of each bucket that is not empty.
fn populated(spans: &[Span], counts: &[f64]) -> impl Iterator<Item = u64> {
    let mut next = 0;
    let indexes = spans.iter().flat_map(move |span| {
        let first = next + i64::from(span.offset);
        next = first + i64::from(span.length);
        first..next
    });
    let buckets = indexes.zip(counts).filter(|(_, count)| **count != 0.0);
    buckets.flat_map(|(index, count)| [index as u64, count.to_bits()])
}

impl Columns {
    /// Merges two runs, each in order of time, `begin` to `split` and what is behind it, into one;
    /// of two samples for one time that of the higher [`Sample::rank`] stays.
    pub fn merge_replicas(&mut self, begin: Mark, split: Mark) {
        self.pad_start_times();
        let second_float =
            |a: &f64, b: &f64| Sample::Float(*b).rank(Sample::Float(*a)) == Ordering::Greater;
        if merge_tail(&mut self.times, &mut self.values, begin.floats, split.floats, second_float) {
            self.start_times.clear();
        }
        let second_histogram = |a: &Arc<FloatHistogram>, b: &Arc<FloatHistogram>| {
            Sample::Histogram(b).rank(Sample::Histogram(a)) == Ordering::Greater
        };
        let Columns { histogram_times: times, histograms, .. } = self;
        if merge_tail(times, histograms, begin.histograms, split.histograms, second_histogram) {
            self.histogram_start_times.clear();
            // What was known was about another neighbour.
            self.histograms_behind(begin).iter_mut().for_each(forget_resets);
        }
        self.settle_kinds(begin);
    }

    /// Leaves one sample where there is a float and a histogram for one time.
    fn settle_kinds(&mut self, begin: Mark) {
        let times = &self.times[begin.floats..];
        let histogram_times = &self.histogram_times[begin.histograms..];
        if times.is_empty() || histogram_times.is_empty() {
            return;
        }
        let mut keeps_float = vec![true; times.len()];
        let mut keeps_histogram = vec![true; histogram_times.len()];
        let (mut idx, mut other_idx) = (0, 0);
        while idx < times.len() && other_idx < histogram_times.len() {
            match times[idx].cmp(&histogram_times[other_idx]) {
                Ordering::Less => idx += 1,
                Ordering::Greater => other_idx += 1,
                Ordering::Equal => {
                    let float = Sample::Float(self.values[begin.floats + idx]);
                    let histogram = &self.histograms[begin.histograms + other_idx];
                    let rank = float.rank(Sample::Histogram(histogram));
                    keeps_float[idx] = rank == Ordering::Greater;
                    keeps_histogram[other_idx] = !keeps_float[idx];
                    idx += 1;
                    other_idx += 1;
                }
            }
        }
        if keeps_float.iter().all(|keeps| *keeps) && keeps_histogram.iter().all(|keeps| *keeps) {
            return;
        }
        retain(&mut self.times, begin.floats, &keeps_float);
        retain(&mut self.values, begin.floats, &keeps_float);
        retain(&mut self.start_times, begin.floats, &keeps_float);
        retain(&mut self.histogram_times, begin.histograms, &keeps_histogram);
        retain(&mut self.histograms, begin.histograms, &keeps_histogram);
        retain(&mut self.histogram_start_times, begin.histograms, &keeps_histogram);
    }
}

fn forget_resets(histogram: &mut Arc<FloatHistogram>) {
    let hint = histogram.counter_reset_hint;
    if matches!(hint, CounterResetHint::NotReset | CounterResetHint::Reset) {
        Arc::make_mut(histogram).counter_reset_hint = CounterResetHint::Unknown;
    }
}
