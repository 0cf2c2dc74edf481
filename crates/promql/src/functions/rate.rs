//! How fast something changes: `rate` and its kin.

use std::sync::Arc;

use super::{Edges, Output, View, Window, Windows, extended, histogram};

pub(super) fn rate(windows: &Windows<'_>, out: &mut Output) {
    change(windows, out, Change { is_counter: true, per_second: true });
}

pub(super) fn increase(windows: &Windows<'_>, out: &mut Output) {
    change(windows, out, Change { is_counter: true, per_second: false });
}

pub(super) fn delta(windows: &Windows<'_>, out: &mut Output) {
    change(windows, out, Change { is_counter: false, per_second: false });
}

/// What is asked of the difference between two ends of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) is_counter: bool,
    pub(super) per_second: bool,
}

fn change(windows: &Windows<'_>, out: &mut Output, change: Change) {
    match windows.edges {
        Edges::Plain => extrapolated(windows, out, change),
        Edges::Anchored | Edges::Smoothed => extended::change(windows, out, change),
    }
    let has_floats = out.column.floats().next().is_some();
    if change.is_counter && has_floats {
        note_if_no_counter(windows, out);
    }
}

/// Says so if the metric does not look like a counter.
fn note_if_no_counter(windows: &Windows<'_>, out: &mut Output) {
    let metric = windows.metric();
    if metric.is_empty() {
        return;
    }
    if windows.settings.type_and_unit_labels {
        let kind = windows.labels.value("__type__");
        if kind != "counter" && kind != "histogram" {
            out.notes.possible_non_counter_label(metric, kind, windows.position);
        }
    } else if !["_total", "_sum", "_count", "_bucket"].iter().any(|end| metric.ends_with(end)) {
        out.notes.possible_non_counter(metric, windows.position);
    }
}

fn extrapolated(windows: &Windows<'_>, out: &mut Output, change: Change) {
    // Where a counter fell, found once for all windows.
    let resets = if change.is_counter { resets_of(&windows.samples.values) } else { Vec::new() };
    let mut next_reset = 0;
    for view in windows.views() {
        let window = view.window;
        match (view.values.len(), view.histograms.len()) {
            (2.., 0) => {
                let first = window.floats.start;
                while resets.get(next_reset).is_some_and(|reset| *reset <= first) {
                    next_reset += 1;
                }
                let mut result = view.values[view.values.len() - 1] - view.values[0];
                for reset in &resets[next_reset..] {
                    if *reset >= window.floats.end {
                        break;
                    }
                    result += windows.samples.values[reset - 1];
                }
                let start_value = (result > 0.0 && view.values[0] >= 0.0)
                    .then(|| view.values[0] / result);
                let factor = factor(windows, window, view.times, change, start_value);
                out.column.set(window.step, result * factor);
            }
            (0, 2..) => {
                let rate = histogram::rate(&view, windows, change.is_counter, &mut out.notes);
                let Some(mut result) = rate else { continue };
                let first = view.histograms[0].count;
                let start_value = (result.count > 0.0 && first >= 0.0)
                    .then(|| first / result.count);
                let factor = factor(windows, window, view.histogram_times, change, start_value);
                result.multiply(factor);
                out.column.set_histogram(window.step, Arc::new(result));
            }
            (0 | 1, 0) | (0, 1) => {}
            _ => out.notes.mixed_samples(windows.metric(), windows.position),
        }
    }
}

/// The indexes of values that are less than the one before.
fn resets_of(values: &[f64]) -> Vec<usize> {
    let pairs = values.windows(2).enumerate();
    pairs.filter(|(_, pair)| pair[1] < pair[0]).map(|(idx, _)| idx + 1).collect()
}

