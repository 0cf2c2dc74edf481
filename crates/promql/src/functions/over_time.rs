//! Aggregations over the samples of a window.

use std::{collections::VecDeque, sync::Arc};

use super::{Output, View, Windows};
use crate::{
    aggregate::HistogramMean,
    float::{self, Mean, Sum},
};

pub(super) fn sum(windows: &Windows<'_>, out: &mut Output) {
    sum_or_mean(windows, out, false, |values| {
        let mut sum = Sum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.total()
    });
}

pub(super) fn avg(windows: &Windows<'_>, out: &mut Output) {
    sum_or_mean(windows, out, true, |values| {
        let mut mean = Mean::of(values[0]);
        values[1..].iter().for_each(|value| mean.add(*value));
        mean.result()
    });
}

/// Of floats or of histograms, but not of both.
fn sum_or_mean(
    windows: &Windows<'_>,
    out: &mut Output,
    is_mean: bool,
    of_floats: impl Fn(&[f64]) -> f64,
) {
    for view in windows.views() {
        let step = view.window.step;
        match (view.values, view.histograms) {
            (values, []) => out.column.set(step, of_floats(values)),
            ([], [first, rest @ ..]) => {
                let (notes, position) = (&mut out.notes, windows.position);
                let mut mean = HistogramMean::new(first, is_mean);
                let fits = rest.iter().all(|histogram| mean.add(histogram, notes, position));
                if fits {
                    let result = mean.finish(notes, position);
                    out.column.set_histogram(step, Arc::new(result));
                } else {
                    notes.mixed_exponential_and_custom(windows.metric(), position);
                }
            }
            _ => out.notes.mixed_samples(windows.metric(), windows.position),
        }
    }
}

pub(super) fn count(windows: &Windows<'_>, out: &mut Output) {
    for view in windows.views() {
        let count = view.values.len() + view.histograms.len();
        out.column.set(view.window.step, count as f64);
    }
}

pub(super) fn present(windows: &Windows<'_>, out: &mut Output) {
    for window in windows.windows {
        out.column.set(window.step, 1.0);
    }
}

pub(super) fn first(windows: &Windows<'_>, out: &mut Output) {
    for view in windows.views() {
        let step = view.window.step;
        match (view.times.first(), view.histogram_times.first()) {
            (Some(float), histogram) if histogram.is_none_or(|time| float < time) => {
                out.column.set(step, view.values[0]);
            }
            _ => out.column.set_histogram(step, view.histograms[0].clone()),
        }
    }
}

pub(super) fn last(windows: &Windows<'_>, out: &mut Output) {
    for view in windows.views() {
        let step = view.window.step;
        if view.times.last() > view.histogram_times.last() {
            out.column.set(step, view.values[view.values.len() - 1]);
        } else {
            let last = view.histograms.len() - 1;
            out.column.set_histogram(step, view.histograms[last].clone());
        }
    }
}

pub(super) fn min(windows: &Windows<'_>, out: &mut Output) {
    extreme(windows, out, |value, best| value < best);
}

pub(super) fn max(windows: &Windows<'_>, out: &mut Output) {
    extreme(windows, out, |value, best| value > best);
}

/// The best value of each window; NaN only if there is nothing else.
///
/// In one pass over the samples: `best` holds those that nothing later beats, so its first one
/// that is still in the window is the best of it.
fn extreme(windows: &Windows<'_>, out: &mut Output, beats: impl Fn(f64, f64) -> bool) {
    let values = &windows.samples.values;
    let mut best: VecDeque<usize> = VecDeque::new();
    let mut seen = 0;
    for view in windows.views() {
        let window = &view.window.floats;
        if window.is_empty() {
            continue;
        }
        if !view.histograms.is_empty() {
            out.notes.histogram_ignored_in_range(windows.metric(), windows.position);
        }
        for idx in seen.max(window.start)..window.end {
            let value = values[idx];
            if value.is_nan() {
                continue;
            }
            while best.back().is_some_and(|last| beats(value, values[*last])) {
                best.pop_back();
            }
            best.push_back(idx);
        }
        seen = window.end;
        while best.front().is_some_and(|first| *first < window.start) {
            best.pop_front();
        }
        let value = best.front().map_or(view.values[0], |first| values[*first]);
        out.column.set(view.window.step, value);
    }
}

