use std::sync::Arc;

use model::FloatHistogram;

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

    pub fn is_empty(&self) -> bool {
        self.times.is_empty() && self.histogram_times.is_empty()
    }

    pub fn len(&self) -> usize {
        self.times.len() + self.histogram_times.len()
    }
}
