use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use hashbrown::HashMap;
use model::TimeRange;
use parking_lot::Mutex;
use runtime::{Runtime, disk::LockGuard};
use storage::{Appendable, Appender, Querier, Queryable};

use crate::{
    Error, Options, Result, Truncation,
    appender::HeadAppender,
    head::{Head, Limits},
    querier::HeadQuerier,
    replay,
    stats::{self, AtomicCounters, Counters, HeadStats},
    truncate,
};

/// Recent samples, kept in memory and in a log under one directory. Cloning gives another handle.
#[derive(Clone)]
pub struct Database {
    store: Arc<Store>,
}

/// Whether the database takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Good,
    /// A write failed, and nobody knows what of it is on the disk. Reads go on.
    Poisoned(String),
}

/// What handles, appenders and queriers share.
pub(crate) struct Store {
    pub(crate) runtime: Runtime,
    pub(crate) options: Options,
    pub(crate) log_directory: PathBuf,
    pub(crate) head: Head,
    /// Commits follow each other under it: the order in the log is the order in the head. The
    /// head's locks are taken under it.
    pub(crate) log: Mutex<wal::Writer>,
    /// Series that left the head but are still named in the log, and the last segment that may
    /// name them. No other lock is taken under it.
    pub(crate) named_until: Mutex<HashMap<u64, u32>>,
    pub(crate) tombstones: replay::Tombstones,
    pub(crate) counters: AtomicCounters,
    poison: OnceLock<String>,
    /// One truncation at a time.
    pub(crate) truncation: Mutex<()>,
    _lock: Option<Box<dyn LockGuard>>,
}

impl Database {
    /// Opens the database in `directory`, replaying its log; creates it if need be.
    pub fn open(runtime: &Runtime, directory: &Path, options: Options) -> Result<Database> {
        let disk = &runtime.disk;
        let io = |action: String| move |source| Error::Io { action, source };
        disk.create_directories(directory)
            .map_err(io(format!("create {}", directory.display())))?;
        let lock = match options.no_lockfile {
            true => None,
            false => Some(disk.lock(&directory.join("lock")).map_err(Error::Locked)?),
        };
        let log_directory = directory.join("wal");
        replay::warn_of_ignored(&**disk, directory);
        let head = Head::new(Limits {
            chunk_range_ms: options.chunk_range.as_millis() as i64,
            samples_per_chunk: options.samples_per_chunk,
        });
        let counters = AtomicCounters::default();
        let begin = runtime.clock.monotonic();
        let replayed =
            replay::replay(&**disk, &log_directory, &head, &counters, &options.progress)?;
        counters.replay_time.add_time(runtime.clock.monotonic() - begin);
        let log = wal::Writer::open(disk.clone(), &log_directory, options.log.clone())?;
        disk.sync_directory(directory).map_err(io(format!("sync {}", directory.display())))?;
        let store = Store {
            runtime: runtime.clone(),
            options,
            log_directory,
            head,
            log: Mutex::new(log),
            named_until: Mutex::new(replayed.named_until),
            tombstones: replayed.tombstones,
            counters,
            poison: OnceLock::new(),
            truncation: Mutex::new(()),
            _lock: lock,
        };
        Ok(Database { store: Arc::new(store) })
    }

    /// Drops what is older than the retention and cuts the log accordingly, if there is enough of
    /// it to be worth the work. To be called about once a minute; may take a while.
    pub fn maintain(&self) -> Result<Option<Truncation>> {
        truncate::maintain(&self.store)
    }

    /// Makes everything that was committed durable, also against a loss of power.
    pub fn sync(&self) -> Result<()> {
        self.store.check_health()?;
        let begin = self.store.runtime.clock.monotonic();
        let outcome = self.store.log.lock().sync();
        self.store.note_sync(begin);
        outcome.map_err(|error| self.store.poison(error))
    }

    pub fn health(&self) -> Health {
        match self.store.poison.get() {
            Some(reason) => Health::Poisoned(reason.clone()),
            None => Health::Good,
        }
    }

    /// The times of the oldest and the newest sample, if there are any.
    pub fn time_range(&self) -> Option<TimeRange> {
        let (start, end) = (self.store.head.min_time(), self.store.head.max_time());
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

impl Queryable for Database {
    fn querier(&self, range: TimeRange) -> storage::Result<Box<dyn Querier>> {
        Ok(Box::new(HeadQuerier::new(self.store.clone(), range)))
    }
}

impl Store {
    pub(crate) fn check_health(&self) -> Result<()> {
        match self.poison.get() {
            Some(reason) => Err(Error::Poisoned(reason.clone())),
            None => Ok(()),
        }
    }

    /// Remembers that a write failed.
    pub(crate) fn poison(&self, error: wal::Error) -> Error {
        if self.poison.set(error.to_string()).is_ok() {
            tracing::error!(%error, "write failed; the store takes no more writes");
        }
        Error::Log(error)
    }

    pub(crate) fn is_poisoned(&self) -> Option<&str> {
        self.poison.get().map(String::as_str)
    }

    /// Makes segments durable that no longer grow; not under the log's lock.
    pub(crate) fn sync_finished(&self, finished: Vec<wal::Finished>) -> Result<()> {
        for segment in finished {
            let begin = self.runtime.clock.monotonic();
            let outcome = segment.sync();
            self.note_sync(begin);
            outcome.map_err(|error| self.poison(error))?;
        }
        Ok(())
    }

    fn note_sync(&self, begin: Duration) {
        self.counters.log_syncs.add(1);
        self.counters.log_sync_time.add_time(self.runtime.clock.monotonic() - begin);
    }
}
