//! Functions of one number.

// The platform's own differ from upstream's in the last digit.
pub(super) use model::float::functions::{
    acos, acosh, asin, asinh, atan, atanh, cos, cosh, exp, ln, log2, log10, sin, sinh, tan, tanh,
};

use super::Moment;
use crate::{column::Cell, float};

pub(super) fn deg(x: f64) -> f64 {
    x * 180.0 / std::f64::consts::PI
}

pub(super) fn rad(x: f64) -> f64 {
    x * std::f64::consts::PI / 180.0
}

pub(super) fn sgn(x: f64) -> f64 {
    if x < 0.0 {
        -1.0
    } else if x > 0.0 {
        1.0
    } else {
        x
    }
}

fn only_float(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Float(value) => Some(value),
        Cell::Histogram(_) => None,
    }
}

pub(super) fn clamp(cell: Cell<'_>, at: &Moment<'_>) -> Option<f64> {
    let (min, max) = (at.scalar(0)?, at.scalar(1)?);
    if max < min {
        return None;
    }
    Some(float::max(min, float::min(max, only_float(cell)?)))
}

pub(super) fn clamp_max(cell: Cell<'_>, at: &Moment<'_>) -> Option<f64> {
    Some(float::min(at.scalar(0)?, only_float(cell)?))
}

pub(super) fn clamp_min(cell: Cell<'_>, at: &Moment<'_>) -> Option<f64> {
    Some(float::max(at.scalar(0)?, only_float(cell)?))
}

/// To the nearest multiple; ties go up.
pub(super) fn round(cell: Cell<'_>, at: &Moment<'_>) -> Option<f64> {
    // Upstream multiplies by the inverse: floating point errors are smaller that way.
    let inverse = 1.0 / at.scalar(0).unwrap_or(1.0);
    Some((only_float(cell)? * inverse + 0.5).floor() / inverse)
}
