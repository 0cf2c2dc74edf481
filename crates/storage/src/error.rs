pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{action}: {source}")]
    Io { action: String, source: std::io::Error },
    #[error("corrupt {what}: {detail}")]
    Corrupt { what: String, detail: String },
    #[error("storage is not ready")]
    NotReady,
    #[error("{0}")]
    Other(String),
}

/// Why one sample was not taken. The texts are upstream's; clients compare them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    #[error("out of order sample")]
    OutOfOrder,
    #[error("duplicate sample for timestamp")]
    DuplicateTimestamp,
    #[error("out of bounds")]
    OutOfBounds,
    #[error("too old sample")]
    TooOld,
    #[error("invalid labels: {0}")]
    InvalidLabels(String),
    /// The text is the whole reason.
    #[error("{0}")]
    InvalidHistogram(String),
    #[error("storage failed: {0}")]
    Storage(String),
}

/// Why an exemplar was not taken; the texts are upstream's. One that is there already is no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExemplarError {
    #[error("out of order exemplar")]
    OutOfOrder,
    #[error("label length for exemplar exceeds maximum of 128 UTF-8 characters")]
    LabelsTooLong,
    #[error("unknown series")]
    UnknownSeries,
}
