//! What is in an immutable block?
//!
//! A folder with an index from labels to series, segments of chunks, tombstones, and `meta.json`,
//! byte for byte as upstream lays them out (drawn in `docs/design/block.md`). Knows neither which
//! blocks belong together nor when one is made or dropped. Start at [`Block`] and [`Writer`].

mod block;
mod checksum;
mod error;
mod index;
mod meta;
mod querier;
mod segments;
#[cfg(test)]
mod tests;
mod tombstones;
mod writer;

pub use block::{Block, BlockSeries, ChunkMeta};
pub use error::{Error, Result};
pub use meta::{Compaction, Meta, Parent, Stats};
pub use tombstones::{Interval, Intervals, Tombstones};
pub use writer::{Chunk, Writer};
