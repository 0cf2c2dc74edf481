//! `topk`, `bottomk`, `limitk`: at each step some series of each group.

use std::{cmp::Ordering, collections::HashMap};

use model::{Labels, float::write_general};
use promql_syntax::ast::AggregateOp;

use super::{Groups, name, parameter};
use crate::{
    Error, Result,
    column::{Cell, Column, Owned, Track},
    eval::{Evaluator, Scope, Sink},
    plan::Aggregate,
};

/// A series in the running, by its number, with its value.
struct Entry {
    series: u32,
    value: Owned,
}

/// The series in the running of one group, at each step.
struct Group {
    steps: Vec<Vec<Entry>>,
    /// That wanted to be in the running.
    n_series: usize,
}

pub(super) fn stream(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let budget = &evaluator.budget;
    let before = budget.current();
    let limits = limits(&parameter(evaluator, aggregate, scope)?.0)?;
    let order = Order::of(aggregate.op);
    let mut groups = Groups::default();
    let mut states: Vec<Group> = Vec::new();
    let mut series: Vec<(Labels, bool)> = Vec::new();
    let mut held = evaluator.shared.memory.hold(0)?;
    let most_wanted = limits.iter().copied().max().unwrap_or_default();
    let none_wanted = limits.iter().all(|limit| *limit == 0);
    evaluator.stream(&aggregate.inner, scope, &mut |track| {
        if none_wanted {
            return Ok(());
        }
        let (place, is_new) = groups.place(aggregate, &track.labels);
        if is_new {
            held.grow((size_of::<Vec<Entry>>() * scope.n_steps()) as u64)?;
            let steps = (0..scope.n_steps()).map(|_| Vec::new()).collect();
            states.push(Group { steps, n_series: 0 });
        }
        states[place].n_series += 1;
        held.grow(track.labels.as_packed().len() as u64)?;
        if states[place].n_series <= most_wanted {
            held.grow(track.column.weight() * size_of::<Entry>() as u64)?;
        }
        let number = series.len() as u32;
        for (step, cell) in track.column.cells() {
            if order != Order::First && matches!(cell, Cell::Histogram(_)) {
                let position = aggregate.inner.position;
                evaluator.notes().histogram_ignored_in_aggregation(name(aggregate.op), position);
                continue;
            }
            order.offer(&mut states[place].steps[step], limits[step], number, cell);
        }
        series.push((track.labels, track.drop_name));
        Ok(())
    })?;
    let tracks = chosen(states, order, &series);
    let weight: u64 = tracks.iter().map(|track| track.column.weight()).sum();
    budget.set(before + weight);
    tracks.into_iter().try_for_each(sink)
}

/// How many series are wanted at each step.
fn limits(parameter: &[f64]) -> Result<Vec<usize>> {
    if parameter.iter().any(|k| k.is_nan()) {
        return Err(Error::execution("Parameter value is NaN"));
    }
    const BOUND: f64 = i64::MAX as f64;
    let refuse = |k: f64, deed: &str| {
        let mut text = String::from("Scalar value ");
        write_general(k, &mut text);
        Err(Error::execution(format!("{text} {deed} int64")))
    };
    let max = parameter.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = parameter.iter().copied().fold(f64::INFINITY, f64::min);
    if max >= BOUND {
        return refuse(max, "overflows");
    }
    if max >= 1.0 && min <= -BOUND {
        return refuse(min, "underflows");
    }
    Ok(parameter.iter().map(|k| *k as usize).collect())
}

/// The chosen values as series, in the order of an instant query's result.
fn chosen(groups: Vec<Group>, order: Order, series: &[(Labels, bool)]) -> Vec<Track> {
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut tracks: Vec<Track> = Vec::new();
    for group in groups {
        for (step, mut entries) in group.steps.into_iter().enumerate() {
            order.sort(&mut entries);
            for entry in entries {
                let place = *places.entry(entry.series).or_insert_with(|| {
                    let (labels, drop_name) = series[entry.series as usize].clone();
                    tracks.push(Track { labels, drop_name, column: Column::default() });
                    tracks.len() - 1
                });
                tracks[place].column.set_cell(step, entry.value.cell());
            }
        }
    }
    tracks
}

/// Which series are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Largest,
    Smallest,
    First,
}

impl Order {
    fn of(op: AggregateOp) -> Order {
        match op {
            AggregateOp::TopK => Order::Largest,
            AggregateOp::BottomK => Order::Smallest,
            _ => Order::First,
        }
    }

    /// Puts a value among the `limit` best, if it is one of them.
    fn offer(self, best: &mut Vec<Entry>, limit: usize, series: u32, cell: Cell<'_>) {
        if best.len() < limit {
            best.push(Entry { series, value: cell.owned() });
            if self != Order::First {
                self.sift_up(best);
            }
        } else if self != Order::First
            && let (Some(worst), Cell::Float(value)) = (best.first(), cell)
            && self.beats(value, float(worst))
        {
            best[0] = Entry { series, value: cell.owned() };
            self.sift_down(best);
        }
    }

    fn beats(self, value: f64, worst: f64) -> bool {
        let better = match self {
            Order::Largest => worst < value,
            _ => worst > value,
        };
        better || (worst.is_nan() && !value.is_nan())
    }

    /// Whether `a` is worse than `b`. Any NaN is worse, even than another.
    fn worse(self, a: &Entry, b: &Entry) -> bool {
        let (a, b) = (float(a), float(b));
        match self {
            Order::Largest => a.is_nan() || a < b,
            _ => a.is_nan() || a > b,
        }
    }

    // A binary heap with the worst on top. Among equal values, which stay and in which order is
    // decided by the moves of the heap; so these are upstream's, not the standard library's.
    fn sift_up(self, heap: &mut [Entry]) {
        let mut child = heap.len() - 1;
        while child > 0 {
            let parent = (child - 1) / 2;
            if !self.worse(&heap[child], &heap[parent]) {
                break;
            }
            heap.swap(child, parent);
            child = parent;
        }
    }

    fn sift_down(self, heap: &mut [Entry]) {
        let mut parent = 0;
        loop {
            let left = 2 * parent + 1;
            if left >= heap.len() {
                break;
            }
            let right = left + 1;
            let right_is_worse = right < heap.len() && self.worse(&heap[right], &heap[left]);
            let child = if right_is_worse { right } else { left };
            if !self.worse(&heap[child], &heap[parent]) {
                break;
            }
            heap.swap(child, parent);
            parent = child;
        }
    }

    /// Best first.
    fn sort(self, entries: &mut [Entry]) {
        if self == Order::First {
            return;
        }
        entries.sort_by(|a, b| match (self.worse(b, a), self.worse(a, b)) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => Ordering::Equal,
        });
    }
}

fn float(entry: &Entry) -> f64 {
    match entry.value {
        Owned::Float(value) => value,
        Owned::Histogram(_) => f64::NAN,
    }
}
