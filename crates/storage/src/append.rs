use model::{FloatHistogram, Labels, Timestamp, histogram::Histogram};

use crate::{AppendError, Result};

/// A handle for a series, valid in the store that gave it; 0 stands for "not known yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SeriesRef(pub u64);

impl SeriesRef {
    pub const UNKNOWN: SeriesRef = SeriesRef(0);
}

/// A native histogram as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum HistogramValue {
    Integer(Box<Histogram>),
    Float(Box<FloatHistogram>),
}

impl HistogramValue {
    pub fn to_float(&self) -> FloatHistogram {
        match self {
            HistogramValue::Integer(histogram) => histogram.to_float(),
            HistogramValue::Float(histogram) => (**histogram).clone(),
        }
    }

    pub fn sum(&self) -> f64 {
        match self {
            HistogramValue::Integer(histogram) => histogram.sum,
            HistogramValue::Float(histogram) => histogram.sum,
        }
    }
}

/// Something that takes samples.
pub trait Appendable: Send + Sync {
    fn appender(&self) -> Box<dyn Appender>;
}

/// One batch of samples, which becomes visible at once or not at all.
///
/// Dropping it without [`Appender::commit`] rolls back.
pub trait Appender: Send {
    /// Adds a sample. `series` is what an earlier call for these labels returned, or
    /// [`SeriesRef::UNKNOWN`]; a wrong or forgotten handle is found again by `labels`.
    fn append(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        value: f64,
    ) -> Result<SeriesRef, AppendError>;

    /// Adds a sample to a series by its handle alone, for those who keep no labels; `None` if the
    /// handle is not known (any more). A store that gives handles knows them here, too: otherwise
    /// staleness markers of series that vanished get lost.
    fn append_known(
        &mut self,
        _series: SeriesRef,
        _timestamp: Timestamp,
        _value: f64,
    ) -> Option<Result<(), AppendError>> {
        None
    }

    /// Adds a native histogram, as [`Appender::append`] adds a float.
    fn append_histogram(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        value: HistogramValue,
    ) -> Result<SeriesRef, AppendError> {
        let _ = (series, labels, timestamp, value);
        Err(AppendError::Storage("native histograms are not taken here".to_owned()))
    }

    /// Makes the batch durable as the store promises, then visible.
    fn commit(self: Box<Self>) -> Result<()>;

    fn rollback(self: Box<Self>);
}
