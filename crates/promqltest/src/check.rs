//! Is the answer what the script expects?

mod annotations;
mod matrix;
mod text;
mod vector;

use model::{
    FloatHistogram, Labels, Timestamp,
    float::is_stale,
    histogram::{CounterResetHint, bounds},
};

use crate::{
    Answer, Sample, Value,
    script::{Eval, Expected, ExpectedSeries, Point, Steps, When, general},
};

pub(crate) use annotations::check as check_annotations;
pub(crate) use annotations::check_failure;
pub use matrix::check_sorted;

/// The relative difference that two floats may have.
const EPSILON: f64 = 1e-6;

/// Compares the value of an answer that was evaluated at `time`.
pub(crate) fn check_value(eval: &Eval, answer: &Answer, time: Timestamp) -> Result<(), String> {
    match (&eval.expected, &answer.value) {
        (Expected::Scalar(expected), Value::Scalar(got)) => check_scalar(*expected, *got),
        (Expected::Scalar(_), other) => {
            Err(format!("expected scalar result, but got {}", text::value(other, time)))
        }
        (Expected::String(expected), Value::String(got)) if expected == got => Ok(()),
        (Expected::String(expected), Value::String(got)) => {
            let quote = model::labels::quote;
            Err(format!("expected string {} but got {}", quote(expected), quote(got)))
        }
        (Expected::String(_), other) => {
            Err(format!("expected string result, but got {}", text::value(other, time)))
        }
        (Expected::Series(expected), Value::Vector(got)) => {
            vector::check(expected, got, eval.expectations.ordered)
        }
        (Expected::Series(expected), Value::Matrix(got)) => {
            let steps = match eval.when {
                When::Range(steps) => steps,
                When::Instant(time) => {
                    Steps { start: time, end: time, step: std::time::Duration::ZERO }
                }
            };
            check_matrix(eval, expected, steps, got)
        }
        (Expected::Window(steps, expected), Value::Matrix(got)) => {
            check_matrix(eval, expected, *steps, got)
        }
        (Expected::Window(..), other) => {
            Err(format!("expected matrix result, but got {}", text::value(other, time)))
        }
        (Expected::Series(_), other) => {
            Err(format!("expected vector or matrix result, but got {}", text::value(other, time)))
        }
    }
}

fn check_matrix(
    eval: &Eval,
    expected: &ExpectedSeries,
    steps: Steps,
    got: &[crate::Series],
) -> Result<(), String> {
    if eval.expectations.ordered {
        return Err("expected ordered result, but query returned a matrix".to_owned());
    }
    matrix::check(expected, steps, got)
}

/// Compares the step of a range query at `time` with what the instant query expects.
pub(crate) fn check_step(
    eval: &Eval,
    matrix: &[crate::Series],
    time: Timestamp,
) -> Result<(), String> {
    matrix::check_sorted(matrix.iter().map(|series| &series.labels))?;
    let vector: Vec<(Labels, Sample)> = matrix
        .iter()
        .filter_map(|series| {
            let float = series.floats.iter().find(|point| point.0 == time);
            let histogram = series.histograms.iter().find(|point| point.0 == time);
            let sample = match (float, histogram) {
                (Some((_, value)), _) => Sample::Float(*value),
                (None, Some((_, histogram))) => Sample::Histogram(histogram.clone()),
                (None, None) => return None,
            };
            Some((series.labels.clone(), sample))
        })
        .collect();
    match &eval.expected {
        Expected::Scalar(expected) => match vector.first() {
            Some((_, Sample::Float(got))) => check_scalar(*expected, *got),
            _ => Err("expected scalar result, but got none".to_owned()),
        },
        Expected::Series(expected) => vector::check(expected, &vector, false),
        Expected::String(_) | Expected::Window(..) => Ok(()),
    }
}

fn check_scalar(expected: f64, got: f64) -> Result<(), String> {
    if almost_equal(expected, got, EPSILON) {
        return Ok(());
    }
    Err(format!("expected scalar {} but got {}", general(expected), general(got)))
}

/// Whether two floats differ by less than `epsilon`, relative to their size. Ordinary NaNs are
/// equal, and so are stale markers.
pub fn almost_equal(a: f64, b: f64, epsilon: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let size = a.abs() + b.abs();
    let difference = (a - b).abs();
    // Relative to almost nothing everything differs.
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < epsilon * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < epsilon
}

fn close(a: f64, b: f64) -> bool {
    almost_equal(a, b, EPSILON)
}

/// Whether a histogram is the expected one, empty buckets aside.
fn histograms_match(expected: &FloatHistogram, got: &FloatHistogram, checks_hint: bool) -> bool {
    let (mut expected, mut got) = (expected.clone(), got.clone());
    expected.compact(0);
    got.compact(0);
    let buckets_match =
        |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(*a, *b));
    let hints_match = expected.counter_reset_hint == got.counter_reset_hint
        || (!checks_hint && expected.counter_reset_hint == CounterResetHint::Unknown);
    let bounds_match = !expected.has_custom_buckets()
        || bounds::custom_match(&expected.custom_values, &got.custom_values);
    expected.schema == got.schema
        && close(expected.count, got.count)
        && close(expected.sum, got.sum)
        && bounds_match
        && expected.zero_threshold == got.zero_threshold
        && close(expected.zero_count, got.zero_count)
        && expected.negative_spans == got.negative_spans
        && buckets_match(&expected.negative_buckets, &got.negative_buckets)
        && expected.positive_spans == got.positive_spans
        && buckets_match(&expected.positive_buckets, &got.positive_buckets)
        && hints_match
}

/// The values of a line as upstream prints a list of them.
fn points_text(points: &[Point]) -> String {
    let texts: Vec<String> = points.iter().map(Point::text).collect();
    format!("[{}]", texts.join(" "))
}
