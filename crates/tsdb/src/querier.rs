use std::sync::Arc;

use model::{Labels, Matcher, TimeRange};
use storage::{
    Columns, LabelHints, LabelValues, Querier, SelectHints, Series, SeriesSet, label_index,
};

use crate::{
    database::Store,
    head::{Index, Page, Reader, SeriesId},
};

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

    /// Whether the head has anything in the querier's range.
    fn is_outside(&self) -> bool {
        let head = &self.store.head;
        let is_within = |(start, end): (i64, i64)| {
            start <= end && self.range.overlaps(TimeRange::from_millis(start, end))
        };
        !is_within((head.min_time(), head.max_time())) && !is_within(head.late_times())
    }

    /// A series with samples in `range`, as far as chunks tell.
    fn open_series(&self, index: &Index, id: SeriesId, range: TimeRange) -> Option<HeadSeries> {
        let page = self.store.head.page(id)?;
        let labels = {
            let contents = page.lock();
            let series = contents.get(id)?;
            let n_hidden = contents.n_hidden(id, self.view.reader.seen);
            let has_late = || contents.late.get(id).is_some_and(|late| late.overlaps(range));
            if !series.overlaps(range, n_hidden) && !has_late() {
                return None;
            }
            index.labels(&series.labels)
        };
        Some(HeadSeries {
            store: self.store.clone(),
            view: self.view.clone(),
            page,
            id,
            labels,
            range: self.range,
        })
    }
}

impl Querier for HeadQuerier {
    fn select(
        &self,
        sorted: bool,
        hints: &SelectHints,
        matchers: &[Matcher],
    ) -> storage::Result<SeriesSet> {
        if self.is_outside() {
            return Ok(SeriesSet::default());
        }
        let range = TimeRange {
            start: hints.range.start.max(self.range.start),
            end: hints.range.end.min(self.range.end),
        };
        let mut selected: Vec<HeadSeries> = {
            let index = self.store.head.index.read();
            let ids = label_index::select(&*index, matchers)?;
            ids.into_iter().filter_map(|id| self.open_series(&index, id, range)).collect()
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
}
