//! What the records of the log say, and whose samples they have.

use std::sync::Arc;

use blocks::Interval;
use model::{FloatHistogram, Labels, TimeRange, Timestamp, histogram::Histogram};
use runtime::Disk;
use storage::{Exemplar, HistogramValue};
use wal::{
    Corruption, Reader, Segment,
    record::{self, Kind},
};

use super::{
    past::{Event, EventKind, Workers},
    refs::Refs,
};
use crate::{
    Error, Result,
    database::Store,
    exemplars::Exemplars,
    head::{Insertion, LateSample, LateValue},
};

/// Reads the log from its beginning to its end.
pub(super) struct LogReader<'s> {
    store: &'s Store,
    last_segment: u32,
    /// What blocks hold already is not needed twice.
    min_valid_time: i64,
    refs: Refs,
    /// Older than those that came since the start.
    exemplars: Exemplars,
    /// Samples of series that the log does not introduce.
    n_unknown: u64,
    /// Records that nothing here reads yet.
    n_skipped: u64,
    series: Vec<record::Series>,
    samples: Vec<record::Sample>,
}

impl<'s> LogReader<'s> {
    pub(super) fn new(store: &'s Store, last_segment: u32) -> LogReader<'s> {
        LogReader {
            store,
            last_segment,
            min_valid_time: store.head.min_valid_time(),
            refs: Refs::default(),
            exemplars: store.exemplars.lock().empty(),
            n_unknown: 0,
            n_skipped: 0,
            series: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Hands the samples of a segment from `offset` on to `workers`; stops where it is damaged.
    pub(super) fn read(
        &mut self,
        segment: &Segment,
        offset: u64,
        workers: &mut Workers<'_>,
    ) -> Result<Option<Corruption>> {
        self.each_record(segment, offset, |reader, record| reader.record(record, workers))
    }

    /// The same for a segment of the log of late samples, which go to the head at once.
    pub(super) fn read_late(&mut self, segment: &Segment) -> Result<Option<Corruption>> {
        self.each_record(segment, 0, |reader, record| reader.late_record(record))
    }

    fn each_record(
        &mut self,
        segment: &Segment,
        offset: u64,
        mut take: impl FnMut(&mut Self, &[u8]) -> wal::Result<()>,
    ) -> Result<Option<Corruption>> {
        let bytes = self.store.runtime.disk.map(&segment.path).map_err(|source| Error::Io {
            action: format!("replay {}", segment.path.display()),
            source,
        })?;
        let mut reader = Reader::starting_at(&bytes, offset as usize);
        loop {
            let before = reader.offset();
            match reader.next_record() {
                Ok(Some(record)) => {
                    if let Err(error) = take(self, record) {
                        return Ok(Some(Corruption { offset: before, detail: error.to_string() }));
                    }
                }
                Ok(None) => return Ok(None),
                Err(corruption) => return Ok(Some(corruption)),
            }
        }
    }

    fn record(&mut self, record: &[u8], workers: &mut Workers<'_>) -> wal::Result<()> {
        match Kind::of(record) {
            Some(Kind::Series) => {
                self.series.clear();
                record::decode_series(record, &mut self.series)?;
                self.take_series();
            }
            Some(Kind::Samples | Kind::SamplesV2) => {
                self.samples.clear();
                record::decode_samples(record, &mut self.samples)?;
                let samples = std::mem::take(&mut self.samples);
                for record::Sample { series_ref, time, value } in &samples {
                    self.send(*series_ref, *time, EventKind::Float(*value), workers);
                }
                self.samples = samples;
            }
            Some(Kind::Tombstones) => {
                let mut tombstones = Vec::new();
                record::decode_tombstones(record, &mut tombstones)?;
                tombstones.iter().for_each(|tombstone| self.take_tombstone(tombstone, workers));
            }
            Some(
                Kind::Histograms
                | Kind::CustomBucketsHistograms
                | Kind::HistogramsV2
                | Kind::FloatHistograms
                | Kind::CustomBucketsFloatHistograms
                | Kind::FloatHistogramsV2,
            ) => {
                each_histogram(record, |series_ref, time, value| {
                    self.send(series_ref, time, EventKind::Histogram(value), workers);
                })?;
            }
            Some(Kind::Exemplars) if self.exemplars.is_enabled() => {
                let mut exemplars = Vec::new();
                record::decode_exemplars(record, &mut exemplars)?;
                exemplars.into_iter().for_each(|exemplar| self.take_exemplar(exemplar));
            }
            Some(Kind::Metadata) => {
                let mut metadata = Vec::new();
                record::decode_metadata(record, &mut metadata)?;
                let known = |m: record::SeriesMetadata| Some((self.refs.get(m.series_ref)?, m));
                let known: Vec<_> = metadata.into_iter().filter_map(known).collect();
                self.store.metadata.note_replayed(known);
            }
            // Of no use here.
            Some(Kind::Exemplars | Kind::MinValidTime) => {}
            // A record that was torn behind its first byte reads as an empty one.
            None if record.is_empty() => {}
            _ => self.n_skipped += 1,
        }
        Ok(())
    }

    fn late_record(&mut self, record: &[u8]) -> wal::Result<()> {
        match Kind::of(record) {
            Some(Kind::Samples | Kind::SamplesV2) => {
                self.samples.clear();
                record::decode_samples(record, &mut self.samples)?;
                let samples = std::mem::take(&mut self.samples);
                for record::Sample { series_ref, time, value } in &samples {
                    let value = LateValue::Float(*value);
                    self.take_late(*series_ref, LateSample { time: *time, value });
                }
                self.samples = samples;
            }
            Some(
                Kind::Histograms
                | Kind::CustomBucketsHistograms
                | Kind::HistogramsV2
                | Kind::FloatHistograms
                | Kind::CustomBucketsFloatHistograms
                | Kind::FloatHistogramsV2,
            ) => {
                each_histogram(record, |series_ref, time, value| {
                    let value = LateValue::Histogram(value);
                    self.take_late(series_ref, LateSample { time, value });
                })?;
            }
            // All samples are in this log, also those that upstream has in its chunks by now.
            Some(Kind::MmapMarkers) => {}
            None if record.is_empty() => {}
            _ => self.n_skipped += 1,
        }
        Ok(())
    }

    fn take_series(&mut self) {
        let series = std::mem::take(&mut self.series);
        for record::Series { series_ref, labels } in &series {
            self.introduce(*series_ref, labels);
        }
        self.series = series;
    }

    pub(super) fn introduce(&mut self, series_ref: u64, labels: &Labels) {
        let store = self.store;
        store.head.note_log_ref(series_ref);
        let Some((id, is_new)) = store.head.find_or_create(labels, Some(series_ref)) else {
            return;
        };
        store.counters.series_created.add(u64::from(is_new));
        if self.refs.insert(series_ref, id).is_none() && !is_new {
            // Checkpoints must keep it while segments use it.
            store.named_until.lock().insert(series_ref, self.last_segment);
            store.second_numbers.lock().insert(series_ref);
        }
    }

    pub(super) fn disk(&self) -> Arc<dyn Disk> {
        self.store.runtime.disk.clone()
    }

    pub(super) fn send(
        &mut self,
        series_ref: u64,
        time: i64,
        kind: EventKind,
        workers: &mut Workers<'_>,
    ) {
        if time < self.min_valid_time {
            return;
        }
        match self.refs.get(series_ref) {
            Some(id) => workers.send(Event { id, time, kind }),
            None => self.n_unknown += 1,
        }
    }

    fn take_late(&mut self, series_ref: u64, sample: LateSample) {
        let head = &self.store.head;
        let page = self.refs.get(series_ref).and_then(|id| Some((id, head.page(id)?)));
        let Some((id, page)) = page else {
            self.n_unknown += 1;
            return;
        };
        let mut page = page.lock();
        if page.get(id).is_none() {
            return;
        }
        let time = sample.time;
        let insertion = page.late.insert(id, sample);
        if insertion != Insertion::Dropped {
            head.note_late_time(time);
            let is_new_chunk = insertion == Insertion::InsertedIntoNewChunk;
            self.store.counters.chunks_created.add(u64::from(is_new_chunk));
        }
    }

    pub(super) fn take_exemplar(&mut self, exemplar: record::Exemplar) {
        let record::Exemplar { series_ref, time, value, labels } = exemplar;
        if time < self.min_valid_time {
            return;
        }
        let series = self.refs.get(series_ref).and_then(|id| self.store.head.describe(id));
        let Some((series, ..)) = series else { return };
        let exemplar = Exemplar { labels, value, time: Timestamp::from_millis(time) };
        // It was taken once; what is late by now is late for a good reason.
        if let Err(error) = self.exemplars.add(&series, exemplar) {
            tracing::debug!(%series, %error, "exemplar not kept");
        }
    }

    fn take_tombstone(&mut self, tombstone: &record::Tombstone, workers: &mut Workers<'_>) {
        if tombstone.range != TimeRange::ALL {
            self.delete(tombstone.series_ref, Interval::of(tombstone.range));
            return;
        }
        let Some(id) = self.refs.get(tombstone.series_ref) else { return };
        workers.send(Event { id, time: 0, kind: EventKind::Dropped });
    }

    pub(super) fn delete(&mut self, series_ref: u64, interval: Interval) {
        if let Some(id) = self.refs.get(series_ref) {
            self.store.tombstones.add(id, interval);
        }
    }

    /// Hands on what is left, and says what could not be used.
    pub(super) fn finish(self) {
        self.store.exemplars.lock().put_before(self.exemplars);
        self.store.metadata.end_replay();
        if self.n_unknown > 0 {
            tracing::warn!(samples = self.n_unknown, "unknown series references");
        }
        if self.n_skipped > 0 {
            tracing::warn!(records = self.n_skipped, "records of unknown kinds were skipped");
        }
    }
}

fn each_histogram(
    record: &[u8],
    mut take: impl FnMut(u64, i64, HistogramValue),
) -> wal::Result<()> {
    match Kind::of(record) {
        Some(Kind::Histograms | Kind::CustomBucketsHistograms | Kind::HistogramsV2) => {
            let mut samples = Vec::new();
            record::decode_histograms::<Histogram>(record, &mut samples)?;
            samples.into_iter().for_each(|s| take(s.series_ref, s.time, s.value.into()));
        }
        _ => {
            let mut samples = Vec::new();
            record::decode_histograms::<FloatHistogram>(record, &mut samples)?;
            samples.into_iter().for_each(|s| take(s.series_ref, s.time, s.value.into()));
        }
    }
    Ok(())
}
