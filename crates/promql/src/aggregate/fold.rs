//! Aggregations whose groups need only a running result: `sum`, `avg`, `min`, `max`, `count`,
//! `group`, `stddev`, `stdvar`; and `quantile`, which keeps all values.

use model::float::{STALE, is_stale};
use promql_syntax::ast::AggregateOp;

use super::{Groups, histogram::Histograms, name, parameter};
use crate::{
    Result,
    column::{Cell, Column, Track},
    eval::{Evaluator, Scope, Sink},
    float::{self, Mean, Sum},
    notes::Notes,
    plan::Aggregate,
};

/// The running result of a group, at each step.
enum State {
    /// Values, missing where stale, and their compensations.
    Sum(Vec<f64>, Vec<f64>),
    Avg(Vec<Option<Mean>>),
    /// Missing where stale.
    Extreme(Vec<f64>, fn(f64, f64) -> bool),
    Count(Vec<u32>),
    Group(Vec<bool>),
    Variance(Vec<Option<Variance>>),
    Values(Vec<Vec<f64>>),
}

/// Welford's running variance of a population.
#[derive(Debug, Clone, Copy)]
struct Variance {
    count: f64,
    mean: f64,
    squares: f64,
}

struct Group {
    state: State,
    histograms: Option<Histograms>,
    drop_name: bool,
}

pub(super) fn stream(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let budget = &evaluator.budget;
    let before = budget.current();
    let n_steps = scope.n_steps();
    let phis = match aggregate.op {
        AggregateOp::Quantile => {
            let (phis, position) = parameter(evaluator, aggregate, scope)?;
            note_phis(&mut evaluator.notes(), &phis, position);
            phis
        }
        _ => Vec::new(),
    };
    let mut groups = Groups::default();
    let mut states: Vec<Group> = Vec::new();
    let mut held = evaluator.shared.memory.hold(0)?;
    evaluator.stream(&aggregate.inner, scope, &mut |track| {
        let (place, is_new) = groups.place(aggregate, &track.labels);
        if is_new {
            held.grow(State::bytes(aggregate.op) * n_steps as u64)?;
            let state = State::new(aggregate.op, n_steps);
            states.push(Group { state, histograms: None, drop_name: false });
        }
        if aggregate.op == AggregateOp::Quantile {
            // All values are kept.
            held.grow(track.column.bytes())?;
        }
        states[place].add(&track, aggregate, &mut evaluator.notes());
        Ok(())
    })?;
    let mut tracks = Vec::with_capacity(states.len());
    for (labels, group) in groups.labels.into_iter().zip(states) {
        let drop_name = group.drop_name;
        let column = group.finish(aggregate, &phis, &mut evaluator.notes());
        if !column.is_empty() {
            tracks.push(Track { labels, drop_name, column });
        }
    }
    let weight: u64 = tracks.iter().map(|track| track.column.weight()).sum();
    budget.set(before + weight);
    tracks.into_iter().try_for_each(sink)
}

/// Upstream looks only at the extremes.
fn note_phis(notes: &mut Notes, phis: &[f64], position: usize) {
    if phis.iter().any(|phi| phi.is_nan()) {
        notes.invalid_quantile(f64::NAN, position);
    }
    let max = phis.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = phis.iter().copied().fold(f64::INFINITY, f64::min);
    if max > 1.0 && !phis.is_empty() {
        notes.invalid_quantile(max, position);
    }
    if min < 0.0 {
        notes.invalid_quantile(min, position);
    }
}

impl Group {
    fn add(&mut self, track: &Track, aggregate: &Aggregate, notes: &mut Notes) {
        self.drop_name |= track.drop_name;
        if !track.column.has_histograms() {
            let (first, floats) = track.column.run();
            return self.state.add(first, floats);
        }
        for (step, cell) in track.column.cells() {
            match (cell, aggregate.op) {
                (Cell::Float(value), _) => self.state.add(step, &[value]),
                (Cell::Histogram(histogram), AggregateOp::Sum | AggregateOp::Avg) => {
                    let n_steps = self.state.n_steps();
                    let is_mean = aggregate.op == AggregateOp::Avg;
                    let histograms =
                        self.histograms.get_or_insert_with(|| Histograms::new(n_steps, is_mean));
                    histograms.add(step, histogram, notes, aggregate.inner.position);
                }
                // These only want to know that there is something.
                (Cell::Histogram(_), AggregateOp::Count | AggregateOp::Group) => {
                    self.state.add(step, &[0.0]);
                }
                (Cell::Histogram(_), op) => {
                    notes.histogram_ignored_in_aggregation(name(op), aggregate.inner.position);
                }
            }
        }
    }

    fn finish(self, aggregate: &Aggregate, phis: &[f64], notes: &mut Notes) -> Column {
        let floats = self.state.finish(aggregate.op, phis);
        match self.histograms {
            None => Column::dense(floats),
            Some(histograms) => histograms.finish(&floats, notes, aggregate.inner.position),
        }
    }
}

