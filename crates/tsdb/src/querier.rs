use std::sync::Arc;

use model::{Labels, Matcher, TimeRange, Timestamp};
use rayon::prelude::*;
use storage::{
    Columns, LabelHints, LabelValues, Querier, SelectHints, Series, SeriesSet, label_index,
};

use crate::{
    ReadsDuringReplay,
    database::Store,
    head::{Index, LateSeries, Page, Reader, SeriesId},
};

/// Series that one job opens.
const SHARD: usize = 512;

/// Sees the commits that were done when it was made.
pub(crate) struct HeadQuerier {
    store: Arc<Store>,
    range: TimeRange,
    view: Arc<View>,
}

/// Keeps what a reader may see, and that it may see it.
struct View {
    reader: Reader,
    /// While it is held, the head keeps what has gone into blocks since.
    _epoch: Arc<()>,
}

impl HeadQuerier {
    pub(crate) fn new(store: Arc<Store>, range: TimeRange) -> HeadQuerier {
        let epoch = store.epoch();
        let view = Arc::new(View { reader: store.head.isolation.begin_read(), _epoch: epoch });
        HeadQuerier { store, range, view }
    }

    /// Waits for what is in the log, unless the reader does without.
    fn wait_for_replay(&self) -> storage::Result<()> {
        match self.store.options.reads_during_replay {
            ReadsDuringReplay::Partial => Ok(()),
            ReadsDuringReplay::Wait => {
                let waited = self.store.replayed.wait();
                waited.map_err(|error| storage::Error::Other(error.to_string()))
            }
        }
    }

    /// Whether the head has anything in the querier's range.
    fn is_outside(&self) -> bool {
        let head = &self.store.head;
        let is_within = |(start, end): (i64, i64)| {
            start <= end && self.range.overlaps(TimeRange::from_millis(start, end))
        };
        !is_within((head.min_time(), head.max_time())) && !is_within(head.late_times())
    }

    /// Those of the series, all of one page, that have samples in `range`, as far as chunks tell.
    fn open_series(
        &self,
        index: &Index,
        ids: &[SeriesId],
        range: TimeRange,
        found: &mut Vec<HeadSeries>,
    ) {
        let Some(page) = ids.first().and_then(|id| self.store.head.page(*id)) else { return };
        let has_deleted = !self.store.tombstones.is_empty();
        let contents = page.lock();
        for id in ids {
            let Some(series) = contents.get(*id) else { continue };
            let n_hidden = contents.n_hidden(*id, self.view.reader.seen);
            let has_late = || contents.late.get(*id).is_some_and(|late| late.overlaps(range));
            if !series.overlaps(range, n_hidden) && !has_late() {
                continue;
            }
            if has_deleted {
                let in_order = series.first_time().zip(series.last_time());
                let late = contents.late.get(*id).and_then(LateSeries::times);
                let spans = in_order.into_iter().chain(late);
                if self.store.tombstones.cover(*id, spans, range) {
                    continue;
                }
            }
            found.push(HeadSeries {
                store: self.store.clone(),
                view: self.view.clone(),
                page: page.clone(),
                id: *id,
                labels: index.labels(&series.labels),
                range: self.range,
            });
        }
    }

    fn open_all(&self, index: &Index, ids: &[SeriesId], range: TimeRange) -> Vec<HeadSeries> {
        let mut found = Vec::with_capacity(ids.len());
        for of_page in ids.chunk_by(|a, b| Page::number(*a) == Page::number(*b)) {
            self.open_series(index, of_page, range, &mut found);
        }
        found
    }
}

impl Querier for HeadQuerier {
    fn select(
        &self,
        sorted: bool,
        hints: &SelectHints,
        matchers: &[Matcher],
    ) -> storage::Result<SeriesSet> {
        self.wait_for_replay()?;
        if self.is_outside() {
            return Ok(SeriesSet::default());
        }
        let range = TimeRange {
            start: hints.range.start.max(self.range.start),
            end: hints.range.end.min(self.range.end),
        };
        let index = || self.store.head.index.read();
        let ids = label_index::select(&*index(), matchers)?;
        // A thread that waits for others takes up other work meanwhile, which may want the index,
        // too: so none waits while it holds that. What leaves the head meanwhile is in blocks that
        // this querier does not see, and stays as long as it lives.
        let mut selected = if ids.len() < 2 * SHARD {
            self.open_all(&index(), &ids, range)
        } else {
            let shards = ids.par_chunks(SHARD).map(|ids| self.open_all(&index(), ids, range));
            shards.flatten_iter().collect()
        };
        if sorted {
            selected.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        }
        if hints.limit > 0 {
            selected.truncate(hints.limit);
        }
        let series = selected.into_iter().map(|series| Arc::new(series) as Arc<dyn Series>);
        Ok(SeriesSet { series: series.collect(), warnings: Vec::new() })
    }

    fn label_values(
        &self,
        name: &str,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> storage::Result<LabelValues> {
        self.wait_for_replay()?;
        if self.is_outside() {
            return Ok(LabelValues::default());
        }
        label_index::label_values(&*self.store.head.index.read(), name, hints, matchers)
    }

    fn label_names(
        &self,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> storage::Result<LabelValues> {
        self.wait_for_replay()?;
        if self.is_outside() {
            return Ok(LabelValues::default());
        }
        label_index::label_names(&*self.store.head.index.read(), hints, matchers)
    }
}

struct HeadSeries {
    store: Arc<Store>,
    view: Arc<View>,
    page: Arc<Page>,
    id: SeriesId,
    labels: Labels,
    /// The querier's: nothing outside was promised.
    range: TimeRange,
}

impl Series for HeadSeries {
    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn read(&self, range: TimeRange, columns: &mut Columns) -> storage::Result<()> {
        let range = TimeRange {
            start: range.start.max(self.range.start),
            end: range.end.min(self.range.end),
        };
        let (captured, late) = {
            let contents = self.page.lock();
            let Some(series) = contents.get(self.id) else { return Ok(()) };
            let n_hidden = contents.n_hidden(self.id, self.view.reader.seen);
            let late = contents.late.get(self.id).map(|late| late.capture(range));
            (series.capture(range, n_hidden), late)
        };
        let mark = columns.mark();
        let decoded = captured.decode(columns).and_then(|()| match late {
            Some(late) => late.merge_into(columns, mark),
            None => Ok(()),
        });
        decoded.map_err(|error| storage::Error::Corrupt {
            what: format!("chunk of series {}", self.labels),
            detail: error.to_string(),
        })?;
        self.store.tombstones.remove_deleted(self.id, columns, mark);
        Ok(())
    }

    fn read_newest(&self, range: TimeRange, columns: &mut Columns) -> storage::Result<()> {
        match self.newest_float().filter(|(time, _)| {
            let time = Timestamp::from_millis(*time);
            range.contains(time) && self.range.contains(time)
        }) {
            Some((time, value)) => columns.push(time, value),
            None => self.read(range, columns)?,
        }
        Ok(())
    }
}

impl HeadSeries {
    /// The newest sample, if it is a float and nothing hides it: series remember it, for the
    /// next one.
    fn newest_float(&self) -> Option<(i64, f64)> {
        if self.store.tombstones.has(self.id) {
            return None;
        }
        let contents = self.page.lock();
        let is_hidden = contents.n_hidden(self.id, self.view.reader.seen) > 0;
        if is_hidden || contents.late.has(self.id) {
            return None;
        }
        contents.get(self.id)?.newest_float()
    }
}
