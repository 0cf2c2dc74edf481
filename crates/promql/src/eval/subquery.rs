//! Subqueries: an expression evaluated at steps of its own, its series then looked at as if they
//! had been stored.

use std::sync::Arc;

use model::{FloatHistogram, histogram::CounterResetHint};
use storage::Columns;

use super::{Evaluator, Scope};
use crate::{
    Result,
    budget::Held,
    column::{Cell, Track},
    plan::Subquery,
    steps::Steps,
};

/// The series of a subquery, and what they count as in samples.
pub(super) struct Made {
    pub(super) tracks: Vec<Track>,
    /// As long as the tracks are.
    _held: Held,
    pub(super) steps: Steps,
    pub(super) samples: u64,
    /// What all its steps looked at.
    pub(super) total: u64,
}

/// Evaluates the inner expression; what it reads counts for the step that first wants it.
pub(super) fn evaluate(
    evaluator: &Evaluator<'_>,
    subquery: &Subquery,
    scope: &Scope,
) -> Result<Made> {
    let before = evaluator.budget.current();
    let steps = subquery.steps(&scope.steps);
    evaluator.budget.allows_steps(steps.count)?;
    let memory = &evaluator.shared.memory;
    let _room = memory.hold(Scope::bytes(&steps))?;
    let inner = Scope::new(steps);
    let (tracks, held) = if scope.n_steps() == 0 || steps.count == 0 {
        (Vec::new(), memory.hold(0)?)
    } else {
        evaluator.tracks(&subquery.inner, &inner)?
    };
    let tally = inner.tally();
    let mut outer = scope.tally_mut();
    let last = scope.n_steps().saturating_sub(1);
    let mut wanted_by = 0;
    for (step, read) in tally.read.iter().enumerate() {
        let time = steps.time(step);
        while wanted_by < last && subquery.when.moment(scope.steps.time(wanted_by)) < time {
            wanted_by += 1;
        }
        let window_end = subquery.when.moment(scope.steps.time(wanted_by));
        // Between two windows there may be steps that no one looks at.
        if time > window_end.saturating_sub(subquery.range_ms) {
            outer.read[wanted_by] += read;
        }
    }
    let total = tally.total.iter().sum();
    let samples = evaluator.budget.current() - before;
    Ok(Made { tracks, _held: held, steps, samples, total })
}

/// The values of a series with their times.
pub(super) fn columns(track: &Track, steps: &Steps, columns: &mut Columns) {
    for (step, cell) in track.column.cells() {
        let time = steps.time(step);
        match cell {
            Cell::Float(value) => columns.push(time, value),
            Cell::Histogram(histogram) => {
                columns.histogram_times.push(time);
                columns.histograms.push(without_hint(histogram));
            }
        }
    }
}

/// What is known of a reset holds between neighbours in the storage; these are others.
fn without_hint(histogram: &Arc<FloatHistogram>) -> Arc<FloatHistogram> {
    let mut histogram = histogram.clone();
    let hint = histogram.counter_reset_hint;
    if matches!(hint, CounterResetHint::Reset | CounterResetHint::NotReset) {
        Arc::make_mut(&mut histogram).counter_reset_hint = CounterResetHint::Unknown;
    }
    histogram
}
