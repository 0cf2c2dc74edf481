use std::{path::PathBuf, time::Duration};

use crate::{ReadsDuringReplay, ReplayProgress, Retention, RetentionClass};

/// How a database behaves; the defaults are upstream's.
#[derive(Clone)]
pub struct Options {
    /// How long samples are kept; zero for any time.
    pub retention: Duration,
    /// How much disk blocks and log may take; zero for any amount.
    pub retention_bytes: u64,
    /// The same as a share of the file system in percent; if it is not zero it counts instead.
    pub retention_percentage: f64,
    /// Series that are kept for a time of their own.
    pub retention_classes: Vec<RetentionClass>,
    /// Chunks and the shortest blocks do not cross multiples of this, and samples may be late by
    /// half of it.
    pub chunk_range: Duration,
    /// The longest block; `None` for a tenth of the retention, at most 31 days.
    pub block_range_max: Option<Duration>,
    pub samples_per_chunk: usize,
    /// How floats are written into blocks.
    pub float_encoding: FloatEncoding,
    /// How long what is due to become a block waits at most; how long exactly is decided by dice at
    /// the start, so that the servers of a fleet do not compact at the same moment.
    pub compaction_delay_max: Duration,
    /// Where an uploader lists the blocks that it has copied elsewhere: those that came out of the
    /// head are not merged before they are in the list. It is JSON, `{"uploaded": [ulid, …]}`.
    pub uploads_file: Option<PathBuf>,
    /// How many exemplars are kept in memory; zero for none.
    pub max_exemplars: usize,
    /// How much older than the newest sample the samples of a series may be in any order; zero
    /// for not at all.
    pub out_of_order_window: Duration,
    pub log: wal::Options,
    /// Who else reads the log: it is not cut where they have not read.
    pub log_readers: wal::Readers,
    /// So much of the log is kept for its readers at most.
    pub log_readers_bytes_max: u64,
    /// Whether another process may have the directory open too.
    pub no_lockfile: bool,
    /// Whether [`Database::write_chunk_snapshot`](crate::Database::write_chunk_snapshot) writes one
    /// and the next start reads it; upstream's feature `memory-snapshot-on-shutdown`.
    pub chunk_snapshot: bool,
    /// Full chunks leave memory when so many chunks were begun since they last did.
    pub spill_chunks_min: u64,
    pub reads_during_replay: ReadsDuringReplay,
    /// Told how far replay has come; keep a clone to watch it.
    pub progress: ReplayProgress,
}

/// How floats are written into blocks; any of them is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FloatEncoding {
    #[default]
    Xor,
    /// Smaller, and with room for start timestamps; read by Prometheus from 3.13 on.
    Xor2,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            retention: Duration::from_secs(15 * 24 * 3600),
            retention_bytes: 0,
            retention_percentage: 0.0,
            retention_classes: Vec::new(),
            chunk_range: Duration::from_secs(2 * 3600),
            block_range_max: None,
            samples_per_chunk: 120,
            float_encoding: FloatEncoding::default(),
            compaction_delay_max: Duration::ZERO,
            uploads_file: None,
            max_exemplars: 0,
            out_of_order_window: Duration::ZERO,
            log: wal::Options::default(),
            log_readers: wal::Readers::default(),
            log_readers_bytes_max: 16 << 30,
            no_lockfile: false,
            chunk_snapshot: false,
            spill_chunks_min: 32 << 10,
            reads_during_replay: ReadsDuringReplay::default(),
            progress: ReplayProgress::default(),
        }
    }
}

impl Options {
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            time: self.retention,
            bytes: self.retention_bytes,
            percentage: self.retention_percentage,
            classes: self.retention_classes.clone(),
        }
    }
}
