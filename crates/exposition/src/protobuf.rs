//! Length-delimited `MetricFamily` messages, read in place.
//!
//! There is no text of a series here, so its raw bytes are put together from its parts; they live
//! until the next entry, which is why entries are handed to a function.

mod histogram;
mod wire;

use std::borrow::Cow;

pub use histogram::NativeHistogram;
use histogram::RawHistogram;
use model::{METRIC_NAME, MetricType, Timestamp};
use stdx::cursor::Cursor;
use wire::{Fields, delimited};

use crate::{
    Entry, Error, Exemplar, HistogramSeries, LabelPairs, Result, Series, number,
    parser::{Origin, unit},
};

/// Which forms of a histogram are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Native ones; otherwise every histogram is a classic one.
    pub native_histograms: bool,
    /// Classic ones also where there is a native one.
    pub classic_histograms: bool,
}

/// Labels of a metric in its message, and what its place in the family adds to them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProtobufLabels<'a> {
    family: &'a str,
    suffix: &'static str,
    metric: &'a [u8],
    /// `le` or `quantile`.
    bound: Option<(&'static str, f64)>,
}

/// An exemplar with its parts found.
#[derive(Debug, Clone, Copy)]
struct ProtobufExemplar<'a> {
    value: f64,
    timestamp: Option<Timestamp>,
    message: &'a [u8],
}

/// Hands every entry of `body` to `take`, until that or the body fails.
pub fn read<E: From<Error>>(
    body: &[u8],
    options: Options,
    mut take: impl FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut cursor = Cursor::new(body);
    let mut key = Vec::new();
    while !cursor.is_empty() {
        let family = Family::read(delimited(&mut cursor)?)?;
        family.head(&mut take)?;
        for field in Fields::new(family.message) {
            if let (4, metric) = field? {
                let message = metric.bytes()?;
                let mut metric =
                    Metric { family: &family, options, message, key: &mut key, key_len: 0 };
                metric.read(&mut take)?;
            }
        }
    }
    Ok(())
}

struct Family<'a> {
    message: &'a [u8],
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    kind: MetricType,
}

impl<'a> Family<'a> {
    fn read(message: &'a [u8]) -> Result<Family<'a>> {
        // The first type is the one that is not written.
        let mut family =
            Family { message, name: "", help: "", unit: "", kind: MetricType::Counter };
        for field in Fields::new(message) {
            match field? {
                (1, value) => family.name = value.text()?,
                (2, value) => family.help = value.text()?,
                (3, value) => family.kind = metric_type(value.uint()?)?,
                (5, value) => family.unit = value.text()?,
                _ => {}
            }
        }
        if family.name.is_empty() {
            return Err(Error::Protobuf("metric family without a name"));
        }
        Ok(family)
    }

    fn head<E: From<Error>>(
        &self,
        take: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let metric = || Cow::Borrowed(self.name);
        take(Entry::Help { metric: metric(), help: Cow::Borrowed(self.help) })?;
        if !self.unit.is_empty() {
            let stem = match self.kind {
                MetricType::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
                _ => self.name,
            };
            take(Entry::Unit { metric: metric(), unit: unit(stem, self.unit.as_bytes())? })?;
        }
        take(Entry::Type { metric: metric(), kind: self.kind })
    }
}

fn metric_type(number: u64) -> Result<MetricType> {
    Ok(match number {
        0 => MetricType::Counter,
        1 => MetricType::Gauge,
        2 => MetricType::Summary,
        3 => MetricType::Unknown,
        4 => MetricType::Histogram,
        5 => MetricType::GaugeHistogram,
        _ => return Err(Error::Protobuf("unknown metric type")),
    })
}

struct Metric<'a, 'k> {
    family: &'a Family<'a>,
    options: Options,
    message: &'a [u8],
    /// Name and labels, then what tells the newest sample apart.
    key: &'k mut Vec<u8>,
    /// Where the labels end.
    key_len: usize,
}

/// One sample of a metric.
struct Sample<'a> {
    suffix: &'static str,
    bound: Option<(&'static str, f64)>,
    value: f64,
    exemplar: Option<ProtobufExemplar<'a>>,
}

impl Sample<'_> {
    fn plain(suffix: &'static str, value: f64) -> Self {
        Sample { suffix, bound: None, value, exemplar: None }
    }
}

