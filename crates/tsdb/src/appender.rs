mod batch;
mod commit;
mod late;

use std::sync::{Arc, atomic::Ordering};

use model::{Labels, Metadata, Timestamp, float::is_stale};
use storage::{AppendError, Appender, Exemplar, ExemplarError, HistogramValue, SeriesRef};
use wal::record;

use self::batch::{Batch, Batches, Pending, PendingHistogram};
pub(crate) use self::late::encode_late;
use crate::{
    database::Store,
    head::{Page, Series, SeriesId},
};

/// Collects a batch; nothing of it is in the log or visible before [`Appender::commit`].
pub(crate) struct HeadAppender {
    store: Arc<Store>,
    /// What it told the store that it may take.
    registered_from: i64,
    /// Older samples are out of bounds; fixed by the first sample if there was none before.
    appendable_from: Option<i64>,
    pending: Batches,
    /// The batches as they are committed: without what is late.
    committing: Vec<Batch>,
    /// Known to be late for their series; filled when the batch is committed.
    pending_late: Vec<late::Pending>,
    /// The page of the last sample: those of a target lie together. A page that has left the head
    /// has no series, so it may be kept.
    page: Option<(usize, Arc<Page>)>,
    discards_late: bool,
    /// Exemplars with the labels of their series.
    pending_exemplars: Vec<(Labels, record::Exemplar)>,
    pending_metadata: Vec<(SeriesId, record::SeriesMetadata)>,
    /// Series that the log may not know yet.
    unlogged: Vec<SeriesId>,
}

/// What is to be appended; a histogram until it is taken.
enum Value {
    Float(f64),
    Histogram(Option<HistogramValue>),
}

impl HeadAppender {
    pub(crate) fn new(store: Arc<Store>) -> HeadAppender {
        store.counters.active_appenders.add(1);
        let registered_from = store.register_appender();
        let appendable_from = (registered_from > i64::MIN).then_some(registered_from);
        HeadAppender {
            store,
            registered_from,
            appendable_from,
            pending: Batches::default(),
            committing: Vec::new(),
            pending_late: Vec::new(),
            page: None,
            discards_late: false,
            pending_exemplars: Vec::new(),
            pending_metadata: Vec::new(),
            unlogged: Vec::new(),
        }
    }

    /// Takes a sample if it is good, and gives the handle of its series.
    fn take(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        mut value: Value,
    ) -> Result<SeriesRef, AppendError> {
        if let Some(reason) = self.store.is_poisoned() {
            return Err(AppendError::Storage(reason.to_owned()));
        }
        let time = timestamp.as_millis();
        let head = &self.store.head;
        let appendable_from = *self.appendable_from.get_or_insert_with(|| {
            let first = time.saturating_sub(head.limits.chunk_range_ms / 2);
            first.max(head.appendable_from())
        });
        let taken = match self.check_bounds(time, appendable_from) {
            Err(error) => Err(error),
            Ok(()) => {
                let by_handle = |id| Some((id, self.take_by_id(id, time, &mut value)?));
                match series_id(series).and_then(by_handle) {
                    Some((id, outcome)) => outcome.map(|()| id),
                    None => self.take_by_labels(labels, time, value),
                }
            }
        };
        match taken {
            Ok(id) => Ok(SeriesRef(u64::from(id.0) + 1)),
            Err(error) => {
                self.count_rejected(&error);
                Err(error)
            }
        }
    }

    /// As [`HeadAppender::take`], for a handle alone; `None` if it is not known.
    fn take_known(
        &mut self,
        series: SeriesRef,
        timestamp: Timestamp,
        value: &mut Value,
    ) -> Option<Result<(), AppendError>> {
        // Without either the slow way knows what to say.
        let appendable_from = self.appendable_from?;
        if self.store.is_poisoned().is_some() {
            return None;
        }
        let (id, time) = (series_id(series)?, timestamp.as_millis());
        let outcome = match self.check_bounds(time, appendable_from) {
            Err(error) => Err(error),
            Ok(()) => self.take_by_id(id, time, value)?,
        };
        if let Err(error) = &outcome {
            self.count_rejected(error);
        }
        Some(outcome)
    }

    /// Checks a sample against its series and counts it there; `None` if there is no such series.
    fn take_by_id(
        &mut self,
        id: SeriesId,
        time: i64,
        value: &mut Value,
    ) -> Option<Result<(), AppendError>> {
        self.turn_to(id)?;
        let (number, page) = self.page.take()?;
        let outcome = page.lock().get_mut(id).map(|series| self.take_to(series, time, value));
        self.page = Some((number, page));
        outcome
    }

