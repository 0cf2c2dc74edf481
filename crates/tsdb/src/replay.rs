//! From the log to the head, at start-up.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use blocks::Interval;
use hashbrown::HashMap;
use model::{FloatHistogram, TimeRange, Timestamp, histogram::Histogram};
use runtime::Disk;
use storage::{Exemplar, HistogramValue};
use wal::{
    Corruption, Layout, Reader, Segment,
    record::{self, Kind},
};

use crate::{
    Error, Result,
    exemplars::Exemplars,
    head::{AppendOutcome, Head, Insertion, LateSample, LateValue, SeriesId},
    metadata::KnownMetadata,
    stats::AtomicCounters,
    tombstones::Tombstones,
};

/// Which segments are to be replayed, and which one is being replayed. Cloning gives another
/// handle.
#[derive(Debug, Clone, Default)]
pub struct ReplayProgress(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    min: AtomicI64,
    max: AtomicI64,
    current: AtomicI64,
}

/// Numbers of segments; all zero before replay begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayState {
    pub min: i64,
    pub max: i64,
    pub current: i64,
}

impl ReplayProgress {
    pub fn state(&self) -> ReplayState {
        let Progress { min, max, current } = &*self.0;
        let [min, max, current] = [min, max, current].map(|n| n.load(Ordering::Relaxed));
        ReplayState { min, max, current }
    }

    fn begin(&self, min: u32, max: u32) {
        self.0.min.store(min.into(), Ordering::Relaxed);
        self.0.max.store(max.into(), Ordering::Relaxed);
        self.0.current.store(min.into(), Ordering::Relaxed);
    }

    fn reach(&self, segment: u32) {
        self.0.current.store(segment.into(), Ordering::Relaxed);
    }
}

/// What replay finds beside the head.
#[derive(Default)]
pub(crate) struct Replayed {
    pub(crate) named_until: HashMap<u64, u32>,
    pub(crate) tombstones: Tombstones,
    pub(crate) metadata: KnownMetadata,
}

/// What replay fills.
pub(crate) struct Target<'a> {
    pub(crate) head: &'a Head,
    pub(crate) exemplars: &'a mut Exemplars,
    pub(crate) counters: &'a AtomicCounters,
}

/// Fills an empty head from the checkpoint, then from the segments behind it. A torn or damaged
/// segment is cut off there and what follows it is removed, as upstream does.
pub(crate) fn replay(
    disk: &dyn Disk,
    [directory, late_directory]: [&Path; 2],
    target: Target<'_>,
    progress: &ReplayProgress,
) -> Result<Replayed> {
    if !disk.exists(directory) {
        // Without it nobody knows whose the late samples are.
        return Ok(Replayed::default());
    }
    wal::checkpoint::remove_temporary(disk, directory)?;
    let layout = Layout::read(disk, directory)?;
    let last = layout.last_number().unwrap_or_default();
    let Target { head, exemplars, counters } = target;
    let mut replay = Replay {
        head,
        exemplars,
        counters,
        last_segment: last,
        ids: HashMap::new(),
        replayed: Replayed::default(),
        n_unknown: 0,
        n_skipped: 0,
        is_late: false,
        series: Vec::new(),
        samples: Vec::new(),
    };
    if let Some(checkpoint) = &layout.checkpoint {
        for segment in Layout::read(disk, &checkpoint.path)?.segments {
            if let Some(corruption) = replay.segment(disk, &segment)? {
                let Corruption { offset, detail } = corruption;
                return Err(wal::Error::Corrupt { path: segment.path, offset, detail }.into());
            }
        }
    }
    let segments = layout.segments_after_checkpoint();
    progress.begin(segments.first().map_or(0, |segment| segment.number), last);
    for segment in segments {
        progress.reach(segment.number);
        if let Some(corruption) = replay.segment(disk, segment)? {
            let Corruption { offset, detail } = &corruption;
            tracing::warn!(segment = segment.number, offset, detail, "repairing corrupt WAL");
            counters.log_corruptions.add(1);
            wal::repair(disk, directory, segment, &corruption)?;
            break;
        }
    }
    replay.is_late = true;
    for segment in Layout::read(disk, late_directory)?.segments {
        if let Some(corruption) = replay.segment(disk, &segment)? {
            let Corruption { offset, detail } = &corruption;
            tracing::warn!(segment = segment.number, offset, detail, "repairing corrupt WBL");
            counters.log_corruptions.add(1);
            wal::repair(disk, late_directory, &segment, &corruption)?;
            break;
        }
    }
    replay.warn_of_losses();
    Ok(replay.replayed)
}

