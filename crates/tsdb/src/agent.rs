//! Samples that only pass through: into the write-ahead log, from which remote write takes them.
//!
//! The log is upstream's, in `wal`; nothing is in memory but which series there are and when each
//! was appended to last. There is nothing to query. Start at [`Agent`].

mod appender;
mod counters;
mod replay;
mod series;
#[cfg(test)]
mod tests;
mod truncate;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use hashbrown::HashMap;
use parking_lot::Mutex;
use runtime::{Disk, Runtime, disk::LockGuard};
use storage::{Appendable, Appender};
use wal::{Finished, Layout};

pub use self::counters::AgentCounters;
use self::{appender::AgentAppender, counters::AtomicAgentCounters, series::Table};
use crate::{Error, Result};

/// How an agent keeps its log.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    pub log: wal::Options,
    /// Who reads the log: what they have not read yet is kept.
    pub log_readers: wal::Readers,
    /// But no more than so many bytes of it.
    pub log_readers_bytes_max: u64,
    pub no_lockfile: bool,
    /// How late a sample may be for its series.
    pub out_of_order_window: Duration,
    /// A series is forgotten when nothing came for so long and everything was sent.
    pub min_age: Duration,
    /// A series is forgotten when nothing came for so long.
    pub max_age: Duration,
}

/// The storage of an agent. Cloning gives another handle.
#[derive(Clone)]
pub struct Agent(Arc<AgentStore>);

pub(crate) struct AgentStore {
    runtime: Runtime,
    log_directory: PathBuf,
    options: AgentOptions,
    table: Table,
    /// The table's lock may be taken under it.
    log: Mutex<wal::Writer>,
    /// Series that were forgotten but may still have samples in the log: up to which segment.
    named_until: Mutex<HashMap<u64, u32>>,
    counters: AtomicAgentCounters,
    /// Why nothing is written any more: nobody knows what is durable.
    poison: OnceLock<String>,
    /// Held while the log is truncated.
    upkeep: Mutex<()>,
    _lock: Option<Box<dyn LockGuard>>,
}

impl Default for AgentOptions {
    fn default() -> AgentOptions {
        AgentOptions {
            log: wal::Options::default(),
            log_readers: wal::Readers::default(),
            log_readers_bytes_max: 16 << 30,
            no_lockfile: false,
            out_of_order_window: Duration::ZERO,
            min_age: Duration::from_secs(5 * 60),
            max_age: Duration::from_secs(4 * 3600),
        }
    }
}

impl Agent {
    /// Opens the log in `directory`, which is created if it is not there, and learns from it which
    /// series there are.
    pub fn open(runtime: &Runtime, directory: &Path, options: AgentOptions) -> Result<Agent> {
        let disk = &runtime.disk;
        create(&**disk, directory)?;
        let lock = match options.no_lockfile {
            true => None,
            false => Some(disk.lock(&directory.join("lock")).map_err(Error::Locked)?),
        };
        let log_directory = directory.join("wal");
        let counters = AtomicAgentCounters::default();
        let begin = runtime.clock.monotonic();
        let layout = mend(&**disk, &log_directory, &counters)?;
        let replayed = replay::read(&**disk, &log_directory, &layout, &counters)?;
        counters.replay_time.add_time(runtime.clock.monotonic().saturating_sub(begin));
        let writer = wal::Writer::open(disk.clone(), &log_directory, options.log.clone())?;
        disk.sync_directory(directory).map_err(io("sync", directory))?;
        let store = AgentStore {
            runtime: runtime.clone(),
            log_directory,
            options,
            table: replayed.table,
            log: Mutex::new(writer),
            named_until: Mutex::new(replayed.named_until),
            counters,
            poison: OnceLock::new(),
            upkeep: Mutex::new(()),
            _lock: lock,
        };
        store.sync_earlier()?;
        Ok(Agent(Arc::new(store)))
    }

    /// Forgets series that nothing came for, and drops what of the log nobody needs. Blocks.
    pub fn truncate(&self) -> Result<Option<u32>> {
        truncate::truncate(&self.0)
    }

    /// Makes everything that was committed durable.
    pub fn sync(&self) -> Result<()> {
        self.0.log.lock().sync().map_err(|error| self.0.poison(error))
    }

    pub fn counters(&self) -> AgentCounters {
        self.0.counters.read(self.0.table.len(), self.0.named_until.lock().len())
    }
}

impl Appendable for Agent {
    fn appender(&self) -> Box<dyn Appender> {
        Box::new(AgentAppender::new(self.0.clone()))
    }
}

impl AgentStore {
    fn check_health(&self) -> Result<()> {
        match self.poison.get() {
            Some(reason) => Err(Error::Poisoned(reason.clone())),
            None => Ok(()),
        }
    }

    fn poison(&self, error: wal::Error) -> Error {
        if self.poison.set(error.to_string()).is_ok() {
            tracing::error!(%error, "sync failed; the agent takes no more samples");
        }
        Error::Log(error)
    }

    /// Makes segments durable that are full. The log's lock is not held.
    fn sync_finished(&self, finished: Vec<Finished>) -> Result<()> {
        for segment in finished {
            segment.sync().map_err(|error| self.poison(error))?;
        }
        Ok(())
    }

    /// What an earlier process may have had no time to sync.
    fn sync_earlier(&self) -> Result<()> {
        let earlier = self.log.lock().take_finished();
        self.sync_finished(earlier)
    }
}

/// A directory that is not durable is lost as a whole, whatever was synced in it.
fn create(disk: &dyn Disk, directory: &Path) -> Result<()> {
    if disk.exists(directory) {
        return Ok(());
    }
    disk.create_directories(directory).map_err(io("create", directory))?;
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    disk.sync_directory(parent).map_err(io("sync", parent))
}

/// Cuts off what a crash has torn; says what there is.
fn mend(disk: &dyn Disk, directory: &Path, counters: &AtomicAgentCounters) -> Result<Layout> {
    if !disk.exists(directory) {
        return Ok(Layout::default());
    }
    wal::checkpoint::remove_temporary(disk, directory)?;
    let layout = Layout::read(disk, directory)?;
    let Some((segment, corruption)) = wal::find_torn_end(disk, &layout)? else {
        return Ok(layout);
    };
    counters.corruptions.add(1);
    wal::repair(disk, directory, segment, &corruption)?;
    Ok(Layout::read(disk, directory)?)
}

fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let action = format!("{action} {}", path.display());
    move |source| Error::Io { action, source }
}
