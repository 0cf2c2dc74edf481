//! What nobody needs any more leaves the table, then the log.

use hashbrown::HashSet;
use wal::{
    Layout, Segment,
    checkpoint::{self, Keep},
};

use super::AgentStore;
use crate::Result;

/// Says up to which segment a checkpoint was written, if one was.
pub(super) fn truncate(store: &AgentStore) -> Result<Option<u32>> {
    let _upkeep = store.upkeep.lock();
    let begin = store.runtime.clock.monotonic();
    let outcome = try_truncate(store);
    store.counters.truncations.add(1);
    let took = store.runtime.clock.monotonic().saturating_sub(begin);
    store.counters.truncation_time.add_time(took);
    outcome
}

fn try_truncate(store: &AgentStore) -> Result<Option<u32>> {
    store.check_health()?;
    let disk = &store.runtime.disk;
    let layout = Layout::read(&**disk, &store.log_directory)?;
    let horizon = horizon(store, layout.last_number().unwrap_or_default());
    let (finished, segment) = {
        let mut log = store.log.lock();
        // Agents with few samples would keep everything in one segment for ever.
        log.next_segment()?;
        // Under the lock: no sample of what is forgotten now comes into a later segment.
        let gone = store.table.forget_before(horizon);
        let segment = log.segment();
        store.named_until.lock().extend(gone.into_iter().map(|log_ref| (log_ref, segment)));
        (log.take_finished(), segment)
    };
    store.sync_finished(finished)?;
    let segments = layout.segments_after_checkpoint();
    let Some(last) = plan(segments).and_then(|last| spare_readers(store, segments, last)) else {
        return Ok(None);
    };
    debug_assert!(last < segment, "the newest segment is written");
    let written = write_checkpoint(store, last, horizon);
    let counters = &store.counters;
    match &written {
        Ok(()) => counters.checkpoints.add(1),
        Err(_) => counters.checkpoints_failed.add(1),
    }
    written?;
    store.named_until.lock().retain(|_, until| *until > last);
    let removed = checkpoint::remove_obsolete(&**disk, &store.log_directory);
    match &removed {
        Ok(()) => counters.checkpoint_deletions.add(1),
        Err(_) => counters.checkpoint_deletions_failed.add(1),
    }
    removed?;
    Ok(Some(last))
}

fn write_checkpoint(store: &AgentStore, last: u32, horizon: i64) -> Result<()> {
    let named_until = store.named_until.lock().clone();
    let keep = Keep {
        series: &|log_ref| {
            store.table.has(log_ref) || named_until.get(&log_ref).is_some_and(|until| *until > last)
        },
        late_log: None,
        min_time: horizon,
        deletions_min_time: horizon,
    };
    let (disk, directory) = (&store.runtime.disk, &store.log_directory);
    let mut undecided = HashSet::new();
    let stats =
        checkpoint::write(disk, directory, last, &keep, &mut undecided, &store.options.log)?;
    tracing::info!(last, series = stats.series_kept, "checkpoint written");
    Ok(())
}

/// Series with nothing since then are forgotten: soon if everything was sent, later if not.
fn horizon(store: &AgentStore, newest: u32) -> i64 {
    let is_sent = store.options.log_readers.oldest().is_some_and(|oldest| oldest >= newest);
    let age = if is_sent { store.options.min_age } else { store.options.max_age };
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    store.runtime.clock.now_millis().saturating_sub(age)
}

/// The last segment of the checkpoint: of what is there the lower two thirds, but the newest.
fn plan(segments: &[Segment]) -> Option<u32> {
    let (first, newest) = (segments.first()?.number, segments.last()?.number);
    let last = newest.checked_sub(1).filter(|last| *last > first)?;
    let last = first + (last - first) * 2 / 3;
    (last > first).then_some(last)
}

/// The last segment up to `last` that was sent. What was not is kept, however old it is, as long
/// as there is room.
fn spare_readers(store: &AgentStore, segments: &[Segment], last: u32) -> Option<u32> {
    let Some(oldest) = store.options.log_readers.oldest().filter(|oldest| *oldest <= last) else {
        return Some(last);
    };
    let disk = &store.runtime.disk;
    let needed = segments.iter().filter(|segment| segment.number >= oldest);
    let bytes = |segment: &Segment| disk.metadata(&segment.path).map_or(0, |found| found.len);
    if needed.map(bytes).sum::<u64>() > store.options.log_readers_bytes_max {
        tracing::warn!(segment = oldest, "a reader of the log is too far behind to wait for it");
        return Some(last);
    }
    let is_first = segments.first().is_none_or(|first| oldest <= first.number);
    oldest.checked_sub(1).filter(|_| !is_first)
}
