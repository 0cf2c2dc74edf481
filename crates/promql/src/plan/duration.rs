//! Durations that are calculated: `[step() * 2]`, `offset (5m + 1m)`.

use promql_syntax::ast::{BinaryOp, DurationExpr, DurationKind};

use crate::{Error, Result};

/// What `step()` and `range()` stand for, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryTimes {
    pub(crate) step_ms: i64,
    pub(crate) range_ms: i64,
}

/// The milliseconds of a range or a step: more than zero.
pub(crate) fn positive(expr: &DurationExpr, times: QueryTimes) -> Result<i64> {
    let seconds = seconds(expr, times)?;
    if seconds <= 0.0 {
        return Err(Error::execution("duration must be greater than 0"));
    }
    millis(seconds)
}

/// The milliseconds of an offset.
pub(crate) fn signed(expr: &DurationExpr, times: QueryTimes) -> Result<i64> {
    millis(seconds(expr, times)?)
}

fn millis(seconds: f64) -> Result<i64> {
    // Upstream counts nanoseconds in an int64.
    const SECONDS_MAX: f64 = i64::MAX as f64 / 1e9;
    if !seconds.is_finite() {
        return Err(Error::execution("duration is NaN or infinite"));
    }
    if seconds.abs() > SECONDS_MAX {
        return Err(Error::execution("duration is out of range"));
    }
    Ok((seconds * 1000.0) as i64)
}

fn seconds(expr: &DurationExpr, times: QueryTimes) -> Result<f64> {
    let value = |inner: &DurationExpr| seconds(inner, times);
    Ok(match &expr.kind {
        DurationKind::Literal(number) => number.value,
        DurationKind::Step => times.step_ms as f64 / 1000.0,
        DurationKind::Range => times.range_ms as f64 / 1000.0,
        DurationKind::Negative(inner) => -value(inner)?,
        DurationKind::Positive(inner) => value(inner)?,
        DurationKind::Min(a, b) => value(a)?.min(value(b)?),
        DurationKind::Max(a, b) => value(a)?.max(value(b)?),
        DurationKind::Arithmetic(op, lhs, rhs) => arithmetic(*op, value(lhs)?, value(rhs)?)?,
    })
}

fn arithmetic(op: BinaryOp, lhs: f64, rhs: f64) -> Result<f64> {
    match op {
        BinaryOp::Div if rhs == 0.0 => Err(Error::execution("division by zero")),
        BinaryOp::Mod if rhs == 0.0 => Err(Error::execution("modulo by zero")),
        op => crate::binary::scalar(op, lhs, rhs)
            .ok_or_else(|| Error::execution("unexpected duration expression operator")),
    }
}