pub(super) fn stddev(windows: &Windows<'_>, out: &mut Output) {
    windows.floats(out, |view| Some(variance(view.values).sqrt()));
}

pub(super) fn stdvar(windows: &Windows<'_>, out: &mut Output) {
    windows.floats(out, |view| Some(variance(view.values)));
}

/// Welford's algorithm on compensated sums.
fn variance(values: &[f64]) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in values {
        count += 1.0;
        let delta = value - mean.total();
        mean.add(delta / count);
        squares.add(delta * (value - mean.total()));
    }
    squares.total() / count
}

pub(super) fn quantile(windows: &Windows<'_>, out: &mut Output) {
    for window in windows.windows.iter().filter(|window| !window.floats.is_empty()) {
        let phi = windows.scalar(0, window.step);
        if !(0.0..=1.0).contains(&phi) {
            out.notes.invalid_quantile(phi, windows.scalar_position);
        }
    }
    let mut sorted = Vec::new();
    of_sorted(windows, out, |view| {
        sorted.clear();
        sorted.extend_from_slice(view.values);
        float::quantile(windows.scalar(0, view.window.step), &mut sorted)
    });
}

/// The median of the distances from the median.
pub(super) fn mad(windows: &Windows<'_>, out: &mut Output) {
    let mut values = Vec::new();
    of_sorted(windows, out, |view| {
        if view.values.iter().any(|value| value.is_nan()) {
            return f64::NAN;
        }
        values.clear();
        values.extend_from_slice(view.values);
        let median = float::quantile(0.5, &mut values);
        values.iter_mut().for_each(|value| *value = (*value - median).abs());
        float::quantile(0.5, &mut values)
    });
}

fn of_sorted(windows: &Windows<'_>, out: &mut Output, value: impl FnMut(&View<'_>) -> f64) {
    let value = std::cell::RefCell::new(value);
    windows.floats(out, |view| Some((value.borrow_mut())(view)));
}

pub(super) fn time_of_first(windows: &Windows<'_>, out: &mut Output) {
    time_of(windows, out, |view| {
        view.times.first().into_iter().chain(view.histogram_times.first()).min().copied()
    });
}

pub(super) fn time_of_last(windows: &Windows<'_>, out: &mut Output) {
    time_of(windows, out, |view| {
        view.times.last().into_iter().chain(view.histogram_times.last()).max().copied()
    });
}

fn time_of(windows: &Windows<'_>, out: &mut Output, time: impl Fn(&View<'_>) -> Option<i64>) {
    for view in windows.views() {
        if let Some(time) = time(&view) {
            out.column.set(view.window.step, time as f64 / 1000.0);
        }
    }
}

pub(super) fn time_of_min(windows: &Windows<'_>, out: &mut Output) {
    windows.floats(out, |view| Some(time_of_extreme(view, |value, best| value <= best)));
}

pub(super) fn time_of_max(windows: &Windows<'_>, out: &mut Output) {
    windows.floats(out, |view| Some(time_of_extreme(view, |value, best| value >= best)));
}

/// Of several equal values the last one counts.
fn time_of_extreme(view: &View<'_>, beats: impl Fn(f64, f64) -> bool) -> f64 {
    let (mut best, mut time) = (view.values[0], view.times[0]);
    for (value, at) in view.values.iter().zip(view.times).skip(1) {
        if beats(*value, best) || best.is_nan() {
            (best, time) = (*value, *at);
        }
    }
    time as f64 / 1000.0
}
