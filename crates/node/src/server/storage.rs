use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use config::prometheus::File;
use model::{Labels, TimeRange, Timestamp};
use storage::{AppendError, Appendable, Appender, Error, Querier, Queryable, Result, SeriesRef};
use tokio::task::JoinHandle;
use tsdb::{FloatEncoding, ReplayProgress};

use super::{AgentOptions, Options, StorageOptions, WalCompression};

/// So many exemplars are kept unless the file says otherwise.
const EXEMPLARS_DEFAULT: usize = 100_000;

/// The database, and its place while it opens: whoever holds this was built before it. In agent
/// mode there is no database, but a log.
#[derive(Clone, Default)]
pub(super) struct LateDatabase {
    database: Arc<OnceLock<tsdb::Database>>,
    agent: Arc<OnceLock<tsdb::Agent>>,
}

impl LateDatabase {
    /// From now on it is open. Called once.
    pub(super) fn set(&self, database: tsdb::Database) {
        if self.database.set(database).is_err() {
            tracing::error!("the database was opened twice");
        }
    }

    pub(super) fn get(&self) -> Option<&tsdb::Database> {
        self.database.get()
    }

    /// The same for a log.
    pub(super) fn set_agent(&self, agent: tsdb::Agent) {
        if self.agent.set(agent).is_err() {
            tracing::error!("the agent's log was opened twice");
        }
    }

    pub(super) fn agent(&self) -> Option<&tsdb::Agent> {
        self.agent.get()
    }
}

/// The log being read after the start.
pub(super) struct Replaying(Option<JoinHandle<tsdb::Result<()>>>);

impl Replaying {
    pub(super) fn start(replay: tsdb::Replay) -> Replaying {
        Replaying(Some(tokio::task::spawn_blocking(move || replay.run())))
    }

    /// Nothing is read.
    pub(super) fn nothing() -> Replaying {
        Replaying(None)
    }

    /// Completes once: when everything was read, or cannot be.
    pub(super) async fn ended(&mut self) -> crate::Result<()> {
        let Some(task) = &mut self.0 else { return std::future::pending().await };
        let outcome = task.await;
        self.0 = None;
        let ended = |reason: String| crate::Error::Ended { part: "storage", reason };
        Ok(outcome.map_err(|error| ended(error.to_string()))??)
    }
}

impl Queryable for LateDatabase {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier>> {
        if self.agent().is_some() {
            // Upstream's words.
            return Err(Error::Other("unsupported operation with WAL-only storage".to_owned()));
        }
        self.get().ok_or(Error::NotReady)?.querier(range)
    }
}

impl Appendable for LateDatabase {
    fn appender(&self) -> Box<dyn Appender> {
        match (self.get(), self.agent()) {
            (Some(database), _) => database.appender(),
            (None, Some(agent)) => agent.appender(),
            (None, None) => Box::new(NotReady),
        }
    }
}

/// Takes nothing.
struct NotReady;

impl Appender for NotReady {
    fn append(
        &mut self,
        _: SeriesRef,
        _: &Labels,
        _: Timestamp,
        _: f64,
    ) -> Result<SeriesRef, AppendError> {
        Err(AppendError::Storage(Error::NotReady.to_string()))
    }

    fn commit(self: Box<Self>) -> Result<()> {
        Err(Error::NotReady)
    }

    fn rollback(self: Box<Self>) {}
}

/// What a reload may change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Changeable {
    max_exemplars: usize,
    out_of_order_window: Duration,
    float_encoding: FloatEncoding,
    retention: tsdb::Retention,
}

impl Changeable {
    pub(super) fn of(file: &File, options: &Options) -> Changeable {
        let max_exemplars = match (&file.storage.exemplars, options.has_feature("exemplar-storage"))
        {
            (_, false) => 0,
            (None, true) => EXEMPLARS_DEFAULT,
            (Some(section), true) => usize::try_from(section.max_exemplars).unwrap_or(0),
        };
        let section = file.storage.tsdb.as_ref();
        let window = section.map(|tsdb| tsdb.out_of_order_time_window.0);
        let encoding = section.map(|tsdb| tsdb.chunk_encoding.floats.as_str());
        let float_encoding = match encoding.unwrap_or_default() {
            "xor2" => FloatEncoding::Xor2,
            "" if options.has_feature("xor2-encoding") => FloatEncoding::Xor2,
            _ => FloatEncoding::Xor,
        };
        Changeable {
            max_exemplars,
            out_of_order_window: window.unwrap_or_default(),
            float_encoding,
            retention: options.storage.retention.with_classes(file),
        }
    }

    pub(super) fn apply(self, database: &tsdb::Database) {
        database.set_max_exemplars(self.max_exemplars);
        database.set_out_of_order_window(self.out_of_order_window);
        database.set_float_encoding(self.float_encoding);
        database.set_retention(self.retention);
    }
}

/// What an agent's log is opened with.
pub(super) fn agent_settings(
    options: &Options,
    agent: &AgentOptions,
    changeable: &Changeable,
    log_readers: wal::Readers,
) -> tsdb::AgentOptions {
    tsdb::AgentOptions {
        log: log_options(&options.storage),
        log_readers,
        no_lockfile: !options.storage.lock,
        out_of_order_window: changeable.out_of_order_window,
        min_age: agent.min_age,
        max_age: agent.max_age,
        ..tsdb::AgentOptions::default()
    }
}

fn log_options(options: &StorageOptions) -> wal::Options {
    wal::Options {
        segment_bytes: options.wal_segment_bytes,
        compression: match options.wal_compression {
            WalCompression::None => wal::Compression::None,
            WalCompression::Snappy => wal::Compression::Snappy,
            WalCompression::Zstd => wal::Compression::Zstd,
        },
    }
}

/// What the database is opened with.
pub(super) fn settings(
    options: &StorageOptions,
    changeable: Changeable,
    progress: ReplayProgress,
) -> tsdb::Options {
    tsdb::Options {
        retention: changeable.retention.time,
        retention_bytes: changeable.retention.bytes,
        retention_percentage: changeable.retention.percentage,
        retention_classes: changeable.retention.classes,
        chunk_range: options.block_range_min,
        block_range_max: options.block_range_max,
        samples_per_chunk: options.samples_per_chunk,
        float_encoding: changeable.float_encoding,
        compaction_delay_max: options.compaction_delay_max,
        uploads_file: options.uploads_file.clone(),
        max_exemplars: changeable.max_exemplars,
        out_of_order_window: changeable.out_of_order_window,
        log: log_options(options),
        no_lockfile: !options.lock,
        progress,
        reads_during_replay: options.reads_during_replay,
        ..tsdb::Options::default()
    }
}
