//! What a selector needs from the storage, given the expressions around it.

use model::TimeRange;
use promql_syntax::ast::VectorSelector;
use storage::SelectHints;

use super::{Frame, Selection, When};

/// The expressions around a selector, outermost first.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
pub(super) enum Layer {
    /// Its name, labels, and whether these are kept (`by`).
    Aggregate(String, Vec<String>, bool),
    Call(&'static str),
    Binary,
    Subquery(SubqueryTimes),
    Other,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct SubqueryTimes {
    pub(super) when: When,
    pub(super) range_ms: i64,
    pub(super) step_ms: i64,
}

impl Surroundings {
    /// Plans an inner expression within one more layer.
    pub(super) fn within<T>(&mut self, layer: Layer, plan: impl FnOnce(&mut Self) -> T) -> T {
        self.layers.push(layer);
        let planned = plan(self);
        self.layers.pop();
        planned
    }

    /// The nearest function or aggregation, unless a binary operator comes before.
    fn function(&self) -> &str {
        for layer in self.layers.iter().rev() {
            match layer {
                Layer::Aggregate(name, ..) => return name,
                Layer::Call(name) => return name,
                Layer::Binary => return "",
                Layer::Subquery(_) | Layer::Other => {}
            }
        }
        ""
    }

    /// Whether all that is made of histograms in the end is their count, sum or mean.
    pub(super) fn asks_for_counts_only(&self) -> bool {
        for layer in self.layers.iter().rev() {
            match layer {
                Layer::Subquery(_) => return false,
                Layer::Call("histogram_count" | "histogram_sum" | "histogram_avg") => return true,
                Layer::Call("histogram_quantile" | "histogram_quantiles") => return false,
                Layer::Call("histogram_fraction") => return false,
                Layer::Call(_) | Layer::Aggregate(..) | Layer::Binary | Layer::Other => {}
            }
        }
        false
    }

    fn grouping(&self) -> (bool, Vec<String>) {
        match self.layers.last() {
            Some(Layer::Aggregate(_, labels, by)) => (*by, labels.clone()),
            _ => (false, Vec::new()),
        }
    }

    fn subqueries(&self) -> impl Iterator<Item = &SubqueryTimes> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Subquery(times) => Some(times),
            _ => None,
        })
    }
}

/// What to ask for; `range_ms` is the width of a range selector, zero for an instant selector.
pub(super) fn selection(
    selector: &VectorSelector,
    when: When,
    range_ms: i64,
    around: &Surroundings,
    frame: &Frame,
) -> Selection {
    let range = time_range(selector, when, range_ms, around, frame);
    let (by, grouping) = around.grouping();
    let hints = SelectHints {
        step_ms: around.subqueries().last().map_or(frame.step_ms, |times| times.step_ms),
        range_ms,
        function: around.function().to_owned(),
        grouping,
        by,
        ..SelectHints::new(range)
    };
    Selection { matchers: selector.matchers.clone(), hints }
}

fn time_range(
    selector: &VectorSelector,
    when: When,
    range_ms: i64,
    around: &Surroundings,
    frame: &Frame,
) -> TimeRange {
    let (mut start, mut end) = (frame.start, frame.end);
    if let Some(pinned) = when.pinned {
        (start, end) = (pinned, pinned);
    } else {
        let (mut offset, mut range) = (0_i64, 0_i64);
        for times in around.subqueries() {
            // What lies outside of a pinned subquery has no say.
            if let Some(pinned) = times.when.pinned {
                (start, end) = (pinned, pinned);
                (offset, range) = (0, 0);
            }
            offset = offset.saturating_add(times.when.offset_ms);
            range = range.saturating_add(times.range_ms);
        }
        start = start.saturating_sub(offset).saturating_sub(range);
        end = end.saturating_sub(offset);
    }
    // A window is open on its left side.
    let lookback = frame.lookback_ms;
    let is_instant = range_ms == 0;
    let reach = if is_instant { lookback } else { range_ms };
    start = start.saturating_sub(reach.saturating_sub(1));
    if selector.smoothed {
        end = end.saturating_add(lookback);
    }
    if !is_instant && (selector.anchored || selector.smoothed) {
        start = start.saturating_sub(lookback);
    }
    TimeRange::from_millis(start.saturating_sub(when.offset_ms), end.saturating_sub(when.offset_ms))
}
