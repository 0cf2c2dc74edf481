//! A zero where a series says that it began: so what was counted before the first scrape is an
//! increase, too.

use std::collections::HashMap;

use exposition::Series;
use model::{
    Labels, Timestamp,
    histogram::{CounterResetHint, FloatHistogram, Histogram},
};
use storage::{HistogramValue, SeriesRef};
use tracing::debug;

use super::{Ingest, IngestError, Value};
use crate::cache::Key;

/// What began longer before the scrape gets no zero: the head takes nothing that is half a block
/// older than what is new, and most targets run for longer.
const AGE_MAX_MS: i64 = 60 * 60 * 1000;

/// The starts that the storage was told of, by series: once is enough.
#[derive(Default)]
pub(crate) struct Starts {
    /// Of the last scrape that was taken.
    last: HashMap<Key, Timestamp>,
    /// Of this scrape so far.
    current: HashMap<Key, Timestamp>,
}

impl Starts {
    pub(super) fn begin(&mut self) {
        self.last = std::mem::take(&mut self.current);
    }

    /// The scrape was not taken, and neither were its zeros.
    pub(super) fn roll_back(&mut self) {
        self.current = std::mem::take(&mut self.last);
    }

    /// Notes the start; whether it is news.
    fn note(&mut self, key: Key, start: Timestamp) -> bool {
        self.current.insert(key, start);
        self.last.get(&key) != Some(&start)
    }
}

impl Ingest<'_> {
    /// When the series began, if a zero then may be stored before a sample of `time`.
    fn start(&self, series: &Series<'_>, time: Timestamp) -> Option<Timestamp> {
        let start = series.start_timestamp.filter(|_| self.context.stores_start_zeros)?;
        let age = time.as_millis().saturating_sub(start.as_millis());
        let is_set = start.as_millis() != 0;
        (is_set && (1..=AGE_MAX_MS).contains(&age)).then_some(start)
    }

    /// Appends the zero with which a known series began. Where the storage has what is newer, it
    /// stays away.
    pub(super) fn append_start(
        &mut self,
        known: SeriesRef,
        key: Key,
        series: &Series<'_>,
        time: Timestamp,
        value: &Value,
    ) -> Result<(), IngestError> {
        let Some(start) = self.start(series, time) else { return Ok(()) };
        if !self.memory.starts.note(key, start) {
            return Ok(());
        }
        self.appender.set_discards_out_of_order(true);
        let outcome = self.append_known(known, start, value.zero());
        self.appender.set_discards_out_of_order(false);
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "start not taken"),
            Err(zero) => {
                if let Some(labels) = self.labels(series)? {
                    self.append_zero(&labels, start, zero);
                }
            }
        }
        Ok(())
    }

    /// As [`Ingest::append_start`], for a series that the cache does not know.
    pub(super) fn append_first_start(
        &mut self,
        labels: &Labels,
        key: Key,
        series: &Series<'_>,
        time: Timestamp,
        value: &Value,
    ) {
        let Some(start) = self.start(series, time) else { return };
        if self.memory.starts.note(key, start) {
            self.append_zero(labels, start, value.zero());
        }
    }

    fn append_zero(&mut self, labels: &Labels, start: Timestamp, zero: Value) {
        self.appender.set_discards_out_of_order(true);
        let outcome = self.append(labels, start, zero);
        self.appender.set_discards_out_of_order(false);
        if let Err(error) = outcome {
            debug!(%error, "start not taken");
        }
    }
}

impl Value {
    /// Nothing of the same kind.
    fn zero(&self) -> Value {
        // The same layout, so that the next sample needs no new chunk.
        match self {
            Value::Float(_) => Value::Float(0.0),
            Value::Histogram(HistogramValue::Integer(next)) => {
                let zero = Histogram {
                    counter_reset_hint: CounterResetHint::Reset,
                    schema: next.schema,
                    zero_threshold: next.zero_threshold,
                    custom_values: next.custom_values.clone(),
                    ..Histogram::default()
                };
                Value::Histogram(zero.into())
            }
            Value::Histogram(HistogramValue::Float(next)) => {
                let zero = FloatHistogram {
                    counter_reset_hint: CounterResetHint::Reset,
                    schema: next.schema,
                    zero_threshold: next.zero_threshold,
                    custom_values: next.custom_values.clone(),
                    ..FloatHistogram::default()
                };
                Value::Histogram(zero.into())
            }
        }
    }
}