    /// Checks a sample against its series and counts it there; the lock of the page is held.
    fn take_to(
        &mut self,
        series: &mut Series,
        time: i64,
        value: &mut Value,
    ) -> Result<(), AppendError> {
        // A series of histograms ends with one.
        if let Value::Float(marker) = *value
            && is_stale(marker)
            && let Some(histogram) = series.histogram_marker()
        {
            *value = Value::Histogram(Some(histogram));
        }
        self.check(series, time, value)?;
        let is_first = series.n_pending == 0;
        series.n_pending += 1;
        if !series.is_logged {
            self.unlogged.push(series.id);
        }
        let (id, series_ref) = (series.id, series.log_ref);
        match value {
            Value::Float(value) => {
                let sample = record::Sample { series_ref, time, value: *value };
                self.pending.push_float(Pending { id, sample }, is_first);
            }
            Value::Histogram(value) => {
                // It is taken out only here.
                let Some(value) = value.take() else { return Ok(()) };
                let pending = PendingHistogram { id, series_ref, time, value };
                self.pending.push_histogram(pending, is_first);
            }
        }
        Ok(())
    }

    /// Takes floats of series that lie in one page, under one lock of it; `first` is the index of
    /// the first of them.
    fn take_run(
        &mut self,
        run: &[(SeriesRef, f64)],
        first: usize,
        time: i64,
        refused: &mut dyn FnMut(usize, Option<AppendError>),
    ) {
        let page = run.first().and_then(|(series, _)| self.turn_to(series_id(*series)?));
        let Some((number, page)) = page.and_then(|()| self.page.take()) else {
            (first..first + run.len()).for_each(|idx| refused(idx, None));
            return;
        };
        let mut contents = page.lock();
        for (idx, (series, value)) in (first..).zip(run) {
            let series = series_id(*series).and_then(|id| contents.get_mut(id));
            let Some(series) = series else {
                refused(idx, None);
                continue;
            };
            if let Err(error) = self.take_to(series, time, &mut Value::Float(*value)) {
                self.count_rejected(&error);
                refused(idx, Some(error));
            }
        }
        drop(contents);
        self.page = Some((number, page));
    }

    /// Makes the page that holds `id` the page at hand, unless all its series are gone.
    fn turn_to(&mut self, id: SeriesId) -> Option<()> {
        let number = Page::number(id);
        if self.page.as_ref().is_none_or(|(known, _)| *known != number) {
            self.page = Some((number, self.store.head.page(id)?));
        }
        Some(())
    }

    /// Whether a sample is new enough for any series.
    fn check_bounds(&self, time: i64, appendable_from: i64) -> Result<(), AppendError> {
        if time >= appendable_from {
            Ok(())
        } else {
            self.check_late(time, AppendError::OutOfBounds)
        }
    }

    /// Whether a sample may be appended, if only as a late one.
    fn check(&self, series: &Series, time: i64, value: &Value) -> Result<(), AppendError> {
        if self.appendable_from.is_some_and(|from| time < from) {
            return Ok(());
        }
        let checked = match value {
            Value::Float(value) => series.check_append(time, *value),
            Value::Histogram(Some(value)) => series.check_append_histogram(time, value),
            Value::Histogram(None) => Ok(()),
        };
        match checked {
            Err(AppendError::OutOfOrder) => self.check_late(time, AppendError::OutOfOrder),
            checked => checked,
        }
    }

    /// Whether a sample is within the window of late ones; `otherwise` if there is none.
    fn check_late(&self, time: i64, otherwise: AppendError) -> Result<(), AppendError> {
        let newest = self.store.head.max_time();
        if let Ok(late_ms @ 1..) = u64::try_from(newest.saturating_sub(time)) {
            self.store.counters.lateness.observe(late_ms);
        }
        let window_ms = self.store.out_of_order_window_ms.load(Ordering::Relaxed);
        if window_ms == 0 || self.discards_late {
            return Err(otherwise);
        }
        let is_within = time >= newest.saturating_sub(window_ms);
        if is_within { Ok(()) } else { Err(AppendError::TooOld) }
    }

    fn take_by_labels(
        &mut self,
        labels: &Labels,
        time: i64,
        mut value: Value,
    ) -> Result<SeriesId, AppendError> {
        if labels.is_empty() {
            return Err(AppendError::InvalidLabels("empty labelset".to_owned()));
        }
        // A series may go between being found and being appended to; then it is created anew.
        loop {
            let Some((id, is_new)) = self.store.head.find_or_create(labels, None) else {
                return Err(AppendError::Storage("too many series were created".to_owned()));
            };
            if is_new {
                self.store.counters.series_created.add(1);
            }
            if let Some(outcome) = self.take_by_id(id, time, &mut value) {
                return outcome.map(|()| id);
            }
        }
    }

    fn count_rejected(&self, error: &AppendError) {
        let counters = &self.store.counters;
        match error {
            AppendError::OutOfOrder => counters.out_of_order.add(1),
            AppendError::OutOfBounds => counters.out_of_bounds.add(1),
            AppendError::TooOld => counters.too_old.add(1),
            _ => {}
        }
    }
}

