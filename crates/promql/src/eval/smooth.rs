//! Smoothed instant selectors: the value on the line between the neighbours of each step.

use std::ops::Range;

use storage::Columns;

use super::{
    select::advance,
    windows::{drop_stale, interpolate},
};
use crate::{column::Column, functions, notes::Notes, plan::Selector, steps::Steps};

/// What is smoothed, and where complaints about it go.
pub(super) struct Smoothing<'a> {
    pub(super) selector: &'a Selector,
    pub(super) steps: &'a Steps,
    pub(super) lookback: i64,
    pub(super) metric: &'a str,
    pub(super) notes: &'a mut Notes,
}

/// The samples around a step, by index.
struct Neighbours {
    before: usize,
    /// Nothing where the one before is at the step, or where there is none.
    after: Option<usize>,
}

impl Smoothing<'_> {
    pub(super) fn column(mut self, columns: &mut Columns) -> Column {
        drop_stale(columns);
        let mut column = Column::default();
        let (mut next_float, mut next_histogram) = (0, 0);
        for step in 0..self.steps.count {
            let moment = self.selector.when.moment(self.steps.time(step));
            next_float = advance(&columns.times, next_float, moment);
            next_histogram = advance(&columns.histogram_times, next_histogram, moment);
            let floats = self.seen(&columns.times, moment);
            let histograms = self.seen(&columns.histogram_times, moment);
            if !floats.is_empty() && !histograms.is_empty() {
                self.notes.mixed_samples(self.metric, self.selector.position);
            } else if let Some(found) = neighbours(&columns.times, &floats, next_float, moment) {
                column.set(step, float(columns, &found, moment));
            } else if let Some(found) =
                neighbours(&columns.histogram_times, &histograms, next_histogram, moment)
            {
                self.set_histogram(&mut column, step, columns, &found, moment);
            }
        }
        column
    }

    /// The samples within the lookback on both sides.
    fn seen(&self, times: &[i64], moment: i64) -> Range<usize> {
        let (start, end) = (moment - self.lookback, moment + self.lookback);
        let first = times.partition_point(|time| *time <= start);
        first..times.partition_point(|time| *time <= end)
    }

    fn set_histogram(
        &mut self,
        column: &mut Column,
        step: usize,
        columns: &Columns,
        found: &Neighbours,
        moment: i64,
    ) {
        let point = |idx: usize| (columns.histogram_times[idx], &*columns.histograms[idx]);
        let Some(after) = found.after else {
            column.set_histogram(step, columns.histograms[found.before].clone());
            return;
        };
        match functions::interpolate_histograms(point(found.before), point(after), moment) {
            Some(histogram) => column.set_histogram(step, histogram),
            None => {
                self.notes.mixed_exponential_and_custom(self.metric, self.selector.position);
            }
        }
    }
}

/// `next` is the first sample after `moment`, of those that are `seen` only some.
fn neighbours(times: &[i64], seen: &Range<usize>, next: usize, moment: i64) -> Option<Neighbours> {
    let before = next.checked_sub(1).filter(|idx| seen.contains(idx))?;
    let is_exact = times[before] == moment;
    let after = Some(next).filter(|idx| !is_exact && seen.contains(idx));
    Some(Neighbours { before, after })
}

fn float(columns: &Columns, found: &Neighbours, moment: i64) -> f64 {
    let point = |idx: usize| (columns.times[idx], columns.values[idx]);
    match found.after {
        Some(after) => interpolate(point(found.before), point(after), moment, false),
        None => columns.values[found.before],
    }
}
