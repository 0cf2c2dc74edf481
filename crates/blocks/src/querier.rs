use std::sync::Arc;

use model::{Labels, Matcher, TimeRange};
use storage::{
    Columns, LabelHints, LabelValues, Querier, SelectHints, Series, SeriesSet, label_index,
};

use crate::{Tombstones, block::Contents};

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
        let mut set = SeriesSet::default();
        // Numbers go up with labels, so the answer is sorted anyway.
        for id in label_index::select(&self.contents.index, matchers)? {
            let chunks = self.contents.chunks(id)?;
            let deleted = self.tombstones.of(u64::from(id));
            let is_visible = chunks.iter().any(|chunk| {
                range.overlaps(TimeRange::from_millis(chunk.start, chunk.end))
                    && deleted.is_none_or(|deleted| !deleted.cover(chunk.start, chunk.end))
            });
            if is_visible {
                let labels = self.contents.labels(id)?;
                let (contents, tombstones) = (self.contents.clone(), self.tombstones.clone());
                set.series.push(Arc::new(Found {
                    contents,
                    tombstones,
                    id,
                    labels,
                    range: self.range,
                }));
            }
            if hints.limit > 0 && set.series.len() >= hints.limit {
                break;
            }
        }
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
}
