//! `count_values`: how many series have each value.

use indexmap::{IndexMap, map::Entry};
use model::{Labels, LabelsBuilder, METRIC_NAME, float::write_plain, labels::quote};

use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Cell, Column, Track},
    eval::{Evaluator, Scope, Sink},
    plan::{Aggregate, Op},
};

/// How often a value occurs at each step.
struct Count {
    steps: Vec<u32>,
    drop_name: bool,
}

pub(super) fn stream(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let before = evaluator.budget.current();
    let Some(Op::Text(label)) = aggregate.param.as_ref().map(|param| &param.op) else {
        return Err(Error::execution("expected string as the label of count_values"));
    };
    if label.is_empty() || label.contains('\u{fffd}') {
        return Err(Error::execution(format!("invalid label name {}", quote(label))));
    }
    let mut counts = StepCounts::new(scope.n_steps());
    let mut values: IndexMap<Labels, Count, foldhash::fast::RandomState> = IndexMap::default();
    let mut text = String::new();
    let mut held = evaluator.shared.memory.hold(0)?;
    evaluator.stream(&aggregate.inner, scope, &mut |track| {
        counts.input(&track.column);
        let mut last: Option<(String, usize)> = None;
        for (step, cell) in track.column.cells() {
            text.clear();
            match cell {
                Cell::Float(value) => write_plain(value, &mut text),
                Cell::Histogram(histogram) => text.push_str(&histogram.to_string()),
            }
            // Values tend to stay as they are.
            let place = match &last {
                Some((known, place)) if *known == text => *place,
                _ => {
                    let labels = labels_with(&track.labels, label, &text, aggregate);
                    let entry = values.entry(labels);
                    let place = entry.index();
                    if matches!(entry, Entry::Vacant(_)) {
                        let n_bytes = size_of::<u32>() * scope.n_steps() + text.len();
                        held.grow(n_bytes as u64)?;
                    }
                    entry.or_insert_with(|| Count {
                        steps: vec![0; scope.n_steps()],
                        drop_name: false,
                    });
                    last = Some((text.clone(), place));
                    place
                }
            };
            values[place].steps[step] += 1;
            values[place].drop_name |= track.drop_name;
        }
        Ok(())
    })?;
    for (labels, count) in values {
        let mut column = Column::default();
        for (step, count) in count.steps.iter().enumerate().filter(|(_, count)| **count > 0) {
            column.set(step, f64::from(*count));
        }
        counts.output(&column);
        sink(Track { labels, drop_name: count.drop_name, column })?;
    }
    counts.settle(&evaluator.budget, before)
}

/// The labels of the group, and the value under `label`.
fn labels_with(labels: &Labels, label: &str, value: &str, aggregate: &Aggregate) -> Labels {
    let mut builder = LabelsBuilder::new(labels);
    builder.set(label, value);
    let listed = |name: &str| aggregate.grouping.iter().any(|known| known == name);
    if aggregate.without {
        builder.retain(|name| name != METRIC_NAME && !listed(name));
    } else {
        builder.retain(|name| name == label || listed(name));
    }
    builder.build()
}
