use model::{
    FloatHistogram,
    histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Histogram, Span},
};

use super::{
    Kind,
    cursor::{Cursor, push_uvarint, push_varint},
    place::{Place, Places},
};
use crate::{Error, Result};

/// A native histogram of a series; time in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramSample<H> {
    pub series_ref: u64,
    pub time: i64,
    pub value: H,
}

/// A kind of histogram with its records: one for exponential, one for custom buckets, and one for
/// both with start timestamps.
pub trait Logged: Sized {
    const KINDS: [Kind; 3];

    fn has_custom_buckets(&self) -> bool;

    #[doc(hidden)]
    fn push(&self, out: &mut Vec<u8>);

    #[doc(hidden)]
    fn read(cursor: &mut HistogramCursor<'_>) -> Result<Self>;
}

/// What [`Logged::read`] reads from.
#[doc(hidden)]
pub struct HistogramCursor<'a>(Cursor<'a>);

/// Appends the histograms of a record, with or without start timestamps, to `out`.
pub fn decode_histograms<H: Logged>(
    record: &[u8],
    out: &mut Vec<HistogramSample<H>>,
) -> Result<()> {
    decode(record, out, |_| {})
}

/// The same with the start timestamp of each histogram in `starts`, 0 for none.
pub fn decode_histograms_with_starts<H: Logged>(
    record: &[u8],
    out: &mut Vec<HistogramSample<H>>,
    starts: &mut Vec<i64>,
) -> Result<()> {
    decode(record, out, |start| starts.push(start))
}

fn decode<H: Logged>(
    record: &[u8],
    out: &mut Vec<HistogramSample<H>>,
    mut note_start: impl FnMut(i64),
) -> Result<()> {
    let (kind, mut cursor) = Cursor::new(record, "histograms", &H::KINDS)?;
    if cursor.is_empty() {
        return Ok(());
    }
    if kind == H::KINDS[2] {
        let mut places = Places::default();
        while !cursor.is_empty() {
            let Place { series_ref, time, start } = places.read(&mut cursor)?;
            let mut inner = HistogramCursor(cursor);
            out.push(HistogramSample { series_ref, time, value: H::read(&mut inner)? });
            note_start(start);
            cursor = inner.0;
        }
        return Ok(());
    }
    let base_ref = cursor.u64()?;
    let base_time = cursor.u64()? as i64;
    let mut cursor = HistogramCursor(cursor);
    while !cursor.0.is_empty() {
        out.push(HistogramSample {
            series_ref: base_ref.wrapping_add(cursor.0.varint()? as u64),
            time: base_time.wrapping_add(cursor.0.varint()?),
            value: H::read(&mut cursor)?,
        });
        note_start(0);
    }
    Ok(())
}

/// The record with `samples` and their start timestamps, 0 for none.
pub fn encode_histograms_with_starts<H: Logged>(
    samples: &[HistogramSample<H>],
    starts: &[i64],
) -> Vec<u8> {
    debug_assert_eq!(samples.len(), starts.len());
    let mut out = vec![H::KINDS[2] as u8];
    let mut places = Places::default();
    for (sample, start) in samples.iter().zip(starts) {
        let place = Place { series_ref: sample.series_ref, time: sample.time, start: *start };
        places.write(place, &mut out);
        sample.value.push(&mut out);
    }
    out
}

/// The records with `samples`: exponential ones, then those with custom buckets.
pub fn encode_histograms<H: Logged>(samples: &[HistogramSample<H>]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for (is_custom, kind) in [(false, H::KINDS[0]), (true, H::KINDS[1])] {
        let mut of_kind = samples
            .iter()
            .filter(|sample| sample.value.has_custom_buckets() == is_custom)
            .peekable();
        let Some(base) = of_kind.peek().copied() else { continue };
        let mut out = vec![kind as u8];
        out.extend_from_slice(&base.series_ref.to_be_bytes());
        out.extend_from_slice(&base.time.to_be_bytes());
        for sample in of_kind {
            push_varint(&mut out, sample.series_ref.wrapping_sub(base.series_ref) as i64);
            push_varint(&mut out, sample.time.wrapping_sub(base.time));
            sample.value.push(&mut out);
        }
        records.push(out);
    }
    records
}

impl Logged for Histogram {
    const KINDS: [Kind; 3] = [Kind::Histograms, Kind::CustomBucketsHistograms, Kind::HistogramsV2];

    fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    fn push(&self, out: &mut Vec<u8>) {
        out.push(hint_byte(self.counter_reset_hint));
        push_varint(out, i64::from(self.schema));
        push_f64(out, self.zero_threshold);
        push_uvarint(out, self.zero_count);
        push_uvarint(out, self.count);
        push_f64(out, self.sum);
        push_spans(out, &self.positive_spans);
        push_spans(out, &self.negative_spans);
        for buckets in [&self.positive_buckets, &self.negative_buckets] {
            push_uvarint(out, buckets.len() as u64);
            buckets.iter().for_each(|bucket| push_varint(out, *bucket));
        }
        if self.has_custom_buckets() {
            push_floats(out, &self.custom_values);
        }
    }

