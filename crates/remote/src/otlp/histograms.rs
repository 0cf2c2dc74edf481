//! OpenTelemetry's histograms as native ones.
//!
//! Theirs list every bucket between the first and the last; ours list runs of populated buckets.

use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Histogram, Span, bounds};

use super::point::{Buckets, Explicit, Exponential};

/// The width of the zero bucket, which is not taken from the request.
const ZERO_THRESHOLD: f64 = 1e-128;

/// A gap of so many buckets costs less as empty buckets than as another span.
const GAP_FILLED_MAX: usize = 2;

/// Buckets as native histograms have them.
pub(super) type Layout = (Vec<Span>, Vec<i64>);

/// An exponential histogram; what is too fine gets coarser, what is too coarse is an error.
pub(super) fn exponential(data: &Exponential) -> Result<Histogram, String> {
    if data.scale < bounds::SCHEMA_MIN {
        return Err(format!(
            "cannot convert exponential to native histogram. Scale must be >= {}, was {}",
            bounds::SCHEMA_MIN,
            data.scale
        ));
    }
    let schema = data.scale.min(bounds::SCHEMA_MAX);
    let scale_down = data.scale.saturating_sub(schema).unsigned_abs();
    let (positive_spans, positive_buckets) = exponential_layout(&data.positive, scale_down)?;
    let (negative_spans, negative_buckets) = exponential_layout(&data.negative, scale_down)?;
    Ok(Histogram {
        // Whether it was reset is for the reader to find out: to say so wrongly would be worse.
        counter_reset_hint: CounterResetHint::Unknown,
        schema,
        zero_threshold: ZERO_THRESHOLD,
        zero_count: data.zero_count,
        count: data.count,
        sum: data.sum.unwrap_or_default(),
        positive_spans,
        negative_spans,
        positive_buckets,
        negative_buckets,
        custom_values: Vec::new(),
    })
}

/// A histogram with bounds of its own; the last bucket of both kinds goes to infinity.
pub(super) fn custom(data: &Explicit) -> Result<Histogram, String> {
    let (positive_spans, positive_buckets) = explicit_layout(&data.counts)?;
    Ok(Histogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        count: data.count,
        sum: data.sum.unwrap_or_default(),
        positive_spans,
        positive_buckets,
        custom_values: data.bounds.clone(),
        ..Histogram::default()
    })
}

/// `2^scale_down` buckets become one. Their bucket 0 begins at 1, ours ends there.
pub(super) fn exponential_layout(buckets: &Buckets, scale_down: u32) -> Result<Layout, String> {
    let index = |idx: usize| ((i64::from(buckets.offset) + idx as i64) >> scale_down.min(62)) + 1;
    let mut merged: Vec<u64> = Vec::with_capacity(buckets.counts.len() >> scale_down.min(62));
    let mut last = None;
    for (idx, count) in buckets.counts.iter().enumerate() {
        match merged.last_mut() {
            Some(sum) if last == Some(index(idx)) => *sum = sum.wrapping_add(*count),
            _ => merged.push(*count),
        }
        last = Some(index(idx));
    }
    layout(index(0), &merged)
}

/// Empty buckets in front are left out.
pub(super) fn explicit_layout(counts: &[u64]) -> Result<Layout, String> {
    let first = counts.iter().position(|count| *count != 0).unwrap_or(counts.len());
    layout(first as i64, &counts[first..])
}

/// The buckets from index `first` on.
fn layout(first: i64, counts: &[u64]) -> Result<Layout, String> {
    let outside = |_| "bucket index of a histogram is out of bounds".to_owned();
    let (mut spans, mut deltas) = (Vec::new(), Vec::with_capacity(counts.len()));
    if counts.is_empty() {
        return Ok((spans, deltas));
    }
    i32::try_from(first.saturating_add(counts.len() as i64)).map_err(outside)?;
    spans.push(Span { offset: i32::try_from(first).map_err(outside)?, length: 0 });
    let mut previous = 0i64;
    let mut push = |span: &mut Span, count: u64| {
        deltas.push((count as i64).wrapping_sub(previous));
        (span.length, previous) = (span.length + 1, count as i64);
    };
    let mut gap = 0;
    for (idx, count) in counts.iter().enumerate() {
        // The last bucket is kept even if it is empty.
        if *count == 0 && idx + 1 < counts.len() {
            gap += 1;
            continue;
        }
        if gap > GAP_FILLED_MAX {
            let is_begun = spans.last().is_some_and(|span| span.length > 0);
            match spans.last_mut() {
                Some(span) if !is_begun => span.offset += gap as i32,
                _ => spans.push(Span { offset: gap as i32, length: 0 }),
            }
            gap = 0;
        }
        let span = spans.last_mut().expect("the first was pushed above");
        for _ in 0..gap {
            push(span, 0);
        }
        push(span, *count);
        gap = 0;
    }
    Ok((spans, deltas))
}
