//! `limit_ratio`: a share of the series, always the same ones.

use super::parameter;
use crate::{
    Error, Result,
    column::{Column, Track},
    eval::{Evaluator, Scope, Sink},
    plan::Aggregate,
};

pub(super) fn stream(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let budget = &evaluator.budget;
    let before = budget.current();
    let (ratios, position) = parameter(evaluator, aggregate, scope)?;
    if ratios.iter().any(|ratio| ratio.is_nan()) {
        return Err(Error::execution("Ratio value is NaN"));
    }
    let max = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    if !ratios.is_empty() && max > 1.0 {
        evaluator.notes().invalid_ratio(max, 1.0, position);
    }
    if !ratios.is_empty() && min < -1.0 {
        evaluator.notes().invalid_ratio(min, -1.0, position);
    }
    let mut weight = 0;
    evaluator.stream(&aggregate.inner, scope, &mut |track| {
        // Where the series stands among all, between 0 and 1, by its hash.
        let place = track.labels.hash64() as f64 / u64::MAX as f64;
        let mut column = Column::default();
        for (step, cell) in track.column.cells() {
            if is_chosen(ratios[step].clamp(-1.0, 1.0), place) {
                column.set_cell(step, cell);
            }
        }
        if column.is_empty() {
            return Ok(());
        }
        weight += column.weight();
        sink(Track { column, ..track })
    })?;
    budget.set(before + weight);
    Ok(())
}

/// A negative ratio chooses what `1 + ratio` leaves over.
fn is_chosen(ratio: f64, place: f64) -> bool {
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}
