//! What is in the write-ahead log: segments, pages, records.
//!
//! Upstream's format, drawn in `docs/design/wal.md`. Knows how bytes become records and records
//! become bytes, but not what a sample is good for. Start at [`Layout`], which says what is in a
//! directory, [`Reader`], which reads one segment, [`Writer`], which appends, and [`record`].

pub mod checkpoint;
mod compression;
mod error;
mod layout;
mod page;
mod reader;
mod readers;
pub mod record;
mod repair;
pub mod tail;
mod writer;

#[cfg(test)]
mod tests;

pub use compression::Compression;
pub use error::{Error, Result};
pub use layout::{Layout, Segment, bytes_on_disk, segment_name};
pub use page::PAGE_BYTES;
pub use reader::{Corruption, Reader};
pub use readers::{Hold, Readers};
pub use repair::{blank, find_torn_end, repair};
pub use tail::{Position, Tail};
pub use writer::{Finished, Options, SEGMENT_BYTES, Stats, Writer};