struct Replay<'a> {
    head: &'a Head,
    exemplars: &'a mut Exemplars,
    counters: &'a AtomicCounters,
    last_segment: u32,
    /// From numbers in the log to series.
    ids: HashMap<u64, SeriesId>,
    replayed: Replayed,
    /// Samples of series that the log does not introduce.
    n_unknown: u64,
    /// Records that nothing here reads yet.
    n_skipped: u64,
    /// Whether this is the log of late samples.
    is_late: bool,
    series: Vec<record::Series>,
    samples: Vec<record::Sample>,
}

impl Replay<'_> {
    fn segment(&mut self, disk: &dyn Disk, segment: &Segment) -> Result<Option<Corruption>> {
        let bytes = disk.map(&segment.path).map_err(|source| Error::Io {
            action: format!("replay {}", segment.path.display()),
            source,
        })?;
        let mut reader = Reader::new(&bytes);
        loop {
            let before = reader.offset();
            match reader.next_record() {
                Ok(Some(record)) => {
                    if let Err(error) = self.record(record) {
                        return Ok(Some(Corruption { offset: before, detail: error.to_string() }));
                    }
                }
                Ok(None) => return Ok(None),
                Err(corruption) => return Ok(Some(corruption)),
            }
        }
    }

    fn record(&mut self, record: &[u8]) -> wal::Result<()> {
        match Kind::of(record) {
            Some(Kind::Series) => {
                self.series.clear();
                record::decode_series(record, &mut self.series)?;
                self.apply_series();
            }
            Some(Kind::Samples | Kind::SamplesV2) => {
                self.samples.clear();
                record::decode_samples(record, &mut self.samples)?;
                match self.is_late {
                    true => self.apply_late_samples(),
                    false => self.apply_samples(),
                }
            }
            Some(Kind::Tombstones) => {
                let mut tombstones = Vec::new();
                record::decode_tombstones(record, &mut tombstones)?;
                tombstones.iter().for_each(|tombstone| self.apply_tombstone(tombstone));
            }
            Some(Kind::Histograms | Kind::CustomBucketsHistograms) => {
                let mut samples = Vec::new();
                record::decode_histograms::<Histogram>(record, &mut samples)?;
                let value = |histogram| HistogramValue::Integer(Box::new(histogram));
                self.apply_histograms(samples, value);
            }
            Some(Kind::FloatHistograms | Kind::CustomBucketsFloatHistograms) => {
                let mut samples = Vec::new();
                record::decode_histograms::<FloatHistogram>(record, &mut samples)?;
                let value = |histogram| HistogramValue::Float(Box::new(histogram));
                self.apply_histograms(samples, value);
            }
            Some(Kind::Exemplars) if self.exemplars.is_enabled() => {
                let mut exemplars = Vec::new();
                record::decode_exemplars(record, &mut exemplars)?;
                exemplars.into_iter().for_each(|exemplar| self.apply_exemplar(exemplar));
            }
            // All samples are in this log, also those that upstream has in its chunks by now.
            Some(Kind::MmapMarkers) if self.is_late => {}
            Some(Kind::Metadata) => {
                let mut metadata = Vec::new();
                record::decode_metadata(record, &mut metadata)?;
                let known = |m: record::SeriesMetadata| Some((*self.ids.get(&m.series_ref)?, m));
                self.replayed.metadata.note(metadata.into_iter().filter_map(known));
            }
            // Of no use here.
            Some(Kind::Exemplars | Kind::MinValidTime) => {}
            // A record that was torn behind its first byte reads as an empty one.
            None if record.is_empty() => {}
            _ => self.n_skipped += 1,
        }
        Ok(())
    }

    fn apply_series(&mut self) {
        for record::Series { series_ref, labels } in &self.series {
            self.head.note_log_ref(*series_ref);
            let Some((id, is_new)) = self.head.find_or_create(labels, Some(*series_ref)) else {
                continue;
            };
            self.counters.series_created.add(u64::from(is_new));
            if self.ids.insert(*series_ref, id).is_none() && !is_new {
                // A second number for a series: checkpoints must keep it while segments use it.
                self.replayed.named_until.insert(*series_ref, self.last_segment);
            }
        }
    }

    fn apply_samples(&mut self) {
        let (mut min_time, mut max_time) = (i64::MAX, i64::MIN);
        // What blocks hold already is not needed twice.
        let min_valid_time = self.head.min_valid_time();
        for record::Sample { series_ref, time, value } in &self.samples {
            self.head.note_log_ref(*series_ref);
            if *time < min_valid_time {
                continue;
            }
            let Some(id) = self.ids.get(series_ref) else {
                self.n_unknown += 1;
                continue;
            };
            let Some(page) = self.head.page(*id) else { continue };
            let mut page = page.lock();
            let Some(series) = page.get_mut(*id) else { continue };
            let outcome = series.append(*time, *value, &self.head.limits);
            if outcome != AppendOutcome::Dropped {
                (min_time, max_time) = (min_time.min(*time), max_time.max(*time));
                let is_new_chunk = outcome == AppendOutcome::AppendedToNewChunk;
                self.counters.chunks_created.add(u64::from(is_new_chunk));
            }
        }
        if min_time <= max_time {
            self.head.note_time(min_time);
            self.head.note_time(max_time);
        }
    }

    fn apply_histograms<H>(
        &mut self,
        samples: Vec<record::HistogramSample<H>>,
        value: impl Fn(H) -> HistogramValue,
    ) {
        let min_valid_time = self.head.min_valid_time();
        for sample in samples {
            if self.is_late {
                let value = LateValue::Histogram(value(sample.value));
                self.apply_late(sample.series_ref, LateSample { time: sample.time, value });
                continue;
            }
            self.head.note_log_ref(sample.series_ref);
            if sample.time < min_valid_time {
                continue;
            }
            let Some(id) = self.ids.get(&sample.series_ref) else {
                self.n_unknown += 1;
                continue;
            };
            let Some(page) = self.head.page(*id) else { continue };
            let mut page = page.lock();
            let Some(series) = page.get_mut(*id) else { continue };
            let (time, value) = (sample.time, value(sample.value));
            let outcome = series.append_histogram(time, &value, &self.head.limits);
            if outcome != AppendOutcome::Dropped {
                self.head.note_time(time);
                let is_new_chunk = outcome == AppendOutcome::AppendedToNewChunk;
                self.counters.chunks_created.add(u64::from(is_new_chunk));
            }
        }
    }

    fn apply_late_samples(&mut self) {
        for record::Sample { series_ref, time, value } in std::mem::take(&mut self.samples) {
            self.apply_late(series_ref, LateSample { time, value: LateValue::Float(value) });
        }
    }

    fn apply_late(&mut self, series_ref: u64, sample: LateSample) {
        let page = self.ids.get(&series_ref).and_then(|id| Some((*id, self.head.page(*id)?)));
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
            self.head.note_late_time(time);
            let is_new_chunk = insertion == Insertion::InsertedIntoNewChunk;
            self.counters.chunks_created.add(u64::from(is_new_chunk));
        }
    }

    fn apply_exemplar(&mut self, exemplar: record::Exemplar) {
        let record::Exemplar { series_ref, time, value, labels } = exemplar;
        let is_kept = time >= self.head.min_valid_time();
        let Some(id) = self.ids.get(&series_ref).filter(|_| is_kept) else { return };
        let Some((series, ..)) = self.head.describe(*id) else { return };
        let exemplar = Exemplar { labels, value, time: Timestamp::from_millis(time) };
        // It was taken once; what is late by now is late for a good reason.
        if let Err(error) = self.exemplars.add(&series, exemplar) {
            tracing::debug!(%series, %error, "exemplar not kept");
        }
    }

    fn apply_tombstone(&mut self, tombstone: &record::Tombstone) {
        let Some(id) = self.ids.get(&tombstone.series_ref) else { return };
        if tombstone.range != TimeRange::ALL {
            self.replayed.tombstones.add(*id, Interval::of(tombstone.range));
            return;
        }
        // The series was dropped; what follows under its labels is a new one.
        let Some(page) = self.head.page(*id) else { return };
        let mut page = page.lock();
        page.late.remove(*id);
        if let Some(series) = page.get_mut(*id) {
            series.clear();
        }
    }

    fn warn_of_losses(&self) {
        if self.n_unknown > 0 {
            tracing::warn!(samples = self.n_unknown, "unknown series references");
        }
        if self.n_skipped > 0 {
            let records = self.n_skipped;
            tracing::warn!(records, "records of unknown kinds were skipped");
        }
    }
}
