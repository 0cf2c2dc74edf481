//! Histograms as lists of (index, count), in which two of them are brought to one layout.

use super::{CounterResetHint, FloatHistogram, bounds, buckets};
use crate::float::KahanSum;

/// What is counted in a bucket: a plain number, or one that remembers its rounding errors.
pub(super) trait Count: Copy + Default {
    fn plus(self, value: f64) -> Self;
    fn merge(self, other: Self) -> Self;
    fn times(self, factor: f64) -> Self;
    fn over(self, divisor: f64) -> Self;
    fn total(self) -> f64;
    fn overflows(self) -> bool;
}

impl Count for f64 {
    fn plus(self, value: f64) -> f64 {
        self + value
    }

    fn merge(self, other: f64) -> f64 {
        self + other
    }

    fn times(self, factor: f64) -> f64 {
        self * factor
    }

    fn over(self, divisor: f64) -> f64 {
        self / divisor
    }

    fn total(self) -> f64 {
        self
    }

    fn overflows(self) -> bool {
        self.is_infinite()
    }
}

impl Count for KahanSum {
    fn plus(self, value: f64) -> KahanSum {
        KahanSum::plus(self, value)
    }

    fn merge(self, other: KahanSum) -> KahanSum {
        let sum = KahanSum::plus(self, other.value);
        KahanSum { compensation: sum.compensation + other.compensation, ..sum }
    }

    fn times(self, factor: f64) -> KahanSum {
        KahanSum { value: self.value * factor, compensation: self.compensation * factor }
    }

    fn over(self, divisor: f64) -> KahanSum {
        KahanSum { value: self.value / divisor, compensation: self.compensation / divisor }
    }

    fn total(self) -> f64 {
        KahanSum::total(self)
    }

    fn overflows(self) -> bool {
        self.value.is_infinite()
    }
}

/// Buckets of one sign: indexes ascend.
pub(super) type Side<N> = Vec<(i32, N)>;

/// A histogram whose layout is being worked on.
#[derive(Debug, Clone)]
pub(super) struct Sparse<N> {
    pub(super) hint: CounterResetHint,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: N,
    pub(super) count: N,
    pub(super) sum: N,
    pub(super) positive: Side<N>,
    pub(super) negative: Side<N>,
    pub(super) custom: Vec<f64>,
}

impl<N: Count> Sparse<N> {
    pub(super) fn of(histogram: &FloatHistogram) -> Sparse<N> {
        let number = |value| N::default().plus(value);
        let side = |spans, counts| {
            let indexed = buckets::Indexed::new(spans, counts);
            indexed.map(|(index, count): (i32, f64)| (index, number(count))).collect()
        };
        Sparse {
            hint: histogram.counter_reset_hint,
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: number(histogram.zero_count),
            count: number(histogram.count),
            sum: number(histogram.sum),
            positive: side(&histogram.positive_spans, &histogram.positive_buckets),
            negative: side(&histogram.negative_spans, &histogram.negative_buckets),
            custom: histogram.custom_values.clone(),
        }
    }

    pub(super) fn to_histogram(&self) -> FloatHistogram {
        let pack = |side: &Side<N>| {
            buckets::pack(side.iter().map(|(index, count)| (*index, count.total())))
        };
        let (positive_spans, positive_buckets) = pack(&self.positive);
        let (negative_spans, negative_buckets) = pack(&self.negative);
        FloatHistogram {
            counter_reset_hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count.total(),
            count: self.count.total(),
            sum: self.sum.total(),
            positive_spans,
            negative_spans,
            positive_buckets,
            negative_buckets,
            custom_values: self.custom.clone(),
        }
    }

    /// Every number in it, in place.
    pub(super) fn for_each(&mut self, mut change: impl FnMut(&mut N)) {
        change(&mut self.zero_count);
        change(&mut self.count);
        change(&mut self.sum);
        for (_, count) in self.positive.iter_mut().chain(&mut self.negative) {
            change(count);
        }
    }

    /// Merges buckets until the schema is `schema`; does nothing if that is a finer one.
    pub(super) fn reduce_to(&mut self, schema: i32) {
        if schema >= self.schema {
            return;
        }
        let steps = (self.schema - schema).unsigned_abs();
        for side in [&mut self.positive, &mut self.negative] {
            merge_neighbours(side, |index| bounds::coarser_index(index, steps));
        }
        self.schema = schema;
    }

    /// Merges buckets until the bounds are `common`, which must be a part of the present ones.
    pub(super) fn rebound(&mut self, common: &[f64]) {
        let custom = std::mem::take(&mut self.custom);
        merge_neighbours(&mut self.positive, |index| {
            let upper = bounds::upper(index, super::CUSTOM_BUCKETS_SCHEMA, &custom);
            common.partition_point(|bound| *bound < upper) as i32
        });
        self.custom = common.to_vec();
    }

    /// Widens the zero bucket to `threshold`, and further if that cuts through a populated
    /// bucket. Says how wide it is now.
    pub(super) fn widen_zero(&mut self, mut threshold: f64) -> f64 {
        if threshold <= self.zero_threshold {
            return self.zero_threshold;
        }
        let schema = self.schema;
        // To swallow a bucket whole may cut through one on the other side.
        while let Some(index) = self.first_cut_by(threshold) {
            threshold = bounds::exponential(index, schema);
        }
        for side in [&mut self.positive, &mut self.negative] {
            let covered = side
                .iter()
                .take_while(|(index, _)| {
                    bounds::exponential(index.saturating_sub(1), schema) < threshold
                })
                .count();
            for (_, count) in side.drain(..covered) {
                self.zero_count = self.zero_count.merge(count);
            }
        }
        self.zero_threshold = threshold;
        threshold
    }

    fn first_cut_by(&self, threshold: f64) -> Option<i32> {
        let schema = self.schema;
        let is_cut = |(index, count): &&(i32, N)| {
            count.total() != 0.0
                && bounds::exponential(index.saturating_sub(1), schema) < threshold
                && bounds::exponential(*index, schema) > threshold
        };
        self.positive.iter().find(is_cut).or(self.negative.iter().find(is_cut)).map(|cut| cut.0)
    }
}

/// Gives each bucket a new index and adds up those that get the same one.
fn merge_neighbours<N: Count>(side: &mut Side<N>, new_index: impl Fn(i32) -> i32) {
    for (index, _) in side.iter_mut() {
        *index = new_index(*index);
    }
    side.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.merge(next.1);
        }
        same
    });
}

/// Adds `others`, sorted by index, to the buckets of `side`.
pub(super) fn add_side<N: Count>(side: &mut Side<N>, others: impl Iterator<Item = (i32, N)>) {
    let mut others = others.peekable();
    let mut at = 0;
    // Mostly the layouts are the same, and this loop is all there is.
    while let Some((index, count)) = others.peek().copied() {
        while side.get(at).is_some_and(|bucket| bucket.0 < index) {
            at += 1;
        }
        match side.get_mut(at) {
            Some(bucket) if bucket.0 == index => bucket.1 = bucket.1.merge(count),
            _ => break,
        }
        others.next();
    }
    if others.peek().is_none() {
        return;
    }
    let mut rest = side.split_off(at).into_iter().peekable();
    for (index, count) in others {
        side.extend(std::iter::from_fn(|| rest.next_if(|bucket| bucket.0 < index)));
        match rest.next_if(|bucket| bucket.0 == index) {
            Some(known) => side.push((index, known.1.merge(count))),
            None => side.push((index, count)),
        }
    }
    side.extend(rest);
}
