//! Functions of native histograms.

use std::sync::Arc;

use model::FloatHistogram;

use super::{Moment, View, Windows, rate::Change};
use crate::{column::Cell, notes::Notes};

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

pub(super) fn stdvar(_cell: Cell<'_>, _: &Moment<'_>) -> Option<f64> {
    None
}

/// The φ-quantile of the observations.
pub(super) fn quantile(
    _phi: f64,
    _histogram: &FloatHistogram,
    _metric: &str,
    _position: usize,
    _notes: &mut Notes,
) -> f64 {
    f64::NAN
}

/// The share of the observations between `lower` and `upper`.
pub(super) fn fraction(
    _lower: f64,
    _upper: f64,
    _histogram: &FloatHistogram,
    _metric: &str,
    _position: usize,
    _notes: &mut Notes,
) -> f64 {
    f64::NAN
}

/// The change from the first histogram of a window to the last, not extrapolated; nothing, with
/// a note, if they do not fit together. The window has two or more, and no floats.
pub(super) fn rate(
    _view: &View<'_>,
    _windows: &Windows<'_>,
    _is_counter: bool,
    _notes: &mut Notes,
) -> Option<FloatHistogram> {
    None
}

/// The change from `before` to `last`, for `irate` and `idelta`.
pub(super) fn difference(
    _before: &FloatHistogram,
    _last: &FloatHistogram,
    _windows: &Windows<'_>,
    _is_rate: bool,
    _notes: &mut Notes,
) -> Option<FloatHistogram> {
    None
}

/// The change between the edges of an anchored or smoothed window.
pub(super) fn extended_change(
    _view: &View<'_>,
    _windows: &Windows<'_>,
    _change: Change,
    _notes: &mut Notes,
) -> Option<Arc<FloatHistogram>> {
    None
}

/// The histogram at `moment` between two, each with its time; for smoothed instant selectors.
pub(crate) fn interpolate(
    _before: (i64, &FloatHistogram),
    _after: (i64, &FloatHistogram),
    _moment: i64,
) -> Option<Arc<FloatHistogram>> {
    None
}
