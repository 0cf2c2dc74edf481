//! Which queries are too small to wait for others.

use promql_syntax::ast::Expr;
use storage::Queryable;

use crate::{
    Result,
    plan::{self, Frame, Plan},
    steps::Steps,
};

/// All series of a light query.
const SERIES_MAX: usize = 200;
/// Its series times its steps.
const VALUES_MAX: usize = 10_000;
/// From the first to the last sample that it looks at: few chunks of each series.
const SPAN_MS_MAX: i64 = 3 * 3_600_000;

/// Whether a query takes less than a millisecond or two. Looks at the index, but only if the
/// query's text and times do not say no before.
pub(super) fn is_light(storage: &dyn Queryable, expr: &Expr, frame: Frame) -> Result<bool> {
    let plan = plan::plan(expr, frame)?;
    let n_steps = match frame.step_ms {
        0 => 1,
        step_ms => Steps::new(frame.start, frame.end, step_ms).count,
    };
    let span = plan.range.end.as_millis().saturating_sub(plan.range.start.as_millis());
    if n_steps > VALUES_MAX || span > SPAN_MS_MAX {
        return Ok(false);
    }
    let n_series = n_series(storage, &plan)?;
    Ok(n_series <= SERIES_MAX && n_series * n_steps <= VALUES_MAX)
}

/// How many series the plan selects; counts no further than it must.
fn n_series(storage: &dyn Queryable, plan: &Plan) -> Result<usize> {
    if plan.selections.is_empty() {
        return Ok(0);
    }
    let querier = storage.querier(plan.range)?;
    let mut n_series = 0;
    for selection in &plan.selections {
        let mut hints = selection.hints.clone();
        hints.limit = SERIES_MAX + 1;
        n_series += querier.select(false, &hints, &selection.matchers)?.series.len();
        if n_series > SERIES_MAX {
            break;
        }
    }
    Ok(n_series)
}
