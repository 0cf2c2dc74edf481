use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use hashbrown::{HashMap, HashSet};
use model::{Matcher, TimeRange};
use parking_lot::{Mutex, RwLock};
use runtime::{Runtime, disk::LockGuard};
use storage::{Appendable, Appender, ExemplarQueryable, Querier, Queryable, SeriesExemplars};

use crate::{
    Backfilled, Error, FloatEncoding, History, Options, Replay, Result, Retention, Truncation,
    appender::HeadAppender,
    backfill::{self, Preference},
    catalog::Catalog,
    chunk_snapshot,
    compact::{self, Upkeep},
    delete,
    exemplars::Exemplars,
    head::Head,
    metadata::KnownMetadata,
    numbers::Numbers,
    open,
    querier::HeadQuerier,
    replay::Gate,
    retention::Classes,
    spill,
    stats::{self, AtomicCounters, Counters, HeadStats},
    tombstones::Tombstones,
    truncate,
};

/// Samples under one directory: in memory and a log, then in blocks. Cloning gives another handle.
#[derive(Clone)]
pub struct Database {
    store: Arc<Store>,
}

/// Whether the database takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Good,
    /// The last write failed; nothing of it is left in the log. Writes are tried on, and reads go on.
    Failing(String),
    /// Nobody knows what of the log is durable. Reads go on.
    Poisoned(String),
}

/// What handles, appenders and queriers share.
pub(crate) struct Store {
    pub(crate) runtime: Runtime,
    pub(crate) options: Options,
    pub(crate) directory: PathBuf,
    pub(crate) log_directory: PathBuf,
    pub(crate) catalog: Catalog,
    pub(crate) head: Head,
    /// Commits follow each other under it: the order in the log is the order in the head. The
    /// head's locks are taken under it.
    pub(crate) log: Mutex<wal::Writer>,
    pub(crate) late_log_directory: PathBuf,
    /// The log of late samples, once there are any. Taken under `log`.
    pub(crate) late_log: Mutex<Option<wal::Writer>>,
    /// How much older than the newest sample late ones may be; 0 for none.
    pub(crate) out_of_order_window_ms: AtomicI64,
    /// Series that left the head but are still named in the log, and the last segment that may
    /// name them. No other lock is taken under it.
    pub(crate) named_until: Mutex<HashMap<u64, u32>>,
    /// Numbers that the log has for series beside the one that they go by; no other lock is taken
    /// under it.
    pub(crate) second_numbers: Mutex<HashSet<u64>>,
    /// Segments up to this one may name series under numbers that nobody here knows; negative if
    /// there are none.
    pub(crate) unnamed_until: AtomicI64,
    /// Whether floats are written into blocks as XOR2.
    pub(crate) writes_xor2: AtomicBool,
    /// How long what is due to become a block waits.
    pub(crate) compaction_delay: Duration,
    pub(crate) tombstones: Tombstones,
    /// No other lock is taken under it.
    pub(crate) exemplars: Mutex<Exemplars>,
    pub(crate) metadata: KnownMetadata,
    pub(crate) counters: AtomicCounters,
    /// How many chunks had been begun when full ones left memory last.
    pub(crate) spilled_at: AtomicU64,
    pub(crate) numbers: Numbers,
    /// Opens when the log has been replayed.
    pub(crate) replayed: Gate,
    /// Replaced as a whole; no other lock is taken under it.
    pub(crate) classes: RwLock<Classes>,
    pub(crate) poison: OnceLock<String>,
    /// Why the last write failed, if it did. No other lock is taken under it.
    pub(crate) failure: Mutex<Option<String>>,
    /// Whether there is a `failure`.
    pub(crate) is_failing: AtomicBool,
    /// Segments that an earlier process has left; held while they are made durable. Taken under the
    /// locks of both logs; no other lock is taken under it.
    pub(crate) earlier: Mutex<Vec<wal::Finished>>,
    /// One compaction, deletion or snapshot at a time; holds what the head may soon drop. Every
    /// other lock may be taken under it.
    pub(crate) upkeep: Mutex<Upkeep>,
    /// Readers of the head hold it; it is replaced when the head has given something to a block.
    pub(crate) epoch: RwLock<Arc<()>>,
    /// From which time on each appender takes samples, with how many take from there. No other
    /// lock is taken under it.
    pub(crate) appenders: Mutex<BTreeMap<i64, usize>>,
    pub(crate) _lock: Option<Box<dyn LockGuard>>,
}

