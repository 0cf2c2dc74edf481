//! Old samples leave memory, then the log.

use std::sync::atomic::Ordering;

use hashbrown::HashSet;
use model::TimeRange;
use wal::{
    checkpoint::{self, Keep},
    record,
};

use crate::{Result, chunk_snapshot, database::Store, head::SeriesId};

/// What a truncation has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Truncation {
    pub chunks_dropped: u64,
    pub series_dropped: u64,
    /// The last segment for which the new checkpoint stands, if one was written.
    pub checkpoint: Option<u32>,
}

impl Truncation {
    /// What two truncations, one after the other, have done.
    pub(crate) fn and(self, later: Truncation) -> Truncation {
        Truncation {
            chunks_dropped: self.chunks_dropped + later.chunks_dropped,
            series_dropped: self.series_dropped + later.series_dropped,
            checkpoint: later.checkpoint.or(self.checkpoint),
        }
    }
}

/// Drops what is older than the retention, where blocks could not take it up.
pub(crate) fn truncate_old(store: &Store) -> Result<Option<Truncation>> {
    let Some(horizon) = plan(store) else { return Ok(None) };
    // No block stands for this part of the log, so a deletion would find it nowhere.
    chunk_snapshot::remove_all(&*store.runtime.disk, &store.directory)?;
    let truncation = truncate_share(store, horizon, Share::All)?;
    hide_what_is_left(store, horizon)?;
    Ok(Some(truncation))
}

/// Drops what is before `horizon` from the head, then from the log.
pub(crate) fn truncate(store: &Store, horizon: i64) -> Result<Truncation> {
    truncate_share(store, horizon, Share::TwoThirds)
}

fn truncate_share(store: &Store, horizon: i64, share: Share) -> Result<Truncation> {
    let mut truncation = drop_old(store, horizon);
    // What was deleted of late samples must not come back with them.
    store.tombstones.truncate_before(horizon.min(store.head.late_times().0));
    let truncated = truncate_log(store, horizon, share);
    let counters = &store.counters;
    match &truncated {
        Ok(_) => counters.log_truncations.add(1),
        Err(_) => counters.log_truncations_failed.add(1),
    }
    truncation.checkpoint = truncated?;
    Ok(truncation)
}

/// The time before which samples are to go, once there is a chunk range of them.
///
/// A sample from the future must not push out the present, so the clock has a say.
fn plan(store: &Store) -> Option<i64> {
    let newest = store.head.max_time().min(store.runtime.clock.now_millis());
    let retention = store.classes().retention().longest();
    if retention.is_zero() {
        return None;
    }
    let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    let horizon = newest.saturating_sub(retention);
    let oldest = store.head.min_time();
    let is_worth_it = oldest < horizon.saturating_sub(store.head.limits.chunk_range_ms);
    is_worth_it.then_some(horizon)
}

/// Drops chunks that end before `horizon`, and series that have no others.
fn drop_old(store: &Store, horizon: i64) -> Truncation {
    let head = &store.head;
    head.raise_min_time(horizon);
    let mut chunks_dropped = 0;
    let mut candidates: Vec<SeriesId> = Vec::new();
    let pages = head.pages();
    for page in &pages {
        for series in page.lock().iter_mut() {
            chunks_dropped += series.drop_chunks_before(horizon) as u64;
            if series.n_chunks() == 0 {
                candidates.push(series.id);
            }
        }
    }
    let mut series_dropped = 0;
    if !candidates.is_empty() {
        series_dropped = drop_series(store);
    }
    store.counters.series_removed.add(series_dropped);
    store.counters.chunks_removed.add(chunks_dropped);
    Truncation { chunks_dropped, series_dropped, checkpoint: None }
}

/// Removes series without chunks, unless an appender holds them.
fn drop_series(store: &Store) -> u64 {
    let head = &store.head;
    // The log's lock before the head's; from here on no sample can name a series that goes.
    let segment = store.log.lock().segment();
    let mut index = head.index.write();
    let mut gone = Vec::new();
    let mut named_until = store.named_until.lock();
    for page in head.pages() {
        let is_gone =
            |series: &mut crate::head::Series| series.n_chunks() == 0 && series.n_pending == 0;
        for series in page.lock().extract(is_gone) {
            named_until.insert(series.log_ref, segment);
            gone.push((series.id, series.labels));
        }
    }
    index.remove(&gone);
    store.metadata.forget(gone.iter().map(|(id, _)| *id));
    drop(index);
    head.drop_empty_pages();
    gone.len() as u64
}

/// Leaves nothing in the log that is not in the head: what was deleted for good must not come back
/// with the next start.
pub(crate) fn purge_log(store: &Store) -> Result<()> {
    // Nothing older is taken, but older samples may still wait for a block.
    let horizon = store.head.min_valid_time().min(store.head.min_time());
    chunk_snapshot::remove_all(&*store.runtime.disk, &store.directory)?;
    truncate_log(store, horizon, Share::All)?;
    hide_what_is_left(store, horizon)
}

