use model::{
    FloatHistogram,
    histogram::{CUSTOM_BUCKETS_SCHEMA, Histogram, Span},
};

use crate::bits::{BitReader, BitWriter};

/// Exponents of zero thresholds that take one byte, as powers of two.
const EXPONENT_MIN: i32 = -243;
const EXPONENT_MAX: i32 = 10;

/// A histogram with more buckets than this is not read; it would not fit a chunk.
const BUCKETS_MAX: u64 = 1 << 20;

/// What all histograms of a chunk have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    pub schema: i32,
    pub zero_threshold: f64,
    pub positive_spans: Vec<Span>,
    pub negative_spans: Vec<Span>,
    pub custom_values: Vec<f64>,
}

impl Layout {
    pub fn of(histogram: &Histogram) -> Layout {
        Layout {
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            positive_spans: histogram.positive_spans.clone(),
            negative_spans: histogram.negative_spans.clone(),
            custom_values: histogram.custom_values.clone(),
        }
    }

    pub fn of_float(histogram: &FloatHistogram) -> Layout {
        Layout {
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            positive_spans: histogram.positive_spans.clone(),
            negative_spans: histogram.negative_spans.clone(),
            custom_values: histogram.custom_values.clone(),
        }
    }

    /// A histogram of this layout, without counts.
    pub(crate) fn empty_histogram(&self) -> FloatHistogram {
        FloatHistogram {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            positive_spans: self.positive_spans.clone(),
            negative_spans: self.negative_spans.clone(),
            custom_values: self.custom_values.clone(),
            ..FloatHistogram::default()
        }
    }

    pub(crate) fn n_positive(&self) -> usize {
        n_buckets(&self.positive_spans)
    }

    pub(crate) fn n_negative(&self) -> usize {
        n_buckets(&self.negative_spans)
    }

    pub(crate) fn write(&self, writer: &mut BitWriter) {
        write_zero_threshold(writer, self.zero_threshold);
        writer.write_varbit(i64::from(self.schema));
        write_spans(writer, &self.positive_spans);
        write_spans(writer, &self.negative_spans);
        if self.schema == CUSTOM_BUCKETS_SCHEMA {
            writer.write_varbit_unsigned(self.custom_values.len() as u64);
            self.custom_values.iter().for_each(|bound| write_bound(writer, *bound));
        }
    }

    pub(crate) fn read(reader: &mut BitReader<'_>) -> Option<Layout> {
        let zero_threshold = read_zero_threshold(reader)?;
        let schema = i32::try_from(reader.read_varbit()?).ok()?;
        let positive_spans = read_spans(reader)?;
        let negative_spans = read_spans(reader)?;
        let mut custom_values = Vec::new();
        if schema == CUSTOM_BUCKETS_SCHEMA {
            for _ in 0..reader.read_varbit_unsigned()? {
                custom_values.push(read_bound(reader)?);
            }
        }
        Some(Layout { schema, zero_threshold, positive_spans, negative_spans, custom_values })
    }
}

fn n_buckets(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.length as usize).sum()
}

fn write_spans(writer: &mut BitWriter, spans: &[Span]) {
    writer.write_varbit_unsigned(spans.len() as u64);
    for span in spans {
        writer.write_varbit_unsigned(u64::from(span.length));
        writer.write_varbit(i64::from(span.offset));
    }
}

fn read_spans(reader: &mut BitReader<'_>) -> Option<Vec<Span>> {
    let n_spans = reader.read_varbit_unsigned()?;
    let mut spans = Vec::new();
    let mut n_buckets = 0_u64;
    for _ in 0..n_spans {
        let length = u32::try_from(reader.read_varbit_unsigned()?).ok()?;
        let offset = i32::try_from(reader.read_varbit()?).ok()?;
        n_buckets += u64::from(length);
        if n_buckets > BUCKETS_MAX {
            return None;
        }
        spans.push(Span { offset, length });
    }
    Some(spans)
}

/// Powers of two take one byte, others nine.
fn write_zero_threshold(writer: &mut BitWriter, threshold: f64) {
    if threshold == 0.0 {
        return writer.write(0, 8);
    }
    let exponent = threshold.log2();
    let is_power = exponent.fract() == 0.0
        && 2.0_f64.powi(exponent as i32) == threshold
        && (EXPONENT_MIN..=EXPONENT_MAX).contains(&(exponent as i32));
    match is_power {
        true => writer.write((exponent as i32 - EXPONENT_MIN + 1) as u64, 8),
        false => {
            writer.write(0xff, 8);
            writer.write(threshold.to_bits(), 64);
        }
    }
}

fn read_zero_threshold(reader: &mut BitReader<'_>) -> Option<f64> {
    Some(match reader.read(8)? {
        0 => 0.0,
        0xff => f64::from_bits(reader.read(64)?),
        power => 2.0_f64.powi(power as i32 - 1 + EXPONENT_MIN),
    })
}

/// A bound of at most three decimals is a small whole number of thousandths.
fn write_bound(writer: &mut BitWriter, bound: f64) {
    const THOUSANDTHS_MAX: f64 = 33_554_430.0;
    let thousandths = bound * 1000.0;
    let is_short =
        (0.0..=THOUSANDTHS_MAX).contains(&thousandths) && thousandths.round() / 1000.0 == bound;
    if is_short {
        writer.write_varbit_unsigned(thousandths.round() as u64 + 1);
    } else {
        writer.write(0, 1);
        writer.write(bound.to_bits(), 64);
    }
}

fn read_bound(reader: &mut BitReader<'_>) -> Option<f64> {
    Some(match reader.read_varbit_unsigned()? {
        0 => f64::from_bits(reader.read(64)?),
        thousandths => (thousandths - 1) as f64 / 1000.0,
    })
}