impl Database {
    /// Opens the database in `directory` and replays its log; creates it if need be.
    pub fn open(runtime: &Runtime, directory: &Path, options: Options) -> Result<Database> {
        let (database, replay) = Database::begin(runtime, directory, options)?;
        replay.run()?;
        Ok(database)
    }

    /// Opens the database so that it takes samples at once, however large its log is. What is given
    /// beside it is to be run elsewhere; see [`Options::reads_during_replay`] for reads meanwhile.
    /// Upkeep does nothing until then, and deletions, snapshots and backfills wait.
    pub fn begin(
        runtime: &Runtime,
        directory: &Path,
        options: Options,
    ) -> Result<(Database, Replay)> {
        let (store, plan) = open::begin(runtime, directory, options)?;
        let store = Arc::new(store);
        Ok((Database { store: store.clone() }, Replay::new(store, plan)))
    }

    /// Whether all of the log has been replayed.
    pub fn is_replayed(&self) -> bool {
        self.store.replayed.is_open()
    }

    /// Returns when all of the log has been replayed: not for async threads.
    pub fn wait_for_replay(&self) -> Result<()> {
        self.store.replayed.wait()
    }

    /// Moves what is old enough from the head into blocks, cuts the log accordingly, merges blocks,
    /// and drops those that are older than the retention. To be called about once a minute; may
    /// take a while. Says what left the head.
    pub fn maintain(&self) -> Result<Option<Truncation>> {
        let store = &*self.store;
        if !store.replayed.is_open() {
            return Ok(None);
        }
        let mut upkeep = store.upkeep.lock();
        store.check_health()?;
        store.sync_earlier()?;
        store.reload()?;
        let compacted = compact::compact(store, &mut upkeep);
        // Also where there was no room for new blocks: old ones may make some.
        compact::drop_obsolete(store)?;
        spill::spill(store);
        let truncation = compacted?;
        let old = truncate::truncate_old(store)?;
        Ok(old.or(truncation))
    }

    /// Hides what is in `range` of the series that satisfy all `matchers`; it takes room until
    /// [`Database::clean_tombstones`] or a compaction.
    pub fn delete(&self, range: TimeRange, matchers: &[Matcher]) -> Result<()> {
        self.store.replayed.wait()?;
        delete::delete(&self.store, range, matchers)
    }

    /// Stores what is missing of samples that come from elsewhere, however old they are; of two for
    /// one time that which is there stays. Everything is durable and visible when this returns;
    /// after an error part of it may be.
    ///
    /// Histories are taken one by one and written now and then, so that memory has a bound. Best
    /// for the blocks is what comes a few hours or days at a time, all series of these together.
    pub fn backfill(&self, histories: impl IntoIterator<Item = History>) -> Result<Backfilled> {
        backfill::backfill(self, histories.into_iter(), Preference::Stored)
    }

    /// The same, but of two samples for one time the given one stays.
    pub fn replace(&self, histories: impl IntoIterator<Item = History>) -> Result<Backfilled> {
        backfill::backfill(self, histories.into_iter(), Preference::Given)
    }

    /// Rewrites all blocks in which something was deleted.
    pub fn clean_tombstones(&self) -> Result<()> {
        self.store.replayed.wait()?;
        let _one_at_a_time = self.store.upkeep.lock();
        compact::clean_tombstones(&self.store)
    }

    /// Copies all blocks, by links where they are files, below `directory`; the head too if
    /// `with_head`.
    pub fn snapshot(&self, directory: &Path, with_head: bool) -> Result<()> {
        self.store.replayed.wait()?;
        delete::snapshot(&self.store, directory, with_head)
    }

    /// Writes what the head holds, so that the next start need not replay the log that led to it;
    /// does nothing unless the options say so. To be called when nobody appends any more.
    pub fn write_chunk_snapshot(&self) -> Result<()> {
        if !self.store.options.chunk_snapshot {
            return Ok(());
        }
        self.store.replayed.wait()?;
        let _one_at_a_time = self.store.upkeep.lock();
        self.sync()?;
        chunk_snapshot::write(&self.store)
    }

    /// From now on at most so many exemplars are kept, zero for none.
    pub fn set_max_exemplars(&self, max: usize) {
        self.store.exemplars.lock().resize(max);
    }

    /// From now on samples may be so much older than the newest one, and exemplars than the newest
    /// one of their series.
    pub fn set_out_of_order_window(&self, window: Duration) {
        let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        self.store.out_of_order_window_ms.store(window_ms, Ordering::Relaxed);
        self.store.exemplars.lock().set_window(window_ms);
    }

