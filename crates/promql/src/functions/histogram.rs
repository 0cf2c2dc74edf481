//! Functions of native histograms.

mod increase;
mod quantile;
mod resets;
mod smooth;

use model::{FloatHistogram, float::KahanSum, histogram::Bucket};

use super::Moment;
use crate::column::Cell;

pub(super) use increase::{as_gauge, difference, rate};
pub(super) use quantile::{fraction, quantile};
pub(crate) use resets::find_resets;
#[cfg(test)]
pub(crate) use smooth::at;
pub(super) use smooth::extended_change;
pub(crate) use smooth::interpolate;

fn only_histogram<'a>(cell: Cell<'a>) -> Option<&'a FloatHistogram> {
    match cell {
        Cell::Float(_) => None,
        Cell::Histogram(histogram) => Some(histogram),
    }
}

pub(super) fn avg(cell: Cell<'_>, _: &Moment<'_>) -> Option<f64> {
    let histogram = only_histogram(cell)?;
    Some(histogram.sum / histogram.count)
}

pub(super) fn count(cell: Cell<'_>, _: &Moment<'_>) -> Option<f64> {
    only_histogram(cell).map(|histogram| histogram.count)
}

pub(super) fn sum(cell: Cell<'_>, _: &Moment<'_>) -> Option<f64> {
    only_histogram(cell).map(|histogram| histogram.sum)
}

pub(super) fn stddev(cell: Cell<'_>, at: &Moment<'_>) -> Option<f64> {
    stdvar(cell, at).map(f64::sqrt)
}

pub(super) fn stdvar(cell: Cell<'_>, _: &Moment<'_>) -> Option<f64> {
    only_histogram(cell).map(variance)
}

/// As if all observations of a bucket were in its middle.
fn variance(histogram: &FloatHistogram) -> f64 {
    let mean = histogram.sum / histogram.count;
    let mut sum = KahanSum::default();
    for bucket in histogram.all().filter(|bucket| bucket.count != 0.0) {
        let distance = middle(&bucket, histogram.has_custom_buckets()) - mean;
        sum = sum.plus(bucket.count * distance * distance);
    }
    sum.total() / histogram.count
}

/// The middle of a bucket: geometric where bounds grow exponentially.
fn middle(bucket: &Bucket, is_custom: bool) -> f64 {
    if is_custom {
        return (bucket.upper + bucket.lower) / 2.0;
    }
    let is_zero_bucket = bucket.lower <= 0.0 && bucket.upper >= 0.0;
    if is_zero_bucket {
        return 0.0;
    }
    (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
}
