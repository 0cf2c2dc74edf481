//! Samples that come after their time, from another member or an archive: straight into blocks.
//!
//! The head takes only what is newer than what it has, give or take the window of late samples.
//! Here anything goes: what comes is cut at the ranges of the shortest blocks and written beside
//! the blocks that are there, and the next compaction makes one of those that overlap. A block may
//! also lie where the head still is; it is marked as one of late samples then, so that nobody takes
//! its end for the place where the head begins.

mod pending;

use blocks::{Interval, Intervals};
use hashbrown::HashMap;
use model::{Labels, Matcher, TimeRange};
use storage::{Columns, Queryable as _, SelectHints};
use wal::record;

use self::pending::Pending;
use crate::{Database, Error, Result, database::Store};

/// What is collected in memory before it is written; chunks and labels count.
const BATCH_BYTES: usize = 32 << 20;

/// Samples of one series that come from elsewhere, each column in order of time.
#[derive(Debug, Clone)]
pub struct History {
    pub labels: Labels,
    pub samples: Columns,
}

/// What became of samples that came from elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backfilled {
    /// Samples that were missing and are there now.
    pub added: u64,
    /// Samples that took the place of others.
    pub replaced: u64,
    /// Samples that were left out: there is one of that time.
    pub known: u64,
    pub blocks: u64,
}

/// Which of two samples of one time is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preference {
    Stored,
    Given,
}

/// Stores what is missing, and what is preferred. All of it is durable and visible afterwards;
/// after an error some of it is.
pub(crate) fn backfill(
    database: &Database,
    histories: impl Iterator<Item = History>,
    preference: Preference,
) -> Result<Backfilled> {
    let store = database.store();
    store.replayed.wait()?;
    let mut backfilled = Backfilled::default();
    let mut pending = Pending::new(store.head.limits.chunk_range_ms, store.float_encoding());
    let mut outdated: HashMap<Labels, Intervals> = HashMap::new();
    for History { labels, samples } in histories {
        let Some(range) = hull(&samples).filter(|_| !labels.is_empty()) else { continue };
        let stored = stored(database, &labels, range)?;
        let sorted = Sorted::of(&samples, &stored, preference);
        backfilled.added += sorted.n_missing;
        backfilled.known += sorted.n_known;
        backfilled.replaced += sorted.outdated.len() as u64;
        for time in sorted.outdated {
            let interval = Interval { start: time, end: time };
            outdated.entry(labels.clone()).or_default().add(interval);
        }
        pending.add(labels, &sorted.wanted);
        if pending.bytes() >= BATCH_BYTES {
            backfilled.blocks += flush(store, &mut pending, &mut outdated)?;
        }
    }
    backfilled.blocks += flush(store, &mut pending, &mut outdated)?;
    Ok(backfilled)
}

/// From the first to the last sample.
fn hull(samples: &Columns) -> Option<TimeRange> {
    let ends = |times: &[i64]| Some((*times.first()?, *times.last()?));
    let both = [ends(&samples.times), ends(&samples.histogram_times)];
    let hull = both.into_iter().flatten().reduce(|(start, end), (s, e)| (start.min(s), end.max(e)));
    hull.map(|(start, end)| TimeRange::from_millis(start, end))
}

/// What there is of a series.
fn stored(database: &Database, labels: &Labels, range: TimeRange) -> Result<Columns> {
    let select = |error: storage::Error| Error::Select(error.to_string());
    let matchers: Vec<Matcher> =
        labels.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    let querier = database.querier(range).map_err(select)?;
    let set = querier.select(false, &SelectHints::new(range), &matchers).map_err(select)?;
    let mut columns = Columns::default();
    // Others may have these labels and more.
    if let Some(series) = set.series.iter().find(|series| series.labels() == *labels) {
        series.read(range, &mut columns).map_err(select)?;
    }
    Ok(columns)
}