    /// From now on floats are written into blocks in this encoding.
    pub fn set_float_encoding(&self, encoding: FloatEncoding) {
        self.store.writes_xor2.store(encoding == FloatEncoding::Xor2, Ordering::Relaxed);
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// From now on so much is kept. Where classes have changed, one block after the other is
    /// written anew.
    pub fn set_retention(&self, retention: Retention) {
        *self.store.classes.write() = Classes::new(retention);
    }

    pub fn retention(&self) -> Retention {
        self.store.classes.read().retention().clone()
    }

    /// The blocks that are open, oldest first.
    pub fn blocks(&self) -> Arc<Vec<blocks::Block>> {
        self.store.catalog.blocks()
    }

    /// Makes everything that was committed durable, also against a loss of power.
    pub fn sync(&self) -> Result<()> {
        self.store.check_health()?;
        self.store.sync_earlier()?;
        let begin = self.store.runtime.clock.monotonic();
        let outcome = {
            let mut log = self.store.log.lock();
            // That of late samples may be what an earlier process has left.
            let disk: &dyn runtime::Disk = &*self.store.runtime.disk;
            let has_late_log = disk.exists(&self.store.late_log_directory);
            log.sync().and_then(|()| match has_late_log {
                true => self.store.with_late_log(wal::Writer::sync),
                false => Ok(()),
            })
        };
        self.store.note_sync(begin);
        outcome.map_err(|error| self.store.poison(error))?;
        // What there was of the log of late samples, if it was only opened now.
        self.store.sync_earlier()
    }

    pub fn health(&self) -> Health {
        match (self.store.poison.get(), &*self.store.failure.lock()) {
            (Some(reason), _) => Health::Poisoned(reason.clone()),
            (None, Some(reason)) => Health::Failing(reason.clone()),
            (None, None) => Health::Good,
        }
    }

    /// The times of the oldest and the newest sample, if there are any.
    pub fn time_range(&self) -> Option<TimeRange> {
        let (late_start, late_end) = self.store.head.late_times();
        let mut start = self.store.head.min_time().min(late_start);
        let mut end = self.store.head.max_time().max(late_end);
        for block in self.store.catalog.blocks().iter() {
            let range = block.meta().range();
            start = start.min(range.start.as_millis());
            end = end.max(range.end.as_millis());
        }
        (start <= end).then(|| TimeRange::from_millis(start, end))
    }

    /// What `/api/v1/status/tsdb` shows, with at most `limit` entries a list. Goes through all
    /// labels.
    pub fn stats(&self, limit: usize) -> HeadStats {
        stats::head_stats(&self.store.head, limit)
    }

    /// Figures for metrics.
    pub fn counters(&self) -> Counters {
        stats::counters(&self.store)
    }
}

impl Appendable for Database {
    fn appender(&self) -> Box<dyn Appender> {
        Box::new(HeadAppender::new(self.store.clone()))
    }
}

impl ExemplarQueryable for Database {
    fn exemplars(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> storage::Result<Vec<SeriesExemplars>> {
        Ok(self.store.exemplars.lock().select(range, selectors))
    }
}

impl Queryable for Database {
    fn querier(&self, range: TimeRange) -> storage::Result<Box<dyn Querier>> {
        // The head before the blocks: what it drops is in a block that is seen here then.
        let head = HeadQuerier::new(self.store.clone(), range);
        let mut parts = Vec::new();
        for block in self.store.catalog.blocks().iter() {
            if block.meta().range().overlaps(range) {
                parts.push(block.querier(range)?);
            }
        }
        parts.push(Box::new(head));
        Ok(storage::merge(parts))
    }
}

impl Store {
    /// Looks which blocks are in the directory.
    fn reload(&self) -> Result<()> {
        let reloaded = self.catalog.reload(&*self.runtime.disk, &self.directory)?;
        self.counters.reloads.add(1);
        self.counters.reloads_failed.add(u64::from(reloaded.n_corrupt > 0));
        Ok(())
    }

    /// Does something with the log of late samples, which is begun if need be. The lock of the
    /// other log is held.
    pub(crate) fn with_late_log<T>(
        &self,
        act: impl FnOnce(&mut wal::Writer) -> wal::Result<T>,
    ) -> wal::Result<T> {
        let mut late_log = self.late_log.lock();
        if late_log.is_none() {
            let (disk, options) = (self.runtime.disk.clone(), self.options.log.clone());
            let mut log = wal::Writer::open(disk, &self.late_log_directory, options)?;
            self.earlier.lock().extend(log.take_finished());
            *late_log = Some(log);
        }
        match &mut *late_log {
            Some(log) => act(log),
            None => Err(wal::Error::Poisoned { path: self.late_log_directory.clone() }),
        }
    }

