//! Answers as people read them: `up{job="a"} => 1 @[1435781451.781]`.

use std::fmt::Write as _;

use anyhow::Context as _;
use model::labels::quote;
use serde_json::{Map, Value};

use crate::time::plain;

/// The result of a query.
pub(super) fn result(data: &Value) -> anyhow::Result<String> {
    let result = &data["result"];
    let list = result.as_array().map(Vec::as_slice).unwrap_or_default();
    match data["resultType"].as_str().unwrap_or_default() {
        "vector" => join(list.iter().map(sample)),
        "matrix" => join(list.iter().map(series)),
        "scalar" => Ok(format!("scalar: {}", point(result)?)),
        "string" => Ok(result[1].as_str().unwrap_or_default().to_owned()),
        other => anyhow::bail!("unexpected value type {other:?}"),
    }
}

fn join(lines: impl Iterator<Item = anyhow::Result<String>>) -> anyhow::Result<String> {
    Ok(lines.collect::<anyhow::Result<Vec<_>>>()?.join("\n"))
}

/// A label set or a label's value.
pub(super) fn item(item: &Value) -> String {
    match item {
        Value::Object(labels) => format!("{{{}}}", pairs(labels, |_| true)),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn sample(sample: &Value) -> anyhow::Result<String> {
    let value = sample.get("histogram").or_else(|| sample.get("value"));
    let value = point(value.context("a sample without a value")?)?;
    Ok(format!("{} => {value}", metric(&sample["metric"])))
}

fn series(series: &Value) -> anyhow::Result<String> {
    let mut out = format!("{} =>", metric(&series["metric"]));
    for key in ["values", "histograms"] {
        for value in series[key].as_array().into_iter().flatten() {
            write!(out, "\n{}", point(value)?)?;
        }
    }
    Ok(out)
}

/// `[time, value]` as `value @[time]`.
fn point(pair: &Value) -> anyhow::Result<String> {
    let time = pair[0].as_f64().context("a value without a time")?;
    let value = match &pair[1] {
        Value::String(text) => float(text),
        histogram => show_histogram(histogram),
    };
    Ok(format!("{value} @[{}]", plain(time)))
}

/// The server writes large and small values with exponents; here they never have one.
fn float(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), plain)
}

/// As upstream's client prints a histogram: `Count: 2.000000, Sum: 3.000000, Buckets: […]`.
fn show_histogram(histogram: &Value) -> String {
    let number = |value: &Value| -> f64 {
        value.as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
    };
    let buckets = histogram["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let buckets: Vec<String> = buckets
        .iter()
        .map(|bucket| {
            // 0: open at the left, 1: open at the right, 2: open at both ends, 3: closed.
            let (left, right) = match bucket[0].as_u64() {
                Some(0) => ('(', ']'),
                Some(1) => ('[', ')'),
                Some(2) => ('(', ')'),
                _ => ('[', ']'),
            };
            let text = |idx: usize| float(bucket[idx].as_str().unwrap_or_default());
            format!("{left}{},{}{right}:{}", text(1), text(2), text(3))
        })
        .collect();
    format!(
        "Count: {:.6}, Sum: {:.6}, Buckets: [{}]",
        number(&histogram["count"]),
        number(&histogram["sum"]),
        buckets.join(" ")
    )
}

/// `name{label="value"}`.
pub(super) fn metric(labels: &Value) -> String {
    let Some(labels) = labels.as_object() else { return "{}".to_owned() };
    let name = labels.get(model::METRIC_NAME).and_then(Value::as_str);
    let others = pairs(labels, |label| name.is_none() || label != model::METRIC_NAME);
    match name {
        Some(name) if !model::names::is_legacy_metric_name(name) => {
            let comma = if others.is_empty() { "" } else { ", " };
            format!("{{{}{comma}{others}}}", quote(name))
        }
        Some(name) if others.is_empty() => name.to_owned(),
        name => format!("{}{{{others}}}", name.unwrap_or_default()),
    }
}

fn pairs(labels: &Map<String, Value>, keep: impl Fn(&str) -> bool) -> String {
    let mut labels: Vec<_> = labels.iter().filter(|(name, _)| keep(name)).collect();
    labels.sort_by_key(|(name, _)| *name);
    let labels = labels.into_iter().map(|(name, value)| {
        let value = quote(value.as_str().unwrap_or_default());
        if model::names::is_legacy_label_name(name) {
            format!("{name}={value}")
        } else {
            format!("{}={value}", quote(name))
        }
    });
    labels.collect::<Vec<_>>().join(", ")
}
