use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, RwLock},
};

use model::{FloatHistogram, Labels, Matcher, Metadata, TimeRange, Timestamp, float::is_stale};

use crate::{
    AppendError, Appendable, Appender, Columns, Exemplar, ExemplarError, ExemplarQueryable,
    HistogramValue, LabelHints, LabelValues, Querier, Queryable, Result, SelectHints, Series,
    SeriesExemplars, SeriesRef, SeriesSet,
};

/// The simplest store that keeps the contract: what tests of other crates run against, and what
/// real stores are compared with.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    series: Arc<RwLock<BTreeMap<Labels, Arc<Columns>>>>,
    exemplars: Arc<RwLock<BTreeMap<Labels, Vec<Exemplar>>>>,
    metadata: Arc<RwLock<Vec<(Labels, Metadata)>>>,
}

impl MemoryStorage {
    /// Puts a whole series in place; a series of the same labels is replaced.
    pub fn insert(&self, labels: Labels, columns: Columns) {
        self.series.write().expect("no writer panics").insert(labels, Arc::new(columns));
    }

    /// What was said of series, in order.
    pub fn metadata(&self) -> Vec<(Labels, Metadata)> {
        self.metadata.read().expect("no writer panics").clone()
    }

    pub fn clear(&self) {
        self.series.write().expect("no writer panics").clear();
    }

    fn matching(&self, matchers: &[Matcher]) -> Vec<(Labels, Arc<Columns>)> {
        let series = self.series.read().expect("no writer panics");
        let matches = |labels: &Labels| matchers.iter().all(|m| m.matches(labels.value(&m.name)));
        series
            .iter()
            .filter(|(labels, _)| matches(labels))
            .map(|(labels, columns)| (labels.clone(), columns.clone()))
            .collect()
    }
}

impl Appendable for MemoryStorage {
    fn appender(&self) -> Box<dyn Appender> {
        let (pending, exemplars) = Default::default();
        Box::new(MemoryAppender { storage: self.clone(), pending, exemplars })
    }
}

struct MemoryAppender {
    storage: MemoryStorage,
    pending: Vec<(Labels, Timestamp, Value)>,
    exemplars: Vec<(Labels, Exemplar)>,
}

enum Value {
    Float(f64),
    Histogram(Box<FloatHistogram>),
}

impl MemoryAppender {
    fn take(
        &mut self,
        labels: &Labels,
        timestamp: Timestamp,
        mut value: Value,
    ) -> Result<SeriesRef, AppendError> {
        let series = self.storage.series.read().expect("no writer panics");
        if let Some(columns) = series.get(labels) {
            let last = columns.times.last().max(columns.histogram_times.last()).copied();
            if last.is_some_and(|last| timestamp.as_millis() < last) {
                return Err(AppendError::OutOfOrder);
            }
            // A series of histograms ends with one.
            if let Value::Float(marker) = value
                && is_stale(marker)
                && columns.histogram_times.last() > columns.times.last()
            {
                let sum = marker;
                value = Value::Histogram(Box::new(FloatHistogram { sum, ..Default::default() }));
            }
        }
        self.pending.push((labels.clone(), timestamp, value));
        Ok(SeriesRef(labels.hash64()))
    }

    fn labels(&self, series: SeriesRef) -> Option<Labels> {
        let pending = self.pending.iter().rev().map(|(labels, ..)| labels);
        let known = self.storage.series.read().expect("no writer panics");
        pending.chain(known.keys()).find(|labels| labels.hash64() == series.0).cloned()
    }
}

impl Appender for MemoryAppender {
    fn append(
        &mut self,
        _series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        self.take(labels, timestamp, Value::Float(value))
    }

    fn append_known(
        &mut self,
        series: SeriesRef,
        timestamp: Timestamp,
        value: f64,
    ) -> Option<Result<(), AppendError>> {
        let labels = self.labels(series)?;
        Some(self.take(&labels, timestamp, Value::Float(value)).map(|_| ()))
    }

    fn append_histogram(
        &mut self,
        _series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        mut value: HistogramValue,
    ) -> Result<SeriesRef, AppendError> {
        value.settle().map_err(|error| AppendError::InvalidHistogram(error.to_string()))?;
        self.take(labels, timestamp, Value::Histogram(Box::new(value.to_float())))
    }

    fn append_exemplar(
        &mut self,
        series: SeriesRef,
        exemplar: &Exemplar,
    ) -> Result<(), ExemplarError> {
        let labels = self.labels(series).ok_or(ExemplarError::UnknownSeries)?;
        let exemplars = self.storage.exemplars.read().expect("no writer panics");
        match exemplars.get(&labels).and_then(|known| known.last()) {
            Some(last) if last == exemplar => return Ok(()),
            Some(last) if last.time > exemplar.time => return Err(ExemplarError::OutOfOrder),
            _ => {}
        }
        self.exemplars.push((labels, exemplar.clone()));
        Ok(())
    }