impl State {
    fn new(op: AggregateOp, n_steps: usize) -> State {
        match op {
            AggregateOp::Avg => State::Avg(vec![None; n_steps]),
            AggregateOp::Min => State::Extreme(vec![STALE; n_steps], |new, old| new < old),
            AggregateOp::Max => State::Extreme(vec![STALE; n_steps], |new, old| new > old),
            AggregateOp::Count => State::Count(vec![0; n_steps]),
            AggregateOp::Group => State::Group(vec![false; n_steps]),
            AggregateOp::Stddev | AggregateOp::Stdvar => State::Variance(vec![None; n_steps]),
            AggregateOp::Quantile => State::Values(vec![Vec::new(); n_steps]),
            _ => State::Sum(vec![STALE; n_steps], vec![0.0; n_steps]),
        }
    }

    /// What a step takes.
    fn bytes(op: AggregateOp) -> u64 {
        let bytes = match op {
            AggregateOp::Avg => size_of::<Option<Mean>>(),
            AggregateOp::Min | AggregateOp::Max => size_of::<f64>(),
            AggregateOp::Count => size_of::<u32>(),
            AggregateOp::Group => size_of::<bool>(),
            AggregateOp::Stddev | AggregateOp::Stdvar => size_of::<Option<Variance>>(),
            AggregateOp::Quantile => size_of::<Vec<f64>>(),
            _ => 2 * size_of::<f64>(),
        };
        bytes as u64
    }

    fn n_steps(&self) -> usize {
        match self {
            State::Sum(values, _) => values.len(),
            State::Avg(means) => means.len(),
            State::Extreme(values, _) => values.len(),
            State::Count(counts) => counts.len(),
            State::Group(seen) => seen.len(),
            State::Variance(variances) => variances.len(),
            State::Values(values) => values.len(),
        }
    }

    /// Adds the floats of consecutive steps; stale ones are missing.
    fn add(&mut self, first: usize, floats: &[f64]) {
        match self {
            State::Sum(values, compensations) => {
                let values = values.get_mut(first..).unwrap_or_default();
                let compensations = compensations.get_mut(first..).unwrap_or_default();
                add_to_sums(values, compensations, floats);
            }
            State::Avg(means) => each(means, first, floats, |mean, value| match mean {
                Some(mean) => mean.add(value),
                None => *mean = Some(Mean::of(value)),
            }),
            State::Extreme(values, wins) => each(values, first, floats, |known, value| {
                // A stale marker is a NaN, too: what is missing gives way.
                if known.is_nan() || wins(value, *known) {
                    *known = value;
                }
            }),
            State::Count(counts) => each(counts, first, floats, |count, _| *count += 1),
            State::Group(seen) => each(seen, first, floats, |seen, _| *seen = true),
            State::Variance(all) => each(all, first, floats, |variance, value| match variance {
                Some(variance) => variance.add(value),
                None => *variance = Some(Variance::of(value)),
            }),
            State::Values(values) => each(values, first, floats, |all, value| all.push(value)),
        }
    }

    /// The results; stale where there is none.
    fn finish(self, op: AggregateOp, phis: &[f64]) -> Vec<f64> {
        match self {
            State::Sum(mut values, compensations) => {
                for (value, compensation) in values.iter_mut().zip(compensations) {
                    if !is_stale(*value) {
                        *value += compensation;
                    }
                }
                values
            }
            State::Avg(means) => {
                means.into_iter().map(|mean| mean.map_or(STALE, Mean::result)).collect()
            }
            State::Extreme(values, _) => values,
            State::Count(counts) => {
                let counted = |n: u32| if n == 0 { STALE } else { f64::from(n) };
                counts.into_iter().map(counted).collect()
            }
            State::Group(seen) => {
                seen.into_iter().map(|seen| if seen { 1.0 } else { STALE }).collect()
            }
            State::Variance(variances) => {
                let result = |variance: Variance| {
                    let result = variance.squares / variance.count;
                    if op == AggregateOp::Stddev { result.sqrt() } else { result }
                };
                variances.into_iter().map(|variance| variance.map_or(STALE, result)).collect()
            }
            State::Values(values) => {
                let steps = values.into_iter().zip(phis);
                steps
                    .map(
                        |(mut values, phi)| {
                            if values.is_empty() {
                                STALE
                            } else {
                                float::quantile(*phi, &mut values)
                            }
                        },
                    )
                    .collect()
            }
        }
    }
}

/// Adds to running sums, of which those that are stale have not begun.
///
/// Nothing branches: so the loop works on several steps at a time.
fn add_to_sums(values: &mut [f64], compensations: &mut [f64], floats: &[f64]) {
    for ((value, compensation), new) in values.iter_mut().zip(compensations).zip(floats) {
        let known = Sum { value: *value, compensation: *compensation };
        let sum = known.plus(*new);
        let is_missing = is_stale(*new);
        let is_first = is_stale(known.value);
        let keep = is_missing | is_first;
        let begun = if is_first { *new } else { sum.value };
        *value = if is_missing { known.value } else { begun };
        *compensation = if keep { known.compensation } else { sum.compensation };
    }
}

fn each<T>(states: &mut [T], first: usize, floats: &[f64], mut add: impl FnMut(&mut T, f64)) {
    for (state, value) in states.iter_mut().skip(first).zip(floats) {
        if !is_stale(*value) {
            add(state, *value);
        }
    }
}

impl Variance {
    fn of(first: f64) -> Variance {
        let squares = if first.is_finite() { 0.0 } else { f64::NAN };
        Variance { count: 1.0, mean: first, squares }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }
}
