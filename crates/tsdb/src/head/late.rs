//! Samples that came too late for the chunks of their series.
//!
//! Few series have any, so they are no part of [`super::Series`]: each page has a table of them,
//! empty in most.

use std::sync::Arc;

use hashbrown::HashMap;
use model::{FloatHistogram, TimeRange, Timestamp, histogram::CounterResetHint};
use storage::{Columns, HistogramValue};

use super::{
    SeriesId,
    series::{FullChunk, Limits, Series},
};

/// So many samples are sorted in memory before they become a chunk; upstream's number.
const OPEN_SAMPLES_MAX: usize = 32;

/// The late samples of the series of a page.
#[derive(Default)]
pub(crate) struct Late(Option<Box<HashMap<SeriesId, LateSeries, foldhash::fast::RandomState>>>);

/// The late samples of a series.
#[derive(Default)]
pub(crate) struct LateSeries {
    /// In order of their coming; their times overlap.
    full: Vec<FullChunk>,
    /// The first ones of `full` that are being written into blocks.
    n_leaving: usize,
    /// In order of time, each time once.
    open: Vec<LateSample>,
}

#[derive(Debug, Clone)]
pub(crate) struct LateSample {
    pub(crate) time: i64,
    pub(crate) value: LateValue,
}

#[derive(Debug, Clone)]
pub(crate) enum LateValue {
    Float(f64),
    Histogram(HistogramValue),
}

/// What became of a late sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Insertion {
    Inserted,
    InsertedIntoNewChunk,
    /// There is one of that time.
    Dropped,
}

impl Late {
    pub(crate) fn get(&self, id: SeriesId) -> Option<&LateSeries> {
        self.0.as_ref()?.get(&id)
    }

    pub(crate) fn has(&self, id: SeriesId) -> bool {
        self.get(id).is_some()
    }

    pub(crate) fn insert(&mut self, id: SeriesId, sample: LateSample) -> Insertion {
        self.0.get_or_insert_default().entry(id).or_default().insert(sample)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SeriesId, &LateSeries)> {
        self.0.iter().flat_map(|table| table.iter().map(|(id, series)| (*id, series)))
    }

    /// From now on all samples that are here are leaving for blocks.
    pub(crate) fn begin_leaving(&mut self) {
        for series in self.0.iter_mut().flat_map(|table| table.values_mut()) {
            series.close();
            series.n_leaving = series.full.len();
        }
    }

    /// Forgets the samples that were leaving; says how many chunks they were.
    pub(crate) fn end_leaving(&mut self) -> usize {
        let Some(table) = &mut self.0 else { return 0 };
        let mut n_chunks = 0;
        table.retain(|_, series| {
            n_chunks += series.n_leaving;
            series.full.drain(..std::mem::take(&mut series.n_leaving));
            series.full.shrink_to_fit();
            !(series.full.is_empty() && series.open.is_empty())
        });
        if table.is_empty() {
            self.0 = None;
        }
        n_chunks
    }
}

impl LateSeries {
    fn insert(&mut self, sample: LateSample) -> Insertion {
        let is_full = self.open.len() >= OPEN_SAMPLES_MAX;
        if is_full {
            self.close();
        }
        match self.open.binary_search_by_key(&sample.time, |known| known.time) {
            Ok(_) => return Insertion::Dropped,
            Err(position) => self.open.insert(position, sample),
        }
        match self.open.len() {
            1 => Insertion::InsertedIntoNewChunk,
            _ => Insertion::Inserted,
        }
    }

    /// Leaves no chunk open.
    fn close(&mut self) {
        self.full.extend(encode(&self.open));
        self.open = Vec::new();
    }

