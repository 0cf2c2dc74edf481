//! The files of chunks: `chunks/000001` and so on.
//!
//! A file begins with eight bytes (magic, version, padding). A chunk is its length, its encoding,
//! its bytes and their checksum; its reference is the number of the file and where in it.

use std::path::{Path, PathBuf};

use chunks::Encoding;
use runtime::{
    Disk,
    disk::{File, Map},
};
use stdx::cursor::{Cursor, push_uvarint};

use crate::{Error, Result, checksum};

pub(crate) const DIRECTORY: &str = "chunks";
const HEADER: [u8; 8] = [0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0];
const SEGMENT_BYTES_MAX: u64 = 512 << 20;

/// Written at once, so that a chunk costs no system call.
const BUFFER_BYTES: usize = 1 << 18;

/// The chunks of a block, mapped.
pub(crate) struct Segments {
    segments: Vec<Segment>,
}

struct Segment {
    path: PathBuf,
    map: Map,
}

impl Segments {
    pub(crate) fn open(disk: &dyn Disk, block: &Path) -> Result<Segments> {
        let directory = block.join(DIRECTORY);
        let entries = disk.list(&directory).map_err(Error::io("list", &directory))?;
        let names = entries.into_iter().map(|entry| entry.name);
        let mut segments = Vec::new();
        for name in names.filter(|name| name.parse::<u32>().is_ok()) {
            let path = directory.join(name);
            let map = disk.map(&path).map_err(Error::io("map", &path))?;
            if !map.starts_with(&HEADER[..5]) {
                let detail = "it is no chunk segment of version 1".to_owned();
                return Err(Error::Corrupt { path, offset: 0, detail });
            }
            segments.push(Segment { path, map });
        }
        Ok(Segments { segments })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.map.len() as u64).sum()
    }

    /// The encoding and bytes of a chunk, which are checked.
    pub(crate) fn chunk(&self, reference: u64) -> Result<(Encoding, &[u8])> {
        let number = (reference >> 32) as usize;
        let offset = reference & u64::from(u32::MAX);
        let Some(segment) = self.segments.get(number) else {
            let detail = format!("there is no segment {number} with a chunk");
            return Err(Error::Corrupt { path: PathBuf::from(DIRECTORY), offset, detail });
        };
        read(&segment.map, offset as usize).map_err(|detail| Error::Corrupt {
            path: segment.path.clone(),
            offset,
            detail,
        })
    }
}

fn read(segment: &[u8], offset: usize) -> Result<(Encoding, &[u8]), String> {
    let cut_off = || "chunk is cut off".to_owned();
    let mut cursor = Cursor::new(segment.get(offset..).ok_or_else(cut_off)?);
    let len = cursor.uvarint().and_then(|len| usize::try_from(len).ok()).ok_or_else(cut_off)?;
    let with_checksum = len.saturating_add(1 + checksum::BYTES);
    let content = cursor.bytes(with_checksum).ok_or_else(cut_off)?;
    let content = checksum::verified(content).ok_or("checksum mismatch")?;
    let (encoding, bytes) = content.split_first().ok_or_else(cut_off)?;
    let encoding = Encoding::from_byte(*encoding).map_err(|error| error.to_string())?;
    Ok((encoding, bytes))
}

/// Appends chunks to the segments of a new block.
pub(crate) struct SegmentWriter<'a> {
    disk: &'a dyn Disk,
    directory: PathBuf,
    file: Option<Box<dyn File>>,
    /// Counted from one.
    number: u64,
    /// Of the current file, what is buffered included.
    len: u64,
    buffer: Vec<u8>,
    segment_bytes_max: u64,
}

impl<'a> SegmentWriter<'a> {
    pub(crate) fn create(disk: &'a dyn Disk, block: &Path) -> Result<SegmentWriter<'a>> {
        let directory = block.join(DIRECTORY);
        disk.create_directories(&directory).map_err(Error::io("create", &directory))?;
        Ok(SegmentWriter {
            disk,
            directory,
            file: None,
            number: 0,
            len: 0,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            segment_bytes_max: SEGMENT_BYTES_MAX,
        })
    }

    #[cfg(test)]
    pub(crate) fn with_segment_bytes_max(mut self, bytes: u64) -> SegmentWriter<'a> {
        self.segment_bytes_max = bytes;
        self
    }

    /// Gives the reference of the chunk.
    pub(crate) fn write(&mut self, encoding: Encoding, bytes: &[u8]) -> Result<u64> {
        let most = bytes.len() as u64 + 16;
        if self.file.is_none() || self.len + most > self.segment_bytes_max {
            self.next_file()?;
        }
        let reference = (self.number - 1) << 32 | self.len;
        let before = self.buffer.len();
        push_uvarint(&mut self.buffer, bytes.len() as u64);
        let content = self.buffer.len();
        self.buffer.push(encoding.as_byte());
        self.buffer.extend_from_slice(bytes);
        let checksum = checksum::crc32c(&self.buffer[content..]);
        self.buffer.extend_from_slice(&checksum.to_be_bytes());
        self.len += (self.buffer.len() - before) as u64;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }?;
        Ok(reference)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.close()?;
        self.disk.sync_directory(&self.directory).map_err(Error::io("sync", self.directory.clone()))
    }

    fn path(&self) -> PathBuf {
        self.directory.join(format!("{:06}", self.number))
    }

    fn next_file(&mut self) -> Result<()> {
        self.close()?;
        self.number += 1;
        let path = self.path();
        self.file = Some(self.disk.create(&path).map_err(Error::io("create", path))?);
        self.buffer.extend_from_slice(&HEADER);
        self.len = HEADER.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer).map_err(Error::io("write", self.path()))?;
        }
        self.buffer.clear();
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.flush()?;
        if let Some(mut file) = self.file.take() {
            file.sync().map_err(Error::io("sync", self.path()))?;
        }
        Ok(())
    }
}
