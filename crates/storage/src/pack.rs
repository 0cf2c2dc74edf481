//! Samples as chunks, for those who send them on.

use std::sync::Arc;

use chunks::{
    Encoding, XorChunk,
    histogram::{FloatHistogramChunk, Header, Layout},
};
use model::{FloatHistogram, histogram::CounterResetHint};

use crate::Columns;

/// As many samples as upstream's chunks have.
const SAMPLES_MAX: usize = 120;

/// A run of samples in one of upstream's encodings; times are milliseconds, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedChunk {
    pub encoding: Encoding,
    pub start: i64,
    pub end: i64,
    pub bytes: Vec<u8>,
}

/// Packs columns, oldest chunk first.
pub fn pack(columns: &Columns) -> Vec<PackedChunk> {
    let mut packed = Vec::with_capacity(columns.len().div_ceil(SAMPLES_MAX));
    let floats = columns.times.chunks(SAMPLES_MAX).zip(columns.values.chunks(SAMPLES_MAX));
    for (times, values) in floats {
        let mut chunk = XorChunk::default();
        times.iter().zip(values).for_each(|(time, value)| chunk.append(*time, *value));
        packed.push(PackedChunk {
            encoding: Encoding::Xor,
            start: times[0],
            end: chunk.last_time(),
            bytes: chunk.into_bytes(),
        });
    }
    pack_histograms(&columns.histogram_times, &columns.histograms, &mut packed);
    packed.sort_by_key(|chunk| chunk.start);
    packed
}

struct Open {
    start: i64,
    chunk: FloatHistogramChunk,
    is_gauge: bool,
}

impl Open {
    fn begin(time: i64, histogram: &FloatHistogram) -> Open {
        let hint = histogram.counter_reset_hint;
        let chunk = FloatHistogramChunk::new(header(hint), Layout::of_float(histogram));
        Open { start: time, chunk, is_gauge: hint == CounterResetHint::Gauge }
    }

    fn takes(&self, histogram: &FloatHistogram) -> bool {
        let hint = histogram.counter_reset_hint;
        self.chunk.n_samples() < SAMPLES_MAX
            && self.is_gauge == (hint == CounterResetHint::Gauge)
            && hint != CounterResetHint::Reset
            && *self.chunk.layout() == Layout::of_float(histogram)
    }

    fn close(self) -> PackedChunk {
        PackedChunk {
            encoding: Encoding::FloatHistogram,
            start: self.start,
            end: self.chunk.last_time(),
            bytes: self.chunk.into_bytes(),
        }
    }
}

fn pack_histograms(
    times: &[i64],
    histograms: &[Arc<FloatHistogram>],
    packed: &mut Vec<PackedChunk>,
) {
    let mut open: Option<Open> = None;
    for (time, histogram) in times.iter().zip(histograms) {
        if open.as_ref().is_some_and(|open| !open.takes(histogram)) {
            packed.extend(open.take().map(Open::close));
        }
        open.get_or_insert_with(|| Open::begin(*time, histogram)).chunk.append(*time, histogram);
    }
    packed.extend(open.map(Open::close));
}

fn header(hint: CounterResetHint) -> Header {
    match hint {
        CounterResetHint::Unknown => Header::Unknown,
        CounterResetHint::Reset => Header::Reset,
        CounterResetHint::NotReset => Header::NotReset,
        CounterResetHint::Gauge => Header::Gauge,
    }
}
