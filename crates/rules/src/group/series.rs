//! The series that a rule writes: their samples, and the end of those that vanish.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use model::{Labels, Timestamp, float};
use storage::{AppendError, Appendable, Appender, SeriesRef};

use crate::{Sample, SampleValue, recording};

/// The series that a rule wrote at its last evaluation, in the order of its results. Nearly always
/// the next one yields the same in the same order: then no labels are built or hashed.
#[derive(Default)]
pub(super) struct Written(Vec<Known>);

/// A series, and the result that it is made of. Results that differ make series that differ.
#[derive(Clone)]
pub(super) struct Known {
    result: Labels,
    labels: Labels,
    series: SeriesRef,
}

impl Written {
    /// The series of `samples`, one each; `name` says what those are called that are new.
    pub(super) fn find(
        &self,
        samples: &[Sample],
        name: impl Fn(&Labels) -> Labels,
    ) -> Result<Vec<Known>, recording::Error> {
        let mut by_result: Option<HashMap<&Labels, &Known>> = None;
        let mut found = Vec::with_capacity(samples.len());
        for (idx, Sample { labels: result, .. }) in samples.iter().enumerate() {
            let in_place = self.0.get(idx).filter(|known| known.result == *result);
            let known = in_place.or_else(|| {
                let by_result = by_result.get_or_insert_with(|| self.by_result());
                by_result.get(result).copied()
            });
            found.push(known.cloned().unwrap_or_else(|| Known {
                result: result.clone(),
                labels: name(result),
                series: SeriesRef::UNKNOWN,
            }));
        }
        if by_result.is_some() && !are_distinct(&found) {
            return Err(recording::Error::DuplicateLabels);
        }
        Ok(found)
    }

    fn by_result(&self) -> HashMap<&Labels, &Known> {
        self.0.iter().map(|known| (&known.result, known)).collect()
    }

    /// Stores `samples`, of the series `found`, at `time`, but for those that are there already,
    /// and ends the series that were written before and are not any more. Samples that the store
    /// refuses are left out; the first refusal is the error.
    pub(super) fn replace(
        &mut self,
        storage: &dyn Appendable,
        (found, samples): (Vec<Known>, Vec<Sample>),
        time: Timestamp,
        is_stored: impl Fn(&Labels) -> bool,
    ) -> Result<(), String> {
        if found.is_empty() && self.0.is_empty() {
            return Ok(());
        }
        let mut appender = storage.appender();
        let mut written = Vec::with_capacity(found.len());
        let mut refused = Ok(());
        for (mut known, sample) in found.into_iter().zip(samples) {
            if is_stored(&known.labels) {
                written.push(known);
                continue;
            }
            match append(&mut *appender, &known, time, sample.value) {
                Ok(series) => {
                    known.series = series;
                    written.push(known);
                }
                Err(error) => {
                    tracing::debug!(labels = %known.labels, %error, "Rule evaluation result discarded");
                    refused = refused.and(Err(error.to_string()));
                }
            }
        }
        for Known { series, labels, .. } in vanished(&self.0, &written) {
            end_one(&mut *appender, *series, labels, time);
        }
        appender.commit().map_err(|error| error.to_string())?;
        self.0 = written;
        refused
    }

    /// The rule may be of the other kind from now on: what it wrote goes by its own name.
    pub(super) fn forget_results(&mut self) {
        for known in &mut self.0 {
            known.result = known.labels.clone();
        }
    }

    pub(super) fn into_labels(self) -> impl Iterator<Item = Labels> {
        self.0.into_iter().map(|known| known.labels)
    }
}

fn append(
    appender: &mut dyn Appender,
    known: &Known,
    time: Timestamp,
    value: SampleValue,
) -> Result<SeriesRef, AppendError> {
    match value {
        SampleValue::Float(value) => appender.append(known.series, &known.labels, time, value),
        SampleValue::Histogram(histogram) => {
            let value = Arc::unwrap_or_clone(histogram).into();
            appender.append_histogram(known.series, &known.labels, time, value)
        }
    }
}

/// Those of the series `before` that are not among `now`.
fn vanished<'a>(before: &'a [Known], now: &'a [Known]) -> impl Iterator<Item = &'a Known> {
    let is_same = |(a, b): (&Known, &Known)| a.labels == b.labels;
    let n_same = before.iter().zip(now).take_while(|pair| is_same(*pair)).count();
    let (before, now) = (&before[n_same..], &now[n_same..]);
    let now: HashSet<&Labels> = match before {
        [] => HashSet::new(),
        _ => now.iter().map(|known| &known.labels).collect(),
    };
    before.iter().filter(move |known| !now.contains(&known.labels))
}

fn are_distinct(series: &[Known]) -> bool {
    let mut seen = HashSet::with_capacity(series.len());
    series.iter().all(|known| seen.insert(&known.labels))
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

fn end_one(appender: &mut dyn Appender, series: SeriesRef, labels: &Labels, time: Timestamp) {
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
