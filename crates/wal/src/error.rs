use std::{io, path::PathBuf};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{action} {path}: {source}", path = path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    /// Nobody knows what of the file is durable.
    #[error("sync {path}: {source}", path = path.display())]
    Sync { path: PathBuf, source: io::Error },
    #[error("read {path}: {detail} after byte {offset}", path = path.display())]
    Corrupt { path: PathBuf, offset: u64, detail: String },
    #[error("decode {kind} record: {detail}")]
    Record { kind: &'static str, detail: &'static str },
    #[error("list {path}: segments are not sequential: {after} follows {before}", path = path.display())]
    NotSequential { path: PathBuf, before: u32, after: u32 },
    #[error("write {path}: an earlier sync failed", path = path.display())]
    Poisoned { path: PathBuf },
}

impl Error {
    /// Whether nobody knows what is durable from now on. After any other error a writer goes on once
    /// the reason is gone.
    pub fn is_of_sync(&self) -> bool {
        matches!(self, Error::Sync { .. } | Error::Poisoned { .. })
    }

    /// For `map_err`: says which file was to be made durable.
    pub(crate) fn sync(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Sync { path, source }
    }

    /// For `map_err`: says what was being done to which file.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { action, path, source }
    }
}
