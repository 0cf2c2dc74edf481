//! Functions of one number.

use super::Moment;
use crate::{column::Cell, float};

pub(super) fn acos(x: f64) -> f64 {
    x.acos()
}
pub(super) fn acosh(x: f64) -> f64 {
    x.acosh()
}
pub(super) fn asin(x: f64) -> f64 {
    x.asin()
}
pub(super) fn asinh(x: f64) -> f64 {
    x.asinh()
}
pub(super) fn atan(x: f64) -> f64 {
    x.atan()
}
pub(super) fn atanh(x: f64) -> f64 {
    x.atanh()
}
pub(super) fn cos(x: f64) -> f64 {
    x.cos()
}
pub(super) fn cosh(x: f64) -> f64 {
    x.cosh()
}
pub(super) fn exp(x: f64) -> f64 {
    x.exp()
}
pub(super) fn ln(x: f64) -> f64 {
    x.ln()
}
pub(super) fn log10(x: f64) -> f64 {
    x.log10()
}
pub(super) fn log2(x: f64) -> f64 {
    x.log2()
}
pub(super) fn sin(x: f64) -> f64 {
    x.sin()
}
pub(super) fn sinh(x: f64) -> f64 {
    x.sinh()
}
pub(super) fn tan(x: f64) -> f64 {
    x.tan()
}
pub(super) fn tanh(x: f64) -> f64 {
    x.tanh()
}

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
