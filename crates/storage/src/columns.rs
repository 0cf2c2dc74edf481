use std::{ops::Range, sync::Arc};

use chunks::Encoding;
use model::{FloatHistogram, TimeRange};

/// The samples of one series as columns, each sorted by time; times are milliseconds.
///
/// A series may hold floats and histograms, so there are two pairs of columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    pub times: Vec<i64>,
    pub values: Vec<f64>,
    pub histogram_times: Vec<i64>,
    pub histograms: Vec<Arc<FloatHistogram>>,
    /// When the counters began, beside `times`; 0 where that is unknown, empty if it is for all.
    pub start_times: Vec<i64>,
    /// The same beside `histogram_times`.
    pub histogram_start_times: Vec<i64>,
}

impl Columns {
    pub fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
        self.histogram_times.clear();
        self.histograms.clear();
        self.start_times.clear();
        self.histogram_start_times.clear();
    }

    pub fn push(&mut self, time: i64, value: f64) {
        debug_assert!(self.times.last().is_none_or(|last| *last < time));
        self.times.push(time);
        self.values.push(value);
        if !self.start_times.is_empty() {
            self.start_times.push(0);
        }
    }

    /// When the counter began that sample `idx` of the floats belongs to; 0 if that is unknown.
    pub fn start_time(&self, idx: usize) -> i64 {
        self.start_times.get(idx).copied().unwrap_or_default()
    }

    /// The same for the histograms.
    pub fn histogram_start_time(&self, idx: usize) -> i64 {
        self.histogram_start_times.get(idx).copied().unwrap_or_default()
    }

    /// Where the columns end now.
    pub fn mark(&self) -> Mark {
        Mark { floats: self.times.len(), histograms: self.histogram_times.len() }
    }

    /// Appends the samples of a chunk; on an error those before the damage.
    pub fn append_chunk(&mut self, encoding: Encoding, bytes: &[u8]) -> chunks::Result<()> {
        let outcome = match encoding {
            Encoding::Xor | Encoding::Xor2 => chunks::decode_with_starts(
                encoding,
                bytes,
                &mut self.times,
                &mut self.values,
                &mut self.start_times,
            ),
            _ => chunks::histogram::decode_with_starts(
                encoding,
                bytes,
                &mut self.histogram_times,
                &mut self.histograms,
                &mut self.histogram_start_times,
            ),
        };
        self.pad_start_times();
        outcome
    }

    /// Of what was added when it began is not known.
    pub(crate) fn pad_start_times(&mut self) {
        if !self.start_times.is_empty() {
            self.start_times.resize(self.times.len(), 0);
        }
        if !self.histogram_start_times.is_empty() {
            self.histogram_start_times.resize(self.histogram_times.len(), 0);
        }
    }

    /// Merges two runs, each in order of time, `begin` to `split` and what is behind it, into one;
    /// of two samples for one time that of the first run stays.
    pub fn merge_runs(&mut self, begin: Mark, split: Mark) {
        self.pad_start_times();
        let Columns { times, values, .. } = self;
        if merge_tail(times, values, begin.floats, split.floats, |_, _| false) {
            self.start_times.clear();
        }
        let Columns { histogram_times: times, histograms, .. } = self;
        if merge_tail(times, histograms, begin.histograms, split.histograms, |_, _| false) {
            self.histogram_start_times.clear();
        }
    }

    /// The histograms behind `mark`.
    pub fn histograms_behind(&mut self, mark: Mark) -> &mut [Arc<FloatHistogram>] {
        self.histograms.get_mut(mark.histograms..).unwrap_or_default()
    }

    /// Drops from `mark` on what is outside of `range`.
    pub fn cut(&mut self, mark: Mark, range: TimeRange) {
        let floats = within(&self.times, mark.floats, range);
        cut(&mut self.times, mark.floats, &floats);
        cut(&mut self.values, mark.floats, &floats);
        cut(&mut self.start_times, mark.floats, &floats);
        let histograms = within(&self.histogram_times, mark.histograms, range);
        cut(&mut self.histogram_times, mark.histograms, &histograms);
        cut(&mut self.histograms, mark.histograms, &histograms);
        cut(&mut self.histogram_start_times, mark.histograms, &histograms);
    }

    /// Drops the newest samples behind `mark`, at most `n_samples`.
    pub fn drop_newest(&mut self, mark: Mark, n_samples: usize) {
        for _ in 0..n_samples {
            let float = self.times[mark.floats..].last();
            let histogram = self.histogram_times[mark.histograms..].last();
            if float.is_none() && histogram.is_none() {
                return;
            }
            if float >= histogram {
                self.times.pop();
                self.values.pop();
                self.start_times.truncate(self.times.len());
            } else {
                self.histogram_times.pop();
                self.histograms.pop();
                self.histogram_start_times.truncate(self.histogram_times.len());
            }
        }
    }

    /// Keeps behind `mark` only the samples whose time `keep` accepts.
    pub fn retain(&mut self, mark: Mark, keep: impl Fn(i64) -> bool) {
        let floats: Vec<bool> = self.times[mark.floats..].iter().map(|time| keep(*time)).collect();
        retain(&mut self.times, mark.floats, &floats);
        retain(&mut self.values, mark.floats, &floats);
        retain(&mut self.start_times, mark.floats, &floats);
        let times = &self.histogram_times[mark.histograms..];
        let histograms: Vec<bool> = times.iter().map(|time| keep(*time)).collect();
        retain(&mut self.histogram_times, mark.histograms, &histograms);
        retain(&mut self.histograms, mark.histograms, &histograms);
        retain(&mut self.histogram_start_times, mark.histograms, &histograms);
    }

    pub fn is_empty(&self) -> bool {
        self.times.is_empty() && self.histogram_times.is_empty()
    }

    pub fn len(&self) -> usize {
        self.times.len() + self.histogram_times.len()
    }
}

