use std::{io, path::PathBuf};

use crate::snapshot;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an Alertmanager can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("create {path}: {source}")]
    CreateDirectory { path: PathBuf, source: io::Error },
    #[error("read snapshot {path}: {source}")]
    ReadSnapshot { path: PathBuf, source: io::Error },
    #[error("load snapshot {path}: {source}")]
    LoadSnapshot { path: PathBuf, source: snapshot::Error },
}
