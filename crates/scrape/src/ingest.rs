//! From the bytes of one answer to samples in an appender.

mod exemplars;
mod histograms;
mod known;
mod metadata;
mod starts;

use exposition::{
    Entry, HistogramSeries, LabelPairs, Parser, Series, content_type::Reader, nhcb::Converter,
    protobuf,
};
pub(crate) use histograms::Forms;
#[cfg(test)]
pub(crate) use histograms::{Limits, schema_of_factor};
use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp, float::STALE};
pub(crate) use starts::Starts;
use storage::{AppendError, Appender, HistogramValue, SeriesRef};
use tracing::{debug, warn};

use crate::{
    Config,
    cache::{Cache, Found, Key},
    labels,
    metadata::{Interner, Line, TargetMetadata},
    metrics::Metrics,
};

/// Samples further ahead of the clock than this are out of bounds.
const AHEAD_MAX_MS: i64 = 10 * 60 * 1000;

/// Why an answer was not taken; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IngestError {
    #[error(transparent)]
    Parse(#[from] exposition::Error),
    #[error("sample limit exceeded")]
    SampleLimit,
    #[error("histogram bucket limit exceeded")]
    BucketLimit,
    #[error("{0}")]
    LabelLimit(String),
    #[error("missing metric name (__name__ label)")]
    NoName,
    #[error("invalid metric name or label names: {0}")]
    InvalidNames(Labels),
    #[error("label name {0:?} is not unique: invalid sample")]
    DuplicateLabel(String),
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// What an answer held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) total: usize,
    /// After relabelling, also those that the storage did not take.
    pub(crate) added: usize,
    /// Series that the cache did not know.
    pub(crate) new_series: usize,
}

/// What a target knows from scrape to scrape.
pub(crate) struct Memory {
    pub(crate) cache: Cache,
    pub(crate) metadata: TargetMetadata,
    pub(crate) starts: Starts,
}

/// What is the same for all samples of a scrape.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    /// The labels of the target that samples get.
    pub(crate) labels: &'a Labels,
    /// Which forms of its histograms are stored.
    pub(crate) forms: Forms,
    pub(crate) interner: &'a Interner,
    pub(crate) metrics: &'a Metrics,
    pub(crate) type_and_unit_labels: bool,
    /// Whether a zero is stored where a series says that it began.
    pub(crate) stores_start_zeros: bool,
    /// Whether the storage is told what series mean.
    pub(crate) logs_metadata: bool,
    /// The time of the samples.
    pub(crate) time: Timestamp,
    /// The clock's time.
    pub(crate) now: Timestamp,
    /// For logs.
    pub(crate) url: &'a str,
}

/// Samples that the storage did not take, which does not fail a scrape.
#[derive(Default)]
struct Refused {
    out_of_order: usize,
    duplicate: usize,
    out_of_bounds: usize,
    exemplars_out_of_order: usize,
}

/// What a series says.
enum Value {
    Float(f64),
    Histogram(HistogramValue),
}

/// Appends the samples of `body`, then staleness markers for series that were there before. After
/// an error the caller rolls back.
pub(crate) fn ingest(
    memory: &mut Memory,
    appender: &mut dyn Appender,
    context: &Context<'_>,
    reader: Reader,
    body: &[u8],
) -> (Counts, Result<(), IngestError>) {
    memory.cache.begin();
    memory.metadata.begin();
    memory.starts.begin();
    let mut ingest = Ingest {
        memory,
        appender,
        context,
        counts: Counts::default(),
        refused: Refused::default(),
        n_appended: 0,
        has_too_many_buckets: false,
        family: metadata::Family::default(),
    };
    let result = ingest.read(reader, body).and_then(|()| ingest.end());
    if result.is_err() {
        ingest.memory.starts.roll_back();
    }
    ingest.complain();
    (ingest.counts, result)
}

/// Appends staleness markers for all series that were there before; samples of a failed scrape were
/// rolled back.
pub(crate) fn mark_all_stale(memory: &mut Memory, appender: &mut dyn Appender, time: Timestamp) {
    let vanished = memory.cache.all_vanish();
    mark_stale(appender, &vanished, time);
}

fn mark_stale(appender: &mut dyn Appender, vanished: &[SeriesRef], time: Timestamp) {
    appender.set_discards_out_of_order(true);
    for series in vanished {
        // Whoever has newer samples has taken the series over; who has none needs no marker.
        if let Some(Err(error)) = appender.append_known(*series, time, STALE) {
            debug!(%error, "staleness marker not taken");
        }
    }
    appender.set_discards_out_of_order(false);
}

