use std::sync::Arc;

use model::{Labels, Matcher, TimeRange};
use rayon::prelude::*;
use storage::{
    Columns, LabelHints, LabelValues, Querier, SelectHints, Series, SeriesSet, label_index,
};

use crate::{
    ChunkMeta, Result, Tombstones,
    block::{Contents, LastTexts},
};

/// Series that one job opens.
const SHARD: usize = 512;

/// A stretch of a block.
pub(crate) struct BlockQuerier {
    pub(crate) contents: Arc<Contents>,
    pub(crate) range: TimeRange,
    /// As they were when the querier was made.
    pub(crate) tombstones: Arc<Tombstones>,
}

impl Querier for BlockQuerier {
    fn select(
        &self,
        _: bool,
        hints: &SelectHints,
        matchers: &[Matcher],
    ) -> storage::Result<SeriesSet> {
        let range = TimeRange {
            start: hints.range.start.max(self.range.start),
            end: hints.range.end.min(self.range.end),
        };
        let ids = label_index::select(&self.contents.index, matchers)?;
        // Numbers go up with labels, so the answer is sorted anyway.
        let mut found = if hints.limit > 0 || ids.len() < 2 * SHARD {
            self.open_all(&ids, range, hints.limit)?
        } else {
            let shards = ids.par_chunks(SHARD).map(|ids| self.open_all(ids, range, 0));
            let shards: Result<Vec<_>> = shards.collect();
            shards?.concat()
        };
        if hints.limit > 0 {
            found.truncate(hints.limit);
        }
        let set = SeriesSet { series: found, warnings: Vec::new() };
        Ok(set)
    }

    fn label_values(
        &self,
        name: &str,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> storage::Result<LabelValues> {
        label_index::label_values(&self.contents.index, name, hints, matchers)
    }

    fn label_names(
        &self,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> storage::Result<LabelValues> {
        label_index::label_names(&self.contents.index, hints, matchers)
    }
}

impl BlockQuerier {
    /// Those of the series that have samples in `range`, as far as chunks tell; no more than
    /// `limit`, unless that is zero.
    fn open_all(
        &self,
        ids: &[u32],
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<Arc<dyn Series>>> {
        let mut found: Vec<Arc<dyn Series>> = Vec::with_capacity(ids.len());
        let mut last = LastTexts::default();
        for id in ids {
            let entry = self.contents.index.series(*id)?;
            let deleted = self.tombstones.of(u64::from(*id));
            let is_visible = |chunk: &ChunkMeta| {
                range.overlaps(TimeRange::from_millis(chunk.start, chunk.end))
                    && deleted.is_none_or(|deleted| !deleted.cover(chunk.start, chunk.end))
            };
            if !self.contents.has_chunk(&entry, is_visible)? {
                continue;
            }
            found.push(Arc::new(Found {
                contents: self.contents.clone(),
                tombstones: self.tombstones.clone(),
                id: *id,
                labels: self.contents.labels_of(&entry, &mut last)?,
                range: self.range,
            }));
            if limit > 0 && found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }
}

struct Found {
    contents: Arc<Contents>,
    tombstones: Arc<Tombstones>,
    id: u32,
    labels: Labels,
    /// The querier's: nothing outside was promised.
    range: TimeRange,
}

impl Series for Found {
    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn read(&self, range: TimeRange, columns: &mut Columns) -> storage::Result<()> {
        let range = TimeRange {
            start: range.start.max(self.range.start),
            end: range.end.min(self.range.end),
        };
        let mark = columns.mark();
        self.contents.read(self.id, range, columns)?;
        if let Some(deleted) = self.tombstones.of(u64::from(self.id)) {
            deleted.remove_from(columns, mark);
        }
        Ok(())
    }

    fn read_newest(&self, range: TimeRange, columns: &mut Columns) -> storage::Result<()> {
        if self.tombstones.of(u64::from(self.id)).is_some() {
            return self.read(range, columns);
        }
        let range = TimeRange {
            start: range.start.max(self.range.start),
            end: range.end.min(self.range.end),
        };
        let chunks = self.contents.chunks(self.id)?;
        let before = columns.mark();
        // A chunk is in order, and the chunks are.
        for chunk in chunks.iter().rev() {
            self.contents.read_chunk(chunk, range, columns)?;
            if columns.mark() != before {
                break;
            }
        }
        Ok(())
    }
}