/// What all samples of a metric share.
#[derive(Clone, Copy, Default)]
struct Times {
    timestamp: Option<Timestamp>,
    start: Option<Timestamp>,
}

impl Metric<'_, '_> {
    fn read<E: From<Error>>(
        &mut self,
        take: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.begin_key()?;
        let mut times = Times::default();
        let mut reading = None;
        for field in Fields::new(self.message) {
            match field? {
                (6, value) => {
                    let millis = value.int()?;
                    times.timestamp = (millis != 0).then(|| Timestamp::from_millis(millis));
                }
                (number @ (2..=5 | 7), value) => reading = Some((number, value.bytes()?)),
                _ => {}
            }
        }
        match reading {
            Some((4, message)) => self.summary(message, times, take),
            Some((7, message)) => self.histogram(message, times, take),
            Some((_, message)) => {
                let mut sample = Sample::plain("", 0.0);
                for field in Fields::new(message) {
                    match field? {
                        (1, value) => sample.value = value.float()?,
                        (2, value) => {
                            sample.exemplar = Some(ProtobufExemplar::read(value.bytes()?)?)
                        }
                        (3, value) => times.start = timestamp(value.bytes()?)?,
                        _ => {}
                    }
                }
                self.emit(sample, times, take)
            }
            None => Err(Error::Protobuf("metric without a value").into()),
        }
    }

    fn summary<E: From<Error>>(
        &mut self,
        message: &[u8],
        mut times: Times,
        take: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut count, mut sum) = (0, 0.0);
        for field in Fields::new(message) {
            match field? {
                (1, value) => count = value.uint()?,
                (2, value) => sum = value.float()?,
                (4, value) => times.start = timestamp(value.bytes()?)?,
                _ => {}
            }
        }
        self.emit(Sample::plain("_count", count as f64), times, take)?;
        self.emit(Sample::plain("_sum", sum), times, take)?;
        for field in Fields::new(message) {
            let (3, value) = field? else { continue };
            let (mut quantile, mut sample) = (0.0, Sample::plain("", 0.0));
            for field in Fields::new(value.bytes()?) {
                match field? {
                    (1, value) => quantile = value.float()?,
                    (2, value) => sample.value = value.float()?,
                    _ => {}
                }
            }
            sample.bound = Some(("quantile", quantile));
            self.emit(sample, times, take)?;
        }
        Ok(())
    }

    fn histogram<E: From<Error>>(
        &mut self,
        message: &[u8],
        mut times: Times,
        take: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let raw = RawHistogram::read(message)?;
        times.start = raw.created;
        let is_native = self.options.native_histograms && raw.is_native();
        if !is_native {
            return self.classic(&raw, times, take);
        }
        self.native(RawHistogram::read(message)?, times, take)?;
        if self.options.classic_histograms && raw.has_buckets() {
            self.classic(&raw, times, take)?;
        }
        Ok(())
    }

    fn native<E: From<Error>>(
        &mut self,
        raw: RawHistogram<'_>,
        times: Times,
        take: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let exemplars = raw.exemplars()?;
        let is_gauge = self.family.kind == MetricType::GaugeHistogram;
        let mut histogram = raw.into_native(is_gauge);
        histogram.check(self.family.name)?;
        histogram.compact();
        let series = self.series(Sample::plain("", 0.0), times);
        let exemplars = exemplars.into_iter().map(ProtobufExemplar::to_exemplar).collect();
        take(Entry::Histogram(Box::new(HistogramSeries { series, histogram, exemplars })))
    }

    fn classic<E: From<Error>>(
        &mut self,
        raw: &RawHistogram<'_>,
        times: Times,
        take: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.emit(Sample::plain("_count", raw.count.value()), times, take)?;
        self.emit(Sample::plain("_sum", raw.sum), times, take)?;
        let mut has_infinity = false;
        for bucket in raw.buckets() {
            let bucket = bucket?;
            has_infinity = bucket.upper_bound == f64::INFINITY;
            let sample = Sample {
                suffix: "_bucket",
                bound: Some(("le", bucket.upper_bound)),
                value: bucket.count.value(),
                exemplar: bucket.exemplar,
            };
            self.emit(sample, times, take)?;
        }
        if has_infinity {
            return Ok(());
        }
        let mut sample = Sample::plain("_bucket", raw.count.value());
        sample.bound = Some(("le", f64::INFINITY));
        self.emit(sample, times, take)
    }

    fn emit<E: From<Error>>(
        &mut self,
        sample: Sample<'_>,
        times: Times,
        take: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let exemplar = sample.exemplar;
        let mut series = self.series(sample, times);
        series.exemplar = exemplar.map(|exemplar| Box::new(exemplar.to_exemplar()));
        take(Entry::Series(series))
    }

    /// Puts name and labels into the key; what tells samples apart follows.
    fn begin_key(&mut self) -> Result<()> {
        self.key.clear();
        self.key.extend_from_slice(self.family.name.as_bytes());
        for field in Fields::new(self.message) {
            if let (1, label) = field? {
                let label = label.bytes()?;
                // With their lengths parts cannot be mistaken for each other.
                self.key.extend_from_slice(&label.len().to_le_bytes());
                self.key.extend_from_slice(label);
            }
        }
        self.key_len = self.key.len();
        Ok(())
    }

    fn series(&mut self, sample: Sample<'_>, times: Times) -> Series<'_> {
        self.key.truncate(self.key_len);
        self.key.extend_from_slice(sample.suffix.as_bytes());
        if let Some((_, bound)) = sample.bound {
            let mut text = String::new();
            number::write_openmetrics_float(bound, &mut text);
            self.key.push(b'=');
            self.key.extend_from_slice(text.as_bytes());
        }
        let labels = ProtobufLabels {
            family: self.family.name,
            suffix: sample.suffix,
            metric: self.message,
            bound: sample.bound,
        };
        Series {
            raw: self.key,
            value: if sample.value.is_nan() { model::float::NORMAL_NAN } else { sample.value },
            timestamp: times.timestamp,
            start_timestamp: times.start,
            exemplar: None,
            kind: self.family.kind,
            unit: self.family.unit,
            origin: Origin::Protobuf(labels),
        }
    }
}

