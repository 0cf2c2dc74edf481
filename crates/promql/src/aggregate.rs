//! Aggregations: each series is folded into its group as it comes.

mod fold;
mod histogram;
mod order;
mod ratio;
mod values;

use std::hash::BuildHasher;

use hashbrown::HashTable;
use model::{Labels, METRIC_NAME};
use promql_syntax::ast::AggregateOp;

use crate::{
    Error, Result,
    eval::{Evaluator, Scope, Sink, is_identity},
    plan::Aggregate,
};

pub(crate) use histogram::HistogramMean;

pub(crate) fn name(op: AggregateOp) -> &'static str {
    match op {
        AggregateOp::Sum => "sum",
        AggregateOp::Avg => "avg",
        AggregateOp::Min => "min",
        AggregateOp::Max => "max",
        AggregateOp::Count => "count",
        AggregateOp::Group => "group",
        AggregateOp::Stddev => "stddev",
        AggregateOp::Stdvar => "stdvar",
        AggregateOp::TopK => "topk",
        AggregateOp::BottomK => "bottomk",
        AggregateOp::CountValues => "count_values",
        AggregateOp::Quantile => "quantile",
        AggregateOp::LimitK => "limitk",
        AggregateOp::LimitRatio => "limit_ratio",
    }
}

pub(crate) fn stream(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    match aggregate.op {
        AggregateOp::CountValues => values::stream(evaluator, aggregate, scope, sink),
        AggregateOp::TopK | AggregateOp::BottomK | AggregateOp::LimitK => {
            order::stream(evaluator, aggregate, scope, sink)
        }
        AggregateOp::LimitRatio => ratio::stream(evaluator, aggregate, scope, sink),
        _ => fold::stream(evaluator, aggregate, scope, sink),
    }
}

/// Whether no series of the result has a metric name.
pub(crate) fn has_no_names(aggregate: &Aggregate) -> bool {
    let keeps_series = matches!(
        aggregate.op,
        AggregateOp::TopK | AggregateOp::BottomK | AggregateOp::LimitK | AggregateOp::LimitRatio
    );
    !keeps_series
        && !aggregate.without
        && !aggregate.grouping.iter().any(|label| is_identity(label))
}

/// The parameter at each step, and how many samples it holds.
fn parameter(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    scope: &Scope,
) -> Result<(Vec<f64>, usize)> {
    let param = aggregate.param.as_ref();
    let param = param.ok_or_else(|| Error::execution("aggregation without its parameter"))?;
    Ok((evaluator.scalars(param, scope)?, param.position))
}

/// Which group a series is in.
#[derive(Default)]
struct Groups {
    /// By the hash of the labels; places in `labels`.
    table: HashTable<usize>,
    labels: Vec<Labels>,
    hasher: foldhash::fast::RandomState,
}

impl Groups {
    /// The place of the group, and whether it is new.
    fn place(&mut self, aggregate: &Aggregate, labels: &Labels) -> (usize, bool) {
        // Hashed pair by pair: a known group costs no allocation.
        let pairs = || grouped(aggregate, labels);
        let mut hash = 0_u64;
        for pair in pairs() {
            hash = hash.rotate_left(5) ^ self.hasher.hash_one(pair);
        }
        let known = &self.labels;
        let is_same = |place: &usize| known[*place].iter().eq(pairs());
        if let Some(place) = self.table.find(hash, is_same) {
            return (*place, false);
        }
        let place = self.labels.len();
        let group = Labels::from_sorted(pairs());
        self.labels.push(group);
        let (labels, hasher) = (&self.labels, &self.hasher);
        self.table.insert_unique(hash, place, |place| {
            labels[*place]
                .iter()
                .fold(0_u64, |hash, pair| hash.rotate_left(5) ^ hasher.hash_one(pair))
        });
        (place, true)
    }
}

/// The labels of the group.
fn grouped<'a>(
    aggregate: &'a Aggregate,
    labels: &'a Labels,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let listed = |name: &str| aggregate.grouping.iter().any(|label| label == name);
    labels.iter().filter(move |(name, _)| {
        if aggregate.without { *name != METRIC_NAME && !listed(name) } else { listed(name) }
    })
}
