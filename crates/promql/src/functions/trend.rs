//! Lines through the samples of a window.

use super::{Output, View, Windows};
use crate::float::linear_regression;

pub(super) fn deriv(windows: &Windows<'_>, out: &mut Output) {
    // A time close to the samples keeps the numbers small.
    trend(windows, out, |view| linear_regression(view.times, view.values, view.times[0]).0);
}

pub(super) fn predict_linear(windows: &Windows<'_>, out: &mut Output) {
    trend(windows, out, |view| {
        let ahead = windows.scalar(0, view.window.step);
        let (slope, now) = linear_regression(view.times, view.values, view.window.time);
        slope * ahead + now
    });
}

/// Holt's smoothing of values and of their trend.
pub(super) fn double_exponential_smoothing(windows: &Windows<'_>, out: &mut Output) {
    for window in windows.windows {
        let (level, trend) = (windows.scalar(0, window.step), windows.scalar(1, window.step));
        for (name, short, factor) in [("smoothing", "sf", level), ("trend", "tf", trend)] {
            let allowed = factor > 0.0 && factor < 1.0;
            if !allowed {
                out.error = Some(format!(
                    "invalid {name} factor. Expected: 0 < {short} < 1, got: {factor:.6}"
                ));
                return;
            }
        }
    }
    trend(windows, out, |view| {
        let (level, trend) =
            (windows.scalar(0, view.window.step), windows.scalar(1, view.window.step));
        smooth(view.values, level, trend)
    });
}

fn smooth(values: &[f64], level_factor: f64, trend_factor: f64) -> f64 {
    let (mut before, mut level) = (0.0, values[0]);
    let mut trend = values[1] - values[0];
    for (idx, value) in values.iter().enumerate().skip(1) {
        let scaled = level_factor * value;
        if idx > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let carried = (1.0 - level_factor) * (level + trend);
        (before, level) = (level, scaled + carried);
    }
    level
}

/// Sets what `value` makes of windows with two floats or more.
fn trend(windows: &Windows<'_>, out: &mut Output, value: impl Fn(&View<'_>) -> f64) {
    windows.floats(out, |view| (view.values.len() > 1).then(|| value(view)));
}
