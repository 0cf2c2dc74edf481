//! A directory that stands for the oldest segments: what of them is still wanted.
//!
//! It is written beside the log, in the log's own format, and renamed into place when it is
//! whole; only then the segments go.

mod needed;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use hashbrown::HashSet;
use model::{FloatHistogram, histogram::Histogram};
use runtime::Disk;

use crate::{
    Error, Layout, Options, Reader, Result, Segment, Writer, layout,
    record::{self, Kind, SeriesMetadata},
};

const PREFIX: &str = "checkpoint.";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// Records are written in batches of about so many bytes.
const BATCH_BYTES: usize = 1 << 20;

/// What of the old segments is still wanted.
pub struct Keep<'a> {
    pub series: &'a dyn Fn(u64) -> bool,
    /// Where the samples are that came too late for this log, if there are any: they name series
    /// that this one introduces.
    pub late_log: Option<&'a Path>,
    /// Samples and exemplars before this time go.
    pub min_time: i64,
    /// Deletions that end before this time go. Earlier than `min_time` where the log of late
    /// samples has older ones: what was deleted of them must not come back.
    pub deletions_min_time: i64,
}

/// What became of the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckpointStats {
    pub series_kept: u64,
    pub series_dropped: u64,
    pub samples_kept: u64,
    pub samples_dropped: u64,
}

/// The whole checkpoints in the log's `directory`, in order.
pub(crate) fn list(disk: &dyn Disk, directory: &Path) -> Result<Vec<Segment>> {
    let entries = disk.list(directory).map_err(Error::io("list", directory))?;
    let checkpoint = |entry: runtime::disk::Entry| {
        let number = entry.name.strip_prefix(PREFIX)?.parse().ok()?;
        entry.is_directory.then(|| Segment { number, path: directory.join(&entry.name) })
    };
    let mut checkpoints: Vec<Segment> = entries.into_iter().filter_map(checkpoint).collect();
    checkpoints.sort_by_key(|checkpoint| checkpoint.number);
    Ok(checkpoints)
}

