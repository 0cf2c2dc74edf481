use model::{Labels, Metadata, Timestamp};

use crate::{AppendError, Exemplar, ExemplarError, HistogramValue, Result};

/// A handle for a series, valid in the store that gave it; 0 stands for "not known yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SeriesRef(pub u64);

impl SeriesRef {
    pub const UNKNOWN: SeriesRef = SeriesRef(0);
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

    /// [`Appender::append_known`] for many floats of one time. Tells of those only that were not
    /// taken: their index, with the reason, or with nothing if the handle is not known.
    fn append_known_floats(
        &mut self,
        floats: &[(SeriesRef, f64)],
        timestamp: Timestamp,
        refused: &mut dyn FnMut(usize, Option<AppendError>),
    ) {
        for (idx, (series, value)) in floats.iter().enumerate() {
            match self.append_known(*series, timestamp, *value) {
                Some(Ok(())) => {}
                Some(Err(error)) => refused(idx, Some(error)),
                None => refused(idx, None),
            }
        }
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

    /// Adds a native histogram to a series by its handle alone, as [`Appender::append_known`]
    /// does; gives it back if the handle is not known (any more).
    fn append_known_histogram(
        &mut self,
        _series: SeriesRef,
        _timestamp: Timestamp,
        value: HistogramValue,
    ) -> Result<Result<(), AppendError>, HistogramValue> {
        Err(value)
    }

    /// Adds an exemplar to a series of which the handle is known. Stores that keep none take it
    /// and forget it.
    fn append_exemplar(
        &mut self,
        _series: SeriesRef,
        _exemplar: &Exemplar,
    ) -> Result<(), ExemplarError> {
        Ok(())
    }

    /// Says what a series of which the handle is known means. Stores that keep no such thing forget
    /// it.
    fn append_metadata(&mut self, _series: SeriesRef, _metadata: &Metadata) {}

    /// Whether samples that are older than the newest one of their series are refused from now on,
    /// also where they would be taken: a marker that ends a series must not come behind its time.
    fn set_discards_out_of_order(&mut self, _discards: bool) {}

    /// Makes the batch durable as the store promises, then visible.
    fn commit(self: Box<Self>) -> Result<()>;

    fn rollback(self: Box<Self>);
}
