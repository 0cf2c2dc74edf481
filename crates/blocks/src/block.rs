use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use model::{Labels, Matcher, TimeRange};
use parking_lot::RwLock;
use runtime::Disk;
use smallvec::SmallVec;
use storage::{
    Columns, Querier, Queryable,
    label_index::{self, LabelIndex as _},
    postings::SortedList as _,
};

use crate::{
    Chunk, Error, Interval, Intervals, Meta, Result, Tombstones,
    index::{Index, SeriesEntry},
    querier::BlockQuerier,
    segments::Segments,
};

/// Where a chunk of a series is; times are milliseconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkMeta {
    pub start: i64,
    pub end: i64,
    pub reference: u64,
}

/// An open block. Cloning gives another handle.
#[derive(Clone)]
pub struct Block {
    contents: Arc<Contents>,
}

pub(crate) struct Contents {
    directory: PathBuf,
    /// Replaced as a whole; no other lock is taken under it.
    meta: RwLock<Arc<Meta>>,
    pub(crate) index: Index,
    segments: Segments,
    /// Replaced as a whole; no other lock is taken under it.
    tombstones: RwLock<Arc<Tombstones>>,
}

impl Block {
    pub fn open(disk: &dyn Disk, directory: &Path) -> Result<Block> {
        let contents = Contents {
            directory: directory.to_owned(),
            meta: RwLock::new(Arc::new(Meta::read(disk, directory)?)),
            index: Index::open(disk, directory)?,
            segments: Segments::open(disk, directory)?,
            tombstones: RwLock::new(Arc::new(Tombstones::read(disk, directory)?)),
        };
        Ok(Block { contents: Arc::new(contents) })
    }

    pub fn meta(&self) -> Arc<Meta> {
        self.contents.meta.read().clone()
    }

    /// Changes what the block says of itself, on disk first.
    pub fn update_meta(&self, disk: &dyn Disk, change: impl FnOnce(&mut Meta)) -> Result<()> {
        let mut meta = Meta::clone(&self.meta());
        change(&mut meta);
        meta.write(disk, &self.contents.directory)?;
        *self.contents.meta.write() = Arc::new(meta);
        Ok(())
    }

    pub fn directory(&self) -> &Path {
        &self.contents.directory
    }

    /// What index and chunks take on disk.
    pub fn bytes(&self) -> u64 {
        self.contents.index.bytes() + self.contents.segments.bytes()
    }

    pub fn tombstones(&self) -> Arc<Tombstones> {
        self.contents.tombstones.read().clone()
    }

    /// The texts of all names and values, in order.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.contents.index.symbols()
    }

    /// Hides what is in `range` of the series that satisfy all `matchers`: a note on disk, the
    /// samples stay until the block is rewritten. Says whether there was something.
    pub fn delete(&self, disk: &dyn Disk, range: TimeRange, matchers: &[Matcher]) -> Result<bool> {
        let selected = self.contents.select(matchers)?;
        let wanted = Interval::of(range);
        self.hide(disk, selected.into_iter().map(|id| (id, wanted)))
    }

    /// The same for intervals of single series, which are known by all their labels.
    pub fn delete_exactly(
        &self,
        disk: &dyn Disk,
        deletions: &[(Labels, Intervals)],
    ) -> Result<bool> {
        let mut wanted = Vec::new();
        for (labels, intervals) in deletions {
            let matchers: Vec<Matcher> =
                labels.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
            for id in self.contents.select(&matchers)? {
                // Others may have these labels and more.
                if self.contents.labels(id)? == *labels {
                    wanted.extend(intervals.iter().map(|interval| (id, *interval)));
                }
            }
        }
        self.hide(disk, wanted.into_iter())
    }

    /// Hides intervals of series, as far as these have chunks there.
    fn hide(&self, disk: &dyn Disk, wanted: impl Iterator<Item = (u32, Interval)>) -> Result<bool> {
        let contents = &*self.contents;
        let mut current = contents.tombstones.write();
        let mut tombstones = Tombstones::clone(&current);
        let mut has_any = false;
        for (id, Interval { start, end }) in wanted {
            let chunks = contents.chunks(id)?;
            let Some((first, last)) = chunks.first().zip(chunks.last()) else { continue };
            let (start, end) = (start.max(first.start), end.min(last.end));
            if start <= end {
                tombstones.add(u64::from(id), Interval { start, end });
                has_any = true;
            }
        }
        if has_any {
            tombstones.write(disk, &contents.directory)?;
            let n_tombstones = tombstones.len();
            *current = Arc::new(tombstones);
            drop(current);
            self.update_meta(disk, |meta| meta.stats.num_tombstones = n_tombstones)?;
        }
        Ok(has_any)
    }

    /// All series in order of their labels, for rewriting.
    pub fn series(&self) -> Result<impl Iterator<Item = BlockSeries>> {
        let contents = &self.contents;
        let all = contents.index.all().map_err(|error| Error::Meta {
            path: contents.directory.clone(),
            detail: error.to_string(),
        })?;
        Ok(all.iter().map(|id| BlockSeries { contents: contents.clone(), id }))
    }
}

impl Queryable for Block {
    fn querier(&self, range: TimeRange) -> storage::Result<Box<dyn Querier>> {
        let tombstones = self.tombstones();
        Ok(Box::new(BlockQuerier { contents: self.contents.clone(), range, tombstones }))
    }
}

/// A series of a block, as a handle.
#[derive(Clone)]
pub struct BlockSeries {
    contents: Arc<Contents>,
    id: u32,
}