impl<'a> ProtobufLabels<'a> {
    pub(crate) fn pairs(&self) -> Result<LabelPairs<'a>> {
        let name = match self.suffix {
            "" => Cow::Borrowed(self.family),
            suffix => Cow::Owned(format!("{}{suffix}", self.family)),
        };
        let mut pairs = vec![(Cow::Borrowed(METRIC_NAME), name)];
        read_labels(self.metric, &mut pairs)?;
        if let Some((name, bound)) = self.bound {
            let mut text = String::new();
            number::write_openmetrics_float(bound, &mut text);
            pairs.push((Cow::Borrowed(name), Cow::Owned(text)));
        }
        Ok(pairs)
    }
}

/// The labels of a metric or an exemplar: both have them in field 1.
pub(crate) fn read_labels<'a>(message: &'a [u8], pairs: &mut LabelPairs<'a>) -> Result<()> {
    for field in Fields::new(message) {
        let (1, label) = field? else { continue };
        let (mut name, mut text) = ("", "");
        for field in Fields::new(label.bytes()?) {
            match field? {
                (1, value) => name = value.text()?,
                (2, value) => text = value.text()?,
                _ => {}
            }
        }
        pairs.push((Cow::Borrowed(name), Cow::Borrowed(text)));
    }
    Ok(())
}

impl<'a> ProtobufExemplar<'a> {
    fn read(message: &'a [u8]) -> Result<ProtobufExemplar<'a>> {
        let mut exemplar = ProtobufExemplar { value: 0.0, timestamp: None, message };
        for field in Fields::new(message) {
            match field? {
                (2, value) => exemplar.value = value.float()?,
                (3, value) => exemplar.timestamp = timestamp(value.bytes()?)?,
                _ => {}
            }
        }
        Ok(exemplar)
    }

    fn to_exemplar(self) -> Exemplar<'a> {
        let origin = Origin::ProtobufExemplar(self.message);
        Exemplar { value: self.value, timestamp: self.timestamp, origin }
    }
}

/// A `Timestamp` message in milliseconds.
fn timestamp(message: &[u8]) -> Result<Option<Timestamp>> {
    let (mut seconds, mut nanos) = (0i64, 0i64);
    for field in Fields::new(message) {
        match field? {
            (1, value) => seconds = value.int()?,
            (2, value) => nanos = value.int()?,
            _ => {}
        }
    }
    let millis = seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000);
    Ok(Some(Timestamp::from_millis(millis)))
}
