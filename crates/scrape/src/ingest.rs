//! From the bytes of one answer to samples in an appender.

use exposition::{Entry, LabelPairs, Parser, Series, content_type::Reader, protobuf};
use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp, float::STALE};
use storage::{AppendError, Appender, SeriesRef};
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
}

/// What is the same for all samples of a scrape.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    /// The labels of the target that samples get.
    pub(crate) labels: &'a Labels,
    pub(crate) interner: &'a Interner,
    pub(crate) metrics: &'a Metrics,
    pub(crate) type_and_unit_labels: bool,
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
    let mut ingest = Ingest {
        memory,
        appender,
        context,
        counts: Counts::default(),
        refused: Refused::default(),
        n_appended: 0,
    };
    let result = ingest.read(reader, body).and_then(|()| ingest.end());
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
    for series in vanished {
        // Whoever has newer samples has taken the series over; who has none needs no marker.
        if let Some(Err(error)) = appender.append_known(*series, time, STALE) {
            debug!(%error, "staleness marker not taken");
        }
    }
}

struct Ingest<'a> {
    memory: &'a mut Memory,
    appender: &'a mut dyn Appender,
    context: &'a Context<'a>,
    counts: Counts,
    refused: Refused,
    /// Samples that count against the limit.
    n_appended: u64,
}

impl Ingest<'_> {
    fn read(&mut self, reader: Reader, body: &[u8]) -> Result<(), IngestError> {
        let mut parser = match reader {
            Reader::Text => Parser::text(body),
            Reader::OpenMetrics => Parser::openmetrics(body),
            Reader::Protobuf => {
                // Storage takes no native histograms yet, so all of them come as classic ones.
                let options = protobuf::Options::default();
                return protobuf::read(body, options, |entry| self.entry(entry));
            }
        };
        parser.try_for_each(|entry| self.entry(entry?))
    }

    fn entry(&mut self, entry: Entry<'_>) -> Result<(), IngestError> {
        match entry {
            Entry::Series(series) => self.series(&series)?,
            Entry::Type { metric, kind } => self.note(&metric, Line::Type(kind)),
            Entry::Help { metric, help } => self.note(&metric, Line::Help(&help)),
            Entry::Unit { metric, unit } => self.note(&metric, Line::Unit(unit)),
            Entry::Comment(_) | Entry::Histogram(_) => {}
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
        let vanished = self.memory.cache.vanished();
        mark_stale(self.appender, &vanished, self.context.time);
        Ok(())
    }

    fn note(&mut self, metric: &str, line: Line<'_>) {
        self.memory.metadata.note(self.context.interner, metric, line);
    }

    fn series(&mut self, series: &Series<'_>) -> Result<(), IngestError> {
        self.counts.total += 1;
        let config = self.context.config;
        let own_time = series.timestamp.filter(|_| config.honor_timestamps);
        // Who has a time of its own says itself when it ends.
        let is_tracked = own_time.is_none() || config.track_timestamps_staleness;
        let time = own_time.unwrap_or(self.context.time);
        let key = self.memory.cache.key(series.raw, self.salt(series));
        match self.memory.cache.see(key, is_tracked) {
            Found::Dropped => Ok(()),
            Found::Known { is_repeated: true, .. } if own_time.is_none() => {
                self.counts.added += 1;
                self.refuse(AppendError::DuplicateTimestamp)
            }
            Found::Known { series: known, .. } => {
                self.counts.added += 1;
                if !self.may_append(time)? {
                    return Ok(());
                }
                match self.appender.append_known(known, time, series.value) {
                    Some(Ok(())) => Ok(()),
                    Some(Err(error)) => self.refuse(error),
                    None => self.append_forgotten(key, series, time),
                }
            }
            Found::New => self.append_new(key, series, time, is_tracked),
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
    ) -> Result<(), IngestError> {
        let Some(labels) = self.labels(series)? else { return Ok(()) };
        match self.appender.append(SeriesRef::UNKNOWN, &labels, time, series.value) {
            Ok(found) => {
                self.memory.cache.replace(key, found);
                Ok(())
            }
            Err(error) => self.refuse(error),
        }
    }

    fn append_new(
        &mut self,
        key: Key,
        series: &Series<'_>,
        time: Timestamp,
        is_tracked: bool,
    ) -> Result<(), IngestError> {
        let Some(labels) = self.labels(series)? else {
            self.memory.cache.add_dropped(key);
            return Ok(());
        };
        self.counts.added += 1;
        if !self.may_append(time)? {
            return Ok(());
        }
        match self.appender.append(SeriesRef::UNKNOWN, &labels, time, series.value) {
            Ok(found) => {
                self.memory.cache.add(key, found, is_tracked);
                self.counts.new_series += 1;
                Ok(())
            }
            Err(error) => self.refuse(error),
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
