//! Answers as failures print them.

use model::Timestamp;
use promql_syntax::histogram_notation;

use crate::{Sample, Series, Value, script::general};

/// A whole value, in upstream's words.
pub(super) fn value(value: &Value, time: Timestamp) -> String {
    match value {
        Value::Scalar(value) => format!("scalar: {} @[{time}]", general(*value)),
        Value::String(text) => format!("string {text}"),
        Value::Vector(samples) => {
            let lines: Vec<String> = samples
                .iter()
                .map(|(labels, sample)| {
                    let value = match sample {
                        Sample::Float(value) => general(*value),
                        Sample::Histogram(histogram) => histogram.to_string(),
                    };
                    format!("{labels} => {value} @[{time}]")
                })
                .collect();
            format!("vector {}", lines.join("\n"))
        }
        Value::Matrix(series) => {
            let lines: Vec<String> = series.iter().map(series_lines).collect();
            format!("matrix {}", lines.join("\n"))
        }
    }
}

fn series_lines(series: &Series) -> String {
    let floats = series.floats.iter().map(|(time, value)| format!("{} @[{time}]", general(*value)));
    let histograms =
        series.histograms.iter().map(|(time, histogram)| format!("{histogram} @[{time}]"));
    let lines: Vec<String> = floats.chain(histograms).collect();
    format!("{} =>\n{}", series.labels, lines.join("\n"))
}

/// How many points a series has, and which.
pub(super) fn series_points(series: &Series) -> String {
    let floats: Vec<String> = series
        .floats
        .iter()
        .map(|(time, value)| format!("{} @[{time}]", general(*value)))
        .collect();
    let histograms: Vec<String> = series
        .histograms
        .iter()
        .map(|(time, histogram)| format!("{} @[{time}]", histogram_notation(histogram)))
        .collect();
    format!(
        "{} [{}] and {} [{}]",
        counted(floats.len(), "float point"),
        floats.join(" "),
        counted(histograms.len(), "histogram point"),
        histograms.join(" ")
    )
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
