//! What was expected beside what came, as upstream prints it.

use model::Labels;
use promql::Value;
use rules::{Sample, SampleValue};

/// An alert's labels and annotations.
pub(super) type AlertTexts = (Labels, Labels);

/// A sample in the form that is compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownSample {
    pub(super) labels: Labels,
    pub(super) value: f64,
    /// In series notation; then the value says nothing.
    pub(super) histogram: Option<String>,
}

impl From<Sample> for ShownSample {
    fn from(sample: Sample) -> ShownSample {
        let (value, histogram) = match &sample.value {
            SampleValue::Float(value) => (*value, None),
            SampleValue::Histogram(histogram) => {
                (0.0, Some(promql_syntax::histogram_notation(histogram)))
            }
        };
        ShownSample { labels: sample.labels, value, histogram }
    }
}

/// Whether all samples are the same; fuzzily, values may be neighbours.
pub(super) fn same_samples(expected: &[ShownSample], got: &[ShownSample], fuzzy: bool) -> bool {
    expected.len() == got.len()
        && expected.iter().zip(got).all(|(a, b)| {
            let same_value = a.value == b.value
                || (a.value.is_nan() && b.value.is_nan())
                || (fuzzy && a.value.next_down() <= b.value && b.value <= a.value.next_up());
            a.labels == b.labels && a.histogram == b.histogram && same_value
        })
}

/// `{a="b"} 1E+00, {} 2E+00`.
pub(super) fn show_samples(samples: &[ShownSample]) -> String {
    if samples.is_empty() {
        return "nil".to_owned();
    }
    samples.iter().map(show_sample).collect::<Vec<_>>().join(", ")
}

fn show_sample(sample: &ShownSample) -> String {
    match &sample.histogram {
        Some(histogram) => format!("{} {histogram}", sample.labels),
        None => format!("{} {}", sample.labels, exponent(sample.value)),
    }
}

/// Go's `FormatFloat(v, 'E', -1, 64)`.
fn exponent(value: f64) -> String {
    let mut out = String::new();
    model::float::write_exponent(value, &mut out);
    if value.is_finite() { out.to_uppercase() } else { out }
}

/// The alerts one below the other, as far to the right as they stand in the message.
pub(super) fn show_alerts(alerts: &[AlertTexts]) -> String {
    if alerts.is_empty() {
        return "[]".to_owned();
    }
    let items = alerts.iter().enumerate().map(|(idx, (labels, annotations))| {
        format!("{idx}:\n  Labels:{labels}\n  Annotations:{annotations}")
    });
    let text = format!("[\n{}\n]", items.collect::<Vec<_>>().join(",\n"));
    text.replace('\n', "\n            ")
}

pub(super) fn diff_alerts(expected: &[AlertTexts], got: &[AlertTexts]) -> String {
    let lines = |alerts: &[AlertTexts]| -> Vec<String> {
        let lines = alerts.iter().flat_map(|(labels, annotations)| {
            let pairs = |what: &str, pairs: &Labels| -> Vec<String> {
                let pairs = pairs.iter();
                pairs.map(|(name, value)| format!("  {what} {name}: {value:?}")).collect()
            };
            let mut lines = vec!["alert".to_owned()];
            lines.extend(pairs("label", labels));
            lines.extend(pairs("annotation", annotations));
            lines
        });
        lines.collect()
    };
    diff(&lines(expected), &lines(got))
}

pub(super) fn diff_samples(expected: &[ShownSample], got: &[ShownSample]) -> String {
    let lines = |samples: &[ShownSample]| samples.iter().map(show_sample).collect::<Vec<_>>();
    diff(&lines(expected), &lines(got))
}

/// Lines that are only expected with `-`, those that only came with `+`, the others plain.
fn diff(expected: &[String], got: &[String]) -> String {
    // common[i][j]: how many lines the ends of both lists from i and j on can have in common.
    let mut common = vec![vec![0usize; got.len() + 1]; expected.len() + 1];
    for i in (0..expected.len()).rev() {
        for j in (0..got.len()).rev() {
            common[i][j] = match expected[i] == got[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < expected.len() || j < got.len() {
        let both = i < expected.len() && j < got.len();
        if both && expected[i] == got[j] {
            lines.push(format!("        {}", expected[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == got.len() || (both && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("      - {}", expected[i]));
            i += 1;
        } else {
            lines.push(format!("      + {}", got[j]));
            j += 1;
        }
    }
    lines.join("\n")
}

/// The result of a query with all its samples.
pub(super) fn show_value(value: &Value) -> String {
    let Value::Matrix(matrix) = value else { return format!("{value:?}\n") };
    let mut out = String::new();
    for series in matrix {
        out.push_str(&format!("{} =>\n", series.labels));
        for point in &series.floats {
            let value = crate::time::plain(point.value);
            out.push_str(&format!("{value} @[{}]\n", point.timestamp));
        }
        for point in &series.histograms {
            let value = promql_syntax::histogram_notation(&point.value);
            out.push_str(&format!("{value} @[{}]\n", point.timestamp));
        }
    }
    out
}
