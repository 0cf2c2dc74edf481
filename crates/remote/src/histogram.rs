//! Histogram messages, which both versions of remote write share.

use model::{
    FloatHistogram,
    histogram::{self, CounterResetHint, Histogram, Span, bounds},
};
use storage::HistogramValue;

use crate::{
    wire::{Field, Fields, Result, from_zigzag},
    write::{Writer, to_zigzag},
};

/// The finest schema that is known at all; what is finer than ours is made coarser.
const RESERVED_SCHEMA_MAX: i32 = 52;

/// A histogram as it was sent, with its times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimedHistogram {
    pub(crate) value: HistogramValue,
    pub(crate) time: i64,
}

/// Reads a histogram; whether it makes sense is for [`check`] to say.
pub(crate) fn read(bytes: &[u8]) -> Result<TimedHistogram> {
    let mut counts = Counts::default();
    let mut common = FloatHistogram::default();
    let mut time = 0;
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => counts.whole = field.number()?,
            2 => (counts.float, counts.is_float) = (field.double()?, true),
            3 => common.sum = field.double()?,
            4 => common.schema = field.zigzag()? as i32,
            5 => common.zero_threshold = field.double()?,
            6 => counts.zero_whole = field.number()?,
            7 => counts.zero_float = field.double()?,
            8 => common.negative_spans.push(read_span(&field)?),
            9 => field.numbers(|number| counts.negative.push(from_zigzag(number)))?,
            10 => field.doubles(|count| common.negative_buckets.push(count))?,
            11 => common.positive_spans.push(read_span(&field)?),
            12 => field.numbers(|number| counts.positive.push(from_zigzag(number)))?,
            13 => field.doubles(|count| common.positive_buckets.push(count))?,
            14 => common.counter_reset_hint = reset_hint(field.number()?),
            15 => time = field.number()? as i64,
            16 => field.doubles(|bound| common.custom_values.push(bound))?,
            _ => {}
        }
    }
    Ok(TimedHistogram { value: counts.complete(common), time })
}

/// What is different in histograms of whole numbers.
#[derive(Default)]
struct Counts {
    is_float: bool,
    whole: u64,
    float: f64,
    zero_whole: u64,
    zero_float: f64,
    negative: Vec<i64>,
    positive: Vec<i64>,
}

impl Counts {
    fn complete(self, common: FloatHistogram) -> HistogramValue {
        if self.is_float {
            return HistogramValue::Float(Box::new(FloatHistogram {
                count: self.float,
                zero_count: self.zero_float,
                ..common
            }));
        }
        HistogramValue::Integer(Box::new(Histogram {
            counter_reset_hint: common.counter_reset_hint,
            schema: common.schema,
            zero_threshold: common.zero_threshold,
            zero_count: self.zero_whole,
            count: self.whole,
            sum: common.sum,
            positive_spans: common.positive_spans,
            negative_spans: common.negative_spans,
            positive_buckets: self.positive,
            negative_buckets: self.negative,
            custom_values: common.custom_values,
        }))
    }
}

fn read_span(field: &Field<'_>) -> Result<Span> {
    let mut span = Span::default();
    let mut fields = Fields::new(field.bytes()?);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => span.offset = field.zigzag()? as i32,
            2 => span.length = field.number()? as u32,
            _ => {}
        }
    }
    Ok(span)
}

fn reset_hint(number: u64) -> CounterResetHint {
    match number {
        1 => CounterResetHint::Reset,
        2 => CounterResetHint::NotReset,
        3 => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    }
}

/// Says what is wrong with a histogram; one that is only too fine is made coarser.
pub(crate) fn check(value: &mut HistogramValue) -> Result<(), histogram::Error> {
    let is_too_fine = |schema| (bounds::SCHEMA_MAX + 1..=RESERVED_SCHEMA_MAX).contains(&schema);
    match value {
        HistogramValue::Integer(histogram) => {
            if is_too_fine(histogram.schema) {
                histogram.reduce_resolution(bounds::SCHEMA_MAX)?;
            }
            histogram.validate()
        }
        HistogramValue::Float(histogram) => {
            if is_too_fine(histogram.schema) {
                histogram.reduce_resolution(bounds::SCHEMA_MAX)?;
            }
            histogram.validate()
        }
    }
}

/// Writes a histogram message.
pub(crate) fn write(value: &HistogramValue, time: i64, out: &mut Writer<'_>) {
    match value {
        HistogramValue::Integer(histogram) => write_integer(histogram, out),
        HistogramValue::Float(histogram) => write_float(histogram, out),
    }
    out.number(15, time as u64);
}

fn write_integer(histogram: &Histogram, out: &mut Writer<'_>) {
    let zigzag = |deltas: &[i64]| deltas.iter().map(|d| to_zigzag(*d)).collect::<Vec<_>>();
    out.number_always(1, histogram.count);
    out.double(3, histogram.sum);
    out.zigzag(4, histogram.schema.into());
    out.double(5, histogram.zero_threshold);
    out.number_always(6, histogram.zero_count);
    write_spans(8, &histogram.negative_spans, out);
    out.packed_numbers(9, zigzag(&histogram.negative_buckets).into_iter());
    write_spans(11, &histogram.positive_spans, out);
    out.packed_numbers(12, zigzag(&histogram.positive_buckets).into_iter());
    out.number(14, hint_number(histogram.counter_reset_hint));
    out.packed_doubles(16, &histogram.custom_values);
}

fn write_float(histogram: &FloatHistogram, out: &mut Writer<'_>) {
    out.double_always(2, histogram.count);
    out.double(3, histogram.sum);
    out.zigzag(4, histogram.schema.into());
    out.double(5, histogram.zero_threshold);
    out.double_always(7, histogram.zero_count);
    write_spans(8, &histogram.negative_spans, out);
    out.packed_doubles(10, &histogram.negative_buckets);
    write_spans(11, &histogram.positive_spans, out);
    out.packed_doubles(13, &histogram.positive_buckets);
    out.number(14, hint_number(histogram.counter_reset_hint));
    out.packed_doubles(16, &histogram.custom_values);
}

fn write_spans(field: u32, spans: &[Span], out: &mut Writer<'_>) {
    for span in spans {
        out.message(field, |out| {
            out.zigzag(1, span.offset.into());
            out.number(2, span.length.into());
        });
    }
}

fn hint_number(hint: CounterResetHint) -> u64 {
    match hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::Reset => 1,
        CounterResetHint::NotReset => 2,
        CounterResetHint::Gauge => 3,
    }
}
