//! `file_sd_configs`: target groups in JSON and YAML files that others write.

use std::{path::PathBuf, time::Duration};

/// Which files to read and how often to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Paths; the last part of each may hold `*`.
    pub files: Vec<PathBuf>,
    pub refresh_interval: Duration,
}
