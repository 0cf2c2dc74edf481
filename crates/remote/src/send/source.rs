//! From the log to samples that are to be sent. Blocks.

use std::{path::PathBuf, sync::Arc};

use hashbrown::HashMap;
use model::{FloatHistogram, Timestamp, histogram::Histogram};
use runtime::Disk;
use storage::{Exemplar, HistogramValue};
use tracing::warn;
use wal::{
    Layout, Position, Tail,
    record::{self, Kind, Logged},
    tail::{self, Step},
};

use super::{
    batch::{Item, Value},
    metrics::{KindMetrics, QueueMetrics},
    progress::Progress,
    series::{Found, SeriesMap},
};

/// Reads the log and names what is in it.
pub(super) struct Source {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    tail: Tail,
    /// Up to here only the names of series are of interest.
    skip_until: Position,
    /// Stands for the segments up to this one.
    checkpoint: Option<u32>,
    decoder: Decoder,
}

/// What is sent beside floats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) exponential_histograms: bool,
    pub(super) custom_histograms: bool,
    pub(super) exemplars: bool,
}

/// So many exemplars wait for samples of their series.
const EXEMPLARS_MAX: usize = 10_000;

/// What records mean.
struct Decoder {
    series: SeriesMap,
    wanted: Wanted,
    metrics: QueueMetrics,
    /// They stand in the log behind the samples that they were scraped with, and are sent with
    /// these, or with the next ones of their series: by series.
    exemplars: HashMap<u64, Vec<Exemplar>>,
    /// Samples that were read, dropped ones included.
    n_read: u64,
    n_dropped: u64,
    newest: i64,
}

/// Where a queue is to begin that has acknowledged up to `kept`, if it has been there before. What
/// is in the log before that is not sent.
pub(super) fn begin_at(
    disk: &dyn Disk,
    directory: &std::path::Path,
    kept: Option<Position>,
) -> wal::Result<Position> {
    let end = tail::end(disk, directory)?.unwrap_or_default();
    // A position behind the end is one of another log.
    Ok(kept.filter(|kept| *kept <= end).unwrap_or(end))
}

impl Source {
    /// Learns the names of all series before `from`.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        from: Position,
        series: SeriesMap,
        wanted: Wanted,
        metrics: QueueMetrics,
    ) -> wal::Result<Source> {
        let exemplars = HashMap::new();
        let mut decoder =
            Decoder { series, wanted, metrics, exemplars, n_read: 0, n_dropped: 0, newest: 0 };
        tail::read_before(&*disk, &directory, from.segment, &mut |record, segment| {
            decoder.names(record, segment);
        })?;
        let checkpoint = Layout::read(&*disk, &directory)?.checkpoint.map(|found| found.number);
        let begin = Position { segment: from.segment, offset: 0 };
        let tail = Tail::new(disk.clone(), &directory, begin);
        Ok(Source { disk, directory, tail, skip_until: from, checkpoint, decoder })
    }

    /// Reads on a while and adds what is to be sent to `items`.
    pub(super) fn read(&mut self, progress: &Progress, items: &mut Vec<Item>) -> wal::Result<Step> {
        let segment = self.tail.position().segment;
        let (skip_until, decoder) = (self.skip_until, &mut self.decoder);
        let step = self.tail.read(&mut |record, end| {
            decoder.names(record, end.segment);
            let before = items.len();
            if end > skip_until {
                decoder.samples(record, items);
            }
            let number = progress.open(end, (items.len() - before) as u32);
            items[before..].iter_mut().for_each(|item| item.record = number);
        })?;
        self.decoder.attach_exemplars(items);
        let reached = self.tail.position().segment;
        self.decoder.metrics.segment.set(f64::from(reached));
        if reached != segment {
            self.forget_old_series(reached)?;
        }
        Ok(step)
    }

    /// Behind the last record that was read.
    pub(super) fn position(&self) -> Position {
        self.tail.position()
    }

    /// Where the log ends now.
    pub(super) fn end(&self) -> wal::Result<Position> {
        Ok(tail::end(&*self.disk, &self.directory)?.unwrap_or_default())
    }

    /// How many bytes of the log lie behind `from`.
    pub(super) fn bytes_behind(&self, from: Position) -> wal::Result<u64> {
        let layout = Layout::read(&*self.disk, &self.directory)?;
        let later = layout.segments.iter().filter(|found| found.number >= from.segment);
        // A segment that has gone meanwhile keeps nothing.
        let len = |path: &PathBuf| self.disk.metadata(path).map_or(0, |metadata| metadata.len);
        let n_bytes: u64 = later.map(|found| len(&found.path)).sum();
        Ok(n_bytes.saturating_sub(from.offset))
    }

    /// How many samples were read since the last call, and how many of these were dropped.
    pub(super) fn take_counts(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.decoder.n_read), std::mem::take(&mut self.decoder.n_dropped))
    }

    /// The newest time that was read.
    pub(super) fn newest(&self) -> i64 {
        self.decoder.newest
    }

    /// What neither the checkpoint nor a segment names any more has no samples to come.
    fn forget_old_series(&mut self, reached: u32) -> wal::Result<()> {
        let layout = Layout::read(&*self.disk, &self.directory)?;
        let checkpoint = layout.checkpoint.map(|found| found.number);
        let Some(number) = checkpoint.filter(|number| *number < reached) else { return Ok(()) };
        if self.checkpoint == Some(number) {
            return Ok(());
        }
        let mut named = Vec::new();
        let series = &mut self.decoder.series;
        tail::read_before(&*self.disk, &self.directory, 0, &mut |record, _| {
            if Kind::of(record) == Some(Kind::Series) {
                named.clear();
                record::decode_series(record, &mut named).unwrap_or_default();
                named.iter().for_each(|named| series.keep(named.series_ref, number));
            }
        })?;
        series.forget_before(number);
        self.checkpoint = checkpoint;
        Ok(())
    }
}

