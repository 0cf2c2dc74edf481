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
}

impl Columns {
    pub fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
        self.histogram_times.clear();
        self.histograms.clear();
    }

    pub fn push(&mut self, time: i64, value: f64) {
        debug_assert!(self.times.last().is_none_or(|last| *last < time));
        self.times.push(time);
        self.values.push(value);
    }

    pub fn is_empty(&self) -> bool {
        self.times.is_empty() && self.histogram_times.is_empty()
    }

    pub fn len(&self) -> usize {
        self.times.len() + self.histogram_times.len()
    }
}