/// Lengths of columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    pub(crate) floats: usize,
    pub(crate) histograms: usize,
}

/// Which of the times from `begin` on are within `range`.
fn within(times: &[i64], begin: usize, range: TimeRange) -> Range<usize> {
    let added = &times[begin..];
    let end = added.partition_point(|time| *time <= range.end.as_millis());
    let first = added.partition_point(|time| *time < range.start.as_millis()).min(end);
    begin + first..begin + end
}

/// Keeps of a column from `begin` on only what `kept` covers; an empty column stays empty.
fn cut<T>(column: &mut Vec<T>, begin: usize, kept: &Range<usize>) {
    column.truncate(kept.end);
    if kept.start > begin && column.len() >= kept.start {
        column.drain(begin..kept.start);
    }
}

/// Keeps of a column from `begin` on what is marked; an empty column stays empty.
pub(crate) fn retain<T>(column: &mut Vec<T>, begin: usize, marks: &[bool]) {
    if column.len() < begin {
        return;
    }
    let mut marks = marks.iter();
    let mut idx = 0;
    column.retain(|_| {
        idx += 1;
        idx <= begin || marks.next().copied().unwrap_or(true)
    });
}

/// Merges two sorted runs, `begin..split` and `split..`, of a pair of columns into one; of two
/// values for one time the second one stays if `late_wins`. Says whether anything had to be moved.
pub(crate) fn merge_tail<T>(
    times: &mut Vec<i64>,
    values: &mut Vec<T>,
    begin: usize,
    split: usize,
    late_wins: impl Fn(&T, &T) -> bool,
) -> bool {
    let is_in_order = split == begin
        || split == times.len()
        || times.get(split - 1).zip(times.get(split)).is_some_and(|(last, next)| last < next);
    if is_in_order {
        return false;
    }
    let late_times = times.split_off(split);
    let late_values = values.split_off(split);
    let first_moved = begin + times[begin..].partition_point(|time| *time < late_times[0]);
    let early_times = times.split_off(first_moved);
    let early_values = values.split_off(first_moved);
    let mut early = early_times.into_iter().zip(early_values).peekable();
    let mut late = late_times.into_iter().zip(late_values).peekable();
    loop {
        let next = match (early.peek(), late.peek()) {
            (Some((a, first)), Some((b, second))) if a == b => {
                let keeps_second = late_wins(first, second);
                let (first, second) = (early.next(), late.next());
                if keeps_second { second } else { first }
            }
            (Some((a, _)), Some((b, _))) if b < a => late.next(),
            (Some(_), _) => early.next(),
            (None, _) => late.next(),
        };
        let Some((time, value)) = next else { return true };
        times.push(time);
        values.push(value);
    }
}