/// Given samples, held against what is stored.
struct Sorted {
    wanted: Columns,
    n_missing: u64,
    n_known: u64,
    /// When stored samples are not right.
    outdated: Vec<i64>,
}

impl Sorted {
    fn of(given: &Columns, stored: &Columns, preference: Preference) -> Sorted {
        let (wanted, outdated) = (Columns::default(), Vec::new());
        let mut sorted = Sorted { wanted, n_missing: 0, n_known: 0, outdated };
        for (time, value) in given.times.iter().zip(&given.values) {
            let is_same = |stored_value: &f64| stored_value.to_bits() == value.to_bits();
            let stored_value = at(&stored.times, &stored.values, *time);
            let has_histogram = stored.histogram_times.binary_search(time).is_ok();
            let is_outdated = stored_value.is_some_and(|v| !is_same(v)) || has_histogram;
            if sorted.wants(*time, stored_value.is_some() || has_histogram, is_outdated, preference)
            {
                sorted.wanted.times.push(*time);
                sorted.wanted.values.push(*value);
            }
        }
        for (time, value) in given.histogram_times.iter().zip(&given.histograms) {
            let stored_value = at(&stored.histogram_times, &stored.histograms, *time);
            let has_float = stored.times.binary_search(time).is_ok();
            let is_outdated = stored_value.is_some_and(|v| !v.equals(value)) || has_float;
            if sorted.wants(*time, stored_value.is_some() || has_float, is_outdated, preference) {
                sorted.wanted.histogram_times.push(*time);
                sorted.wanted.histograms.push(value.clone());
            }
        }
        sorted
    }

    /// Whether a sample is to be written; notes why.
    fn wants(
        &mut self,
        time: i64,
        is_stored: bool,
        is_outdated: bool,
        preference: Preference,
    ) -> bool {
        if !is_stored {
            self.n_missing += 1;
            return true;
        }
        if is_outdated && preference == Preference::Given {
            self.outdated.push(time);
            return true;
        }
        self.n_known += 1;
        false
    }
}

fn at<'v, T>(times: &[i64], values: &'v [T], time: i64) -> Option<&'v T> {
    times.binary_search(&time).ok().and_then(|idx| values.get(idx))
}

/// Writes what was collected; says how many blocks that took.
fn flush(
    store: &Store,
    pending: &mut Pending,
    outdated: &mut HashMap<Labels, Intervals>,
) -> Result<u64> {
    if pending.is_empty() {
        return Ok(0);
    }
    let _one_at_a_time = store.upkeep.lock();
    store.check_health()?;
    let before = store.catalog.blocks();
    let n_blocks = pending.write(store)?;
    // Last, for a crash must not take what is there without putting something in its place.
    let outdated: Vec<(Labels, Intervals)> = outdated.drain().collect();
    if !outdated.is_empty() {
        for block in before.iter() {
            block.delete_exactly(&*store.runtime.disk, &outdated)?;
        }
        delete_in_head(store, &outdated)?;
    }
    Ok(n_blocks)
}

fn delete_in_head(store: &Store, outdated: &[(Labels, Intervals)]) -> Result<()> {
    let (mut tombstones, mut deleted) = (Vec::new(), Vec::new());
    for (labels, intervals) in outdated {
        let Some(id) = store.head.find(labels) else { continue };
        let Some((_, series_ref, _)) = store.head.describe(id) else { continue };
        for interval in intervals.iter() {
            let range = TimeRange::from_millis(interval.start, interval.end);
            tombstones.push(record::Tombstone { series_ref, range });
            deleted.push((id, *interval));
        }
    }
    if tombstones.is_empty() {
        return Ok(());
    }
    let mut encoded = Vec::new();
    record::encode_tombstones(&tombstones, &mut encoded);
    store.log.lock().append(&[&encoded]).map_err(|error| store.write_failed(error))?;
    deleted.into_iter().for_each(|(id, interval)| store.tombstones.add(id, interval));
    Ok(())
}
