//! Orders of an instant query's result.

use std::{cmp::Ordering, iter};

use model::Labels;

use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Cell, Track},
    eval::{Evaluator, Scope, Sink},
    plan::{Call, Node, Op},
};

pub(super) fn ascending(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    by_value(evaluator, call, scope, sink, |a, b| a.partial_cmp(&b).unwrap_or(Ordering::Equal))
}

pub(super) fn descending(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    by_value(evaluator, call, scope, sink, |a, b| b.partial_cmp(&a).unwrap_or(Ordering::Equal))
}

/// NaN comes last; histograms go.
fn by_value(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
    compare: fn(f64, f64) -> Ordering,
) -> Result<()> {
    sorted(evaluator, call, scope, sink, true, &mut |tracks| {
        let value = |track: &Track| match track.column.get(0) {
            Some(Cell::Float(value)) => value,
            _ => f64::NAN,
        };
        tracks.sort_by(|a, b| {
            let (a, b) = (value(a), value(b));
            a.is_nan().cmp(&b.is_nan()).then_with(|| compare(a, b))
        });
        Ok(())
    })
}

pub(super) fn by_label(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let labels = label_arguments(call)?;
    sorted(evaluator, call, scope, sink, false, &mut |tracks| {
        tracks.sort_by(|a, b| compare_labels(&labels, &a.labels, &b.labels));
        Ok(())
    })
}

pub(super) fn by_label_descending(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let labels = label_arguments(call)?;
    sorted(evaluator, call, scope, sink, false, &mut |tracks| {
        tracks.sort_by(|a, b| compare_labels(&labels, &b.labels, &a.labels));
        Ok(())
    })
}

fn label_arguments(call: &Call) -> Result<Vec<&str>> {
    call.args.iter().skip(1).map(text).collect()
}

fn text(node: &Node) -> Result<&str> {
    match &node.op {
        Op::Text(text) => Ok(text),
        _ => Err(Error::execution("string expected")),
    }
}

fn sorted(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
    only_floats: bool,
    sort: &mut dyn FnMut(&mut Vec<Track>) -> Result<()>,
) -> Result<()> {
    let arg = call.args.first().ok_or_else(|| Error::execution("instant vector expected"))?;
    let before = evaluator.budget.current();
    let mut counts = StepCounts::new(scope.n_steps());
    let mut tracks = Vec::new();
    let mut held = evaluator.shared.memory.hold(0)?;
    evaluator.stream(arg, scope, &mut |mut track| {
        counts.input(&track.column);
        if only_floats {
            track.column.drop_histograms();
        }
        counts.output(&track.column);
        if track.column.is_empty() {
            return Ok(());
        }
        held.grow(track.bytes())?;
        tracks.push(track);
        Ok(())
    })?;
    if evaluator.settings().is_instant {
        sort(&mut tracks)?;
    } else {
        evaluator.notes().useless_sort(call.position);
    }
    counts.settle(&evaluator.budget, before)?;
    tracks.into_iter().try_for_each(sink)
}

fn compare_labels(names: &[&str], a: &Labels, b: &Labels) -> Ordering {
    for name in names {
        let (a, b) = (a.value(name), b.value(name));
        if a != b {
            return natural(a, b);
        }
    }
    a.cmp(b)
}

/// Runs of digits compare as numbers: `x9` before `x10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a_runs, mut b_runs) = (runs(a), runs(b));
    loop {
        let (a, b) = match (a_runs.next(), b_runs.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => (a, b),
        };
        let order = match (a.parse::<i64>(), b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The longest runs of digits and of other characters.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end =
            rest.find(|c: char| c.is_ascii_digit() != first.is_ascii_digit()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}