    fn read(cursor: &mut HistogramCursor<'_>) -> Result<Histogram> {
        let counter_reset_hint = hint(cursor.0.byte()?);
        let schema = cursor.schema()?;
        Ok(Histogram {
            counter_reset_hint,
            schema,
            zero_threshold: cursor.0.f64()?,
            zero_count: cursor.0.uvarint()?,
            count: cursor.0.uvarint()?,
            sum: cursor.0.f64()?,
            positive_spans: cursor.spans()?,
            negative_spans: cursor.spans()?,
            positive_buckets: cursor.list(|cursor| cursor.varint())?,
            negative_buckets: cursor.list(|cursor| cursor.varint())?,
            custom_values: cursor.bounds(schema)?,
        })
    }
}

impl Logged for FloatHistogram {
    const KINDS: [Kind; 3] =
        [Kind::FloatHistograms, Kind::CustomBucketsFloatHistograms, Kind::FloatHistogramsV2];

    fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    fn push(&self, out: &mut Vec<u8>) {
        out.push(hint_byte(self.counter_reset_hint));
        push_varint(out, i64::from(self.schema));
        for number in [self.zero_threshold, self.zero_count, self.count, self.sum] {
            push_f64(out, number);
        }
        push_spans(out, &self.positive_spans);
        push_spans(out, &self.negative_spans);
        push_floats(out, &self.positive_buckets);
        push_floats(out, &self.negative_buckets);
        if self.has_custom_buckets() {
            push_floats(out, &self.custom_values);
        }
    }

    fn read(cursor: &mut HistogramCursor<'_>) -> Result<FloatHistogram> {
        let counter_reset_hint = hint(cursor.0.byte()?);
        let schema = cursor.schema()?;
        Ok(FloatHistogram {
            counter_reset_hint,
            schema,
            zero_threshold: cursor.0.f64()?,
            zero_count: cursor.0.f64()?,
            count: cursor.0.f64()?,
            sum: cursor.0.f64()?,
            positive_spans: cursor.spans()?,
            negative_spans: cursor.spans()?,
            positive_buckets: cursor.list(|cursor| cursor.f64())?,
            negative_buckets: cursor.list(|cursor| cursor.f64())?,
            custom_values: cursor.bounds(schema)?,
        })
    }
}

impl<'a> HistogramCursor<'a> {
    fn schema(&mut self) -> Result<i32> {
        i32::try_from(self.0.varint()?)
            .map_err(|_| Error::Record { kind: "histograms", detail: "invalid schema" })
    }

    /// Only histograms with custom buckets have bounds.
    fn bounds(&mut self, schema: i32) -> Result<Vec<f64>> {
        match schema {
            CUSTOM_BUCKETS_SCHEMA => self.list(|cursor| cursor.f64()),
            _ => Ok(Vec::new()),
        }
    }

    fn spans(&mut self) -> Result<Vec<Span>> {
        self.list(|cursor| {
            let out_of_range = |_| Error::Record { kind: "histograms", detail: "invalid span" };
            let offset = i32::try_from(cursor.varint()?).map_err(out_of_range)?;
            let length = u32::try_from(cursor.uvarint()?).map_err(out_of_range)?;
            Ok(Span { offset, length })
        })
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Cursor<'a>) -> Result<T>) -> Result<Vec<T>> {
        let n_items = self.0.uvarint()?;
        // An item takes a byte at least.
        let mut items = Vec::with_capacity((n_items as usize).min(self.0.len()));
        for _ in 0..n_items {
            items.push(read(&mut self.0)?);
        }
        Ok(items)
    }
}

fn push_f64(out: &mut Vec<u8>, number: f64) {
    out.extend_from_slice(&number.to_bits().to_be_bytes());
}

fn push_floats(out: &mut Vec<u8>, numbers: &[f64]) {
    push_uvarint(out, numbers.len() as u64);
    numbers.iter().for_each(|number| push_f64(out, *number));
}

fn push_spans(out: &mut Vec<u8>, spans: &[Span]) {
    push_uvarint(out, spans.len() as u64);
    for span in spans {
        push_varint(out, i64::from(span.offset));
        push_uvarint(out, u64::from(span.length));
    }
}

fn hint_byte(hint: CounterResetHint) -> u8 {
    match hint {
        CounterResetHint::Unknown => 0,
        CounterResetHint::Reset => 1,
        CounterResetHint::NotReset => 2,
        CounterResetHint::Gauge => 3,
    }
}

fn hint(byte: u8) -> CounterResetHint {
    match byte {
        1 => CounterResetHint::Reset,
        2 => CounterResetHint::NotReset,
        3 => CounterResetHint::Gauge,
        _ => CounterResetHint::Unknown,
    }
}
