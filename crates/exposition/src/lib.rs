//! Scrape bytes to samples and metadata.
//!
//! Knows neither targets nor storage. [`content_type::choose`] says how to read a body, [`Parser`]
//! reads text, [`protobuf::read`] messages; both give an [`Entry`] at a time.

pub mod content_type;
mod error;
mod lexer;
mod media_type;
pub mod nhcb;
mod number;
mod parser;
pub mod protobuf;
mod protocol;
#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use number::NumberError;
pub use parser::{Entry, Exemplar, HistogramSeries, LabelPairs, Parser, Series};
pub use protocol::Protocol;
