use std::fmt;

use http::Method;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no response. The texts are those that Go prints: they end up in `lastError` of
/// targets, where people and their tools know them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{what} is not supported yet")]
    Unsupported { what: &'static str },
    #[error("unable to read {what}: {reason}")]
    Config { what: String, reason: String },
    #[error("tls: {reason}")]
    Tls { reason: String },
    #[error("{call}: {reason}")]
    Connect { call: Call, reason: String },
    #[error("{call}: {reason}")]
    Exchange { call: Call, reason: String },
    #[error("{call}: context deadline exceeded")]
    Timeout { call: Call },
    #[error("{call}: stopped after 10 redirects")]
    TooManyRedirects { call: Call },
    #[error("body size limit exceeded")]
    BodyTooLarge { limit: usize },
    #[error("{encoding} body: {reason}")]
    Encoding { encoding: String, reason: String },
}

/// What was attempted: `Get "http://host/metrics"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub(super) method: Method,
    pub(super) url: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Go writes the method's name as a word: Get, Post.
        for (idx, c) in self.method.as_str().chars().enumerate() {
            let c = if idx == 0 { c } else { c.to_ascii_lowercase() };
            write!(f, "{c}")?;
        }
        write!(f, " \"{}\"", self.url)
    }
}