    pub(crate) fn float_encoding(&self) -> FloatEncoding {
        match self.writes_xor2.load(Ordering::Relaxed) {
            true => FloatEncoding::Xor2,
            false => FloatEncoding::Xor,
        }
    }

    pub(crate) fn classes(&self) -> Classes {
        self.classes.read().clone()
    }

    pub(crate) fn epoch(&self) -> Arc<()> {
        self.epoch.read().clone()
    }

    /// Begins another epoch; what is given is alive as long as somebody reads in those before.
    pub(crate) fn next_epoch(&self) -> Weak<()> {
        let before = std::mem::take(&mut *self.epoch.write());
        Arc::downgrade(&before)
    }

    /// Says from which time on a new appender may take samples; `i64::MIN` if the head is empty.
    pub(crate) fn register_appender(&self) -> i64 {
        let mut appenders = self.appenders.lock();
        let is_empty = self.head.max_time() == i64::MIN;
        let from = if is_empty { i64::MIN } else { self.head.appendable_from() };
        *appenders.entry(from).or_default() += 1;
        from
    }

    pub(crate) fn forget_appender(&self, from: i64) {
        let mut appenders = self.appenders.lock();
        if let Some(n_appenders) = appenders.get_mut(&from) {
            *n_appenders -= 1;
            if *n_appenders == 0 {
                appenders.remove(&from);
            }
        }
    }

    /// Lets no appender take samples before `end`; says no if one is at it.
    pub(crate) fn close_for_appenders(&self, end: i64) -> bool {
        let appenders = self.appenders.lock();
        if appenders.first_key_value().is_some_and(|(from, _)| *from < end) {
            return false;
        }
        self.head.raise_min_valid_time(end);
        true
    }

    pub(crate) fn check_health(&self) -> Result<()> {
        match self.poison.get() {
            Some(reason) => Err(Error::Poisoned(reason.clone())),
            None => Ok(()),
        }
    }

    /// Remembers that a write failed, of which nothing is left: the disk may be full. It is said once.
    pub(crate) fn write_failed(&self, error: wal::Error) -> Error {
        if error.is_of_sync() {
            return self.poison(error);
        }
        *self.failure.lock() = Some(error.to_string());
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "write failed; nothing is stored until it succeeds again");
        }
        Error::Log(error)
    }

    /// Something was written.
    pub(crate) fn note_written(&self) {
        if self.is_failing.load(Ordering::Relaxed) && self.is_failing.swap(false, Ordering::Relaxed)
        {
            *self.failure.lock() = None;
            tracing::info!("writes succeed again");
        }
    }

    /// Remembers that nobody knows what is durable.
    pub(crate) fn poison(&self, error: wal::Error) -> Error {
        if self.poison.set(error.to_string()).is_ok() {
            tracing::error!(%error, "sync failed; the store takes no more writes");
        }
        Error::Log(error)
    }

    pub(crate) fn is_poisoned(&self) -> Option<&str> {
        self.poison.get().map(String::as_str)
    }

    /// Makes segments durable that no longer grow; not under the log's lock.
    pub(crate) fn sync_finished(&self, finished: Vec<wal::Finished>) -> Result<()> {
        if finished.is_empty() {
            return Ok(());
        }
        // No segment may be durable before those that it follows.
        self.sync_earlier()?;
        for segment in finished {
            let begin = self.runtime.clock.monotonic();
            let outcome = segment.sync();
            self.note_sync(begin);
            outcome.map_err(|error| self.poison(error))?;
        }
        let segment = self.log.lock().segment();
        self.numbers.note_segment(segment);
        Ok(())
    }

    /// Makes durable what an earlier process has left: it may be much, so commits do not wait for it.
    pub(crate) fn sync_earlier(&self) -> Result<()> {
        let mut earlier = self.earlier.lock();
        for segment in earlier.drain(..) {
            segment.sync().map_err(|error| self.poison(error))?;
        }
        Ok(())
    }

    fn note_sync(&self, begin: Duration) {
        self.counters.log_syncs.add(1);
        self.counters.log_sync_time.add_time(self.runtime.clock.monotonic() - begin);
    }
}