    fn append_metadata(&mut self, series: SeriesRef, metadata: &Metadata) {
        let labels = self.labels(series).unwrap_or_default();
        self.storage.metadata.write().expect("no writer panics").push((labels, metadata.clone()));
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let mut series = self.storage.series.write().expect("no writer panics");
        for (labels, timestamp, value) in self.pending {
            let columns = Arc::make_mut(series.entry(labels).or_default());
            let last = columns.times.last().max(columns.histogram_times.last());
            if last.is_some_and(|last| *last >= timestamp.as_millis()) {
                continue;
            }
            match value {
                Value::Float(value) => columns.push(timestamp.as_millis(), value),
                Value::Histogram(histogram) => {
                    columns.histogram_times.push(timestamp.as_millis());
                    columns.histograms.push(Arc::new(*histogram));
                }
            }
        }
        let mut exemplars = self.storage.exemplars.write().expect("no writer panics");
        for (labels, exemplar) in self.exemplars {
            exemplars.entry(labels).or_default().push(exemplar);
        }
        Ok(())
    }

    fn rollback(self: Box<Self>) {}
}

impl ExemplarQueryable for MemoryStorage {
    fn exemplars(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> Result<Vec<SeriesExemplars>> {
        let known = self.exemplars.read().expect("no writer panics");
        let mut found = Vec::new();
        for (labels, exemplars) in known.iter() {
            let is_match = |m: &Matcher| m.matches(labels.value(&m.name));
            let within = exemplars.iter().filter(|exemplar| range.contains(exemplar.time));
            let exemplars: Vec<Exemplar> = within.cloned().collect();
            if !exemplars.is_empty() && selectors.iter().any(|s| s.iter().all(is_match)) {
                found.push(SeriesExemplars { labels: labels.clone(), exemplars });
            }
        }
        Ok(found)
    }
}

impl Queryable for MemoryStorage {
    fn querier(&self, _range: TimeRange) -> Result<Box<dyn Querier>> {
        Ok(Box::new(self.clone()))
    }
}

impl Querier for MemoryStorage {
    fn select(&self, _: bool, hints: &SelectHints, matchers: &[Matcher]) -> Result<SeriesSet> {
        let mut set = SeriesSet::default();
        for (labels, columns) in self.matching(matchers) {
            set.series.push(Arc::new(MemorySeries { labels, columns }));
        }
        if hints.limit > 0 {
            set.series.truncate(hints.limit);
        }
        Ok(set)
    }

    fn label_values(
        &self,
        name: &str,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> Result<LabelValues> {
        let series = self.matching(matchers);
        let values = series.iter().filter_map(|(labels, _)| labels.get(name));
        Ok(distinct(values, hints))
    }

    fn label_names(&self, hints: &LabelHints, matchers: &[Matcher]) -> Result<LabelValues> {
        let series = self.matching(matchers);
        let names = series.iter().flat_map(|(labels, _)| labels.iter().map(|(name, _)| name));
        Ok(distinct(names, hints))
    }
}

fn distinct<'a>(values: impl Iterator<Item = &'a str>, hints: &LabelHints) -> LabelValues {
    let values: BTreeSet<&str> = values.collect();
    let limit = if hints.limit == 0 { usize::MAX } else { hints.limit };
    let values = values.into_iter().take(limit).map(str::to_owned).collect();
    LabelValues { values, warnings: Vec::new() }
}

struct MemorySeries {
    labels: Labels,
    columns: Arc<Columns>,
}

impl Series for MemorySeries {
    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn read(&self, range: TimeRange, out: &mut Columns) -> Result<()> {
        let within = |times: &[i64]| {
            let start = times.partition_point(|t| *t < range.start.as_millis());
            start..times.partition_point(|t| *t <= range.end.as_millis()).max(start)
        };
        let floats = within(&self.columns.times);
        append_starts(&mut out.start_times, out.times.len(), &self.columns.start_times, &floats);
        out.times.extend_from_slice(&self.columns.times[floats.clone()]);
        out.values.extend_from_slice(&self.columns.values[floats]);
        let histograms = within(&self.columns.histogram_times);
        let starts = &self.columns.histogram_start_times;
        append_starts(
            &mut out.histogram_start_times,
            out.histogram_times.len(),
            starts,
            &histograms,
        );
        out.histogram_times.extend_from_slice(&self.columns.histogram_times[histograms.clone()]);
        out.histograms.extend_from_slice(&self.columns.histograms[histograms]);
        Ok(())
    }
}

/// Appends the start times in `range` to those of `known` samples; an empty column means that
/// none is known.
fn append_starts(out: &mut Vec<i64>, known: usize, starts: &[i64], range: &Range<usize>) {
    if out.is_empty() && starts.is_empty() {
        return;
    }
    out.resize(known, 0);
    match starts.get(range.clone()) {
        Some(starts) => out.extend_from_slice(starts),
        None => out.resize(known + range.len(), 0),
    }
}
