use std::{io, path::PathBuf};

use tracing::error;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a node does not start, or stops by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file or one that it names; `reason` says which, with line and key.
    #[error("error loading config from {:?}: {reason}", path.display().to_string())]
    Config { path: PathBuf, reason: String },
    #[error("--{flag}: {reason}")]
    Flag { flag: &'static str, reason: String },
    #[error("listen tcp {address}: bind: {}", describe(source))]
    Listen { address: String, source: io::Error },
    #[error("opening storage failed: {0}")]
    Storage(#[from] tsdb::Error),
    #[error("opening storage failed: {0}")]
    Alertmanager(#[from] alertmanager::Error),
    #[error("unable to initialize gossip mesh: {reason}")]
    Cluster { reason: String },
    /// A part of the node that has to be there as long as the node is.
    #[error("{part} ended unexpectedly: {reason}")]
    Ended { part: &'static str, reason: String },
}

impl Error {
    /// The codes of upstream's server: 2 for what the operator got wrong, 1 for what the world did.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Config { .. } | Error::Flag { .. } => 2,
            Error::Listen { .. }
            | Error::Storage(_)
            | Error::Alertmanager(_)
            | Error::Cluster { .. }
            | Error::Ended { .. } => 1,
        }
    }

    /// Says it in the log, in upstream's words.
    pub fn log(&self) {
        match self {
            Error::Config { path, reason } => {
                // So that it is found from anywhere.
                let file = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let (file, given) = (file.display(), path.display());
                error!(%file, err = reason, "Error loading config (--config.file={given})");
            }
            Error::Listen { .. } => error!(err = %self, "Unable to start web listener"),
            Error::Storage(reason) => error!(err = %reason, "Opening storage failed"),
            Error::Alertmanager(reason) => error!(err = %reason, "Opening storage failed"),
            Error::Cluster { reason } => error!(err = reason, "unable to initialize gossip mesh"),
            Error::Flag { .. } | Error::Ended { .. } => error!(err = %self, "Cannot go on"),
        }
    }
}

/// The system's words as Go writes them.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address already in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "cannot assign requested address".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
