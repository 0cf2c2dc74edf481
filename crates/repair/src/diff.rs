//! What one has and another lacks.

use std::cmp::Ordering;

use storage::{Columns, Sample};

#[cfg(test)]
mod tests;

/// The samples of `theirs` that `ours` lacks or that win over those of ours.
pub(crate) fn difference(ours: &Columns, theirs: &Columns) -> Columns {
    let mut lacking = Columns::default();
    let mut our_float = Cursor::new(&ours.times);
    let mut our_histogram = Cursor::new(&ours.histogram_times);
    for (time, value) in theirs.times.iter().zip(&theirs.values) {
        let wins = |our: Sample<'_>| Sample::Float(*value).rank(our) == Ordering::Greater;
        let float = our_float.find(*time).map(|idx| Sample::Float(ours.values[idx]));
        let histogram = our_histogram.find(*time);
        let histogram = histogram.map(|idx| Sample::Histogram(&ours.histograms[idx]));
        if float.is_none_or(wins) && histogram.is_none_or(wins) {
            lacking.push(*time, *value);
        }
    }
    let mut our_float = Cursor::new(&ours.times);
    let mut our_histogram = Cursor::new(&ours.histogram_times);
    for (time, value) in theirs.histogram_times.iter().zip(&theirs.histograms) {
        let wins = |our: Sample<'_>| Sample::Histogram(value).rank(our) == Ordering::Greater;
        let float = our_float.find(*time).map(|idx| Sample::Float(ours.values[idx]));
        let histogram = our_histogram.find(*time);
        let histogram = histogram.map(|idx| Sample::Histogram(&ours.histograms[idx]));
        if float.is_none_or(wins) && histogram.is_none_or(wins) {
            lacking.histogram_times.push(*time);
            lacking.histograms.push(value.clone());
        }
    }
    lacking
}

/// Walks through times, which are in order, in order.
struct Cursor<'a> {
    times: &'a [i64],
    idx: usize,
}

impl<'a> Cursor<'a> {
    fn new(times: &'a [i64]) -> Cursor<'a> {
        Cursor { times, idx: 0 }
    }

    /// Where `time` stands; later calls ask for later times.
    fn find(&mut self, time: i64) -> Option<usize> {
        while self.times.get(self.idx).is_some_and(|next| *next < time) {
            self.idx += 1;
        }
        self.times.get(self.idx).filter(|next| **next == time).map(|_| self.idx)
    }
}