impl BlockSeries {
    pub fn labels(&self) -> Result<Labels> {
        self.contents.labels(self.id)
    }

    /// Its labels as numbers of the block's symbols.
    pub fn label_symbols(&self) -> Result<Vec<(u32, u32)>> {
        let index = &self.contents.index;
        let entry = index.series(self.id)?;
        entry
            .labels()
            .map(|(name, value)| Ok((index.symbol_number(name)?, index.symbol_number(value)?)))
            .collect()
    }

    /// Where its chunks are and what times they cover, without a look at them.
    pub fn chunk_metas(&self) -> Result<Vec<ChunkMeta>> {
        self.contents.chunks(self.id)
    }

    /// Its chunks with their bytes, which are checked, and what of them was deleted.
    pub fn chunks(&self) -> Result<Vec<Chunk<'_>>> {
        let chunks = self.contents.chunks(self.id)?;
        let open = |chunk: &ChunkMeta| {
            let (encoding, bytes) = self.contents.segments.chunk(chunk.reference)?;
            Ok(Chunk { start: chunk.start, end: chunk.end, encoding, bytes: bytes.into() })
        };
        chunks.iter().map(open).collect()
    }

    pub fn deleted(&self) -> Option<Intervals> {
        self.contents.tombstones.read().of(u64::from(self.id)).cloned()
    }
}

/// The texts of the names and values of the series that was read last, by their places: series
/// that follow each other have most of them in common, and looking for a text costs more than all
/// else.
#[derive(Default)]
pub(crate) struct LastTexts<'a>(Vec<[Option<(u32, &'a str)>; 2]>);

impl Contents {
    /// The numbers of the series that satisfy all `matchers`.
    fn select(&self, matchers: &[Matcher]) -> Result<Vec<u32>> {
        label_index::select(&self.index, matchers).map_err(|error| Error::Meta {
            path: self.directory.clone(),
            detail: error.to_string(),
        })
    }

    pub(crate) fn labels(&self, id: u32) -> Result<Labels> {
        self.labels_of(&self.index.series(id)?, &mut LastTexts::default())
    }

    pub(crate) fn labels_of<'a>(
        &'a self,
        entry: &SeriesEntry<'_>,
        last: &mut LastTexts<'a>,
    ) -> Result<Labels> {
        let mut pairs: SmallVec<[(&str, &str); 16]> = SmallVec::new();
        for (place, (name, value)) in entry.labels().enumerate() {
            if place == last.0.len() {
                last.0.push([None; 2]);
            }
            let [last_name, last_value] = &mut last.0[place];
            pairs.push((self.text(name, last_name)?, self.text(value, last_value)?));
        }
        let is_a_set = pairs.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && pairs.iter().all(|(_, value)| !value.is_empty());
        Ok(if is_a_set { Labels::from_sorted(pairs) } else { Labels::from_pairs(pairs) })
    }

    /// The text of a symbol, which may be the one that was wanted last.
    fn text<'a>(&'a self, symbol: u32, last: &mut Option<(u32, &'a str)>) -> Result<&'a str> {
        match *last {
            Some((known, text)) if known == symbol => Ok(text),
            _ => {
                let text = self.index.symbol(symbol)?;
                *last = Some((symbol, text));
                Ok(text)
            }
        }
    }

    pub(crate) fn chunks(&self, id: u32) -> Result<Vec<ChunkMeta>> {
        self.chunks_of(&self.index.series(id)?)
    }

    fn chunks_of(&self, entry: &SeriesEntry<'_>) -> Result<Vec<ChunkMeta>> {
        let chunks: Result<Vec<_>, _> = entry.chunks().collect();
        chunks.map_err(|damage| self.corrupt(damage))
    }

    /// Whether a chunk of the series is such; looks no further than it must.
    pub(crate) fn has_chunk(
        &self,
        entry: &SeriesEntry<'_>,
        is_such: impl Fn(&ChunkMeta) -> bool,
    ) -> Result<bool> {
        for chunk in entry.chunks() {
            if is_such(&chunk.map_err(|damage| self.corrupt(damage))?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn corrupt(&self, (offset, detail): (u64, &'static str)) -> Error {
        let path = self.directory.join(crate::index::FILE);
        Error::Corrupt { path, offset, detail: detail.to_owned() }
    }

    /// Appends the samples of chunks that overlap `range`, cut to it.
    pub(crate) fn read(&self, id: u32, range: TimeRange, columns: &mut Columns) -> Result<()> {
        for chunk in self.chunks(id)? {
            self.read_chunk(&chunk, range, columns)?;
        }
        Ok(())
    }

    /// Appends the samples of a chunk that are in `range`.
    pub(crate) fn read_chunk(
        &self,
        chunk: &ChunkMeta,
        range: TimeRange,
        columns: &mut Columns,
    ) -> Result<()> {
        if !range.overlaps(TimeRange::from_millis(chunk.start, chunk.end)) {
            return Ok(());
        }
        let (encoding, bytes) = self.segments.chunk(chunk.reference)?;
        let mark = columns.mark();
        columns.append_chunk(encoding, bytes).map_err(|error| Error::Corrupt {
            path: self.directory.join(crate::segments::DIRECTORY),
            offset: chunk.reference,
            detail: error.to_string(),
        })?;
        let is_within =
            range.start.as_millis() <= chunk.start && chunk.end <= range.end.as_millis();
        if !is_within {
            columns.cut(mark, range);
        }
        Ok(())
    }
}
