use std::sync::{Arc, OnceLock};

use model::{Labels, TimeRange, Timestamp};
use storage::{AppendError, Appendable, Appender, Error, Querier, Queryable, Result, SeriesRef};
use tsdb::ReplayProgress;

use super::{Retention, StorageOptions, WalCompression};

/// The database, and its place while it opens: whoever holds this was built before it.
#[derive(Clone, Default)]
pub(super) struct LateDatabase(Arc<OnceLock<tsdb::Database>>);

impl LateDatabase {
    /// From now on it is open. Called once.
    pub(super) fn set(&self, database: tsdb::Database) {
        if self.0.set(database).is_err() {
            tracing::error!("the database was opened twice");
        }
    }

    pub(super) fn get(&self) -> Option<&tsdb::Database> {
        self.0.get()
    }
}

impl Queryable for LateDatabase {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier>> {
        self.get().ok_or(Error::NotReady)?.querier(range)
    }
}

impl Appendable for LateDatabase {
    fn appender(&self) -> Box<dyn Appender> {
        match self.get() {
            Some(database) => database.appender(),
            None => Box::new(NotReady),
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

/// What the database is opened with.
pub(super) fn settings(
    options: &StorageOptions,
    retention: Retention,
    progress: ReplayProgress,
) -> tsdb::Options {
    tsdb::Options {
        retention: retention.time,
        retention_bytes: retention.bytes,
        chunk_range: options.block_range_min,
        block_range_max: options.block_range_max,
        samples_per_chunk: options.samples_per_chunk,
        log: wal::Options {
            segment_bytes: options.wal_segment_bytes,
            compression: match options.wal_compression {
                WalCompression::None => wal::Compression::None,
                WalCompression::Snappy => wal::Compression::Snappy,
                WalCompression::Zstd => wal::Compression::Zstd,
            },
        },
        no_lockfile: !options.lock,
        progress,
        ..tsdb::Options::default()
    }
}
