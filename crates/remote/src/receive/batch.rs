//! The samples of one request on their way into the store.

use model::{Labels, Metadata, Timestamp};
use storage::{AppendError, Appender, Exemplar, ExemplarError, SeriesRef};

use super::{
    Refusal,
    cache::{Cache, Key},
};
use crate::histogram::{self, TimedHistogram};

/// So many series are looked up at once; what a request can make us hold is bounded by it.
pub(super) const CHUNK_SERIES: usize = 1024;

/// A series of a request, as it lies there.
pub(super) struct Item<'a> {
    /// Its place in the request.
    pub(super) idx: usize,
    pub(super) key: Key,
    /// Unknown until [`Batch::look_up`].
    pub(super) handle: SeriesRef,
    /// Where its labels are.
    pub(super) labels: &'a [u8],
    /// Where its samples are.
    pub(super) rest: &'a [u8],
}

/// A series while its samples are appended.
pub(super) struct Series {
    key: Key,
    handle: SeriesRef,
    /// Known series do without as long as they can.
    labels: Option<Labels>,
}

impl Series {
    pub(super) fn known(item: &Item<'_>) -> Series {
        Series { key: item.key, handle: item.handle, labels: None }
    }

    pub(super) fn new(item: &Item<'_>, labels: Labels) -> Series {
        Series { key: item.key, handle: SeriesRef::UNKNOWN, labels: Some(labels) }
    }
}

/// Why a sample was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It will not be taken next time either.
    Sample(String),
    /// The store has a problem.
    Store(String),
}

pub(super) struct Batch<'a> {
    appender: Option<Box<dyn Appender>>,
    pub(super) cache: &'a Cache,
    now: i64,
    /// Later samples are out of bounds.
    time_max: i64,
    learned: Vec<(Key, SeriesRef)>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        appender: Box<dyn Appender>,
        cache: &'a Cache,
        now: i64,
        time_max: i64,
    ) -> Batch<'a> {
        Batch { appender: Some(appender), cache, now, time_max, learned: Vec::new() }
    }

    pub(super) fn look_up(&self, items: &mut [Item<'_>]) {
        self.cache.look_up(items, self.now);
    }

    /// Adds a sample; `labels` is asked if the store does not know the series (any more).
    #[inline]
    pub(super) fn append(
        &mut self,
        series: &mut Series,
        time: i64,
        value: f64,
        labels: impl FnOnce() -> Result<Labels, Failure>,
    ) -> Result<(), Failure> {
        if time > self.time_max {
            return Err(Failure::too_far_ahead());
        }
        let time = Timestamp::from_millis(time);
        let appender = appender(&mut self.appender)?;
        if series.handle != SeriesRef::UNKNOWN
            && let Some(outcome) = appender.append_known(series.handle, time, value)
        {
            return Ok(outcome?);
        }
        let labels = match &series.labels {
            Some(labels) => labels,
            None => series.labels.insert(labels()?),
        };
        let handle = appender.append(series.handle, labels, time, value)?;
        self.learn(series, handle);
        Ok(())
    }

    /// Adds one sample each to series that were known, all of one time; tells the places of those
    /// that the store does not know any more.
    pub(super) fn append_floats(
        &mut self,
        floats: &[(SeriesRef, f64)],
        time: i64,
        unknown: &mut Vec<usize>,
    ) -> Result<(), Failure> {
        if time > self.time_max {
            return Err(Failure::too_far_ahead());
        }
        let mut failure = None;
        let mut refused = |idx, error| match error {
            Some(error) => drop(failure.get_or_insert(error)),
            None => unknown.push(idx),
        };
        let appender = appender(&mut self.appender)?;
        appender.append_known_floats(floats, Timestamp::from_millis(time), &mut refused);
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// As [`Batch::append`], for a histogram.
    pub(super) fn append_histogram(
        &mut self,
        series: &mut Series,
        histogram: TimedHistogram,
        labels: impl FnOnce() -> Result<Labels, Failure>,
    ) -> Result<(), Failure> {
        let TimedHistogram { mut value, time } = histogram;
        if time > self.time_max {
            return Err(Failure::too_far_ahead());
        }
        histogram::check(&mut value).map_err(|error| Failure::Sample(error.to_string()))?;
        let time = Timestamp::from_millis(time);
        let appender = appender(&mut self.appender)?;
        if series.handle != SeriesRef::UNKNOWN {
            match appender.append_known_histogram(series.handle, time, value) {
                Ok(outcome) => return Ok(outcome?),
                Err(unknown) => value = unknown,
            }
        }
        let labels = match &series.labels {
            Some(labels) => labels,
            None => series.labels.insert(labels()?),
        };
        let handle = appender.append_histogram(series.handle, labels, time, value)?;
        self.learn(series, handle);
        Ok(())
    }

    /// Adds an exemplar to a series that has samples.
    pub(super) fn append_exemplar(
        &mut self,
        series: &Series,
        exemplar: &Exemplar,
    ) -> Result<(), ExemplarError> {
        let is_too_far_ahead = exemplar.time.as_millis() > self.time_max;
        match &mut self.appender {
            Some(appender) if series.handle != SeriesRef::UNKNOWN && !is_too_far_ahead => {
                appender.append_exemplar(series.handle, exemplar)
            }
            _ => Err(ExemplarError::UnknownSeries),
        }
    }

    /// Says what a series that has samples means.
    pub(super) fn append_metadata(&mut self, series: &Series, metadata: &Metadata) {
        if let Some(appender) = &mut self.appender
            && series.handle != SeriesRef::UNKNOWN
        {
            appender.append_metadata(series.handle, metadata);
        }
    }

    fn learn(&mut self, series: &mut Series, handle: SeriesRef) {
        if handle != series.handle {
            series.handle = handle;
            self.learned.push((series.key, handle));
        }
    }

    /// Writes what was appended.
    pub(super) fn commit(&mut self) -> Result<(), Refusal> {
        let Some(appender) = self.appender.take() else { return Ok(()) };
        appender.commit().map_err(|error| Refusal::Internal(error.to_string()))?;
        self.cache.learn(&self.learned, self.now);
        Ok(())
    }
}

/// It is there until the commit.
fn appender(appender: &mut Option<Box<dyn Appender>>) -> Result<&mut dyn Appender, Failure> {
    match appender {
        Some(appender) => Ok(&mut **appender),
        None => Err(Failure::Store("the batch is closed".to_owned())),
    }
}

impl Failure {
    fn too_far_ahead() -> Failure {
        let text = format!("{}: timestamp is too far in the future", AppendError::OutOfBounds);
        Failure::Sample(text)
    }
}

impl From<AppendError> for Failure {
    #[cold]
    fn from(error: AppendError) -> Failure {
        match error {
            AppendError::OutOfOrder
            | AppendError::DuplicateTimestamp
            | AppendError::OutOfBounds
            | AppendError::TooOld
            | AppendError::InvalidHistogram(_) => Failure::Sample(error.to_string()),
            AppendError::Storage(reason) => Failure::Store(reason),
            other => Failure::Store(other.to_string()),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        match failure {
            Failure::Sample(text) => Refusal::BadRequest(text),
            Failure::Store(text) => Refusal::Internal(text),
        }
    }
}
