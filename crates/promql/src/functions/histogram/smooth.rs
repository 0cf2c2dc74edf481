//! Native histograms between two samples, and windows whose edges are found that way.

use std::sync::Arc;

use model::{FloatHistogram, histogram::CounterResetHint};

use super::increase::{add, as_gauge, note_wrong_kind, subtract};
use crate::{
    functions::{
        Edges, View, Windows,
        extended::edge_indexes,
        rate::{Change, seconds},
    },
    notes::Notes,
};

/// The change between the edges of an anchored or smoothed window; nothing is extrapolated.
pub(in crate::functions) fn extended_change(
    view: &View<'_>,
    windows: &Windows<'_>,
    change: Change,
    notes: &mut Notes,
) -> Option<Arc<FloatHistogram>> {
    let window = view.window;
    let edges = edge_indexes(view.histogram_times, window, windows.edges)?;
    let times = &view.histogram_times[edges.clone()];
    let histograms = &view.histograms[edges];
    note_wrong_kind(histograms, change.is_counter, windows, notes);
    let last = histograms.len().checked_sub(1)?;
    let is_custom = histograms[last].has_custom_buckets();
    if histograms.iter().any(|histogram| histogram.has_custom_buckets() != is_custom) {
        notes.mixed_exponential_and_custom(windows.metric(), windows.position);
        return None;
    }
    let is_smoothed = windows.edges == Edges::Smoothed;
    let between = |before: usize, moment: i64| {
        let point = |idx: usize| (times[idx], histograms[idx].as_ref());
        at(point(before), point(before + 1), moment, change.is_counter)
    };
    let interpolates_left = is_smoothed && last > 0 && times[0] < window.start;
    let interpolates_right = is_smoothed && last > 0 && times[last] > window.end;
    let mut result = match interpolates_right {
        true => between(last - 1, window.end)?,
        false => (*histograms[last]).clone(),
    };
    if interpolates_left {
        subtract(&mut result, &between(0, window.start)?, windows, notes)?;
    } else {
        subtract(&mut result, &histograms[0], windows, notes)?;
    }
    if change.is_counter {
        // A reset before an interpolated left edge has had its say there.
        let counted = if interpolates_left { &histograms[1..] } else { histograms };
        let pairs = counted.windows(2);
        for pair in pairs.filter(|pair| pair[1].is_reset_after(&pair[0])) {
            add(&mut result, &pair[0], windows, notes)?;
        }
    }
    if change.per_second {
        result.divide(seconds(windows.range_ms));
    }
    Some(Arc::new(as_gauge(result)))
}

/// The histogram at `moment` between two, each with its time; for smoothed instant selectors.
/// Nothing if they do not fit together.
pub(crate) fn interpolate(
    before: (i64, &FloatHistogram),
    after: (i64, &FloatHistogram),
    moment: i64,
) -> Option<Arc<FloatHistogram>> {
    let is_counter = before.1.counter_reset_hint != CounterResetHint::Gauge
        && after.1.counter_reset_hint != CounterResetHint::Gauge;
    at(before, after, moment, is_counter).map(Arc::new)
}

/// On the line between two histograms; a counter that was reset in between comes from zero.
pub(crate) fn at(
    before: (i64, &FloatHistogram),
    after: (i64, &FloatHistogram),
    moment: i64,
    is_counter: bool,
) -> Option<FloatHistogram> {
    if moment == before.0 {
        return Some(before.1.clone());
    }
    if moment == after.0 {
        return Some(after.1.clone());
    }
    // One kind after the other looks like a reset, but there is nothing between the two.
    if before.1.has_custom_buckets() != after.1.has_custom_buckets() {
        return None;
    }
    let fraction = (moment - before.0) as f64 / (after.0 - before.0) as f64;
    let mut result = after.1.clone();
    if is_counter && after.1.is_reset_after(before.1) {
        result.multiply(fraction);
        return Some(result);
    }
    result.subtract(before.1).ok()?;
    result.multiply(fraction);
    result.add(before.1).ok()?;
    result.counter_reset_hint = before.1.counter_reset_hint;
    Some(result)
}
