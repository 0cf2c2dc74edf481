mod openmetrics;
mod tables;
mod text;

use crate::{Entry, Parser};

/// Parses everything, labels included, and prints an entry a line.
fn print(parser: Parser<'_>) -> String {
    let mut out = String::new();
    for entry in parser {
        let line = match entry {
            Err(error) => format!("error: {error}"),
            Ok(Entry::Type { metric, kind }) => format!("type {metric} {}", kind.as_str()),
            Ok(Entry::Help { metric, help }) => format!("help {metric} {help:?}"),
            Ok(Entry::Unit { metric, unit }) => format!("unit {metric} {unit}"),
            Ok(Entry::Comment(text)) => format!("comment {}", String::from_utf8_lossy(text)),
            Ok(Entry::Histogram(_)) => "histogram".to_owned(),
            Ok(Entry::Series(series)) => match series.labels() {
                Err(error) => format!("error: {error}"),
                Ok(labels) => {
                    let labels = model::Labels::from_pairs(labels);
                    let time = series.timestamp.map(|time| format!(" @{time}"));
                    format!("{labels} {}{}", series.value, time.unwrap_or_default())
                }
            },
        };
        let is_error = line.starts_with("error");
        out.push_str(&line);
        out.push('\n');
        if is_error {
            break;
        }
    }
    out
}

fn expect(printed: &str, expected: &str) {
    let trim = |text: &str| text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n");
    assert_eq!(trim(printed), trim(expected));
}
