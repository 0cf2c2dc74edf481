pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{action}: {source}")]
    Io { action: String, source: std::io::Error },
    #[error("lock DB directory: {0}")]
    Locked(std::io::Error),
    #[error(transparent)]
    Log(#[from] wal::Error),
    #[error(transparent)]
    Block(#[from] blocks::Error),
    #[error(transparent)]
    Chunk(#[from] chunks::Error),
    #[error("select series: {0}")]
    Select(String),
    #[error("replay the write-ahead log: {0}")]
    NotReplayed(String),
    #[error("the store takes no more writes: {0}")]
    Poisoned(String),
}
