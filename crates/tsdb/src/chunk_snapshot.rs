//! What the head holds, written when the server stops and read when it starts: then only what the
//! log has behind it is left to replay.
//!
//! A folder `chunk_snapshot.<segment>.<offset>` in the log's own format, named for the place in the
//! log that it stands for: a record for each series with the chunk that takes samples, one of
//! tombstones, and some of exemplars. Full chunks are in `chunks_head`. The log has everything, too:
//! a snapshot that cannot be read is no loss.

mod read;
mod write;

use std::path::{Path, PathBuf};

use runtime::Disk;
use wal::Position;

pub(crate) use self::{
    read::{OpenChunk, Snapshot},
    write::write,
};
use crate::{Error, Result};

const PREFIX: &str = "chunk_snapshot.";

/// The kinds of records: the first byte.
const SERIES: u8 = 1;
const TOMBSTONES: u8 = 2;
const EXEMPLARS: u8 = 3;

/// The whole snapshots below the data directory, in order.
fn list(disk: &dyn Disk, data: &Path) -> Result<Vec<(Position, PathBuf)>> {
    let entries = disk.list(data).map_err(io("list", data))?;
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| entry.is_directory) {
        let Some(place) = entry.name.strip_prefix(PREFIX) else { continue };
        let Some((segment, offset)) = place.split_once('.') else { continue };
        if let (Ok(segment), Ok(offset)) = (segment.parse(), offset.parse()) {
            found.push((Position { segment, offset }, data.join(&entry.name)));
        }
    }
    found.sort_by_key(|(position, _)| (position.segment, position.offset));
    Ok(found)
}

/// Removes all snapshots, those that were not finished included.
pub(crate) fn remove_all(disk: &dyn Disk, data: &Path) -> Result<()> {
    for entry in disk.list(data).map_err(io("list", data))? {
        if entry.is_directory && entry.name.starts_with(PREFIX) {
            let path = data.join(&entry.name);
            disk.remove_directory(&path).map_err(io("remove", &path))?;
        }
    }
    disk.sync_directory(data).map_err(io("sync", data))
}

fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let action = format!("{action} {}", path.display());
    move |source| Error::Io { action, source }
}
