//! Operators on native histograms.

use std::sync::Arc;

use model::{
    FloatHistogram,
    histogram::{CounterResetHint, Incompatible, Reconciled},
};

use crate::{column::Owned, notes::Notes};

/// `-h`
pub(crate) fn negate(histogram: &FloatHistogram) -> FloatHistogram {
    let mut result = histogram.clone();
    result.multiply(-1.0);
    result
}

/// `h * s`
pub(super) fn multiply(histogram: &FloatHistogram, factor: f64) -> Owned {
    changed(histogram, |result| result.multiply(factor))
}

/// `h / s`
pub(super) fn divide(histogram: &FloatHistogram, divisor: f64) -> Owned {
    changed(histogram, |result| result.divide(divisor))
}

/// `h </ s`: without what lies above.
pub(super) fn trim_upper(histogram: &FloatHistogram, bound: f64) -> Owned {
    changed(histogram, |result| result.trim_above(bound))
}

/// `h >/ s`: without what lies below.
pub(super) fn trim_lower(histogram: &FloatHistogram, bound: f64) -> Owned {
    changed(histogram, |result| result.trim_below(bound))
}

fn changed(histogram: &FloatHistogram, change: impl FnOnce(&mut FloatHistogram)) -> Owned {
    let mut result = histogram.clone();
    change(&mut result);
    Owned::Histogram(Arc::new(result))
}

/// `a + b`; nothing, with a note, if they do not fit together.
pub(super) fn add(
    a: &FloatHistogram,
    b: &FloatHistogram,
    notes: &mut Notes,
    position: usize,
) -> Option<Owned> {
    let mut result = a.clone();
    let reconciled = result.add(b);
    settle(result, reconciled, "+", "addition", notes, position)
}

/// `a - b`; nothing, with a note, if they do not fit together.
pub(super) fn subtract(
    a: &FloatHistogram,
    b: &FloatHistogram,
    notes: &mut Notes,
    position: usize,
) -> Option<Owned> {
    let mut result = a.clone();
    let reconciled = result.subtract(b);
    result.counter_reset_hint = CounterResetHint::Gauge;
    settle(result, reconciled, "-", "subtraction", notes, position)
}

fn settle(
    mut result: FloatHistogram,
    reconciled: Result<Reconciled, Incompatible>,
    op: &str,
    deed: &str,
    notes: &mut Notes,
    position: usize,
) -> Option<Owned> {
    let Ok(reconciled) = reconciled else {
        notes.incompatible_buckets(op, position);
        return None;
    };
    if reconciled.counter_reset_collision {
        notes.counter_reset_collision(deed, position);
    }
    if reconciled.custom_bounds {
        notes.custom_buckets_reconciled(deed, position);
    }
    result.compact(0);
    Some(Owned::Histogram(Arc::new(result)))
}

/// `a == b`
pub(super) fn equal(a: &FloatHistogram, b: &FloatHistogram) -> bool {
    a.equals(b)
}
