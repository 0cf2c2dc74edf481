//! Matrices.

use std::{collections::BTreeSet, sync::Arc};

use model::{FloatHistogram, Labels, Timestamp};
use promql_syntax::histogram_notation;

use super::{close, histograms_match, text::series_points};
use crate::{
    Series,
    script::{ExpectedSeries, Point, Steps, general},
};

pub(super) fn check(expected: &ExpectedSeries, steps: Steps, got: &[Series]) -> Result<(), String> {
    check_sorted(got.iter().map(|series| &series.labels))?;
    let mut seen = BTreeSet::new();
    for series in got {
        let Some((_, points)) = expected.get(&series.labels) else {
            let points = series_points(series);
            return Err(format!("unexpected metric {} in result, has {points}", series.labels));
        };
        check_series(points, steps, series)?;
        seen.insert(&series.labels);
    }
    match expected.keys().find(|labels| !seen.contains(labels)) {
        Some(labels) => Err(format!("expected metric {labels} not found")),
        None => Ok(()),
    }
}

/// Checks that the series of a matrix are in the order of their labels.
pub fn check_sorted<'a>(labels: impl Iterator<Item = &'a Labels>) -> Result<(), String> {
    let labels: Vec<&Labels> = labels.collect();
    match labels.windows(2).position(|pair| pair[0] > pair[1]) {
        None => Ok(()),
        Some(idx) => Err(format!(
            "matrix results should always be sorted by labels, but matrix is not sorted: series \
             at index {} with labels {} sorts before series at index {idx} with labels {}",
            idx + 1,
            labels[idx + 1],
            labels[idx]
        )),
    }
}

/// The values of an expectation with their times.
#[derive(Default)]
struct Timed<'a> {
    floats: Vec<(Timestamp, f64)>,
    histograms: Vec<(Timestamp, &'a Arc<FloatHistogram>, bool)>,
}

fn timed<'a>(labels: &Labels, points: &'a [Point], steps: Steps) -> Result<Timed<'a>, String> {
    let mut timed = Timed::default();
    for (idx, point) in points.iter().enumerate() {
        let time = steps.start + steps.step * u32::try_from(idx).unwrap_or(u32::MAX);
        if time > steps.end {
            return Err(format!(
                "expected {} points for {labels}, but query time range cannot return this many \
                 points",
                points.len()
            ));
        }
        match point {
            Point::Missing => {}
            Point::Float(value) => timed.floats.push((time, *value)),
            Point::Histogram { histogram, checks_hint } => {
                timed.histograms.push((time, histogram, *checks_hint));
            }
        }
    }
    Ok(timed)
}

fn check_series(points: &[Point], steps: Steps, got: &Series) -> Result<(), String> {
    let labels = &got.labels;
    let expected = timed(labels, points, steps)?;
    let (n_floats, n_histograms) = (expected.floats.len(), expected.histograms.len());
    if (n_floats, n_histograms) != (got.floats.len(), got.histograms.len()) {
        let got = series_points(got);
        return Err(format!(
            "expected {n_floats} float points and {n_histograms} histogram points for {labels}, \
             but got {got}"
        ));
    }
    let wrong_time = |kind: &str, idx: usize, expected: Timestamp, time: Timestamp| {
        let all = series_points(got);
        format!(
            "expected {kind} value at index {idx} for {labels} to have timestamp {expected}, but \
             it had timestamp {time} (result has {all})"
        )
    };
    let wrong_value = |kind: &str, idx: usize, time: Timestamp, expected: String, value: String| {
        let all = series_points(got);
        format!(
            "expected {kind} value at index {idx} (t={time}) for {labels} to be {expected}, but \
             got {value} (result has {all})"
        )
    };
    for (idx, (expected, point)) in expected.floats.iter().zip(&got.floats).enumerate() {
        if expected.0 != point.0 {
            return Err(wrong_time("float", idx, expected.0, point.0));
        }
        if !close(expected.1, point.1) {
            let (expected, value) = (general(expected.1), general(point.1));
            return Err(wrong_value("float", idx, point.0, expected, value));
        }
    }
    for (idx, (expected, point)) in expected.histograms.iter().zip(&got.histograms).enumerate() {
        let (time, histogram, checks_hint) = *expected;
        if time != point.0 {
            return Err(wrong_time("histogram", idx, time, point.0));
        }
        if !histograms_match(histogram, &point.1, checks_hint) {
            let (expected, value) = (histogram_notation(histogram), histogram_notation(&point.1));
            return Err(wrong_value("histogram", idx, time, expected, value));
        }
    }
    Ok(())
}
