//! The position of a queue, kept on disk: see `docs/design/remote-write.md`.
//!
//! A file of entries, each segment, offset and a checksum of both; the last good one counts. An
//! entry is appended for each batch that was acknowledged, which survives the process at once and
//! the machine within seconds; when the file has grown it is replaced.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use runtime::{Disk, disk::File};
use wal::Position;
use xxhash_rust::xxh3::xxh3_64;

const ENTRY_BYTES: usize = 4 + 8 + 8;
/// With more entries the file is replaced.
const ENTRIES_MAX: usize = 4096;

pub(super) struct PositionFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Option<Box<dyn File>>,
    n_entries: usize,
    last: Option<Position>,
}

impl PositionFile {
    /// Reads the position, if there is one.
    pub(super) fn open(disk: Arc<dyn Disk>, directory: &Path, name: &str) -> PositionFile {
        let path = directory.join(name);
        // A file that cannot be read is one that is not there: sending begins anew.
        let bytes = disk.read(&path).unwrap_or_default();
        let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
        let last = entries.iter().rev().find_map(decode);
        // It is begun anew with the first entry.
        PositionFile { disk, path, file: None, n_entries: 0, last }
    }

    pub(super) fn last(&self) -> Option<Position> {
        self.last
    }

    /// Notes that everything up to `position` was acknowledged.
    pub(super) fn note(&mut self, position: Position) -> io::Result<()> {
        if self.last.is_some_and(|last| last >= position) && self.file.is_some() {
            return Ok(());
        }
        self.last = Some(position);
        let entry = encode(position);
        match &mut self.file {
            Some(file) if self.n_entries < ENTRIES_MAX => {
                file.write_all(&entry)?;
                self.n_entries += 1;
            }
            _ => self.replace(&entry)?,
        }
        Ok(())
    }

    fn replace(&mut self, entry: &[u8]) -> io::Result<()> {
        self.file = None;
        if let Some(parent) = self.path.parent() {
            self.disk.create_directories(parent)?;
        }
        self.disk.write_atomically(&self.path, entry)?;
        self.file = Some(self.disk.append(&self.path)?);
        self.n_entries = 1;
        Ok(())
    }
}

fn encode(position: Position) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    entry[..4].copy_from_slice(&position.segment.to_be_bytes());
    entry[4..12].copy_from_slice(&position.offset.to_be_bytes());
    let checksum = xxh3_64(&entry[..12]);
    entry[12..].copy_from_slice(&checksum.to_be_bytes());
    entry
}

fn decode(entry: &[u8; ENTRY_BYTES]) -> Option<Position> {
    let [s0, s1, s2, s3, offset @ .., _, _, _, _, _, _, _, _] = *entry;
    let position = Position {
        segment: u32::from_be_bytes([s0, s1, s2, s3]),
        offset: u64::from_be_bytes(offset),
    };
    (encode(position) == *entry).then_some(position)
}
