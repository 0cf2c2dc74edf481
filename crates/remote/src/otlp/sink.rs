//! Where translated samples go.

use model::{Labels, Metadata, Timestamp};
use storage::{AppendError, Appender, Exemplar, ExemplarError, HistogramValue, SeriesRef};
use tracing::debug;

use super::{Receiver, translate::Failure};

/// A sample with all that is known of it. Times are milliseconds.
pub(super) struct Sample<'a> {
    pub(super) labels: Labels,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "no store keeps it yet; upstream's tables say it")
    )]
    pub(super) family: &'a str,
    pub(super) metadata: &'a Metadata,
    /// From when on it counts; 0 if that is not known.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "no store keeps it yet; upstream's tables say it")
    )]
    pub(super) start: i64,
    pub(super) time: i64,
    pub(super) value: Value,
    pub(super) exemplars: &'a [Exemplar],
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Float(f64),
    Histogram(HistogramValue),
}

/// Takes samples, or says why not.
pub(super) trait Sink {
    fn append(&mut self, sample: Sample<'_>) -> Result<(), Failure>;
}

/// A batch of the storage.
pub(super) struct StorageSink<'a> {
    appender: Box<dyn Appender>,
    /// Later samples are out of bounds.
    time_max: i64,
    receiver: &'a Receiver,
}

impl<'a> StorageSink<'a> {
    pub(super) fn new(
        appender: Box<dyn Appender>,
        time_max: i64,
        receiver: &'a Receiver,
    ) -> StorageSink<'a> {
        StorageSink { appender, time_max, receiver }
    }

    pub(super) fn commit(self) -> storage::Result<()> {
        self.appender.commit()
    }

    fn append_exemplars(&mut self, series: SeriesRef, exemplars: &[Exemplar]) {
        let is_near = |exemplar: &&Exemplar| exemplar.time.as_millis() <= self.time_max;
        for exemplar in exemplars.iter().filter(is_near) {
            match self.appender.append_exemplar(series, exemplar) {
                Ok(()) => {}
                Err(ExemplarError::OutOfOrder) => {
                    self.receiver.metrics.out_of_order_exemplars.increment();
                }
                // What it is an example of counts without it.
                Err(error) => debug!(err = %error, "Error while adding exemplar from OTLP"),
            }
        }
    }
}

impl Sink for StorageSink<'_> {
    fn append(&mut self, sample: Sample<'_>) -> Result<(), Failure> {
        if sample.time > self.time_max {
            let text = format!("{}: timestamp is too far in the future", AppendError::OutOfBounds);
            return Err(Failure { is_refused: true, text });
        }
        let (labels, time) = (&sample.labels, Timestamp::from_millis(sample.time));
        let series = match sample.value {
            Value::Float(value) => self.appender.append(SeriesRef::UNKNOWN, labels, time, value),
            Value::Histogram(mut value) => crate::histogram::check(&mut value)
                .map_err(|error| AppendError::InvalidHistogram(error.to_string()))
                .and_then(|()| {
                    self.appender.append_histogram(SeriesRef::UNKNOWN, labels, time, value)
                }),
        }?;
        if self.receiver.options.metadata {
            self.appender.append_metadata(series, sample.metadata);
        } else {
            self.receiver.metrics.without_metadata.increment();
        }
        self.append_exemplars(series, sample.exemplars);
        Ok(())
    }
}

impl From<AppendError> for Failure {
    #[cold]
    fn from(error: AppendError) -> Failure {
        // To send these again would not help; that is what a bad request says.
        let is_refused = matches!(
            error,
            AppendError::OutOfOrder
                | AppendError::DuplicateTimestamp
                | AppendError::OutOfBounds
                | AppendError::TooOld
        );
        let text = match error {
            AppendError::Storage(reason) => reason,
            error => error.to_string(),
        };
        Failure { is_refused, text }
    }
}
