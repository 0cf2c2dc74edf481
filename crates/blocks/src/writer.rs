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
    temporary: PathBuf,
    index: IndexWriter<'a>,
    segments: SegmentWriter<'a>,
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
        let temporary = parent.join(format!("{}{TEMPORARY}", meta.ulid));
        if disk.exists(&temporary) {
            disk.remove_directory(&temporary).map_err(Error::io("remove", &temporary))?;
        }
        disk.create_directories(&temporary).map_err(Error::io("create", &temporary))?;
        let segments = SegmentWriter::create(disk, &temporary)?;
        let index = IndexWriter::create(disk, &temporary, symbols)?;
        Ok(Writer { disk, meta, directory, temporary, index, segments })
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
        self.segments.finish()?;
        self.index.finish()?;
        Tombstones::default().write(self.disk, &self.temporary)?;
        self.meta.write(self.disk, &self.temporary)?;
        let rename = Error::io("rename", self.temporary.clone());
        self.disk.rename(&self.temporary, &self.directory).map_err(rename)?;
        if let Some(parent) = self.directory.parent() {
            self.disk.sync_directory(parent).map_err(Error::io("sync", parent))?;
        }
        Ok(self.meta)
    }

    /// Removes what was written so far.
    pub fn abort(self) -> Result<()> {
        let temporary = self.temporary;
        drop((self.index, self.segments));
        self.disk.remove_directory(&temporary).map_err(Error::io("remove", temporary))
    }
}
