use crate::number::NumberError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with a body, in upstream's words: they end up in `lastError` of targets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `got` and `parsing` are quoted already.
    #[error("expected {expected}, got {got} ({token:?}) while parsing: {parsing}")]
    Unexpected { expected: String, got: String, token: &'static str, parsing: String },
    #[error("{reason} while parsing: {parsing}")]
    Number { reason: NumberError, parsing: String },
    #[error("{what} while parsing: {parsing}")]
    Name { what: &'static str, parsing: String },
    #[error("expected text in {word}")]
    NoText { word: &'static str },
    #[error("invalid metric type {0}")]
    MetricType(String),
    #[error("help text {0} is not a valid utf8 string")]
    Help(String),
    #[error("unit {unit} not a suffix of metric {metric}")]
    Unit { unit: String, metric: String },
    #[error("invalid UTF-8 label value: {0}")]
    LabelValue(String),
    #[error("invalid {what} {value}")]
    Timestamp { what: &'static str, value: String },
    #[error("data does not end with # EOF")]
    NoEof,
    #[error("unexpected data after # EOF")]
    AfterEof,
    #[error(
        "invalid histogram {metric}: {side} side: spans need {needed} buckets, have {present} buckets: histogram spans specify different number of buckets than provided"
    )]
    Buckets { metric: String, side: &'static str, needed: u64, present: usize },
    #[error("protobuf: {0}")]
    Protobuf(&'static str),
}
