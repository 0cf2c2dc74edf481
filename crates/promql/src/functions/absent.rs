//! `absent` and `absent_over_time`: where there is nothing.

use model::{Labels, LabelsBuilder, METRIC_NAME, MatchKind, Matcher};

use super::over_time;
use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Column, Track},
    eval::{Evaluator, Scope, Sink, call_range},
    plan::{Call, Node, Op},
};

pub(super) fn absent(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let before = evaluator.budget.current();
    let arg = call.args.first().ok_or_else(|| Error::execution("instant vector expected"))?;
    let mut counts = StepCounts::new(scope.n_steps());
    let mut seen = vec![false; scope.n_steps()];
    evaluator.stream(arg, scope, &mut |track| {
        counts.input(&track.column);
        track.column.cells().for_each(|(step, _)| seen[step] = true);
        Ok(())
    })?;
    let column = unseen(&seen);
    counts.output(&column);
    counts.settle(&evaluator.budget, before)?;
    emit(arg, column, sink)
}

pub(super) fn absent_over_time(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let arg = call.args.first().ok_or_else(|| Error::execution("range vector expected"))?;
    let before = evaluator.budget.current();
    let mut seen = vec![false; scope.n_steps()];
    call_range(evaluator, call, over_time::present, scope, &mut |track| {
        track.column.cells().for_each(|(step, _)| seen[step] = true);
        Ok(())
    })?;
    let column = unseen(&seen);
    evaluator.budget.set(before);
    evaluator.budget.hold(column.weight())?;
    emit(arg, column, sink)
}

fn unseen(seen: &[bool]) -> Column {
    let mut column = Column::default();
    for (step, _) in seen.iter().enumerate().filter(|(_, seen)| !**seen) {
        column.set(step, 1.0);
    }
    column
}

fn emit(arg: &Node, column: Column, sink: Sink<'_>) -> Result<()> {
    if column.is_empty() {
        return Ok(());
    }
    sink(Track { labels: labels(arg), drop_name: false, column })
}

/// What the selector says of the labels that the missing series would have.
fn labels(arg: &Node) -> Labels {
    let matchers: &[Matcher] = match &arg.op {
        Op::Select(selector) => &selector.matchers,
        Op::Window(window) => &window.selector.matchers,
        _ => &[],
    };
    let mut builder = LabelsBuilder::default();
    let mut known: Vec<&str> = Vec::new();
    for matcher in matchers.iter().filter(|matcher| matcher.name != METRIC_NAME) {
        // Upstream gives up on a label that is asked for twice.
        if matcher.kind == MatchKind::Equal && !known.contains(&matcher.name.as_str()) {
            builder.set(&matcher.name, &matcher.value);
            known.push(&matcher.name);
        } else {
            builder.remove(&matcher.name);
        }
    }
    builder.build()
}
