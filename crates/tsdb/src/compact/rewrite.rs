//! Chunks are decoded and written anew: without what was deleted, or joined where they overlap.

use std::sync::Arc;

use blocks::{Chunk, Intervals};
use chunks::{
    Encoding, Xor2Chunk, XorChunk,
    histogram::{FloatHistogramChunk, Header, Layout},
};
use model::{FloatHistogram, float::is_stale, histogram::CounterResetHint};
use storage::Columns;

use crate::{FloatEncoding, Result};

/// Samples in a chunk that is made of others.
const CHUNK_SAMPLES: usize = 120;

/// What of a chunk is not deleted.
pub(super) fn without<'a>(chunk: Chunk<'a>, deleted: &Intervals) -> Result<Vec<Chunk<'a>>> {
    if !deleted.overlap(chunk.start, chunk.end) {
        return Ok(vec![chunk]);
    }
    let mut columns = Columns::default();
    let mark = columns.mark();
    columns.append_chunk(chunk.encoding, &chunk.bytes)?;
    deleted.remove_from(&mut columns, mark);
    Ok(encode(&columns, usize::from(u16::MAX), float_encoding([chunk.encoding])))
}

/// What floats are written as that were in chunks of these encodings: what they have stays.
fn float_encoding(encodings: impl IntoIterator<Item = Encoding>) -> FloatEncoding {
    match encodings.into_iter().any(|encoding| encoding == Encoding::Xor2) {
        true => FloatEncoding::Xor2,
        false => FloatEncoding::Xor,
    }
}

/// Chunks that came out of the head, with their floats in this encoding.
pub(super) fn in_encoding(chunks: Vec<Chunk<'_>>, floats: FloatEncoding) -> Result<Vec<Chunk<'_>>> {
    if floats == FloatEncoding::Xor {
        return Ok(chunks);
    }
    let mut columns = Columns::default();
    let mut encoded = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        if chunk.encoding != Encoding::Xor {
            encoded.push(chunk);
            continue;
        }
        columns.clear();
        columns.append_chunk(chunk.encoding, &chunk.bytes)?;
        encoded.append(&mut encode(&columns, usize::from(u16::MAX), floats));
    }
    Ok(encoded)
}

/// The samples of overlapping chunks in new ones; of two for one time the first stays.
pub(super) fn reencode(run: &[Chunk<'_>]) -> Result<Vec<Chunk<'static>>> {
    let mut columns = Columns::default();
    for chunk in run {
        columns.append_chunk(chunk.encoding, &chunk.bytes)?;
    }
    let encodings = run.iter().map(|chunk| chunk.encoding);
    Ok(encode(&columns, CHUNK_SAMPLES, float_encoding(encodings)))
}

/// The samples of columns as chunks of the usual size.
pub(crate) fn encode_chunks(columns: &Columns, floats: FloatEncoding) -> Vec<Chunk<'static>> {
    encode(columns, CHUNK_SAMPLES, floats)
}

enum Value<'c> {
    /// With when its counter began; 0 if that is not known.
    Float(f64, i64),
    Histogram(&'c Arc<FloatHistogram>),
}

/// Chunks of at most `n_samples_max` each; the columns may be out of order.
fn encode(
    columns: &Columns,
    n_samples_max: usize,
    float_encoding: FloatEncoding,
) -> Vec<Chunk<'static>> {
    let floats = columns.times.iter().zip(&columns.values).enumerate();
    let floats =
        floats.map(|(idx, (time, value))| (*time, Value::Float(*value, columns.start_time(idx))));
    let histograms = columns.histogram_times.iter().zip(&columns.histograms);
    let histograms = histograms.map(|(time, value)| (*time, Value::Histogram(value)));
    let mut samples: Vec<(i64, Value<'_>)> = floats.chain(histograms).collect();
    samples.sort_by_key(|(time, _)| *time);
    samples.dedup_by_key(|(time, _)| *time);
    let mut chunks: Vec<Chunk<'static>> = Vec::new();
    let mut rest = &samples[..];
    while let Some((_, first)) = rest.first() {
        let n_samples = match first {
            Value::Float(..) => push_floats(rest, n_samples_max, float_encoding, &mut chunks),
            Value::Histogram(_) => push_histograms(rest, n_samples_max, &mut chunks),
        };
        rest = &rest[n_samples..];
    }
    chunks
}

/// Writes the floats that `samples` begin with; says how many.
fn push_floats(
    samples: &[(i64, Value<'_>)],
    n_samples_max: usize,
    float_encoding: FloatEncoding,
    chunks: &mut Vec<Chunk<'static>>,
) -> usize {
    let floats = samples.iter().take(n_samples_max).map_while(|(time, value)| match value {
        Value::Float(value, start) => Some((*time, *value, *start)),
        Value::Histogram(_) => None,
    });
    let (n_samples, end, encoding, bytes) = match float_encoding {
        FloatEncoding::Xor => {
            let mut chunk = XorChunk::default();
            floats.for_each(|(time, value, _)| chunk.append(time, value));
            (chunk.n_samples(), chunk.last_time(), Encoding::Xor, chunk.into_bytes())
        }
        FloatEncoding::Xor2 => {
            let mut chunk = Xor2Chunk::default();
            floats.for_each(|(time, value, start)| chunk.append(start, time, value));
            (chunk.n_samples(), chunk.last_time(), Encoding::Xor2, chunk.into_bytes())
        }
    };
    chunks.push(Chunk { start: samples[0].0, end, encoding, bytes: bytes.into() });
    n_samples
}

/// Writes the histograms of one layout and without a reset that `samples` begin with; says how
/// many.
fn push_histograms(
    samples: &[(i64, Value<'_>)],
    n_samples_max: usize,
    chunks: &mut Vec<Chunk<'static>>,
) -> usize {
    let mut open: Option<(FloatHistogramChunk, &FloatHistogram)> = None;
    for (time, value) in samples.iter().take(n_samples_max) {
        let Value::Histogram(value) = value else { break };
        match &mut open {
            None => {
                let header = match value.counter_reset_hint {
                    CounterResetHint::Gauge => Header::Gauge,
                    _ => Header::Unknown,
                };
                let mut chunk = FloatHistogramChunk::new(header, Layout::of_float(value));
                chunk.append(*time, value);
                open = Some((chunk, value));
            }
            Some((chunk, last)) => {
                if !follows(value, last, chunk.layout()) {
                    break;
                }
                chunk.append(*time, value);
                *last = value;
            }
        }
    }
    let Some((chunk, _)) = open else { return 1 };
    let (n_samples, end) = (chunk.n_samples(), chunk.last_time());
    let (start, bytes) = (samples[0].0, chunk.into_bytes().into());
    chunks.push(Chunk { start, end, encoding: Encoding::FloatHistogram, bytes });
    n_samples
}

fn follows(value: &FloatHistogram, last: &FloatHistogram, layout: &Layout) -> bool {
    if is_stale(value.sum) || is_stale(last.sum) {
        return is_stale(value.sum) && !is_stale(last.sum);
    }
    let is_gauge =
        |histogram: &FloatHistogram| histogram.counter_reset_hint == CounterResetHint::Gauge;
    Layout::of_float(value) == *layout
        && is_gauge(value) == is_gauge(last)
        && (is_gauge(value) || !value.is_reset_after(last))
}
