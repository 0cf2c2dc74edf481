//! Changes of floats alone, whose counters do not say when they began: nearly all there are.

use super::{
    Change,
    extrapolation::{Extrapolation, Shape},
};
use crate::{column::Column, functions::Windows};

/// In one pass over the windows. Neighbours have the same shape as a rule, so that what needs
/// divisions is calculated once for many.
pub(super) fn change(windows: &Windows<'_>, change: Change, column: &mut Column) {
    let (times, values) = (&windows.samples.times[..], &windows.samples.values[..]);
    let resets = if change.is_counter { resets_of(values) } else { Vec::new() };
    let mut resets = &resets[..];
    let mut known: Option<Extrapolation> = None;
    column.reserve(windows.windows.len());
    for window in windows.windows {
        let (first, last) = (window.floats.start, window.floats.end - 1);
        if first == last {
            continue;
        }
        let mut result = values[last] - values[first];
        while let [reset, later @ ..] = resets
            && *reset <= first
        {
            resets = later;
        }
        for reset in resets.iter().take_while(|reset| **reset <= last) {
            result += values[reset - 1];
        }
        let shape = Shape::of(window, times[first], times[last], last - first);
        let extrapolation = match known {
            Some(known) if known.is_for(&shape) => known,
            _ => *known.insert(Extrapolation::new(shape, change, windows.range_ms)),
        };
        column.append(window.step, result * extrapolation.factor(values[first], result));
    }
}

/// The indexes of samples whose value is less than the one before.
fn resets_of(values: &[f64]) -> Vec<usize> {
    let Some((_, later)) = values.split_first() else { return Vec::new() };
    // Without a way out the loop is done several values at a time; resets are rare.
    let has_any = values.iter().zip(later).fold(false, |any, (a, b)| any | (b < a));
    if !has_any {
        return Vec::new();
    }
    (1..values.len()).filter(|idx| values[*idx] < values[idx - 1]).collect()
}
