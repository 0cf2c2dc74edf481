use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, RwLock},
};

use model::{Labels, Matcher, TimeRange, Timestamp};

use crate::{
    AppendError, Appendable, Appender, Columns, LabelHints, LabelValues, Querier, Queryable,
    Result, SelectHints, Series, SeriesRef, SeriesSet,
};

/// The simplest store that keeps the contract: what tests of other crates run against, and what
/// real stores are compared with. It accepts histograms too, through [`MemoryStorage::insert`].
#[derive(Clone, Default)]
pub struct MemoryStorage {
    series: Arc<RwLock<BTreeMap<Labels, Arc<Columns>>>>,
}

impl MemoryStorage {
    /// Puts a whole series in place; a series of the same labels is replaced.
    pub fn insert(&self, labels: Labels, columns: Columns) {
        self.series.write().expect("no writer panics").insert(labels, Arc::new(columns));
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
        Box::new(MemoryAppender { storage: self.clone(), pending: Vec::new() })
    }
}

struct MemoryAppender {
    storage: MemoryStorage,
    pending: Vec<(Labels, Timestamp, f64)>,
}

impl Appender for MemoryAppender {
    fn append(
        &mut self,
        _series: SeriesRef,
        labels: &Labels,
        timestamp: Timestamp,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        let series = self.storage.series.read().expect("no writer panics");
        let last = series.get(labels).and_then(|columns| columns.times.last().copied());
        if last.is_some_and(|last| timestamp.as_millis() < last) {
            return Err(AppendError::OutOfOrder);
        }
        self.pending.push((labels.clone(), timestamp, value));
        Ok(SeriesRef(labels.hash64()))
    }

    fn append_known(
        &mut self,
        series: SeriesRef,
        timestamp: Timestamp,
        value: f64,
    ) -> Option<Result<(), AppendError>> {
        let labels = {
            let known = self.storage.series.read().expect("no writer panics");
            known.keys().find(|labels| labels.hash64() == series.0)?.clone()
        };
        Some(self.append(series, &labels, timestamp, value).map(|_| ()))
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let mut series = self.storage.series.write().expect("no writer panics");
        for (labels, timestamp, value) in self.pending {
            let columns = Arc::make_mut(series.entry(labels).or_default());
            if columns.times.last().is_none_or(|last| *last < timestamp.as_millis()) {
                columns.push(timestamp.as_millis(), value);
            }
        }
        Ok(())
    }

    fn rollback(self: Box<Self>) {}
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