/// Removes checkpoints that were begun and never finished.
pub fn remove_temporary(disk: &dyn Disk, directory: &Path) -> Result<()> {
    for entry in disk.list(directory).map_err(Error::io("list", directory))? {
        if entry.name.starts_with(PREFIX) && entry.name.ends_with(TEMPORARY_SUFFIX) {
            let path = directory.join(&entry.name);
            disk.remove_directory(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Writes a checkpoint for the segments up to `last`, taking in the checkpoint that is there.
///
/// Of series that are `undecided` those stay that samples need which stay; these remain in the set.
pub fn write(
    disk: &Arc<dyn Disk>,
    directory: &Path,
    last: u32,
    keep: &Keep<'_>,
    undecided: &mut HashSet<u64>,
    options: &Options,
) -> Result<CheckpointStats> {
    remove_temporary(&**disk, directory)?;
    let layout = Layout::read(&**disk, directory)?;
    let path = directory.join(format!("{PREFIX}{last:08}"));
    let mut temporary = path.clone().into_os_string();
    temporary.push(TEMPORARY_SUFFIX);
    let temporary = PathBuf::from(temporary);

    let mut segments = match &layout.checkpoint {
        Some(checkpoint) => layout::list_segments(&**disk, &checkpoint.path)?,
        None => Vec::new(),
    };
    let covered = layout.segments_after_checkpoint().iter();
    segments.extend(covered.filter(|segment| segment.number <= last).cloned());
    if !undecided.is_empty() {
        *undecided = needed::in_log(&**disk, &segments, keep, undecided)?;
    }
    let written = write_filtered(disk, &temporary, &segments, keep, undecided, options);
    let stats = written.inspect_err(|_| {
        // It must not fill the disk up further; otherwise the next start removes it.
        disk.remove_directory(&temporary).unwrap_or_default();
    })?;
    disk.rename(&temporary, &path).map_err(Error::io("rename", &temporary))?;
    disk.sync_directory(directory).map_err(Error::io("sync", directory))?;
    Ok(stats)
}

fn write_filtered(
    disk: &Arc<dyn Disk>,
    directory: &Path,
    segments: &[Segment],
    keep: &Keep<'_>,
    needed: &HashSet<u64>,
    options: &Options,
) -> Result<CheckpointStats> {
    let mut filter = Filter {
        keep,
        needed,
        writer: Writer::open(disk.clone(), directory, options.clone())?,
        batch: Vec::new(),
        ends: Vec::new(),
        metadata: BTreeMap::new(),
        stats: CheckpointStats::default(),
    };
    for segment in segments {
        filter.take_segment(&**disk, segment)?;
    }
    filter.finish()
}

/// Removes what the newest checkpoint stands for: segments up to its number, older checkpoints.
pub fn remove_obsolete(disk: &dyn Disk, directory: &Path) -> Result<()> {
    let Some(newest) = list(disk, directory)?.pop() else { return Ok(()) };
    for segment in layout::list_segments(disk, directory)? {
        if segment.number <= newest.number {
            disk.remove_file(&segment.path).map_err(Error::io("remove", &segment.path))?;
        }
    }
    for checkpoint in list(disk, directory)? {
        if checkpoint.number < newest.number {
            let path = &checkpoint.path;
            disk.remove_directory(path).map_err(Error::io("remove", path))?;
        }
    }
    disk.sync_directory(directory).map_err(Error::io("sync", directory))
}

/// Copies the records that are still wanted.
struct Filter<'a> {
    keep: &'a Keep<'a>,
    /// Series that stay, whatever `keep` says.
    needed: &'a HashSet<u64>,
    writer: Writer,
    /// Encoded records, one behind the other, and where each ends.
    batch: Vec<u8>,
    ends: Vec<usize>,
    /// Of each series only the newest is wanted.
    metadata: BTreeMap<u64, SeriesMetadata>,
    stats: CheckpointStats,
}

impl Filter<'_> {
    /// Damage is fatal here: nobody could tell which series are lost.
    fn take_segment(&mut self, disk: &dyn Disk, segment: &Segment) -> Result<()> {
        let bytes = disk.map(&segment.path).map_err(Error::io("read", &segment.path))?;
        let mut reader = Reader::new(&bytes);
        loop {
            match reader.next_record() {
                Ok(Some(record)) => self.take_record(record)?,
                Ok(None) => return Ok(()),
                Err(corruption) => {
                    let (path, offset) = (segment.path.clone(), corruption.offset);
                    return Err(Error::Corrupt { path, offset, detail: corruption.detail });
                }
            }
        }
    }

    fn take_record(&mut self, record: &[u8]) -> Result<()> {
        let Some(kind) = Kind::of(record) else { return Ok(()) };
        match kind {
            Kind::Series => self.take_series(record)?,
            Kind::Samples | Kind::SamplesV2 => self.take_samples(kind, record)?,
            Kind::Tombstones => {
                let mut tombstones = Vec::new();
                record::decode_tombstones(record, &mut tombstones)?;
                let min_time = self.keep.deletions_min_time;
                tombstones.retain(|t| t.range.end.as_millis() >= min_time);
                if !tombstones.is_empty() {
                    record::encode_tombstones(&tombstones, &mut self.batch);
                }
            }
            Kind::Exemplars => {
                let mut exemplars = Vec::new();
                record::decode_exemplars(record, &mut exemplars)?;
                exemplars.retain(|exemplar| exemplar.time >= self.keep.min_time);
                if !exemplars.is_empty() {
                    record::encode_exemplars(&exemplars, &mut self.batch);
                }
            }
            Kind::Metadata => {
                let mut metadata = Vec::new();
                record::decode_metadata(record, &mut metadata)?;
                let wanted = metadata.into_iter().filter(|m| (self.keep.series)(m.series_ref));
                self.metadata.extend(wanted.map(|m| (m.series_ref, m)));
            }
            Kind::MinValidTime | Kind::MmapMarkers => {}
            Kind::Histograms | Kind::CustomBucketsHistograms | Kind::HistogramsV2 => {
                self.take_histograms::<Histogram>(kind, record)?;
            }
            Kind::FloatHistograms
            | Kind::CustomBucketsFloatHistograms
            | Kind::FloatHistogramsV2 => {
                self.take_histograms::<FloatHistogram>(kind, record)?;
            }
        }
        self.end_record()
    }

    fn keeps(&self, series_ref: u64) -> bool {
        (self.keep.series)(series_ref) || self.needed.contains(&series_ref)
    }

    fn take_series(&mut self, record: &[u8]) -> Result<()> {
        let mut series = Vec::new();
        record::decode_series(record, &mut series)?;
        let n_before = series.len();
        series.retain(|series| self.keeps(series.series_ref));
        self.stats.series_kept += series.len() as u64;
        self.stats.series_dropped += (n_before - series.len()) as u64;
        if !series.is_empty() {
            record::encode_series(&series, &mut self.batch);
        }
        Ok(())
    }

    fn take_samples(&mut self, kind: Kind, record: &[u8]) -> Result<()> {
        let (mut samples, mut starts) = (Vec::new(), Vec::new());
        record::decode_samples_with_starts(record, &mut samples, &mut starts)?;
        self.retain(&mut samples, &mut starts, |sample| sample.time);
        match kind {
            _ if samples.is_empty() => {}
            Kind::SamplesV2 => {
                record::encode_samples_with_starts(&samples, &starts, &mut self.batch);
            }
            _ => record::encode_samples(&samples, &mut self.batch),
        }
        Ok(())
    }

    /// A record has one kind of histogram, so it stays one record.
    fn take_histograms<H: record::Logged>(&mut self, kind: Kind, record: &[u8]) -> Result<()> {
        let (mut samples, mut starts) = (Vec::new(), Vec::new());
        record::decode_histograms_with_starts::<H>(record, &mut samples, &mut starts)?;
        self.retain(&mut samples, &mut starts, |sample| sample.time);
        let records = match kind {
            _ if samples.is_empty() => Vec::new(),
            Kind::HistogramsV2 | Kind::FloatHistogramsV2 => {
                vec![record::encode_histograms_with_starts(&samples, &starts)]
            }
            _ => record::encode_histograms(&samples),
        };
        records.iter().for_each(|record| self.batch.extend_from_slice(record));
        Ok(())
    }

    /// Drops the samples that are too old, and counts.
    fn retain<T>(&mut self, samples: &mut Vec<T>, starts: &mut Vec<i64>, time: fn(&T) -> i64) {
        let n_before = samples.len();
        let min_time = self.keep.min_time;
        let mut is_kept = samples.iter().map(|sample| time(sample) >= min_time);
        starts.retain(|_| is_kept.next().unwrap_or_default());
        samples.retain(|sample| time(sample) >= min_time);
        self.stats.samples_kept += samples.len() as u64;
        self.stats.samples_dropped += (n_before - samples.len()) as u64;
    }

    fn end_record(&mut self) -> Result<()> {
        if self.batch.len() > self.ends.last().copied().unwrap_or_default() {
            self.ends.push(self.batch.len());
        }
        if self.batch.len() >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let mut begin = 0;
        let mut records = Vec::with_capacity(self.ends.len());
        for end in &self.ends {
            records.push(&self.batch[begin..*end]);
            begin = *end;
        }
        self.writer.append(&records)?;
        self.batch.clear();
        self.ends.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<CheckpointStats> {
        let metadata: Vec<_> = std::mem::take(&mut self.metadata).into_values().collect();
        if !metadata.is_empty() {
            record::encode_metadata(&metadata, &mut self.batch);
            self.end_record()?;
        }
        self.flush()?;
        self.writer.sync()?;
        Ok(self.stats)
    }
}
