//! Windows whose edges are known from the samples around: `anchored` and `smoothed`.

use std::ops::Range;

use storage::Columns;

use super::{
    Edges, Output, View, Window, Windows, histogram,
    rate::{Change, seconds},
};
use crate::eval::windows::interpolate;

/// The change between the edges of each window; nothing is extrapolated.
pub(super) fn change(windows: &Windows<'_>, out: &mut Output, change: Change) {
    for view in windows.views() {
        match (view.values, view.histograms) {
            (values, []) if !values.is_empty() => {
                if let Some(result) = of_floats(windows, &view, change) {
                    out.column.set(view.window.step, result);
                }
            }
            ([], _) => {
                let result = histogram::extended_change(&view, windows, change, &mut out.notes);
                if let Some(result) = result {
                    out.column.set_histogram(view.window.step, result);
                }
            }
            _ => out.notes.mixed_samples(windows.metric(), windows.position),
        }
    }
}

fn of_floats(windows: &Windows<'_>, view: &View<'_>, change: Change) -> Option<f64> {
    let (times, values, window) = (view.times, view.values, view.window);
    let edges = edge_indexes(times, window, windows.edges)?;
    let (mut first, mut last) = (edges.start, edges.end - 1);
    let (left, right) =
        edge_values(times, values, window, windows.edges, &edges, change.is_counter);
    let mut result = right - left;
    if change.is_counter {
        // The edges have had their say; what counts are the samples in between.
        if times[first] <= window.start {
            first += 1;
        }
        let between = if times[last] >= window.end { first..last } else { first..last + 1 };
        last = between.end.max(between.start);
        let mut before = left;
        for value in &values[first.min(last)..last] {
            if *value < before {
                result += before;
            }
            before = *value;
        }
        if right < before {
            result += before;
        }
    }
    Some(if change.per_second { result / seconds(windows.range_ms) } else { result })
}

/// The floats of a window with values at both of its ends; histograms stay as they are.
pub(crate) fn with_edges(columns: &Columns, window: &Window, edges: Edges) -> Columns {
    let mut out = Columns::default();
    out.histogram_times.clone_from(&columns.histogram_times);
    out.histograms.clone_from(&columns.histograms);
    let times = &columns.times[window.floats.clone()];
    let values = &columns.values[window.floats.clone()];
    let Some(deciding) = edge_indexes(times, window, edges) else { return out };
    let (first, last) = (deciding.start, deciding.end - 1);
    let (left, right) = edge_values(times, values, window, edges, &deciding, false);
    out.push(window.start, left);
    for idx in first..=last {
        if window.start < times[idx] && times[idx] < window.end {
            out.push(times[idx], values[idx]);
        }
    }
    out.push(window.end, right);
    out
}

/// The values at both ends of a window.
fn edge_values(
    times: &[i64],
    values: &[f64],
    window: &Window,
    edges: Edges,
    deciding: &Range<usize>,
    is_counter: bool,
) -> (f64, f64) {
    let (first, last) = (deciding.start, deciding.end - 1);
    let smoothed = edges == Edges::Smoothed;
    let point = |idx: usize| (times[idx], values[idx]);
    let left = if smoothed && times[first] < window.start {
        interpolate(point(first), point(first + 1), window.start, is_counter)
    } else {
        values[first]
    };
    let right = if smoothed && last > 0 && times[last] > window.end {
        interpolate(point(last - 1), point(last), window.end, is_counter)
    } else {
        values[last]
    };
    (left, right)
}

/// The samples that decide: from the last one that is not in the window yet, or else the first
/// within, to the last within; with smoothing to the first one that is past the end.
pub(super) fn edge_indexes(times: &[i64], window: &Window, edges: Edges) -> Option<Range<usize>> {
    let last = times.len().checked_sub(1)?;
    let within = times[..last].partition_point(|time| *time <= window.start);
    let first = within.saturating_sub(1);
    let last = match edges {
        Edges::Smoothed => times[..last].partition_point(|time| *time < window.end),
        _ => last,
    };
    let nothing_within = times[last] <= window.start || times[first] > window.end;
    (!nothing_within).then_some(first..last + 1)
}

/// The floats whose transitions count, as indexes into the series.
pub(super) fn anchored_floats(windows: &Windows<'_>, window: &Window) -> Option<Range<usize>> {
    if windows.edges == Edges::Plain {
        return Some(window.floats.clone());
    }
    let times = &windows.samples.times[window.floats.clone()];
    let edges = edge_indexes(times, window, windows.edges)?;
    Some(window.floats.start + edges.start..window.floats.start + edges.end)
}

/// The samples whose transitions count, of floats and histograms in the order of time.
pub(super) fn anchored_places<'p, T>(
    windows: &Windows<'_>,
    window: &Window,
    places: &'p [(i64, T, usize)],
) -> Option<&'p [(i64, T, usize)]> {
    if windows.edges == Edges::Plain {
        return Some(places);
    }
    let times: Vec<i64> = places.iter().map(|place| place.0).collect();
    edge_indexes(&times, window, windows.edges).map(|edges| &places[edges])
}