/// Sees to it that nothing before `horizon` comes back from what the readers of the log still need.
fn hide_what_is_left(store: &Store, horizon: i64) -> Result<()> {
    let layout = wal::Layout::read(&*store.runtime.disk, &store.log_directory)?;
    let is_spared = layout.segments_after_checkpoint().len() > 1;
    if is_spared && horizon > i64::MIN { delete_in_log(store, horizon) } else { Ok(()) }
}

/// Says in the log that all before `horizon` is deleted: readers still need the samples.
fn delete_in_log(store: &Store, horizon: i64) -> Result<()> {
    let range = TimeRange::from_millis(i64::MIN, horizon - 1);
    let mut named = log_refs(store);
    named.extend(store.named_until.lock().keys());
    let tombstones: Vec<record::Tombstone> =
        named.into_iter().map(|series_ref| record::Tombstone { series_ref, range }).collect();
    let mut encoded = Vec::new();
    record::encode_tombstones(&tombstones, &mut encoded);
    store.log.lock().append(&[&encoded]).map_err(|error| store.write_failed(error))
}

/// How much of the log a checkpoint is to stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    TwoThirds,
    All,
}

/// Replaces the lower part of the log by a checkpoint; says up to which segment.
fn truncate_log(store: &Store, horizon: i64, share: Share) -> Result<Option<u32>> {
    let disk = &store.runtime.disk;
    let layout = wal::Layout::read(&**disk, &store.log_directory)?;
    let finished = {
        let mut log = store.log.lock();
        // Installations with few samples would keep everything in one segment for ever.
        log.next_segment().map_err(|error| store.write_failed(error))?;
        log.take_finished()
    };
    store.sync_finished(finished)?;
    let segments = layout.segments_after_checkpoint();
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Ok(None) };
    let last = match share {
        Share::TwoThirds => plan_checkpoint(first.number, last.number),
        Share::All => Some(last.number),
    };
    let last = last.and_then(|last| spare_readers(store, segments, last));
    let Some(last) = last else { return Ok(None) };

    let in_head = log_refs(store);
    let named_until = store.named_until.lock().clone();
    let unnamed_until = store.unnamed_until.load(Ordering::Relaxed);
    let keep = Keep {
        series: &|log_ref| {
            i64::from(last) < unnamed_until
                || in_head.contains(&log_ref)
                || named_until.get(&log_ref).is_some_and(|until| *until > last)
        },
        late_log: Some(&store.late_log_directory),
        min_time: horizon,
        deletions_min_time: horizon.min(store.head.late_times().0),
    };
    let options = &store.options.log;
    // No commit uses them any more, but samples may still have them.
    let mut undecided = store.second_numbers.lock().clone();
    undecided.retain(|log_ref| !(keep.series)(*log_ref));
    let decided = undecided.clone();
    let written =
        checkpoint::write(disk, &store.log_directory, last, &keep, &mut undecided, options)?;
    tracing::info!(last, samples = written.samples_kept, "checkpoint written");
    store.named_until.lock().retain(|_, until| *until > last);
    let is_gone = |log_ref: &u64| decided.contains(log_ref) && !undecided.contains(log_ref);
    store.second_numbers.lock().retain(|log_ref| !is_gone(log_ref));
    checkpoint::remove_obsolete(&**disk, &store.log_directory)?;
    Ok(Some(last))
}

/// The last segment up to `last` that no reader of the log needs; readers that lie further behind
/// than the limit are not waited for.
fn spare_readers(store: &Store, segments: &[wal::Segment], last: u32) -> Option<u32> {
    let Some(oldest) = store.options.log_readers.oldest().filter(|oldest| *oldest <= last) else {
        return Some(last);
    };
    let needed = segments.iter().filter(|segment| segment.number >= oldest);
    let bytes = |segment: &wal::Segment| {
        store.runtime.disk.metadata(&segment.path).map_or(0, |metadata| metadata.len)
    };
    if needed.map(bytes).sum::<u64>() > store.options.log_readers_bytes_max {
        tracing::warn!(segment = oldest, "a reader of the log is too far behind to wait for it");
        return Some(last);
    }
    let is_first = segments.first().is_none_or(|first| oldest <= first.number);
    oldest.checked_sub(1).filter(|_| !is_first)
}

/// The last segment of the checkpoint, if there are enough segments. Samples in the upper third,
/// and at any rate in the newest, are likely to be still wanted.
fn plan_checkpoint(first: u32, newest: u32) -> Option<u32> {
    let last = newest.checked_sub(1).filter(|last| *last > first)?;
    let last = first + (last - first) * 2 / 3;
    (last > first).then_some(last)
}

/// The numbers in the log of all series in the head.
fn log_refs(store: &Store) -> HashSet<u64> {
    let mut log_refs = HashSet::new();
    for page in store.head.pages() {
        log_refs.extend(page.lock().iter().map(|series| series.log_ref));
    }
    log_refs
}
