//! Binary operators.

mod element;
mod histogram;
mod matching;
mod set;

use promql_syntax::ast::{BinaryOp, ValueType};

use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Cell, Column, Track},
    eval::{Evaluator, Names, Scope, Sink},
    plan::Binary,
};

pub(crate) use histogram::negate as negate_histogram;

/// Arithmetic, or a comparison as 0 or 1; nothing for the other operators.
pub(crate) fn scalar(op: BinaryOp, lhs: f64, rhs: f64) -> Option<f64> {
    if let Some(run) = element::arithmetic(op) {
        return Some(run(lhs, rhs));
    }
    let holds = element::comparison(op)?;
    Some(f64::from(u8::from(holds(lhs, rhs))))
}

/// Between two scalars, at each step.
pub(crate) fn scalars(
    evaluator: &Evaluator<'_>,
    binary: &Binary,
    scope: &Scope,
) -> Result<Vec<f64>> {
    let before = evaluator.budget.current();
    let mut values = evaluator.scalars(&binary.lhs, scope)?;
    let rhs = evaluator.scalars(&binary.rhs, scope)?;
    for (value, rhs) in values.iter_mut().zip(&rhs) {
        *value = scalar(binary.op, *value, *rhs)
            .ok_or_else(|| Error::execution("operator not allowed for Scalar operations"))?;
    }
    evaluator.settle_scalars(before, 2, scope)?;
    Ok(values)
}

pub(crate) fn stream(
    evaluator: &Evaluator<'_>,
    binary: &Binary,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let is_vector = |kind: ValueType| kind == ValueType::Vector;
    match (is_vector(binary.lhs.kind), is_vector(binary.rhs.kind)) {
        (true, true) if binary.op.is_set() => set::stream(evaluator, binary, scope, sink),
        (true, true) => matching::stream(evaluator, binary, scope, sink),
        _ => with_scalar(evaluator, binary, scope, sink),
    }
}

/// Whether the result measures something else than the operands, and so has no name.
pub(crate) fn changes_meaning(binary: &Binary) -> bool {
    element::arithmetic(binary.op).is_some() || binary.return_bool
}

/// Between a vector and a scalar.
fn with_scalar(
    evaluator: &Evaluator<'_>,
    binary: &Binary,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let budget = &evaluator.budget;
    let before = budget.current();
    let scalar_is_left = binary.lhs.kind == ValueType::Scalar;
    let (vector, scalar) =
        if scalar_is_left { (&binary.rhs, &binary.lhs) } else { (&binary.lhs, &binary.rhs) };
    let scalars = evaluator.scalars(scalar, scope)?;
    let scalar_samples = budget.current() - before;
    if !scalar_is_left {
        // Upstream evaluates the left side first.
        budget.set(before);
    }
    let mut counts = StepCounts::new(scope.n_steps());
    counts.input_scalar();
    let mut names = changes_meaning(binary).then(|| Names::new(evaluator, vector));
    evaluator.stream(vector, scope, &mut |mut track| {
        counts.input(&track.column);
        track.column = column_with_scalar(evaluator, binary, &track.column, &scalars);
        counts.output(&track.column);
        match &mut names {
            Some(names) => names.drop(track, sink),
            None => sink(track),
        }
    })?;
    if !scalar_is_left {
        budget.hold(scalar_samples)?;
    }
    counts.settle(budget, before)?;
    names.map_or(Ok(()), |names| names.finish(sink))
}

fn column_with_scalar(
    evaluator: &Evaluator<'_>,
    binary: &Binary,
    column: &Column,
    scalars: &[f64],
) -> Column {
    let scalar_is_left = binary.lhs.kind == ValueType::Scalar;
    if !column.has_histograms()
        && let Some(run) = element::arithmetic(binary.op)
    {
        let mut column = column.clone();
        if scalar_is_left {
            column.map_floats_by_step(|step, value| run(scalars[step], value));
        } else {
            column.map_floats_by_step(|step, value| run(value, scalars[step]));
        }
        return column;
    }
    let mut out = Column::default();
    if !column.has_histograms()
        && let Some(holds) = element::comparison(binary.op)
    {
        for (step, value) in column.floats() {
            let scalar = scalars[step];
            let holds = if scalar_is_left { holds(scalar, value) } else { holds(value, scalar) };
            set_comparison(binary, step, value, holds, &mut out);
        }
        return out;
    }
    for (step, cell) in column.cells() {
        let scalar = Cell::Float(scalars[step]);
        let (lhs, rhs) = if scalar_is_left { (scalar, cell) } else { (cell, scalar) };
        let outcome = element::apply(binary.op, lhs, rhs, &mut evaluator.notes(), binary.position);
        let Some(outcome) = outcome else { continue };
        if binary.return_bool {
            out.set(step, f64::from(u8::from(outcome.keep)));
        } else if outcome.keep {
            // A filter keeps the element of the vector, whichever side it is on.
            let value = if binary.op.is_comparison() { cell } else { outcome.value.cell() };
            out.set_cell(step, value);
        }
    }
    out
}

/// The values of a pair of series at the steps where both have one.
fn pair(evaluator: &Evaluator<'_>, binary: &Binary, lhs: &Column, rhs: &Column) -> Column {
    let mut out = Column::default();
    if !lhs.has_histograms() && !rhs.has_histograms() {
        let both = lhs.floats().filter_map(|(step, value)| Some((step, value, rhs.float(step)?)));
        if let Some(run) = element::arithmetic(binary.op) {
            both.for_each(|(step, value, other)| out.set(step, run(value, other)));
            return out;
        }
        if let Some(holds) = element::comparison(binary.op) {
            both.for_each(|(step, value, other)| {
                set_comparison(binary, step, value, holds(value, other), &mut out);
            });
            return out;
        }
    }
    for (step, cell) in lhs.cells() {
        if let Some(other) = rhs.get(step) {
            set_outcome(evaluator, binary, step, cell, other, &mut out);
        }
    }
    out
}

/// Sets what a comparison of floats gives: with `bool` whether it holds, else the value that it
/// lets through.
fn set_comparison(binary: &Binary, step: usize, value: f64, holds: bool, out: &mut Column) {
    if binary.return_bool {
        out.set(step, f64::from(u8::from(holds)));
    } else if holds {
        out.set(step, value);
    }
}

/// Sets what two values make, if anything.
fn set_outcome(
    evaluator: &Evaluator<'_>,
    binary: &Binary,
    step: usize,
    lhs: Cell<'_>,
    rhs: Cell<'_>,
    out: &mut Column,
) {
    let outcome = element::apply(binary.op, lhs, rhs, &mut evaluator.notes(), binary.position);
    let Some(outcome) = outcome else { return };
    if binary.return_bool {
        out.set(step, f64::from(u8::from(outcome.keep)));
    } else if outcome.keep {
        out.set_cell(step, outcome.value.cell());
    }
}

/// Which steps have a value in any of `tracks`.
fn any_at(tracks: &[Track], n_steps: usize) -> Vec<bool> {
    let mut any = vec![false; n_steps];
    for track in tracks {
        track.column.cells().for_each(|(step, _)| any[step] = true);
    }
    any
}
