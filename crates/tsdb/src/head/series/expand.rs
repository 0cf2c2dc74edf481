//! New buckets appear as a histogram's values spread. Rather than to begin another chunk for each,
//! the open one is rewritten with zeros where they were not yet.

use std::sync::Arc;

use chunks::{
    Encoding,
    histogram::{self, FloatHistogramChunk, HistogramChunk, Layout},
};
use model::{
    FloatHistogram,
    float::is_stale,
    histogram::{Histogram, Span},
};

/// A chunk with the samples of `chunk` and one more.
pub(super) fn integers(chunk: &HistogramChunk, time: i64, next: &Histogram) -> HistogramChunk {
    let layout = joined(chunk.layout(), &Layout::of(next));
    let header = histogram::header(chunk.bytes());
    let mut expanded = HistogramChunk::new(header, layout.clone());
    for (time, sample) in samples(Encoding::Histogram, chunk.bytes()) {
        expanded.append(time, &to_integer(&widened(&sample, &layout)));
    }
    expanded.append(time, &to_integer(&widened(&next.to_float(), &layout)));
    expanded
}

/// A chunk with the samples of `chunk` and one more.
pub(super) fn floats(
    chunk: &FloatHistogramChunk,
    time: i64,
    next: &FloatHistogram,
) -> FloatHistogramChunk {
    let layout = joined(chunk.layout(), &Layout::of_float(next));
    let header = histogram::header(chunk.bytes());
    let mut expanded = FloatHistogramChunk::new(header, layout.clone());
    for (time, sample) in samples(Encoding::FloatHistogram, chunk.bytes()) {
        expanded.append(time, &widened(&sample, &layout));
    }
    expanded.append(time, &widened(next, &layout));
    expanded
}

fn samples(encoding: Encoding, bytes: &[u8]) -> Vec<(i64, Arc<FloatHistogram>)> {
    let (mut times, mut histograms) = (Vec::new(), Vec::new());
    let decoded = histogram::decode(encoding, bytes, &mut times, &mut histograms);
    debug_assert!(decoded.is_ok(), "our own chunk: {decoded:?}");
    times.into_iter().zip(histograms).collect()
}

/// The layout of two with the same bounds, with the buckets of both.
fn joined(a: &Layout, b: &Layout) -> Layout {
    Layout {
        positive_spans: union(&a.positive_spans, &b.positive_spans),
        negative_spans: union(&a.negative_spans, &b.negative_spans),
        ..a.clone()
    }
}

/// The indexes of buckets, in order.
fn indexes(spans: &[Span]) -> Vec<i32> {
    let mut next = 0_i32;
    let mut indexes = Vec::new();
    for span in spans {
        next = next.wrapping_add(span.offset);
        for _ in 0..span.length {
            indexes.push(next);
            next = next.wrapping_add(1);
        }
    }
    indexes
}

fn union(a: &[Span], b: &[Span]) -> Vec<Span> {
    let mut all = indexes(a);
    all.extend(indexes(b));
    all.sort_unstable();
    all.dedup();
    let mut spans: Vec<Span> = Vec::new();
    let mut end = 0;
    for index in all {
        match spans.last_mut() {
            Some(span) if index == end => span.length += 1,
            _ => spans.push(Span { offset: index.wrapping_sub(end), length: 1 }),
        }
        end = index.wrapping_add(1);
    }
    spans
}

/// The same histogram with all buckets of `layout`; a stale marker has none anyway.
fn widened(histogram: &FloatHistogram, layout: &Layout) -> FloatHistogram {
    if is_stale(histogram.sum) {
        return histogram.clone();
    }
    let spread = |spans: &[Span], counts: &[f64], wide: &[Span]| {
        let mut known = indexes(spans).into_iter().zip(counts.iter().copied()).peekable();
        let count = |index: i32| known.next_if(|(own, _)| *own == index).map_or(0.0, |(_, n)| n);
        indexes(wide).into_iter().map(count).collect()
    };
    FloatHistogram {
        positive_buckets: spread(
            &histogram.positive_spans,
            &histogram.positive_buckets,
            &layout.positive_spans,
        ),
        negative_buckets: spread(
            &histogram.negative_spans,
            &histogram.negative_buckets,
            &layout.negative_spans,
        ),
        positive_spans: layout.positive_spans.clone(),
        negative_spans: layout.negative_spans.clone(),
        ..histogram.clone()
    }
}

/// Back to whole counts; they come from such, so nothing is lost below 2⁵³.
pub(super) fn to_integer(histogram: &FloatHistogram) -> Histogram {
    let deltas = |counts: &[f64]| {
        let mut last = 0_i64;
        let delta = |count: &f64| {
            let count = *count as i64;
            count.wrapping_sub(std::mem::replace(&mut last, count))
        };
        counts.iter().map(delta).collect()
    };
    Histogram {
        counter_reset_hint: histogram.counter_reset_hint,
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        zero_count: histogram.zero_count as u64,
        count: histogram.count as u64,
        sum: histogram.sum,
        positive_spans: histogram.positive_spans.clone(),
        negative_spans: histogram.negative_spans.clone(),
        positive_buckets: deltas(&histogram.positive_buckets),
        negative_buckets: deltas(&histogram.negative_buckets),
        custom_values: histogram.custom_values.clone(),
    }
}
