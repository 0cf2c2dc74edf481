//! `Histogram` messages, which hold a classic histogram, a native one, or both.

use model::{
    FloatHistogram, Timestamp,
    histogram::{CounterResetHint, Histogram, Span},
};

use super::{
    ProtobufExemplar,
    wire::{Fields, Value},
};
use crate::{Error, Result};

/// A native histogram as sent: with whole counts or with floats.
#[derive(Debug, Clone, PartialEq)]
pub enum NativeHistogram {
    Integer(Histogram),
    Float(FloatHistogram),
}

impl NativeHistogram {
    /// Spans and buckets must fit together, so that whoever walks over both never falls off. What
    /// the numbers say is for the storage to judge.
    pub(super) fn check(&self, metric: &str) -> Result<()> {
        let (positive, negative) = match self {
            NativeHistogram::Integer(h) => (
                ("positive", &h.positive_spans, h.positive_buckets.len()),
                ("negative", &h.negative_spans, h.negative_buckets.len()),
            ),
            NativeHistogram::Float(h) => (
                ("positive", &h.positive_spans, h.positive_buckets.len()),
                ("negative", &h.negative_spans, h.negative_buckets.len()),
            ),
        };
        for (side, spans, present) in [positive, negative] {
            let needed: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
            if needed != present as u64 {
                return Err(Error::Buckets { metric: metric.to_owned(), side, needed, present });
            }
        }
        Ok(())
    }

    /// Leaves out spans that say nothing: clients use one to mark an empty histogram as native.
    pub(super) fn compact(&mut self) {
        match self {
            NativeHistogram::Integer(histogram) => histogram.compact(0),
            NativeHistogram::Float(histogram) => histogram.compact(0),
        }
    }
}

/// A message with its parts found. Buckets stay where they are.
#[derive(Default)]
pub(super) struct RawHistogram<'a> {
    pub(super) count: Count,
    pub(super) sum: f64,
    pub(super) created: Option<Timestamp>,
    message: &'a [u8],
    schema: i32,
    zero_threshold: f64,
    zero_count: Count,
    positive: Side,
    negative: Side,
}

/// A count comes as an integer or as a float.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    integer: u64,
    float: f64,
}

#[derive(Default)]
struct Side {
    spans: Vec<Span>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

/// A classic bucket.
pub(super) struct Bucket<'a> {
    pub(super) upper_bound: f64,
    pub(super) count: Count,
    pub(super) exemplar: Option<ProtobufExemplar<'a>>,
}

impl Count {
    pub(super) fn value(self) -> f64 {
        if self.float > 0.0 { self.float } else { self.integer as f64 }
    }
}

impl<'a> RawHistogram<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<RawHistogram<'a>> {
        let mut raw = RawHistogram { message, ..RawHistogram::default() };
        for field in Fields::new(message) {
            match field? {
                (1, value) => raw.count.integer = value.uint()?,
                (4, value) => raw.count.float = value.float()?,
                (2, value) => raw.sum = value.float()?,
                (5, value) => raw.schema = value.sint()? as i32,
                (6, value) => raw.zero_threshold = value.float()?,
                (7, value) => raw.zero_count.integer = value.uint()?,
                (8, value) => raw.zero_count.float = value.float()?,
                (9, value) => raw.negative.spans.push(span(value)?),
                (10, value) => value.each_sint(|delta| raw.negative.deltas.push(delta))?,
                (11, value) => value.each_float(|count| raw.negative.counts.push(count))?,
                (12, value) => raw.positive.spans.push(span(value)?),
                (13, value) => value.each_sint(|delta| raw.positive.deltas.push(delta))?,
                (14, value) => value.each_float(|count| raw.positive.counts.push(count))?,
                (15, value) => raw.created = super::timestamp(value.bytes()?)?,
                _ => {}
            }
        }
        Ok(raw)
    }

    pub(super) fn is_native(&self) -> bool {
        !self.positive.spans.is_empty()
            || !self.negative.spans.is_empty()
            || self.zero_threshold > 0.0
            || self.zero_count.value() > 0.0
    }

    pub(super) fn has_buckets(&self) -> bool {
        self.fields(3).next().is_some()
    }

    /// The classic buckets.
    pub(super) fn buckets(&self) -> impl Iterator<Item = Result<Bucket<'a>>> + use<'a> {
        self.fields(3).map(|value| bucket(value?.bytes()?))
    }

    /// Exemplars of the native histogram; where it has none, those of the classic buckets.
    pub(super) fn exemplars(&self) -> Result<Vec<ProtobufExemplar<'a>>> {
        let mut exemplars = Vec::new();
        for value in self.fields(16) {
            exemplars.push(ProtobufExemplar::read(value?.bytes()?)?);
        }
        if exemplars.is_empty() {
            for bucket in self.buckets() {
                exemplars.extend(bucket?.exemplar);
            }
        }
        // Without a time of its own an exemplar would be told again and again.
        exemplars.retain(|exemplar| exemplar.timestamp.is_some());
        Ok(exemplars)
    }

    pub(super) fn into_native(self, is_gauge: bool) -> NativeHistogram {
        let counter_reset_hint = match is_gauge {
            true => CounterResetHint::Gauge,
            false => CounterResetHint::Unknown,
        };
        let (schema, zero_threshold, sum) = (self.schema, self.zero_threshold, self.sum);
        if self.count.float > 0.0 || self.zero_count.float > 0.0 {
            return NativeHistogram::Float(FloatHistogram {
                counter_reset_hint,
                schema,
                zero_threshold,
                zero_count: self.zero_count.float,
                count: self.count.float,
                sum,
                positive_spans: self.positive.spans,
                negative_spans: self.negative.spans,
                positive_buckets: self.positive.counts,
                negative_buckets: self.negative.counts,
                custom_values: Vec::new(),
            });
        }
        NativeHistogram::Integer(Histogram {
            counter_reset_hint,
            schema,
            zero_threshold,
            zero_count: self.zero_count.integer,
            count: self.count.integer,
            sum,
            positive_spans: self.positive.spans,
            negative_spans: self.negative.spans,
            positive_buckets: self.positive.deltas,
            negative_buckets: self.negative.deltas,
            custom_values: Vec::new(),
        })
    }

    fn fields(&self, wanted: u64) -> impl Iterator<Item = Result<Value<'a>>> + use<'a> {
        Fields::new(self.message).filter_map(move |field| match field {
            Ok((number, value)) => (number == wanted).then_some(Ok(value)),
            Err(error) => Some(Err(error)),
        })
    }
}

fn span(value: Value<'_>) -> Result<Span> {
    let mut span = Span::default();
    for field in Fields::new(value.bytes()?) {
        match field? {
            (1, value) => span.offset = value.sint()? as i32,
            (2, value) => {
                let length = u32::try_from(value.uint()?);
                span.length = length.map_err(|_| Error::Protobuf("span is too long"))?;
            }
            _ => {}
        }
    }
    Ok(span)
}

fn bucket(message: &[u8]) -> Result<Bucket<'_>> {
    let mut bucket = Bucket { upper_bound: 0.0, count: Count::default(), exemplar: None };
    for field in Fields::new(message) {
        match field? {
            (1, value) => bucket.count.integer = value.uint()?,
            (4, value) => bucket.count.float = value.float()?,
            (2, value) => bucket.upper_bound = value.float()?,
            (3, value) => bucket.exemplar = Some(ProtobufExemplar::read(value.bytes()?)?),
            _ => {}
        }
    }
    Ok(bucket)
}
