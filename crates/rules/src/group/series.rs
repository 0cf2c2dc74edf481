//! The series that a rule writes: their samples, and the end of those that vanish.

use std::sync::Arc;

use hashbrown::HashMap;
use model::{Labels, Timestamp, float};
use storage::{AppendError, Appendable, SeriesRef};

use crate::{Sample, SampleValue};

/// The series that a rule wrote at its last evaluation.
#[derive(Default)]
pub(super) struct Written(HashMap<Labels, SeriesRef>);

impl Written {
    /// Stores `samples` at `time` but for those that are there already, and ends the series that
    /// were written before and are not any more. Samples that the store refuses are left out; the
    /// first refusal is the error.
    pub(super) fn replace(
        &mut self,
        storage: &dyn Appendable,
        samples: Vec<Sample>,
        time: Timestamp,
        is_stored: impl Fn(&Labels) -> bool,
    ) -> Result<(), String> {
        let mut appender = storage.appender();
        let mut written = HashMap::with_capacity(samples.len());
        let mut refused = Ok(());
        for Sample { labels, value } in samples {
            let known = self.0.get(&labels).copied().unwrap_or(SeriesRef::UNKNOWN);
            if is_stored(&labels) {
                written.insert(labels, known);
                continue;
            }
            let appended = match value {
                SampleValue::Float(value) => appender.append(known, &labels, time, value),
                SampleValue::Histogram(histogram) => {
                    let value = Arc::unwrap_or_clone(histogram).into();
                    appender.append_histogram(known, &labels, time, value)
                }
            };
            match appended {
                Ok(series) => {
                    written.insert(labels, series);
                }
                Err(error) => {
                    tracing::debug!(%labels, %error, "Rule evaluation result discarded");
                    refused = refused.and(Err(error.to_string()));
                }
            }
        }
        for (labels, series) in &self.0 {
            if !written.contains_key(labels) {
                end_one(&mut *appender, *series, labels, time);
            }
        }
        appender.commit().map_err(|error| error.to_string())?;
        self.0 = written;
        refused
    }

    pub(super) fn into_labels(self) -> impl Iterator<Item = Labels> {
        self.0.into_keys()
    }
}

/// Ends series of rules that no longer exist; says whether that was stored.
pub(super) fn end(storage: &dyn Appendable, series: &[Labels], time: Timestamp) -> bool {
    let mut appender = storage.appender();
    for labels in series {
        end_one(&mut *appender, SeriesRef::UNKNOWN, labels, time);
    }
    let committed = appender.commit();
    if let Err(error) = &committed {
        tracing::warn!(%error, "Stale sample appending for previous configuration failed");
    }
    committed.is_ok()
}

fn end_one(
    appender: &mut dyn storage::Appender,
    series: SeriesRef,
    labels: &Labels,
    time: Timestamp,
) {
    appender.set_discards_out_of_order(true);
    let appended = appender.append(series, labels, time, float::STALE);
    appender.set_discards_out_of_order(false);
    match appended {
        Ok(_)
        // Another rule writes the series now.
        | Err(
            AppendError::OutOfOrder | AppendError::TooOld | AppendError::DuplicateTimestamp,
        ) => {}
        Err(error) => tracing::warn!(%labels, %error, "Adding stale sample failed"),
    }
}
