//! Instant vectors.

use std::collections::BTreeSet;

use model::Labels;
use promql_syntax::histogram_notation;

use super::{close, histograms_match, points_text};
use crate::{
    Sample,
    script::{ExpectedSeries, Point, general},
};

pub(super) fn check(
    expected: &ExpectedSeries,
    got: &[(Labels, Sample)],
    ordered: bool,
) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (idx, (labels, sample)) in got.iter().enumerate() {
        let Some((position, points)) = expected.get(labels) else {
            let value = sample_text(sample);
            return Err(format!("unexpected metric {labels} in result, has value {value}"));
        };
        if ordered && *position != idx + 1 {
            let points = points_text(points);
            return Err(format!(
                "expected metric {labels} with {points} at position {position} but was at {}",
                idx + 1
            ));
        }
        check_sample(labels, points.first().unwrap_or(&Point::Missing), sample)?;
        seen.insert(labels);
    }
    match expected.iter().find(|(labels, _)| !seen.contains(labels)) {
        Some((labels, (position, points))) => {
            let points = points_text(points);
            Err(format!("expected metric {labels} with {position}: {points} not found"))
        }
        None => Ok(()),
    }
}

fn check_sample(labels: &Labels, expected: &Point, got: &Sample) -> Result<(), String> {
    match (expected, got) {
        (Point::Float(expected), Sample::Float(got)) if close(*expected, *got) => Ok(()),
        (Point::Float(expected), Sample::Float(got)) => {
            let (expected, got) = (general(*expected), general(*got));
            Err(format!("expected {expected} for {labels} but got {got}"))
        }
        (Point::Histogram { histogram, checks_hint }, Sample::Histogram(got)) => {
            if histograms_match(histogram, got, *checks_hint) {
                return Ok(());
            }
            let (expected, got) = (histogram_notation(histogram), histogram_notation(got));
            Err(format!("expected {expected} for {labels} but got {got}"))
        }
        (Point::Histogram { histogram, .. }, Sample::Float(got)) => {
            let (expected, got) = (histogram_notation(histogram), general(*got));
            Err(format!("expected histogram {expected} for {labels} but got float value {got}"))
        }
        (Point::Float(_), Sample::Histogram(got)) => {
            let (expected, got) = (expected.text(), histogram_notation(got));
            Err(format!("expected float value {expected} for {labels} but got histogram {got}"))
        }
        (Point::Missing, got) => {
            let got = sample_text(got);
            Err(format!("expected no value for {labels} but got {got}"))
        }
    }
}

fn sample_text(sample: &Sample) -> String {
    match sample {
        Sample::Float(value) => general(*value),
        Sample::Histogram(histogram) => histogram_notation(histogram),
    }
}
