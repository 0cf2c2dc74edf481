use std::{io, path::PathBuf};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{action} {path}: {source}", path = path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("read {path}: {detail} after byte {offset}", path = path.display())]
    Corrupt { path: PathBuf, offset: u64, detail: String },
    #[error("decode {kind} record: {detail}")]
    Record { kind: &'static str, detail: &'static str },
    #[error("list {path}: segments are not sequential: {after} follows {before}", path = path.display())]
    NotSequential { path: PathBuf, before: u32, after: u32 },
    #[error("write {path}: an earlier write failed", path = path.display())]
    Poisoned { path: PathBuf },
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
