pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a query has no answer. The texts are upstream's; clients compare them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{0}")]
    Parse(String),
    /// The query is well-formed, but this engine or this data does not allow it.
    #[error("{0}")]
    Execution(String),
    #[error("query timed out in {0}")]
    Timeout(&'static str),
    #[error("query was canceled in {0}")]
    Canceled(&'static str),
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// Ours: upstream counts samples only.
    #[error("query processing would take more than {0} bytes of memory in query execution")]
    TooMuchMemory(u64),
    #[error("expanding series: {0}")]
    Storage(#[from] storage::Error),
}

/// What callers choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    Parse,
    Execution,
    Timeout,
    Canceled,
    Storage,
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Parse(_) => ErrorKind::Parse,
            Error::Execution(_) | Error::TooManySamples | Error::TooMuchMemory(_) => {
                ErrorKind::Execution
            }
            Error::Timeout(_) => ErrorKind::Timeout,
            Error::Canceled(_) => ErrorKind::Canceled,
            Error::Storage(_) => ErrorKind::Storage,
        }
    }

    pub(crate) fn execution(text: impl Into<String>) -> Error {
        Error::Execution(text.into())
    }

    pub(crate) fn same_labels() -> Error {
        Error::execution("vector cannot contain metrics with the same labelset")
    }
}
