//! The values of a series line, in the terms of this crate.

use std::sync::Arc;

use model::{FloatHistogram, Labels, float::write_general};
use promql_syntax::{SequenceValue, histogram_notation};

/// One value of a series line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Point {
    Missing,
    Float(f64),
    /// `checks_hint`: the line names the counter reset hint, so it is part of what is expected.
    Histogram {
        histogram: Arc<FloatHistogram>,
        checks_hint: bool,
    },
}

/// Parses `metric{label="value"} 1 2+3x4 _ {{…}}`.
pub(super) fn parse_line(line: &str) -> Result<(Labels, Vec<Point>), String> {
    let (labels, values) = promql_syntax::parse_series(line).map_err(|error| error.to_string())?;
    // Left out and `unknown` look the same in a histogram, but only the latter is checked.
    let checks_hint = line.contains("counter_reset_hint:unknown");
    let point = |value| match value {
        SequenceValue::Omitted => Point::Missing,
        SequenceValue::Float(value) => Point::Float(value),
        SequenceValue::Histogram(histogram) => {
            Point::Histogram { histogram: Arc::new(histogram), checks_hint }
        }
    };
    Ok((labels, values.into_iter().map(point).collect()))
}

impl Point {
    /// As failures print it: floats with six decimals, histograms in load-line notation.
    pub(crate) fn text(&self) -> String {
        match self {
            Point::Missing => "_".to_owned(),
            Point::Float(value) if value.is_infinite() => general(*value),
            Point::Float(value) => format!("{value:.6}"),
            Point::Histogram { histogram, .. } => histogram_notation(histogram),
        }
    }
}

/// Go's `%v`.
pub(crate) fn general(value: f64) -> String {
    let mut text = String::new();
    write_general(value, &mut text);
    text
}
