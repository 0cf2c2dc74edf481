pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with bytes that another node sent, or with reaching it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes would have to follow.
    #[error("read {0}: it ends too early")]
    Truncated(&'static str),
    #[error("read {0}: it is malformed")]
    Malformed(&'static str),
    #[error("unknown message type {0}")]
    UnknownType(u8),
    #[error("checksum is {actual:08x}, the header says {expected:08x}")]
    Checksum { expected: u32, actual: u32 },
    #[error("{what} is larger than limit of {limit} bytes")]
    TooLarge { what: &'static str, limit: usize },
    #[error("label {0:?} is not ours")]
    Label(String),
    #[error("encryption is not supported")]
    Encrypted,
    /// The other node's own words.
    #[error("remote error: {0}")]
    Remote(String),
    #[error("protocol versions do not fit: {0}")]
    Versions(String),
    #[error("{doing} {address}: {source}")]
    Io { doing: &'static str, address: String, source: std::io::Error },
    #[error("{doing} {address}: no answer in time")]
    TimedOut { doing: &'static str, address: String },
    #[error("address {address:?}: {reason}")]
    Address { address: String, reason: String },
}
