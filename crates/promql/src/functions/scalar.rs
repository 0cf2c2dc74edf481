//! Between numbers and vectors.

use crate::{
    Error, Result,
    budget::StepCounts,
    column::Track,
    eval::{Evaluator, Scope, Sink},
    float,
    plan::{Call, Node},
};

pub(super) fn pi(evaluator: &Evaluator<'_>, _: &Call, scope: &Scope) -> Result<Vec<f64>> {
    evaluator.settle_scalars(evaluator.budget.current(), 0, scope)?;
    Ok(vec![std::f64::consts::PI; scope.n_steps()])
}

pub(super) fn time(evaluator: &Evaluator<'_>, _: &Call, scope: &Scope) -> Result<Vec<f64>> {
    evaluator.settle_scalars(evaluator.budget.current(), 0, scope)?;
    Ok((0..scope.n_steps()).map(|step| scope.steps.time(step) as f64 / 1000.0).collect())
}

pub(super) fn min_of(evaluator: &Evaluator<'_>, call: &Call, scope: &Scope) -> Result<Vec<f64>> {
    of_two(evaluator, call, scope, float::min)
}

pub(super) fn max_of(evaluator: &Evaluator<'_>, call: &Call, scope: &Scope) -> Result<Vec<f64>> {
    of_two(evaluator, call, scope, float::max)
}

fn of_two(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    choose: fn(f64, f64) -> f64,
) -> Result<Vec<f64>> {
    let before = evaluator.budget.current();
    let [a, b] = &*call.args else { return Err(Error::execution("two numbers expected")) };
    let mut values = evaluator.scalars(a, scope)?;
    let others = evaluator.scalars(b, scope)?;
    for (value, other) in values.iter_mut().zip(&others) {
        *value = choose(*value, *other);
    }
    evaluator.settle_scalars(before, 2, scope)?;
    Ok(values)
}

/// The only float of a vector; NaN if there are none or several.
pub(super) fn scalar(evaluator: &Evaluator<'_>, call: &Call, scope: &Scope) -> Result<Vec<f64>> {
    let before = evaluator.budget.current();
    let mut counts = StepCounts::new(scope.n_steps());
    counts.output_scalar();
    let mut values = vec![f64::NAN; scope.n_steps()];
    let mut seen = vec![false; scope.n_steps()];
    evaluator.stream(argument(call)?, scope, &mut |track| {
        counts.input(&track.column);
        for (step, value) in track.column.floats() {
            values[step] = if seen[step] { f64::NAN } else { value };
            seen[step] = true;
        }
        Ok(())
    })?;
    counts.settle(&evaluator.budget, before)?;
    Ok(values)
}

/// The number as a vector of one element without labels.
pub(super) fn vector(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let before = evaluator.budget.current();
    let values = evaluator.scalars(argument(call)?, scope)?;
    evaluator.settle_scalars(before, 1, scope)?;
    sink(Track::scalar(values))
}

fn argument(call: &Call) -> Result<&Node> {
    call.args.first().ok_or_else(|| Error::execution("argument expected"))
}
