//! Metric names: who keeps them, when they go, and what becomes of series that are then the same.

use model::Labels;

use super::{Evaluator, Sink};
use crate::{
    Result, aggregate, binary,
    column::Track,
    functions::{Function, Run},
    merge::Merge,
    plan::{Node, Op},
};

/// Drops metric names from what flows by, now or, with delayed removal, later.
pub(crate) struct Names {
    delayed: bool,
    /// Series that lost their name may have become one; they must all be there to know.
    merge: Option<Merge>,
}

impl Names {
    /// `inner` is where the series come from.
    pub(crate) fn new(evaluator: &Evaluator<'_>, inner: &Node) -> Names {
        Names::of(evaluator, || stay_distinct(evaluator, inner))
    }

    /// `stay_distinct` says whether the series' labels differ also without names.
    pub(super) fn of(evaluator: &Evaluator<'_>, stay_distinct: impl FnOnce() -> bool) -> Names {
        let delayed = evaluator.settings().delayed_name_removal;
        let merge = (!delayed && !stay_distinct()).then(|| Merge::new(&evaluator.shared.memory));
        Names { delayed, merge }
    }

    pub(crate) fn drop(&mut self, mut track: Track, sink: Sink<'_>) -> Result<()> {
        track.drop_name = true;
        if self.delayed {
            return sink(track);
        }
        track.labels = without_identity(&track.labels);
        match &mut self.merge {
            None => sink(track),
            Some(merge) => merge.add(track),
        }
    }

    /// Hands on what was held back.
    pub(crate) fn finish(self, sink: Sink<'_>) -> Result<()> {
        self.merge.map_or(Ok(()), |merge| merge.into_tracks().into_iter().try_for_each(sink))
    }
}

/// Whether the labels of series of `node` differ also without names, when names go at once.
fn stay_distinct(evaluator: &Evaluator<'_>, node: &Node) -> bool {
    let by_function =
        |function: &Function| matches!(function.run, Run::Float(_) | Run::Cell(_) | Run::Range(_));
    match &node.op {
        Op::Select(selector) => {
            let series = &evaluator.shared.selected[selector.id];
            same_identity(series.iter().map(|series| series.labels()))
        }
        Op::Call(call) => by_function(call.function) && !call.function.keeps_name,
        Op::Invariant(inner) => stay_distinct(evaluator, inner),
        Op::Negate(_) => true,
        Op::Binary(binary) => binary::changes_meaning(binary),
        Op::Aggregate(aggregate) => aggregate::has_no_names(aggregate),
        _ => false,
    }
}

/// Whether all label sets are of one metric. Then they differ in other labels.
pub(super) fn same_identity(all: impl IntoIterator<Item = Labels>) -> bool {
    let mut all = all.into_iter();
    let Some(first) = all.next() else { return true };
    let identity = |labels: &Labels| -> Vec<(String, String)> {
        let pairs = labels.iter().filter(|(name, _)| is_identity(name));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let expected = identity(&first);
    all.all(|labels| {
        let pairs = labels.iter().filter(|(name, _)| is_identity(name));
        pairs.eq(expected.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    })
}

/// The labels that say what a metric is, and which a calculation takes away.
pub(crate) fn is_identity(name: &str) -> bool {
    matches!(name, model::METRIC_NAME | "__type__" | "__unit__")
}

pub(crate) fn without_identity(labels: &Labels) -> Labels {
    if labels.iter().any(|(name, _)| is_identity(name)) {
        labels.filter(|name| !is_identity(name))
    } else {
        labels.clone()
    }
}
