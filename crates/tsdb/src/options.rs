use std::time::Duration;

use crate::ReplayProgress;

/// How a database behaves; the defaults are upstream's.
#[derive(Clone)]
pub struct Options {
    /// How long samples are kept.
    pub retention: Duration,
    /// Chunks do not cross multiples of this, and samples may be late by half of it.
    pub chunk_range: Duration,
    pub samples_per_chunk: usize,
    pub log: wal::Options,
    /// Whether another process may have the directory open too.
    pub no_lockfile: bool,
    /// Told how far opening has come; keep a clone to watch it.
    pub progress: ReplayProgress,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            retention: Duration::from_secs(15 * 24 * 3600),
            chunk_range: Duration::from_secs(2 * 3600),
            samples_per_chunk: 120,
            log: wal::Options::default(),
            no_lockfile: false,
            progress: ReplayProgress::default(),
        }
    }
}
