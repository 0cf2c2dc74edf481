//! How fast something changes: `rate` and its kin.

mod extrapolation;
mod floats;

use std::{ops::Range, sync::Arc};

use self::extrapolation::{Extrapolation, Shape};
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
    let samples = windows.samples;
    let starts = Starts::of_floats(windows);
    if samples.histograms.is_empty() && starts.are_unknown() {
        return floats::change(windows, change, &mut out.column);
    }
    // Where a counter began anew, found once for all windows.
    let histogram_starts = Starts::of_histograms(windows);
    let resets = if change.is_counter { resets_of(&samples.values, &starts) } else { Vec::new() };
    let mut next_reset = 0;
    out.column.reserve(windows.windows.len());
    for view in windows.views() {
        let window = view.window;
        let first = window.floats.start;
        match (view.values.len(), view.histograms.len()) {
            (1.., 0) => {
                let start = starts.within(window, first).filter(|_| change.is_counter);
                if view.values.len() == 1 && start.is_none() {
                    continue;
                }
                while resets.get(next_reset).is_some_and(|reset| *reset <= first) {
                    next_reset += 1;
                }
                let mut result = view.values[view.values.len() - 1] - view.values[0];
                for reset in &resets[next_reset..] {
                    if *reset >= window.floats.end {
                        break;
                    }
                    result += samples.values[reset - 1];
                }
                if change.is_counter {
                    starts.note_overlaps(windows, &window.floats, out);
                }
                if start.is_some() {
                    result += view.values[0];
                }
                let extrapolation = extrapolate(windows, window, view.times, change, start);
                let factor = extrapolation.factor(view.values[0], result);
                out.column.set(window.step, result * factor);
            }
            (0, 1..) => {
                let first = window.histograms.start;
                let start = histogram_starts.within(window, first).filter(|_| change.is_counter);
                if view.histograms.len() == 1 && start.is_none() {
                    continue;
                }
                let began_anew = |idx: usize| histogram_starts.began_anew(first + idx);
                let notes = &mut out.notes;
                let rate = match view.histograms {
                    // From nothing when the counter began.
                    [only] => Some(histogram::as_gauge((**only).clone())),
                    _ => histogram::rate(&view, windows, change.is_counter, &began_anew, notes),
                };
                let Some(mut result) = rate else { continue };
                let grew_before = start.is_some() && view.histograms.len() > 1;
                if grew_before && result.add(&view.histograms[0]).is_err() {
                    continue;
                }
                let extrapolation =
                    extrapolate(windows, window, view.histogram_times, change, start);
                let factor = extrapolation.factor(view.histograms[0].count, result.count);
                result.multiply(factor);
                out.column.set_histogram(window.step, Arc::new(result));
            }
            (0, 0) => {}
            _ => out.notes.mixed_samples(windows.metric(), windows.position),
        }
    }
}

/// The indexes of samples with which a counter began anew: their value is less than the one
/// before, or they say so.
fn resets_of(values: &[f64], starts: &Starts<'_>) -> Vec<usize> {
    let began_anew = |idx: &usize| values[*idx] < values[idx - 1] || starts.began_anew(*idx);
    (1..values.len()).filter(began_anew).collect()
}

/// When the counters of samples began, as far as samples tell.
struct Starts<'a> {
    times: &'a [i64],
    /// Beside `times`, 0 where it is unknown; empty if it is for all, or not wanted.
    starts: &'a [i64],
}