struct Ingest<'a> {
    memory: &'a mut Memory,
    appender: &'a mut dyn Appender,
    context: &'a Context<'a>,
    counts: Counts,
    refused: Refused,
    /// Samples that count against the limit.
    n_appended: u64,
    /// Whether there was a histogram that cannot be made to keep the limit.
    has_too_many_buckets: bool,
    /// Of the last lines of metadata, if the storage is told.
    family: metadata::Family,
}

impl Ingest<'_> {
    fn read(&mut self, reader: Reader, body: &[u8]) -> Result<(), IngestError> {
        let forms = self.context.forms;
        if !forms.converts_to_custom_buckets {
            return match reader {
                Reader::Text => self.read_text(Parser::text(body)),
                Reader::OpenMetrics => self.read_text(openmetrics(body, self.context)),
                Reader::Protobuf => {
                    protobuf::read(body, forms.of_protobuf(), |entry| self.entry(entry))
                }
            };
        }
        let mut converter = Converter::new(forms.always_classic);
        read(reader, body, self.context, |entry| {
            converter.take(entry, &mut |entry: Entry<'_>| self.entry(entry))
        })?;
        converter.end(&mut |entry: Entry<'_>| self.entry(entry))
    }

    fn entry(&mut self, entry: Entry<'_>) -> Result<(), IngestError> {
        match entry {
            Entry::Series(series) => {
                let found = self.series_with_metadata(&series, Value::Float(series.value))?;
                if let (Some(found), Some(exemplar)) = (found, &series.exemplar) {
                    self.exemplars(found, &series, std::slice::from_ref(exemplar))?;
                }
            }
            Entry::Histogram(entry) => {
                let HistogramSeries { series, histogram, exemplars } = *entry;
                let found = self.histogram(&series, histogram)?;
                if let (Some(found), false) = (found, exemplars.is_empty()) {
                    self.exemplars(found, &series, &exemplars)?;
                }
            }
            Entry::Type { metric, kind } => self.note(&metric, Line::Type(kind)),
            Entry::Help { metric, help } => self.note(&metric, Line::Help(&help)),
            Entry::Unit { metric, unit } => self.note(&metric, Line::Unit(unit)),
            Entry::Comment(_) => {}
        }
        Ok(())
    }

    /// All has been read: checks what only the whole can break, and ends series that are gone.
    fn end(&mut self) -> Result<(), IngestError> {
        let limit = self.context.config.sample_limit;
        if limit > 0 && self.n_appended > limit {
            self.context.metrics.exceeded_sample_limit.increment();
            return Err(IngestError::SampleLimit);
        }
        if self.has_too_many_buckets {
            self.context.metrics.exceeded_bucket_limit.increment();
            return Err(IngestError::BucketLimit);
        }
        let vanished = self.memory.cache.vanished();
        mark_stale(self.appender, &vanished, self.context.time);
        Ok(())
    }

    /// Takes a sample in; says which series it belongs to, if that is stored.
    fn series(
        &mut self,
        series: &Series<'_>,
        value: Value,
    ) -> Result<Option<SeriesRef>, IngestError> {
        self.counts.total += 1;
        let is_tracked = self.is_tracked(series);
        let own_time = series.timestamp.filter(|_| self.has_own_time(series));
        let time = own_time.unwrap_or(self.context.time);
        let key = self.key(series);
        let found = self.memory.cache.see(key, is_tracked);
        self.append_found(found, key, series, time, value)
    }

    fn key(&self, series: &Series<'_>) -> Key {
        self.memory.cache.key(series.raw, self.salt(series))
    }

    /// Appends a sample of a series that was looked up.
    fn append_found(
        &mut self,
        found: Found,
        key: Key,
        series: &Series<'_>,
        time: Timestamp,
        value: Value,
    ) -> Result<Option<SeriesRef>, IngestError> {
        match found {
            Found::Dropped => Ok(None),
            Found::Known { is_repeated: true, series: known } if !self.has_own_time(series) => {
                self.counts.added += 1;
                self.refuse(AppendError::DuplicateTimestamp)?;
                Ok(Some(known))
            }
            Found::Known { series: known, .. } => {
                self.counts.added += 1;
                if !self.may_append(time)? {
                    return Ok(None);
                }
                self.append_start(known, key, series, time, &value)?;
                match self.append_known(known, time, value) {
                    Ok(Ok(())) => Ok(Some(known)),
                    Ok(Err(error)) => self.refuse(error).map(|()| Some(known)),
                    Err(value) => self.append_forgotten(key, series, time, value),
                }
            }
            Found::New => {
                let is_tracked = self.is_tracked(series);
                self.append_new(key, series, time, value, is_tracked)
            }
        }
    }

    fn has_own_time(&self, series: &Series<'_>) -> bool {
        self.context.config.honor_timestamps && series.timestamp.is_some()
    }

    /// Who has a time of its own says itself when it ends.
    fn is_tracked(&self, series: &Series<'_>) -> bool {
        !self.has_own_time(series) || self.context.config.track_timestamps_staleness
    }

    /// Gives the value back if the storage has forgotten the series.
    fn append_known(
        &mut self,
        series: SeriesRef,
        time: Timestamp,
        value: Value,
    ) -> Result<Result<(), AppendError>, Value> {
        match value {
            Value::Float(float) => {
                self.appender.append_known(series, time, float).ok_or(Value::Float(float))
            }
            Value::Histogram(histogram) => self
                .appender
                .append_known_histogram(series, time, histogram)
                .map_err(Value::Histogram),
        }
    }

    fn append(
        &mut self,
        labels: &Labels,
        time: Timestamp,
        value: Value,
    ) -> Result<SeriesRef, AppendError> {
        let unknown = SeriesRef::UNKNOWN;
        match value {
            Value::Float(float) => self.appender.append(unknown, labels, time, float),
            Value::Histogram(histogram) => {
                self.appender.append_histogram(unknown, labels, time, histogram)
            }
        }
    }

    /// What the labels of a series depend on beside its text.
    fn salt(&self, series: &Series<'_>) -> u64 {
        if !self.context.type_and_unit_labels {
            return 0;
        }
        let unit = series
            .unit
            .bytes()
            .fold(0u64, |hash, byte| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        unit.wrapping_mul(31) ^ (series.kind as u64 + 1)
    }

    /// The storage has given up a series that we know; the text still says what it is.
    fn append_forgotten(
        &mut self,
        key: Key,
        series: &Series<'_>,
        time: Timestamp,
        value: Value,
    ) -> Result<Option<SeriesRef>, IngestError> {
        let Some(labels) = self.labels(series)? else { return Ok(None) };
        match self.append(&labels, time, value) {
            Ok(found) => {
                self.memory.cache.replace(key, found);
                Ok(Some(found))
            }
            Err(error) => self.refuse(error).map(|()| None),
        }
    }

    fn append_new(
        &mut self,
        key: Key,
        series: &Series<'_>,
        time: Timestamp,
        value: Value,
        is_tracked: bool,
    ) -> Result<Option<SeriesRef>, IngestError> {
        let Some(labels) = self.labels(series)? else {
            self.memory.cache.add_dropped(key);
            return Ok(None);
        };
        self.counts.added += 1;
        if !self.may_append(time)? {
            return Ok(None);
        }
        self.append_first_start(&labels, key, series, time, &value);
        match self.append(&labels, time, value) {
            Ok(found) => {
                self.memory.cache.add(key, found, is_tracked);
                self.counts.new_series += 1;
                Ok(Some(found))
            }
            Err(error) => self.refuse(error).map(|()| None),
        }
    }

    /// Counts a sample against the limits; past them samples are only counted.
    fn may_append(&mut self, time: Timestamp) -> Result<bool, IngestError> {
        let ahead = time.as_millis().saturating_sub(self.context.now.as_millis());
        if ahead > AHEAD_MAX_MS {
            self.refuse(AppendError::OutOfBounds)?;
            return Ok(false);
        }
        self.n_appended += 1;
        let limit = self.context.config.sample_limit;
        Ok(limit == 0 || self.n_appended <= limit)
    }

    /// Counts what is tolerated; the rest ends the scrape.
    fn refuse(&mut self, error: AppendError) -> Result<(), IngestError> {
        let metrics = self.context.metrics;
        match error {
            AppendError::OutOfOrder | AppendError::TooOld => {
                self.refused.out_of_order += 1;
                metrics.out_of_order.increment();
            }
            AppendError::DuplicateTimestamp => {
                self.refused.duplicate += 1;
                metrics.duplicate_timestamp.increment();
            }
            AppendError::OutOfBounds => {
                self.refused.out_of_bounds += 1;
                metrics.out_of_bounds.increment();
            }
            error => return Err(error.into()),
        }
        Ok(())
    }

    fn complain(&self) {
        let (pool, target) = (&self.context.config.job_name, self.context.url);
        for (num_dropped, message) in [
            (self.refused.out_of_order, "Error on ingesting out-of-order samples"),
            (
                self.refused.duplicate,
                "Error on ingesting samples with different value but same timestamp",
            ),
            (
                self.refused.out_of_bounds,
                "Error on ingesting samples that are too old or are too far into the future",
            ),
            (self.refused.exemplars_out_of_order, "Error on ingesting out-of-order exemplars"),
        ] {
            if num_dropped > 0 {
                warn!(scrape_pool = pool, target, num_dropped, "{message}");
            }
        }
    }

    /// The labels under which a series is stored; nothing if relabelling drops it.
    fn labels(&self, series: &Series<'_>) -> Result<Option<Labels>, IngestError> {
        let config = self.context.config;
        let pairs = match self.context.type_and_unit_labels {
            true => series.labels_with_type_and_unit()?,
            false => series.labels()?,
        };
        let mut builder = with_target_labels(&pairs, self.context.labels, config.honor_labels);
        if !relabel::apply(&config.metric_relabel_rules, &mut builder) {
            return Ok(None);
        }
        let labels = builder.build();
        if labels.is_empty() {
            return Ok(None);
        }
        if labels.metric_name().is_empty() {
            return Err(IngestError::NoName);
        }
        let scheme = config.metric_name_validation_scheme;
        let has_valid_names = scheme.is_valid_metric_name(labels.metric_name())
            && labels.iter().all(|(name, _)| scheme.is_valid_label_name(name));
        if !has_valid_names {
            return Err(IngestError::InvalidNames(labels));
        }
        if let Some(name) = first_duplicate(&pairs) {
            return Err(IngestError::DuplicateLabel(name.to_owned()));
        }
        labels::check_limits(config, &labels).map_err(|exceeded| {
            self.context.metrics.exceeded_label_limits.increment();
            IngestError::LabelLimit(exceeded)
        })?;
        Ok(Some(labels))
    }
}

fn read(
    reader: Reader,
    body: &[u8],
    context: &Context<'_>,
    mut take: impl FnMut(Entry<'_>) -> Result<(), IngestError>,
) -> Result<(), IngestError> {
    let mut parser = match reader {
        Reader::Text => Parser::text(body),
        Reader::OpenMetrics => openmetrics(body, context),
        Reader::Protobuf => return protobuf::read(body, context.forms.of_protobuf(), take),
    };
    parser.try_for_each(|entry| take(entry?))
}

/// `_created` series are samples like others unless somebody wants to know when series began.
fn openmetrics<'a>(body: &'a [u8], context: &Context<'_>) -> Parser<'a> {
    let parser = Parser::openmetrics(body);
    if context.stores_start_zeros { parser.with_start_timestamps() } else { parser }
}

fn first_duplicate<'a>(pairs: &'a LabelPairs<'_>) -> Option<&'a str> {
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// Adds the target's labels. Of two with the same name the target's stays, and the scraped one is
/// exported under another name; unless the job honours what was scraped, be it empty.
fn with_target_labels(pairs: &LabelPairs<'_>, target: &Labels, honors: bool) -> LabelsBuilder {
    let mut builder = LabelsBuilder::default();
    for (name, value) in pairs {
        builder.set(name, value);
    }
    if honors {
        for (name, value) in target.iter() {
            if !pairs.iter().any(|(scraped, _)| scraped == name) {
                builder.set(name, value);
            }
        }
        return builder;
    }
    let mut conflicts: Vec<(&str, String)> = Vec::new();
    for (name, value) in target.iter() {
        let scraped = builder.get(name);
        if !scraped.is_empty() {
            conflicts.push((name, scraped.to_owned()));
        }
        builder.set(name, value);
    }
    // The shorter name first, so that the result does not depend on the order.
    conflicts.sort_by_key(|(name, _)| name.len());
    for (name, value) in conflicts {
        let mut exported = format!("exported_{name}");
        while !builder.get(&exported).is_empty() {
            exported.insert_str(0, "exported_");
        }
        builder.set(&exported, &value);
    }
    builder
}

/// The labels of a series that we write ourselves for a target.
pub(crate) fn report_labels(name: &str, target: &Labels) -> Labels {
    let pairs: LabelPairs<'_> = vec![(METRIC_NAME.into(), name.into())];
    with_target_labels(&pairs, target, false).build()
}
