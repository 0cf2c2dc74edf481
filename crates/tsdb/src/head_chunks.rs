//! The files of `chunks_head`: full chunks of series that are still in the head.
//!
//! A file begins with eight bytes (magic, version, padding). A chunk is the number of its series in
//! the log, its first and last time, its encoding, its length, its bytes, and the checksum of all
//! this. Behind the last one there may be zeros: upstream makes room before it writes.

use std::path::{Path, PathBuf};

use chunks::Encoding;
use runtime::{Disk, disk::File};
use stdx::cursor::{Cursor, push_uvarint};

use crate::{Error, Result};

pub(crate) const DIRECTORY: &str = "chunks_head";
const HEADER: [u8; 8] = [0x01, 0x30, 0xbc, 0x91, 1, 0, 0, 0];
const FILE_BYTES_MAX: usize = 128 << 20;
const BUFFER_BYTES: usize = 1 << 18;

/// This bit of the encoding says that the samples came late.
const LATE: u8 = 0x80;

/// A chunk with whose it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeadChunk<'b> {
    pub(crate) series_ref: u64,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) encoding: Encoding,
    pub(crate) is_late: bool,
    pub(crate) bytes: &'b [u8],
}

/// The files below the data directory, in order.
pub(crate) fn list(disk: &dyn Disk, data: &Path) -> Result<Vec<PathBuf>> {
    let directory = data.join(DIRECTORY);
    if !disk.exists(&directory) {
        return Ok(Vec::new());
    }
    let entries = disk.list(&directory).map_err(io("list", &directory))?;
    let mut numbers: Vec<(u64, String)> = entries
        .into_iter()
        .filter_map(|entry| Some((entry.name.parse().ok()?, entry.name)))
        .collect();
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|(_, name)| directory.join(name)).collect())
}

/// Hands on the chunks of a file, up to its end; says where and why it cannot be read on.
pub(crate) fn read(
    file: &[u8],
    each: &mut dyn FnMut(HeadChunk<'_>),
) -> Result<(), (usize, &'static str)> {
    if file.is_empty() {
        return Ok(());
    }
    if !file.starts_with(&HEADER[..5]) {
        return Err((0, "it is no file of head chunks of version 1"));
    }
    let mut cursor = Cursor::new(file.get(HEADER.len()..).unwrap_or_default());
    loop {
        let rest = cursor.rest();
        if rest.iter().take(24).all(|byte| *byte == 0) {
            // No series has the number zero.
            return Ok(());
        }
        let offset = file.len() - rest.len();
        let chunk = read_chunk(&mut cursor).ok_or((offset, "chunk is cut off"))?;
        let length = rest.len() - cursor.rest().len();
        let expected = cursor.u32().ok_or((offset, "chunk is cut off"))?;
        if crc32c(rest.get(..length).unwrap_or_default()) != expected {
            return Err((offset, "checksum mismatch"));
        }
        each(chunk.ok_or((offset, "unknown encoding"))?);
    }
}

/// A chunk without its checksum; nothing inside if its encoding is not known.
fn read_chunk<'b>(cursor: &mut Cursor<'b>) -> Option<Option<HeadChunk<'b>>> {
    let series_ref = cursor.u64()?;
    let (start, end) = (cursor.u64()? as i64, cursor.u64()? as i64);
    let encoding = cursor.byte()?;
    let bytes = cursor.sized()?;
    let is_late = encoding & LATE != 0;
    let encoding = Encoding::from_byte(encoding & !LATE).ok();
    let chunk = |encoding| HeadChunk { series_ref, start, end, encoding, is_late, bytes };
    Some(encoding.map(chunk))
}

/// Writes new files.
pub(crate) struct Writer<'d> {
    disk: &'d dyn Disk,
    directory: PathBuf,
    number: u32,
    file: Option<Box<dyn File>>,
    len: usize,
    buffer: Vec<u8>,
}

impl<'d> Writer<'d> {
    /// Removes the files that are there.
    pub(crate) fn create(disk: &'d dyn Disk, data: &Path) -> Result<Writer<'d>> {
        for path in list(disk, data)? {
            disk.remove_file(&path).map_err(io("remove", &path))?;
        }
        let directory = data.join(DIRECTORY);
        disk.create_directories(&directory).map_err(io("create", &directory))?;
        Ok(Writer { disk, directory, number: 0, file: None, len: 0, buffer: Vec::new() })
    }

    pub(crate) fn add(&mut self, chunk: &HeadChunk<'_>) -> Result<()> {
        if self.file.is_none() || self.len + chunk.bytes.len() > FILE_BYTES_MAX {
            self.next_file()?;
        }
        let begin = self.buffer.len();
        self.buffer.extend_from_slice(&chunk.series_ref.to_be_bytes());
        self.buffer.extend_from_slice(&chunk.start.to_be_bytes());
        self.buffer.extend_from_slice(&chunk.end.to_be_bytes());
        self.buffer.push(chunk.encoding.as_byte());
        push_uvarint(&mut self.buffer, chunk.bytes.len() as u64);
        self.buffer.extend_from_slice(chunk.bytes);
        let checksum = crc32c(&self.buffer[begin..]);
        self.buffer.extend_from_slice(&checksum.to_be_bytes());
        self.len += self.buffer.len() - begin;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Makes everything durable.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.close()?;
        self.disk.sync_directory(&self.directory).map_err(io("sync", &self.directory))
    }

    fn path(&self) -> PathBuf {
        self.directory.join(format!("{:06}", self.number))
    }

    fn next_file(&mut self) -> Result<()> {
        self.close()?;
        self.number += 1;
        let path = self.path();
        self.file = Some(self.disk.create(&path).map_err(io("create", &path))?);
        self.buffer.extend_from_slice(&HEADER);
        self.len = HEADER.len();
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let path = self.path();
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer).map_err(io("write", &path))?;
        }
        self.buffer.clear();
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.flush()?;
        let path = self.path();
        match self.file.take() {
            Some(mut file) => file.sync().map_err(io("sync", &path)),
            None => Ok(()),
        }
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let action = format!("{action} {}", path.display());
    move |source| Error::Io { action, source }
}
