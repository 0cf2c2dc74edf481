//! Adding, subtracting and scaling.

use super::{
    CounterResetHint, FloatHistogram, bounds,
    buckets::Indexed,
    sparse::{Count, Sparse, add_side},
};
use crate::float::KahanSum;

/// Exponential and custom buckets have no common layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
)]
pub struct Incompatible;

/// What had to be settled between two histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// One side says that a counter was reset, the other that it was not.
    pub counter_reset_collision: bool,
    /// The custom bounds differed; only the common ones are left.
    pub custom_bounds: bool,
}

impl FloatHistogram {
    /// Adds `other`. Resolution, zero bucket and custom bounds become what both can offer.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Reconciled, Incompatible> {
        self.combine(other, 1.0)
    }

    /// Subtracts `other`; otherwise as [`FloatHistogram::add`]. The hint is the caller's to set.
    pub fn subtract(&mut self, other: &FloatHistogram) -> Result<Reconciled, Incompatible> {
        self.combine(other, -1.0)
    }

    fn combine(&mut self, other: &FloatHistogram, sign: f64) -> Result<Reconciled, Incompatible> {
        if !self.has_layout_of(other) {
            let mut sparse: Sparse<f64> = Sparse::of(self);
            let reconciled = combine(&mut sparse, other, sign)?;
            *self = sparse.to_histogram();
            return Ok(reconciled);
        }
        let (hint, counter_reset_collision) =
            common_hint(self.counter_reset_hint, other.counter_reset_hint);
        self.counter_reset_hint = hint;
        self.zero_count += sign * other.zero_count;
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        for (count, other) in self.positive_buckets.iter_mut().zip(&other.positive_buckets) {
            *count += sign * other;
        }
        for (count, other) in self.negative_buckets.iter_mut().zip(&other.negative_buckets) {
            *count += sign * other;
        }
        Ok(Reconciled { counter_reset_collision, custom_bounds: false })
    }

    fn has_layout_of(&self, other: &FloatHistogram) -> bool {
        self.schema == other.schema
            && self.zero_threshold == other.zero_threshold
            && self.positive_spans == other.positive_spans
            && self.negative_spans == other.negative_spans
            && self.positive_buckets.len() == other.positive_buckets.len()
            && self.negative_buckets.len() == other.negative_buckets.len()
            && bounds::custom_match(&self.custom_values, &other.custom_values)
    }

    /// Multiplies all counts; a negative factor makes it a gauge.
    pub fn multiply(&mut self, factor: f64) {
        self.for_each(|value| *value *= factor);
        if factor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// Divides all counts; a negative divisor makes it a gauge. Over zero no buckets are left,
    /// because infinitely many would have to be infinite.
    pub fn divide(&mut self, divisor: f64) {
        self.for_each(|value| *value /= divisor);
        if divisor == 0.0 {
            self.positive_spans.clear();
            self.positive_buckets.clear();
            self.negative_spans.clear();
            self.negative_buckets.clear();
        }
        if divisor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// Every count, and the sum, in place.
    fn for_each(&mut self, mut change: impl FnMut(&mut f64)) {
        change(&mut self.zero_count);
        change(&mut self.count);
        change(&mut self.sum);
        self.positive_buckets.iter_mut().chain(&mut self.negative_buckets).for_each(change);
    }
}

/// A sum, or a mean, of many histograms that remembers its rounding errors.
#[derive(Debug, Clone)]
pub struct HistogramSum {
    sums: Sparse<KahanSum>,
}

impl HistogramSum {
    pub fn new(first: &FloatHistogram) -> HistogramSum {
        HistogramSum { sums: Sparse::of(first) }
    }

    /// A sum whose rounding errors so far are in `compensation`, which has the layout of `value`.
    #[cfg(test)]
    pub(super) fn with_compensation(
        value: &FloatHistogram,
        compensation: &FloatHistogram,
    ) -> HistogramSum {
        let mut sums: Sparse<KahanSum> = Sparse::of(value);
        let errors: Sparse<f64> = Sparse::of(compensation);
        sums.zero_count.compensation = errors.zero_count;
        sums.count.compensation = errors.count;
        sums.sum.compensation = errors.sum;
        let sides = [(&mut sums.positive, errors.positive), (&mut sums.negative, errors.negative)];
        for (side, errors) in sides {
            for (index, error) in errors {
                let bucket = side.iter_mut().find(|bucket| bucket.0 == index);
                bucket.expect("layouts are the same").1.compensation = error;
            }
        }
        HistogramSum { sums }
    }

    /// Adds `other`; see [`FloatHistogram::add`].
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Reconciled, Incompatible> {
        combine(&mut self.sums, other, 1.0)
    }

    pub fn multiply(&mut self, factor: f64) {
        self.sums.for_each(|sum| *sum = sum.times(factor));
    }

    pub fn divide(&mut self, divisor: f64) {
        self.sums.for_each(|sum| *sum = sum.over(divisor));
    }

    /// Whether a number in it has become infinite.
    pub fn overflows(&self) -> bool {
        let sums = &self.sums;
        sums.zero_count.overflows()
            || sums.count.overflows()
            || sums.sum.overflows()
            || sums.positive.iter().chain(&sums.negative).any(|(_, sum)| sum.overflows())
    }

    pub fn hint(&self) -> CounterResetHint {
        self.sums.hint
    }

    pub fn set_hint(&mut self, hint: CounterResetHint) {
        self.sums.hint = hint;
    }

    pub fn has_custom_buckets(&self) -> bool {
        self.sums.schema == super::CUSTOM_BUCKETS_SCHEMA
    }

    pub fn total(&self) -> FloatHistogram {
        self.sums.to_histogram()
    }
}

/// Adds `sign` times `other` to `sums`.
fn combine<N: Count>(
    sums: &mut Sparse<N>,
    other: &FloatHistogram,
    sign: f64,
) -> Result<Reconciled, Incompatible> {
    let is_custom = sums.schema == super::CUSTOM_BUCKETS_SCHEMA;
    if is_custom != other.has_custom_buckets() {
        return Err(Incompatible);
    }
    let (hint, counter_reset_collision) = common_hint(sums.hint, other.counter_reset_hint);
    sums.hint = hint;
    let custom_bounds = is_custom && !bounds::custom_match(&sums.custom, &other.custom_values);
    let same_layout = !custom_bounds
        && sums.schema == other.schema
        && (is_custom || sums.zero_threshold == other.zero_threshold);
    if same_layout {
        sums.zero_count = sums.zero_count.plus(sign * other.zero_count);
        let signed = |(index, count)| (index, N::default().plus(sign * count));
        let positive = Indexed::new(&other.positive_spans, &other.positive_buckets);
        add_side(&mut sums.positive, positive.map(signed));
        let negative = Indexed::new(&other.negative_spans, &other.negative_buckets);
        add_side(&mut sums.negative, negative.map(signed));
    } else {
        let mut other: Sparse<N> = Sparse::of(other);
        if is_custom {
            let common = bounds::intersection(&sums.custom, &other.custom);
            sums.rebound(&common);
            other.rebound(&common);
        } else {
            align(sums, &mut other);
        }
        sums.zero_count = sums.zero_count.merge(other.zero_count.times(sign));
        let signed = |(index, count): (i32, N)| (index, count.times(sign));
        add_side(&mut sums.positive, other.positive.into_iter().map(signed));
        add_side(&mut sums.negative, other.negative.into_iter().map(signed));
    }
    sums.count = sums.count.plus(sign * other.count);
    sums.sum = sums.sum.plus(sign * other.sum);
    Ok(Reconciled { counter_reset_collision, custom_bounds })
}

/// Brings two exponential histograms to the same zero bucket and the same schema.
fn align<N: Count>(a: &mut Sparse<N>, b: &mut Sparse<N>) {
    // Each widening may have to go further than asked for, so the other must follow.
    while a.zero_threshold != b.zero_threshold {
        let wider = b.widen_zero(a.zero_threshold);
        let now = a.widen_zero(wider);
        if now.is_nan() || wider.is_nan() {
            break;
        }
    }
    let schema = a.schema.min(b.schema);
    a.reduce_to(schema);
    b.reduce_to(schema);
}

/// The hint of a sum, and whether the two contradict each other.
fn common_hint(a: CounterResetHint, b: CounterResetHint) -> (CounterResetHint, bool) {
    use CounterResetHint::*;
    match (a, b) {
        (a, b) if a == b => (a, false),
        (Gauge, _) | (_, Gauge) => (Gauge, false),
        (Unknown, _) | (_, Unknown) => (Unknown, false),
        _ => (Unknown, true),
    }
}