impl Decoder {
    /// Learns what a record says of series.
    fn names(&mut self, record: &[u8], segment: u32) {
        match Kind::of(record) {
            Some(Kind::Series) => {
                let mut named = Vec::new();
                let outcome = record::decode_series(record, &mut named);
                self.complain(outcome);
                self.metrics.series_records.increment();
                for record::Series { series_ref, labels } in &named {
                    self.series.name(*series_ref, labels, segment);
                }
            }
            Some(Kind::Metadata) => {
                let mut described = Vec::new();
                let outcome = record::decode_metadata(record, &mut described);
                self.complain(outcome);
                for record::SeriesMetadata { series_ref, metadata } in described {
                    self.series.describe(series_ref, metadata);
                }
            }
            _ => {}
        }
    }

    /// Adds the samples of a record.
    fn samples(&mut self, record: &[u8], items: &mut Vec<Item>) {
        match Kind::of(record) {
            Some(Kind::Samples | Kind::SamplesV2) => {
                let mut samples = Vec::new();
                let outcome = record::decode_samples(record, &mut samples);
                self.complain(outcome);
                self.metrics.sample_records.increment();
                let metrics = self.metrics.samples.clone();
                items.reserve(samples.len());
                for record::Sample { series_ref, time, value } in samples {
                    self.add(series_ref, time, || Value::Float(value), &metrics, items);
                }
            }
            Some(Kind::Histograms | Kind::CustomBucketsHistograms | Kind::HistogramsV2) => {
                let value = |value: Histogram| HistogramValue::Integer(Box::new(value));
                self.histograms(record, value, items);
            }
            Some(
                Kind::FloatHistograms
                | Kind::CustomBucketsFloatHistograms
                | Kind::FloatHistogramsV2,
            ) => {
                let value = |value: FloatHistogram| HistogramValue::Float(Box::new(value));
                self.histograms(record, value, items);
            }
            Some(Kind::Exemplars) if self.wanted.exemplars => self.exemplars(record),
            _ => {}
        }
    }

    fn exemplars(&mut self, record: &[u8]) {
        let mut exemplars = Vec::new();
        let outcome = record::decode_exemplars(record, &mut exemplars);
        self.complain(outcome);
        for record::Exemplar { series_ref, time, value, labels } in exemplars {
            let metrics = &self.metrics.exemplars;
            match self.series.find(series_ref) {
                Found::Sent(_) if self.exemplars.len() < EXEMPLARS_MAX => {
                    let exemplar = Exemplar { labels, value, time: Timestamp::from_millis(time) };
                    self.exemplars.entry(series_ref).or_default().push(exemplar);
                }
                Found::Sent(_) | Found::Dropped => metrics.dropped_series.increment(),
                Found::Unknown => metrics.unknown_series.increment(),
            }
        }
    }

    /// Gives exemplars to the newest samples of their series.
    fn attach_exemplars(&mut self, items: &mut [Item]) {
        for item in items.iter_mut().rev() {
            if self.exemplars.is_empty() {
                return;
            }
            let exemplars = self.exemplars.remove(&item.series.shard_key);
            item.exemplars = exemplars.map(Vec::into_boxed_slice);
        }
    }

    fn histograms<H: Logged>(
        &mut self,
        record: &[u8],
        to_value: impl Fn(H) -> HistogramValue,
        items: &mut Vec<Item>,
    ) {
        if !self.wanted.exponential_histograms {
            return;
        }
        let mut samples = Vec::new();
        let outcome = record::decode_histograms::<H>(record, &mut samples);
        self.complain(outcome);
        let metrics = self.metrics.histograms.clone();
        for record::HistogramSample { series_ref, time, value } in samples {
            if value.has_custom_buckets() && !self.wanted.custom_histograms {
                metrics.not_supported.increment();
                continue;
            }
            self.add(series_ref, time, || Value::Histogram(to_value(value)), &metrics, items);
        }
    }

    fn add(
        &mut self,
        series_ref: u64,
        time: i64,
        value: impl FnOnce() -> Value,
        metrics: &KindMetrics,
        items: &mut Vec<Item>,
    ) {
        self.n_read += 1;
        self.newest = self.newest.max(time);
        match self.series.find(series_ref) {
            Found::Sent(series) => {
                let (series, value) = (series.clone(), value());
                items.push(Item { series, time, value, exemplars: None, record: 0 });
                return;
            }
            Found::Dropped => metrics.dropped_series.increment(),
            Found::Unknown => metrics.unknown_series.increment(),
        }
        self.n_dropped += 1;
    }

    fn complain(&self, outcome: wal::Result<()>) {
        if let Err(err) = outcome {
            self.metrics.decode_failures.increment();
            warn!(%err, "record of the log is not understood");
        }
    }
}