/// By how much the change between the first and the last sample grows when it is extrapolated to
/// the window's ends, as far as the samples' distances make it likely that the series goes on.
///
/// `start_value` is the first value in relation to the change: a counter is not extrapolated
/// below zero.
fn factor(
    windows: &Windows<'_>,
    window: &Window,
    times: &[i64],
    change: Change,
    start_value: Option<f64>,
) -> f64 {
    let (first, last) = (times[0], times[times.len() - 1]);
    let mut to_start = (first - window.start) as f64 / 1000.0;
    let mut to_end = (window.end - last) as f64 / 1000.0;
    let sampled = (last - first) as f64 / 1000.0;
    let distance = sampled / (times.len() - 1) as f64;
    let threshold = distance * 1.1;
    if to_start >= threshold {
        to_start = distance / 2.0;
    }
    if change.is_counter
        && let Some(start_value) = start_value
    {
        let to_zero = sampled * start_value;
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    if to_end >= threshold {
        to_end = distance / 2.0;
    }
    let factor = (sampled + to_start + to_end) / sampled;
    if change.per_second { factor / seconds(windows.range_ms) } else { factor }
}

/// As Go's `Duration.Seconds` calculates it.
pub(super) fn seconds(millis: i64) -> f64 {
    (millis / 1000) as f64 + (millis % 1000 * 1_000_000) as f64 / 1e9
}

pub(super) fn irate(windows: &Windows<'_>, out: &mut Output) {
    instant(windows, out, true);
}

pub(super) fn idelta(windows: &Windows<'_>, out: &mut Output) {
    instant(windows, out, false);
}

/// Between the last two samples.
fn instant(windows: &Windows<'_>, out: &mut Output, is_rate: bool) {
    for view in windows.views() {
        let step = view.window.step;
        let [before, last] = match last_two(&view) {
            Some(pair) => pair,
            None => continue,
        };
        let interval = last.time - before.time;
        if interval == 0 {
            continue;
        }
        let seconds = interval as f64 / 1000.0;
        match (before.place, last.place) {
            (Place::Float(a), Place::Float(b)) => {
                let (a, b) = (view.values[a], view.values[b]);
                let was_reset = is_rate && b < a;
                let result = if was_reset { b } else { b - a };
                out.column.set(step, if is_rate { result / seconds } else { result });
            }
            (Place::Histogram(a), Place::Histogram(b)) => {
                let (a, b) = (&view.histograms[a], &view.histograms[b]);
                let result = histogram::difference(a, b, windows, is_rate, &mut out.notes);
                let Some(mut result) = result else { continue };
                if is_rate {
                    result.divide(seconds);
                }
                out.column.set_histogram(step, Arc::new(result));
            }
            _ => out.notes.mixed_samples(windows.metric(), windows.position),
        }
    }
}

/// A sample of a window: its time, and where it is.
#[derive(Debug, Clone, Copy)]
struct At {
    time: i64,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Float(usize),
    Histogram(usize),
}

fn last_two(view: &View<'_>) -> Option<[At; 2]> {
    let floats = view.times.iter().enumerate().rev().take(2);
    let histograms = view.histogram_times.iter().enumerate().rev().take(2);
    let mut last: Vec<At> = floats
        .map(|(idx, time)| At { time: *time, place: Place::Float(idx) })
        .chain(histograms.map(|(idx, time)| At { time: *time, place: Place::Histogram(idx) }))
        .collect();
    last.sort_by_key(|at| at.time);
    let pair = last.len().checked_sub(2)?;
    Some([last[pair], last[pair + 1]])
}

pub(super) fn changes(windows: &Windows<'_>, out: &mut Output) {
    // Two NaNs are no change.
    let float = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
    transitions(windows, out, float, |a, b| !b.equals(a));
}

pub(super) fn resets(windows: &Windows<'_>, out: &mut Output) {
    transitions(windows, out, |a, b| b < a, |a, b| b.is_reset_after(a));
}

/// How many of the steps from one sample to the next count; from a float to a histogram or back
/// always does.
fn transitions(
    windows: &Windows<'_>,
    out: &mut Output,
    float: impl Fn(f64, f64) -> bool,
    histogram: impl Fn(&model::FloatHistogram, &model::FloatHistogram) -> bool,
) {
    let samples = windows.samples;
    if samples.histograms.is_empty() {
        // Counted once for all windows: how many up to each sample.
        let mut counts = Vec::with_capacity(samples.values.len());
        let mut count = 0_u32;
        for (idx, value) in samples.values.iter().enumerate() {
            count += u32::from(idx > 0 && float(samples.values[idx - 1], *value));
            counts.push(count);
        }
        for window in windows.windows {
            let Some(floats) = extended::anchored_floats(windows, window) else { continue };
            let count = counts[floats.end - 1] - counts[floats.start];
            out.column.set(window.step, f64::from(count));
        }
        return;
    }
    for view in windows.views() {
        let places = in_order(&view);
        let Some(places) = extended::anchored_places(windows, view.window, &places) else {
            continue;
        };
        let counts = places.windows(2).filter(|pair| match (pair[0].1, pair[1].1) {
            (Some(a), Some(b)) => float(view.values[a], view.values[b]),
            (None, None) => {
                histogram(&view.histograms[pair[0].2], &view.histograms[pair[1].2])
            }
            _ => true,
        });
        out.column.set(view.window.step, counts.count() as f64);
    }
}

/// The samples of a window by time: the index of the float, or else of the histogram.
fn in_order(view: &View<'_>) -> Vec<(i64, Option<usize>, usize)> {
    let floats = view.times.iter().enumerate().map(|(idx, time)| (*time, Some(idx), 0));
    let histograms = view.histogram_times.iter().enumerate();
    let mut places: Vec<_> =
        floats.chain(histograms.map(|(idx, time)| (*time, None, idx))).collect();
    places.sort_by_key(|place| place.0);
    places
}
