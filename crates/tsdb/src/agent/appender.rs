//! A batch on its way into the log.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use hashbrown::HashMap;
use model::{FloatHistogram, Labels, Metadata, Timestamp, histogram::Histogram};
use storage::{AppendError, Appender, Exemplar, ExemplarError, HistogramValue, SeriesRef};
use wal::record;

use super::{AgentStore, series::Series};
use crate::Result;

/// OpenMetrics allows as many characters in the labels of an exemplar.
const EXEMPLAR_CHARACTERS_MAX: usize = 128;

/// Collects a batch; nothing of it is in the log before [`Appender::commit`].
pub(super) struct AgentAppender {
    store: Arc<AgentStore>,
    /// Held since a sample of theirs was taken.
    held: HashMap<u64, Arc<Series>, foldhash::fast::RandomState>,
    floats: Vec<record::Sample>,
    histograms: Vec<record::HistogramSample<Histogram>>,
    float_histograms: Vec<record::HistogramSample<FloatHistogram>>,
    exemplars: Vec<record::Exemplar>,
    metadata: Vec<record::SeriesMetadata>,
}

impl AgentAppender {
    pub(super) fn new(store: Arc<AgentStore>) -> AgentAppender {
        AgentAppender {
            store,
            held: HashMap::default(),
            floats: Vec::new(),
            histograms: Vec::new(),
            float_histograms: Vec::new(),
            exemplars: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// The series of a handle, if it is known.
    fn known(&mut self, handle: SeriesRef) -> Option<Arc<Series>> {
        if let Some(series) = self.held.get(&handle.0) {
            return Some(series.clone());
        }
        let series = self.store.table.hold(handle.0)?;
        self.held.insert(handle.0, series.clone());
        Some(series)
    }

    fn find(&mut self, handle: SeriesRef, labels: &Labels) -> Result<Arc<Series>, AppendError> {
        if let Some(series) = self.known(handle) {
            return Ok(series);
        }
        if labels.is_empty() {
            return Err(AppendError::InvalidLabels("empty labelset".to_owned()));
        }
        let series = self.store.table.hold_or_create(labels);
        if self.held.insert(series.log_ref, series.clone()).is_some() {
            // It is held once.
            series.n_pending.fetch_sub(1, Relaxed);
        }
        Ok(series)
    }

    fn check(&self, series: &Series, time: i64) -> Result<(), AppendError> {
        if let Some(reason) = self.store.poison.get() {
            return Err(AppendError::Storage(reason.clone()));
        }
        let newest = series.newest.load(Relaxed);
        let window = i64::try_from(self.store.options.out_of_order_window.as_millis());
        let is_late =
            newest != i64::MIN && time <= newest.saturating_sub(window.unwrap_or(i64::MAX));
        if is_late {
            self.store.counters.out_of_order.add(1);
            return Err(AppendError::OutOfOrder);
        }
        Ok(())
    }

    fn push(&mut self, series: &Series, time: i64, value: f64) -> Result<(), AppendError> {
        self.check(series, time)?;
        self.floats.push(record::Sample { series_ref: series.log_ref, time, value });
        Ok(())
    }

    fn push_histogram(
        &mut self,
        series: &Series,
        time: i64,
        value: HistogramValue,
    ) -> Result<(), AppendError> {
        self.check(series, time)?;
        let series_ref = series.log_ref;
        match value {
            HistogramValue::Integer(value) => {
                self.histograms.push(record::HistogramSample { series_ref, time, value: *value });
            }
            HistogramValue::Float(value) => {
                let sample = record::HistogramSample { series_ref, time, value: *value };
                self.float_histograms.push(sample);
            }
        }
        Ok(())
    }

    fn try_commit(&mut self) -> Result<()> {
        self.store.check_health()?;
        let is_empty = self.floats.is_empty()
            && self.histograms.is_empty()
            && self.float_histograms.is_empty()
            && self.exemplars.is_empty()
            && self.metadata.is_empty();
        if is_empty {
            return Ok(());
        }
        let store = self.store.clone();
        let mut log = store.log.lock();
        let records = self.encode();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        log.append(&records).map_err(|error| match error.is_of_sync() {
            true => store.poison(error),
            false => error.into(),
        })?;
        self.note_logged();
        let finished = log.take_finished();
        drop(log);
        store.sync_finished(finished)
    }

    /// The records of the batch; the series that the log does not know come first.
    fn encode(&self) -> Vec<Vec<u8>> {
        let mut records = Vec::with_capacity(5);
        let unlogged = self.held.values().filter(|series| !series.is_logged.load(Relaxed));
        let mut unlogged: Vec<&Arc<Series>> = unlogged.collect();
        if !unlogged.is_empty() {
            unlogged.sort_unstable_by_key(|series| series.log_ref);
            let mut encoded = Vec::new();
            let mut encoder = record::SeriesEncoder::new(&mut encoded);
            for series in unlogged {
                encoder.push(series.log_ref, series.labels.len(), series.labels.iter());
            }
            records.push(encoded);
        }
        if !self.metadata.is_empty() {
            let mut encoded = Vec::new();
            record::encode_metadata(&self.metadata, &mut encoded);
            records.push(encoded);
        }
        if !self.floats.is_empty() {
            let mut encoded = Vec::with_capacity(self.floats.len() * 12);
            record::encode_samples(&self.floats, &mut encoded);
            records.push(encoded);
        }
        records.extend(record::encode_histograms(&self.histograms));
        records.extend(record::encode_histograms(&self.float_histograms));
        if !self.exemplars.is_empty() {
            let mut encoded = Vec::new();
            record::encode_exemplars(&self.exemplars, &mut encoded);
            records.push(encoded);
        }
        records
    }

    /// What was written counts from now on. The log's lock is held.
    fn note_logged(&mut self) {
        for series in self.held.values() {
            series.is_logged.store(true, Relaxed);
        }
        let floats = self.floats.iter().map(|sample| (sample.series_ref, sample.time));
        let histograms = self.histograms.iter().map(|sample| (sample.series_ref, sample.time));
        let others = self.float_histograms.iter().map(|sample| (sample.series_ref, sample.time));
        for (series_ref, time) in floats.chain(histograms).chain(others) {
            if let Some(series) = self.held.get(&series_ref) {
                series.newest.fetch_max(time, Relaxed);
            }
        }
        for record::SeriesMetadata { series_ref, metadata } in self.metadata.drain(..) {
            if let Some(series) = self.held.get(&series_ref) {
                series.extra.lock().get_or_insert_default().metadata = Some(metadata);
            }
        }
        let counters = &self.store.counters;
        counters.floats_appended.add(self.floats.len() as u64);
        let n_histograms = self.histograms.len() + self.float_histograms.len();
        counters.histograms_appended.add(n_histograms as u64);
        counters.exemplars_appended.add(self.exemplars.len() as u64);
    }
}

impl Drop for AgentAppender {
    fn drop(&mut self) {
        for series in self.held.values() {
            series.n_pending.fetch_sub(1, Relaxed);
        }
    }
}

impl Appender for AgentAppender {
    fn append(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        let series = self.find(series, labels)?;
        self.push(&series, timestamp.as_millis(), value)?;
        Ok(SeriesRef(series.log_ref))
    }

    fn append_known(
        &mut self,
        series: SeriesRef,
        timestamp: Timestamp,
        value: f64,
    ) -> Option<Result<(), AppendError>> {
        let series = self.known(series)?;
        Some(self.push(&series, timestamp.as_millis(), value))
    }

    fn append_histogram(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        mut value: HistogramValue,
    ) -> Result<SeriesRef, AppendError> {
        value.settle().map_err(|error| AppendError::InvalidHistogram(error.to_string()))?;
        let series = self.find(series, labels)?;
        self.push_histogram(&series, timestamp.as_millis(), value)?;
        Ok(SeriesRef(series.log_ref))
    }

    fn append_known_histogram(
        &mut self,
        series: SeriesRef,
        timestamp: Timestamp,
        mut value: HistogramValue,
    ) -> Result<Result<(), AppendError>, HistogramValue> {
        let Some(series) = self.known(series) else { return Err(value) };
        if let Err(error) = value.settle() {
            return Ok(Err(AppendError::InvalidHistogram(error.to_string())));
        }
        Ok(self.push_histogram(&series, timestamp.as_millis(), value))
    }

    fn append_exemplar(
        &mut self,
        series: SeriesRef,
        exemplar: &Exemplar,
    ) -> Result<(), ExemplarError> {
        let series = self.known(series).ok_or(ExemplarError::UnknownSeries)?;
        let characters = exemplar.labels.iter().map(|(n, v)| n.chars().count() + v.chars().count());
        if characters.sum::<usize>() > EXEMPLAR_CHARACTERS_MAX {
            return Err(ExemplarError::LabelsTooLong);
        }
        let mut extra = series.extra.lock();
        let last = &mut extra.get_or_insert_default().exemplar;
        if let Some(last) = last {
            if last == exemplar {
                return Ok(());
            }
            if exemplar.time < last.time {
                return Err(ExemplarError::OutOfOrder);
            }
        }
        *last = Some(exemplar.clone());
        let Exemplar { labels, value, time } = exemplar.clone();
        let time = time.as_millis();
        self.exemplars.push(record::Exemplar { series_ref: series.log_ref, time, value, labels });
        Ok(())
    }

    fn append_metadata(&mut self, series: SeriesRef, metadata: &Metadata) {
        let Some(series) = self.known(series) else { return };
        let extra = series.extra.lock();
        let known = extra.as_ref().and_then(|extra| extra.metadata.as_ref());
        if known == Some(metadata) {
            return;
        }
        let metadata = metadata.clone();
        self.metadata.push(record::SeriesMetadata { series_ref: series.log_ref, metadata });
    }

    fn commit(mut self: Box<Self>) -> storage::Result<()> {
        self.try_commit().map_err(|error| storage::Error::Other(error.to_string()))
    }

    fn rollback(self: Box<Self>) {}
}