    /// The times of the oldest and the newest sample.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        let open = self.open.first().zip(self.open.last());
        let open = open.map(|(first, last)| (first.time, last.time));
        let full = self.full.iter().map(|chunk| (chunk.start, chunk.end()));
        full.chain(open).reduce(|(start, end), (s, e)| (start.min(s), end.max(e)))
    }

    pub(crate) fn overlaps(&self, range: TimeRange) -> bool {
        self.open.iter().any(|sample| range.contains(Timestamp::from_millis(sample.time)))
            || self.full.iter().any(|chunk| chunk.overlaps(range))
    }

    /// The chunks in `range` that are leaving for blocks.
    pub(crate) fn leaving(&self, range: TimeRange) -> Vec<FullChunk> {
        let leaving = self.full.iter().take(self.n_leaving);
        leaving.filter(|chunk| chunk.overlaps(range)).cloned().collect()
    }

    /// What is needed to read the samples in `range` later, without the lock.
    pub(crate) fn capture(&self, range: TimeRange) -> CapturedLate {
        let is_within = |sample: &&LateSample| range.contains(Timestamp::from_millis(sample.time));
        CapturedLate {
            range,
            full: self.full.iter().filter(|chunk| chunk.overlaps(range)).cloned().collect(),
            open: self.open.iter().filter(is_within).cloned().collect(),
        }
    }
}

/// Late samples of a series, taken out of the head.
pub(crate) struct CapturedLate {
    range: TimeRange,
    full: Vec<FullChunk>,
    open: Vec<LateSample>,
}

impl CapturedLate {
    /// Merges the samples with those in `columns` behind `mark`; of two for one time that in
    /// `columns` stays, then that which came first.
    pub(crate) fn merge_into(
        &self,
        columns: &mut Columns,
        mark: storage::Mark,
    ) -> chunks::Result<()> {
        let mut late = Columns::default();
        for chunk in &self.full {
            late.append_chunk(chunk.encoding, &chunk.bytes)?;
        }
        for LateSample { time, value } in &self.open {
            match value {
                LateValue::Float(value) => {
                    late.times.push(*time);
                    late.values.push(*value);
                }
                LateValue::Histogram(value) => {
                    late.histogram_times.push(*time);
                    late.histograms.push(Arc::new(value.to_float()));
                }
            }
        }
        let has_histograms = !late.histograms.is_empty();
        let split = columns.mark();
        let Columns { times, values, histogram_times, histograms, .. } = &mut *columns;
        append_sorted(late.times, late.values, self.range, times, values);
        let late_histograms = late.histograms;
        append_sorted(
            late.histogram_times,
            late_histograms,
            self.range,
            histogram_times,
            histograms,
        );
        columns.merge_runs(mark, split);
        if has_histograms {
            // What a chunk knows of resets is about neighbours that are none any more.
            for histogram in columns.histograms_behind(mark) {
                forget_reset(histogram);
            }
        }
        Ok(())
    }
}

fn forget_reset(histogram: &mut Arc<FloatHistogram>) {
    let hint = histogram.counter_reset_hint;
    if !matches!(hint, CounterResetHint::Gauge | CounterResetHint::Unknown) {
        Arc::make_mut(histogram).counter_reset_hint = CounterResetHint::Unknown;
    }
}

/// Appends what is within `range`, in order of time; of two for one time the first.
fn append_sorted<T>(
    late_times: Vec<i64>,
    late_values: Vec<T>,
    range: TimeRange,
    times: &mut Vec<i64>,
    values: &mut Vec<T>,
) {
    let mut late: Vec<(i64, T)> = late_times.into_iter().zip(late_values).collect();
    late.retain(|(time, _)| range.contains(Timestamp::from_millis(*time)));
    late.sort_by_key(|(time, _)| *time);
    late.dedup_by_key(|(time, _)| *time);
    for (time, value) in late {
        times.push(time);
        values.push(value);
    }
}

/// Chunks of samples that are in order.
fn encode(samples: &[LateSample]) -> Vec<FullChunk> {
    // Late chunks may cross the borders of blocks, which cut them.
    let chunk_range_ms = i64::from(u32::MAX);
    let limits = Limits { chunk_range_ms, samples_per_chunk: 16 * OPEN_SAMPLES_MAX };
    let mut series = Series::new(SeriesId(0), 0, false, Box::default());
    for LateSample { time, value } in samples {
        match value {
            LateValue::Float(value) => series.append(*time, *value, &limits),
            LateValue::Histogram(value) => series.append_histogram(*time, value, &limits),
        };
    }
    series.chunks_within(TimeRange::ALL)
}
