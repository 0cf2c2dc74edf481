//! Classic histograms, which are many series, turned into one native histogram with custom buckets.
//!
//! A filter between a parser and whoever takes its entries: it holds a histogram back until the
//! first entry that is no part of it.

use std::borrow::Cow;

use model::{
    Labels, METRIC_NAME, MetricType, Timestamp,
    histogram::{ClassicBuckets, Converted},
};

use crate::{
    Entry, Exemplar, HistogramSeries, Result, Series, parser::Origin, protobuf::NativeHistogram,
};

/// Converts as it goes; [`Converter::end`] gives out what it still holds back.
#[derive(Debug, Default)]
pub struct Converter {
    /// Whether the classic series are given out, too.
    keeps_classic: bool,
    /// The family of the last `# TYPE` line, if that said histogram.
    family: Option<String>,
    /// The last histogram that came as a native one: its classic series are no other histogram.
    native: Option<Labels>,
    collecting: Option<Collecting>,
}

/// A histogram that is not complete yet.
#[derive(Debug)]
struct Collecting {
    /// With the family's name, without `le`.
    labels: Labels,
    unit: String,
    buckets: ClassicBuckets,
    is_broken: bool,
    exemplars: Vec<(Labels, f64, Option<Timestamp>)>,
    /// Of the series that came last.
    timestamp: Option<Timestamp>,
    start_timestamp: Option<Timestamp>,
}

/// What a series is to its histogram.
enum Part {
    Bucket { upper_bound: f64 },
    Sum,
    Count,
}

impl Converter {
    pub fn new(keeps_classic: bool) -> Converter {
        Converter { keeps_classic, ..Converter::default() }
    }

    /// Takes an entry and gives out what is ready.
    pub fn take<E: From<crate::Error>>(
        &mut self,
        entry: Entry<'_>,
        out: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &entry {
            Entry::Series(series) => {
                if let Some((labels, part)) = self.part(series)? {
                    self.end_unless(&labels, out)?;
                    self.collect(labels, &part, series)?;
                    return if self.keeps_classic { out(entry) } else { Ok(()) };
                }
                self.end(out)?;
            }
            Entry::Histogram(histogram) => {
                self.end(out)?;
                let labels = Labels::from_pairs(histogram.series.labels()?);
                self.native = Some(labels);
            }
            Entry::Type { metric, kind } => {
                self.end(out)?;
                let is_histogram = *kind == MetricType::Histogram;
                self.family = is_histogram.then(|| metric.clone().into_owned());
            }
            Entry::Help { .. } | Entry::Unit { .. } | Entry::Comment(_) => self.end(out)?,
        }
        out(entry)
    }

    /// Gives out the histogram that was held back. One that makes no sense is left out.
    pub fn end<E>(&mut self, out: &mut impl FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), E> {
        match self.collecting.take() {
            Some(collected) => collected.give(out),
            None => Ok(()),
        }
    }

    fn end_unless<E>(
        &mut self,
        labels: &Labels,
        out: &mut impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let goes_on = self.collecting.as_ref().is_some_and(|c| c.labels == *labels);
        if goes_on { Ok(()) } else { self.end(out) }
    }

    /// The histogram that a series is part of, and which part.
    fn part(&self, series: &Series<'_>) -> Result<Option<(Labels, Part)>> {
        let Some(family) = &self.family else { return Ok(None) };
        let mut pairs = series.labels()?;
        let Some(name) = pairs.iter_mut().find(|(name, _)| name == METRIC_NAME) else {
            return Ok(None);
        };
        let suffix = name.1.strip_prefix(family.as_str()).unwrap_or_default();
        let mut part = match suffix {
            "_bucket" => Part::Bucket { upper_bound: f64::NAN },
            "_sum" => Part::Sum,
            "_count" => Part::Count,
            _ => return Ok(None),
        };
        name.1 = Cow::Borrowed(family);
        if let Part::Bucket { upper_bound } = &mut part {
            let le = pairs.iter().find(|(name, _)| name == "le").map(|(_, value)| value);
            let le = le.and_then(|le| crate::number::parse_float(le.as_bytes()).ok());
            match le.filter(|le| !le.is_nan()) {
                Some(le) => *upper_bound = le,
                None => return Ok(None),
            }
        }
        pairs.retain(|(name, _)| name != "le");
        let labels = Labels::from_pairs(pairs);
        let is_native = self.native.as_ref() == Some(&labels);
        Ok((!is_native).then_some((labels, part)))
    }

    fn collect(&mut self, labels: Labels, part: &Part, series: &Series<'_>) -> Result<()> {
        let collecting = self.collecting.get_or_insert_with(|| Collecting {
            labels,
            unit: series.unit.to_owned(),
            buckets: ClassicBuckets::default(),
            is_broken: false,
            exemplars: Vec::new(),
            timestamp: None,
            start_timestamp: series.start_timestamp,
        });
        collecting.timestamp = series.timestamp;
        // Of those of protobuf a native histogram takes only the ones with a time of their own.
        let is_told = |exemplar: &&Exemplar<'_>| {
            exemplar.timestamp.is_some() || !matches!(exemplar.origin, Origin::ProtobufExemplar(_))
        };
        if let Some(exemplar) = series.exemplar.as_deref().filter(is_told) {
            let (value, timestamp) = (exemplar.value, exemplar.timestamp);
            collecting.exemplars.push((exemplar.labels()?, value, timestamp));
        }
        let buckets = &mut collecting.buckets;
        let set = match part {
            Part::Bucket { upper_bound } => buckets.set_bucket(*upper_bound, series.value),
            Part::Count => buckets.set_count(series.value),
            Part::Sum => {
                buckets.set_sum(series.value);
                Ok(())
            }
        };
        // Counts that fall make no histogram.
        collecting.is_broken |= set.is_err();
        Ok(())
    }
}

impl Collecting {
    fn give<E>(self, out: &mut impl FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), E> {
        if self.is_broken {
            return Ok(());
        }
        let Ok(converted) = self.buckets.convert() else { return Ok(()) };
        let raw = print(&self.labels);
        let series = Series {
            raw: raw.as_bytes(),
            value: 0.0,
            timestamp: self.timestamp,
            start_timestamp: self.start_timestamp,
            exemplar: None,
            kind: MetricType::Histogram,
            unit: &self.unit,
            origin: Origin::Labels(&self.labels),
        };
        let exemplars = self.exemplars.iter().map(|(labels, value, timestamp)| Exemplar {
            value: *value,
            timestamp: *timestamp,
            origin: Origin::Labels(labels),
        });
        let histogram = match converted {
            Converted::Integer(histogram) => NativeHistogram::Integer(histogram),
            Converted::Float(histogram) => NativeHistogram::Float(histogram),
        };
        let exemplars = exemplars.collect();
        out(Entry::Histogram(Box::new(HistogramSeries { series, histogram, exemplars })))
    }
}

/// The series as it could be written in the text format.
fn print(labels: &Labels) -> String {
    let mut out = labels.metric_name().to_owned();
    let mut separator = '{';
    for (name, value) in labels.iter().filter(|(name, _)| *name != METRIC_NAME) {
        out.push(separator);
        out.push_str(name);
        out.push('=');
        out.push_str(&model::labels::quote(value));
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    out
}
