use std::{io, path::PathBuf};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a block could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{action} {path}: {source}", path = path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("read {path}: {detail} at byte {offset}", path = path.display())]
    Corrupt { path: PathBuf, offset: u64, detail: String },
    #[error("read {path}: {detail}", path = path.display())]
    Meta { path: PathBuf, detail: String },
    /// A caller broke the contract of the writer; the block is not written.
    #[error("write {path}: {detail}", path = path.display())]
    Order { path: PathBuf, detail: String },
}

impl Error {
    /// For `map_err`: says what was being done to which file.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { action, path, source }
    }
}

impl From<Error> for storage::Error {
    fn from(error: Error) -> storage::Error {
        match error {
            Error::Io { action, path, source } => {
                storage::Error::Io { action: format!("{action} {}", path.display()), source }
            }
            Error::Corrupt { path, offset, detail } => storage::Error::Corrupt {
                what: path.display().to_string(),
                detail: format!("{detail} at byte {offset}"),
            },
            other => storage::Error::Other(other.to_string()),
        }
    }
}