impl Appender for HeadAppender {
    fn append(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        self.take(series, labels, timestamp, Value::Float(value))
    }

    fn append_histogram(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        mut value: HistogramValue,
    ) -> Result<SeriesRef, AppendError> {
        value.settle().map_err(|error| AppendError::InvalidHistogram(error.to_string()))?;
        self.take(series, labels, timestamp, Value::Histogram(Some(value)))
    }

    fn append_known(
        &mut self,
        series: SeriesRef,
        timestamp: Timestamp,
        value: f64,
    ) -> Option<Result<(), AppendError>> {
        self.take_known(series, timestamp, &mut Value::Float(value))
    }

    fn append_known_floats(
        &mut self,
        floats: &[(SeriesRef, f64)],
        timestamp: Timestamp,
        refused: &mut dyn FnMut(usize, Option<AppendError>),
    ) {
        let time = timestamp.as_millis();
        let is_new_enough = self.appendable_from.is_some_and(|from| time >= from);
        if !is_new_enough || self.store.is_poisoned().is_some() {
            // The slow way knows what to say.
            for (idx, (series, value)) in floats.iter().enumerate() {
                match self.append_known(*series, timestamp, *value) {
                    Some(Ok(())) => {}
                    Some(Err(error)) => refused(idx, Some(error)),
                    None => refused(idx, None),
                }
            }
            return;
        }
        let page_of = |(series, _): &(SeriesRef, f64)| series_id(*series).map(Page::number);
        let mut first = 0;
        for run in floats.chunk_by(|a, b| page_of(a) == page_of(b)) {
            self.take_run(run, first, time, refused);
            first += run.len();
        }
    }

    fn append_known_histogram(
        &mut self,
        series: SeriesRef,
        timestamp: Timestamp,
        mut value: HistogramValue,
    ) -> Result<Result<(), AppendError>, HistogramValue> {
        if let Err(error) = value.settle() {
            return Ok(Err(AppendError::InvalidHistogram(error.to_string())));
        }
        let mut value = Value::Histogram(Some(value));
        match (self.take_known(series, timestamp, &mut value), value) {
            (Some(outcome), _) => Ok(outcome),
            (None, Value::Histogram(Some(value))) => Err(value),
            // It is taken out only together with an outcome.
            (None, _) => Ok(Err(AppendError::Storage("the histogram was lost".to_owned()))),
        }
    }

    fn append_exemplar(
        &mut self,
        series: SeriesRef,
        exemplar: &Exemplar,
    ) -> Result<(), ExemplarError> {
        if !self.store.exemplars.lock().is_enabled() {
            return Ok(());
        }
        let id = series_id(series).ok_or(ExemplarError::UnknownSeries)?;
        let (series, series_ref, is_logged) =
            self.store.head.describe(id).ok_or(ExemplarError::UnknownSeries)?;
        if !self.store.exemplars.lock().check(&series, exemplar)? {
            return Ok(());
        }
        if !is_logged {
            self.unlogged.push(id);
        }
        let Exemplar { labels, value, time } = exemplar.clone();
        let time = time.as_millis();
        self.pending_exemplars.push((series, record::Exemplar { series_ref, time, value, labels }));
        Ok(())
    }

    fn append_metadata(&mut self, series: SeriesRef, metadata: &Metadata) {
        let Some(id) = series_id(series) else { return };
        if self.store.metadata.is_known(id, metadata) {
            return;
        }
        let Some(page) = self.store.head.page(id) else { return };
        let page = page.lock();
        let Some(series) = page.get(id) else { return };
        if !series.is_logged {
            self.unlogged.push(id);
        }
        let (series_ref, metadata) = (series.log_ref, metadata.clone());
        self.pending_metadata.push((id, record::SeriesMetadata { series_ref, metadata }));
    }

    fn set_discards_out_of_order(&mut self, discards: bool) {
        self.discards_late = discards;
    }

    fn commit(mut self: Box<Self>) -> storage::Result<()> {
        self.try_commit().map_err(|error| storage::Error::Other(error.to_string()))
    }

    fn rollback(self: Box<Self>) {}
}

/// What was not committed no longer holds its series.
impl Drop for HeadAppender {
    fn drop(&mut self) {
        self.store.counters.active_appenders.subtract(1);
        self.store.forget_appender(self.registered_from);
        let mut batches = std::mem::take(&mut self.committing);
        batches.append(&mut self.pending.take());
        let late = self.pending_late.drain(..).map(|pending| pending.id);
        for id in batches.iter().flat_map(Batch::ids).chain(late) {
            let Some(page) = self.store.head.page(id) else { continue };
            if let Some(series) = page.lock().get_mut(id) {
                series.n_pending -= 1;
            }
        }
    }
}

fn series_id(series: SeriesRef) -> Option<SeriesId> {
    u32::try_from(series.0.checked_sub(1)?).ok().map(SeriesId)
}
