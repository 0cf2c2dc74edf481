use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use chunks::Encoding;
use runtime::Disk;

use crate::{
    ChunkMeta, Error, Meta, Result, Tombstones, index::IndexWriter, segments::SegmentWriter,
};

/// A chunk of a series; times are milliseconds, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk<'a> {
    pub start: i64,
    pub end: i64,
    pub encoding: Encoding,
    pub bytes: Cow<'a, [u8]>,
}

/// Writes a block, which appears in its directory at once or not at all.
pub struct Writer<'a> {
    disk: &'a dyn Disk,
    meta: Meta,
    directory: PathBuf,
    index: IndexWriter<'a>,
    segments: SegmentWriter<'a>,
    // Last, so that the files in it are closed first.
    temporary: Temporary<'a>,
}

/// A directory that is removed with all that is in it: what is not finished must not fill a disk up.
struct Temporary<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
    is_needed: bool,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if self.is_needed {
            // Otherwise the next start does it.
            self.disk.remove_directory(&self.path).unwrap_or_default();
        }
    }
}

/// What upstream calls a block that is being written, and removes at its start.
const TEMPORARY: &str = ".tmp-for-creation";

impl<'a> Writer<'a> {
    /// Begins the block of `meta`, of which only the statistics are filled in, below `parent`.
    /// `symbols` are sorted; names and values of series go by their numbers among them.
    pub fn create<'s>(
        disk: &'a dyn Disk,
        parent: &Path,
        mut meta: Meta,
        symbols: impl Iterator<Item = &'s str>,
    ) -> Result<Writer<'a>> {
        meta.stats = crate::Stats::default();
        let directory = parent.join(meta.ulid.to_string());
        let path = parent.join(format!("{}{TEMPORARY}", meta.ulid));
        if disk.exists(&path) {
            disk.remove_directory(&path).map_err(Error::io("remove", &path))?;
        }
        disk.create_directories(&path).map_err(Error::io("create", &path))?;
        let temporary = Temporary { disk, path, is_needed: true };
        let segments = SegmentWriter::create(disk, &temporary.path)?;
        let index = IndexWriter::create(disk, &temporary.path, symbols)?;
        Ok(Writer { disk, meta, directory, index, segments, temporary })
    }

    /// Adds a series with its chunks in order of time; series come in order of their labels.
    pub fn add(&mut self, labels: &[(u32, u32)], chunks: &[Chunk<'_>]) -> Result<()> {
        let mut metas = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let reference = self.segments.write(chunk.encoding, &chunk.bytes)?;
            metas.push(ChunkMeta { start: chunk.start, end: chunk.end, reference });
            let n_samples = chunk.encoding.n_samples(&chunk.bytes) as u64;
            let stats = &mut self.meta.stats;
            stats.num_samples += n_samples;
            match chunk.encoding {
                Encoding::Xor | Encoding::Xor2 => stats.num_float_samples += n_samples,
                _ => stats.num_histogram_samples += n_samples,
            }
        }
        self.meta.stats.num_series += 1;
        self.meta.stats.num_chunks += chunks.len() as u64;
        self.index.add(labels, &metas)
    }

    /// Makes the block durable and puts it in its place.
    pub fn finish(self) -> Result<Meta> {
        let Writer { mut temporary, disk, meta, directory, index, segments } = self;
        segments.finish()?;
        index.finish()?;
        Tombstones::default().write(disk, &temporary.path)?;
        meta.write(disk, &temporary.path)?;
        let renamed = disk.rename(&temporary.path, &directory);
        renamed.map_err(Error::io("rename", &temporary.path))?;
        temporary.is_needed = false;
        if let Some(parent) = directory.parent() {
            disk.sync_directory(parent).map_err(Error::io("sync", parent))?;
        }
        Ok(meta)
    }

    /// Removes what was written so far.
    pub fn abort(self) -> Result<()> {
        let Writer { disk, index, segments, mut temporary, .. } = self;
        drop((index, segments));
        temporary.is_needed = false;
        disk.remove_directory(&temporary.path).map_err(Error::io("remove", &temporary.path))
    }
}