impl<'a> Starts<'a> {
    fn of_floats(windows: &Windows<'a>) -> Starts<'a> {
        let samples = windows.samples;
        Starts::new(windows, &samples.times, &samples.start_times)
    }

    fn of_histograms(windows: &Windows<'a>) -> Starts<'a> {
        let samples = windows.samples;
        Starts::new(windows, &samples.histogram_times, &samples.histogram_start_times)
    }

    fn new(windows: &Windows<'a>, times: &'a [i64], starts: &'a [i64]) -> Starts<'a> {
        let known = windows.settings.use_start_timestamps && starts.len() == times.len();
        Starts { times, starts: if known { starts } else { &[] } }
    }

    fn are_unknown(&self) -> bool {
        self.starts.is_empty()
    }

    /// When the counter of sample `first` began, if that is within the window: it was zero then.
    fn within(&self, window: &Window, first: usize) -> Option<i64> {
        let start = *self.starts.get(first)?;
        (window.start < start && start < self.times[first]).then_some(start)
    }

    /// Whether the counter began between sample `idx` and the one before. Of deltas, each begins
    /// where the one before ended; but the same is said by a counter whose start is not known.
    fn began_anew(&self, idx: usize) -> bool {
        let Some(start) = self.starts.get(idx).copied() else { return false };
        let (time_before, start_before) = (self.times[idx - 1], self.starts[idx - 1]);
        let is_delta = start == time_before && start_before != 0 && start_before < time_before;
        start != 0 && start < self.times[idx] && (start > time_before || is_delta)
    }

    fn note_overlaps(&self, windows: &Windows<'_>, window: &Range<usize>, out: &mut Output) {
        if self.starts.is_empty() {
            return;
        }
        for idx in window.start + 1..window.end {
            let (start, before) = (self.starts[idx], self.starts[idx - 1]);
            if start != 0 && start < self.times[idx - 1] && start != before {
                out.notes.start_time_overlap(windows.metric(), windows.position);
                return;
            }
        }
    }
}

/// How the change between the samples at `times` grows to that of the window; `start` is when the
/// counter began, if that is within the window.
fn extrapolate(
    windows: &Windows<'_>,
    window: &Window,
    times: &[i64],
    change: Change,
    start: Option<i64>,
) -> Extrapolation {
    let (first, last) = (times[0], times[times.len() - 1]);
    let shape = Shape::of(window, first, last, times.len() - 1);
    let extrapolation = Extrapolation::new(shape, change, windows.range_ms);
    match start {
        Some(start) => extrapolation.since_start(last - start, change, windows.range_ms),
        None => extrapolation,
    }
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
    let (starts, histogram_starts) = (Starts::of_floats(windows), Starts::of_histograms(windows));
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
                let began_anew = starts.began_anew(view.window.floats.start + b);
                let (a, b) = (view.values[a], view.values[b]);
                let was_reset = is_rate && (b < a || began_anew);
                let result = if was_reset { b } else { b - a };
                out.column.set(step, if is_rate { result / seconds } else { result });
            }
            (Place::Histogram(a), Place::Histogram(b)) => {
                let began_anew = histogram_starts.began_anew(view.window.histograms.start + b);
                let pair = [&view.histograms[a], &view.histograms[b]];
                let notes = &mut out.notes;
                let result = histogram::difference(pair, began_anew, windows, is_rate, notes);
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
    let never = Starts { times: &[], starts: &[] };
    transitions(windows, out, float, |a, b| !b.equals(a), [&never, &never]);
}

pub(super) fn resets(windows: &Windows<'_>, out: &mut Output) {
    let starts = [&Starts::of_floats(windows), &Starts::of_histograms(windows)];
    transitions(windows, out, |a, b| b < a, |a, b| b.is_reset_after(a), starts);
}

/// How many of the steps from one sample to the next count; from a float to a histogram or back
/// always does.
fn transitions(
    windows: &Windows<'_>,
    out: &mut Output,
    float: impl Fn(f64, f64) -> bool,
    histogram: impl Fn(&model::FloatHistogram, &model::FloatHistogram) -> bool,
    [starts, histogram_starts]: [&Starts<'_>; 2],
) {
    let samples = windows.samples;
    if samples.histograms.is_empty() {
        // Counted once for all windows: how many up to each sample.
        let mut counts = Vec::with_capacity(samples.values.len());
        let mut count = 0_u32;
        for (idx, value) in samples.values.iter().enumerate() {
            let counts_here =
                idx > 0 && (float(samples.values[idx - 1], *value) || starts.began_anew(idx));
            count += u32::from(counts_here);
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
            (Some(a), Some(b)) => {
                float(view.values[a], view.values[b])
                    || starts.began_anew(view.window.floats.start + b)
            }
            (None, None) => {
                let (a, b) = (pair[0].2, pair[1].2);
                histogram(&view.histograms[a], &view.histograms[b])
                    || histogram_starts.began_anew(view.window.histograms.start + b)
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
