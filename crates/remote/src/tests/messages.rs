//! Messages written the plain way, for tests.

use model::{FloatHistogram, histogram::Histogram};
use storage::HistogramValue;

/// A message that grows field by field.
#[derive(Default, Clone)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl Raw {
    pub(crate) fn varint(mut self, field: u32, number: u64) -> Raw {
        push_varint(&mut self.0, u64::from(field) << 3);
        push_varint(&mut self.0, number);
        self
    }

    pub(crate) fn zigzag(self, field: u32, number: i64) -> Raw {
        self.varint(field, (number << 1 ^ number >> 63) as u64)
    }

    pub(crate) fn double(mut self, field: u32, number: f64) -> Raw {
        push_varint(&mut self.0, u64::from(field) << 3 | 1);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn fixed64(self, field: u32, number: u64) -> Raw {
        self.double(field, f64::from_bits(number))
    }

    pub(crate) fn bytes(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Raw {
        let bytes = bytes.as_ref();
        push_varint(&mut self.0, u64::from(field) << 3 | 2);
        push_varint(&mut self.0, bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn message(self, field: u32, message: Raw) -> Raw {
        self.bytes(field, message.0)
    }

    fn each<T>(self, items: impl IntoIterator<Item = T>, add: impl Fn(Raw, T) -> Raw) -> Raw {
        items.into_iter().fold(self, add)
    }
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn sample(time: i64, value: f64) -> Raw {
    Raw::default().double(1, value).varint(2, time as u64)
}

pub(super) fn label(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Raw {
    Raw::default().bytes(1, name).bytes(2, value)
}

/// A histogram message; numbers are not packed, which readers must take too.
pub(super) fn histogram(value: &HistogramValue, time: i64) -> Raw {
    let raw = match value {
        HistogramValue::Integer(histogram) => integer(histogram),
        HistogramValue::Float(histogram) => float(histogram),
    };
    raw.varint(15, time as u64)
}

fn integer(h: &Histogram) -> Raw {
    let span = |raw: Raw, field, span: &model::histogram::Span| {
        raw.message(
            field,
            Raw::default().zigzag(1, span.offset.into()).varint(2, span.length.into()),
        )
    };
    Raw::default()
        .varint(1, h.count)
        .double(3, h.sum)
        .zigzag(4, h.schema.into())
        .double(5, h.zero_threshold)
        .varint(6, h.zero_count)
        .each(&h.negative_spans, |raw, s| span(raw, 8, s))
        .each(&h.negative_buckets, |raw, delta| raw.zigzag(9, *delta))
        .each(&h.positive_spans, |raw, s| span(raw, 11, s))
        .each(&h.positive_buckets, |raw, delta| raw.zigzag(12, *delta))
        .each(&h.custom_values, |raw, bound| raw.double(16, *bound))
}

fn float(h: &FloatHistogram) -> Raw {
    let span = |raw: Raw, field, span: &model::histogram::Span| {
        raw.message(
            field,
            Raw::default().zigzag(1, span.offset.into()).varint(2, span.length.into()),
        )
    };
    Raw::default()
        .double(2, h.count)
        .double(3, h.sum)
        .zigzag(4, h.schema.into())
        .double(5, h.zero_threshold)
        .double(7, h.zero_count)
        .each(&h.negative_spans, |raw, s| span(raw, 8, s))
        .each(&h.negative_buckets, |raw, count| raw.double(10, *count))
        .each(&h.positive_spans, |raw, s| span(raw, 11, s))
        .each(&h.positive_buckets, |raw, count| raw.double(13, *count))
        .each(&h.custom_values, |raw, bound| raw.double(16, *bound))
}

/// Version 1: `a=1 b=2 @10 5 @20 6`, one series a line.
pub(super) fn version1(text: &str) -> Vec<u8> {
    let request = Raw::default();
    text.trim().lines().fold(request, |request, line| request.message(1, series1(line))).0
}

fn series1(line: &str) -> Raw {
    let mut raw = Raw::default();
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        raw = match word.strip_prefix('@') {
            Some(time) => {
                let value = words.next().expect("a value follows").parse().expect("a value");
                raw.message(2, sample(time.parse().expect("a time"), value))
            }
            None => {
                let (name, value) = word.split_once('=').expect("a=b");
                raw.message(1, label(name, value))
            }
        };
    }
    raw
}

/// Version 2 in the same notation.
pub(super) fn version2(text: &str) -> Vec<u8> {
    let mut symbols = vec![String::new()];
    let mut all = Vec::new();
    for line in text.trim().lines() {
        let (mut refs, mut samples) = (Vec::new(), Raw::default());
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            if let Some(time) = word.strip_prefix('@') {
                let value = words.next().expect("a value follows").parse().expect("a value");
                samples = samples.message(2, sample(time.parse().expect("a time"), value));
                continue;
            }
            let (name, value) = word.split_once('=').expect("a=b");
            for text in [name, value] {
                let known = symbols.iter().position(|symbol| symbol == text);
                let symbol = known.unwrap_or_else(|| {
                    symbols.push(text.to_owned());
                    symbols.len() - 1
                });
                push_varint(&mut refs, symbol as u64);
            }
        }
        let mut series = Raw::default().bytes(1, refs);
        series.0.extend(samples.0);
        all.push(series);
    }
    let table = symbols.iter().fold(Raw::default(), |raw, symbol| raw.bytes(4, symbol));
    all.into_iter().fold(table, |raw, series| raw.message(5, series)).0
}
