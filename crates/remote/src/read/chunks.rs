//! Samples as chunks, for streamed answers.

use std::sync::Arc;

use chunks::{
    Encoding, XorChunk,
    histogram::{FloatHistogramChunk, Header, Layout},
};
use model::{FloatHistogram, histogram::CounterResetHint};
use storage::Columns;

/// As many samples as upstream's chunks have.
const SAMPLES_MAX: usize = 120;

pub(super) struct Chunk {
    pub(super) encoding: Encoding,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) bytes: Vec<u8>,
}

/// Packs columns, oldest chunk first.
pub(super) fn pack(columns: &Columns) -> Vec<Chunk> {
    let mut packed = Vec::new();
    let floats = columns.times.chunks(SAMPLES_MAX).zip(columns.values.chunks(SAMPLES_MAX));
    for (times, values) in floats {
        let mut chunk = XorChunk::default();
        times.iter().zip(values).for_each(|(time, value)| chunk.append(*time, *value));
        packed.push(Chunk {
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

fn pack_histograms(times: &[i64], histograms: &[Arc<FloatHistogram>], packed: &mut Vec<Chunk>) {
    let mut open: Option<(i64, FloatHistogramChunk, bool)> = None;
    let mut close = |open: Option<(i64, FloatHistogramChunk, bool)>| {
        let Some((start, chunk, _)) = open else { return };
        packed.push(Chunk {
            encoding: Encoding::FloatHistogram,
            start,
            end: chunk.last_time(),
            bytes: chunk.into_bytes(),
        });
    };
    for (time, histogram) in times.iter().zip(histograms) {
        let hint = histogram.counter_reset_hint;
        let is_gauge = hint == CounterResetHint::Gauge;
        let fits = open.as_ref().is_some_and(|(_, chunk, gauge)| {
            chunk.n_samples() < SAMPLES_MAX
                && *gauge == is_gauge
                && hint != CounterResetHint::Reset
                && *chunk.layout() == Layout::of_float(histogram)
        });
        if !fits {
            close(open.take());
        }
        let (_, chunk, _) = open.get_or_insert_with(|| {
            let layout = Layout::of_float(histogram);
            (*time, FloatHistogramChunk::new(header(hint), layout), is_gauge)
        });
        chunk.append(*time, histogram);
    }
    close(open);
}

fn header(hint: CounterResetHint) -> Header {
    match hint {
        CounterResetHint::Unknown => Header::Unknown,
        CounterResetHint::Reset => Header::Reset,
        CounterResetHint::NotReset => Header::NotReset,
        CounterResetHint::Gauge => Header::Gauge,
    }
}
