//! Are two answers the same?

use std::collections::BTreeMap;

use acceptance::Answer;
use serde_json::Value;

use crate::{Likeness, Query};

/// Since 3.0 also said of matches that a comparison filters out.
const STRICTER: &str = "multiple matches for labels: many-to-one matching must be explicit";

/// How errors of series that cannot be matched begin.
const CLASHES: &[&str] = &["multiple matches for labels:", "found duplicate series for the match"];

/// What is different, if anything is. `theirs` is the answer that is right.
pub fn difference(query: &Query, theirs: &Answer, ours: &Answer) -> Option<String> {
    if theirs.status == 200 && ours.body.contains(STRICTER) {
        return None;
    }
    if theirs.status != ours.status {
        return Some(format!("status {} instead of {}", ours.status, theirs.status));
    }
    let (theirs, ours) = (theirs.json(), ours.json());
    if theirs["status"] == "error" {
        return error(&theirs, &ours);
    }
    let (theirs, ours) = (&theirs["data"], &ours["data"]);
    if theirs["resultType"] != ours["resultType"] {
        return Some(format!("type {} instead of {}", ours["resultType"], theirs["resultType"]));
    }
    match theirs["resultType"].as_str() {
        Some("scalar" | "string") => samples(query, &one(theirs), &one(ours)),
        Some("matrix") => series(query, theirs, ours, "values"),
        _ => order(query, theirs, ours).or_else(|| series(query, theirs, ours, "value")),
    }
}

fn one(data: &Value) -> Vec<&Value> {
    vec![&data["result"]]
}

/// What was refused must be refused in the same words, but for what the parser says, where 3.x
/// knows more, and for which of several clashes is named: upstream goes by steps, we by series.
fn error(theirs: &Value, ours: &Value) -> Option<String> {
    if theirs["errorType"] != ours["errorType"] {
        return Some(format!("error {} instead of {}", ours["errorType"], theirs["errorType"]));
    }
    let is_parsing = theirs["errorType"] == "bad_data";
    let words = |answer: &Value| {
        let text = answer["error"].as_str().unwrap_or_default();
        let is_clash = CLASHES.iter().any(|clash| text.starts_with(clash));
        if is_clash { CLASHES[0].to_owned() } else { text.to_owned() }
    };
    let is_same = words(theirs) == words(ours);
    (!is_same && !is_parsing)
        .then(|| format!("says {} instead of {}", ours["error"], theirs["error"]))
}

/// Sorted results must come with the same values in the same order.
fn order(query: &Query, theirs: &Value, ours: &Value) -> Option<String> {
    let is_ordered = query.text.starts_with("sort") && query.likeness < Likeness::Close;
    let values = |data: &Value| -> Vec<Value> {
        let result = data["result"].as_array().into_iter().flatten();
        result.map(|sample| sample["value"][1].clone()).collect()
    };
    let (theirs, ours) = (values(theirs), values(ours));
    (is_ordered && theirs != ours).then(|| format!("in order {ours:?} instead of {theirs:?}"))
}

fn series(query: &Query, theirs: &Value, ours: &Value, field: &str) -> Option<String> {
    let (theirs, ours) = (by_labels(theirs, field), by_labels(ours, field));
    for labels in theirs.keys() {
        if !ours.contains_key(labels) {
            return Some(format!("{labels} is missing ({} of {})", ours.len(), theirs.len()));
        }
    }
    for (labels, values) in &ours {
        let Some(expected) = theirs.get(labels) else {
            return Some(format!("{labels} is too much ({}, not {})", ours.len(), theirs.len()));
        };
        if let Some(text) = samples(query, expected, values) {
            return Some(format!("{labels}: {text}"));
        }
    }
    None
}

fn by_labels<'a>(data: &'a Value, field: &str) -> BTreeMap<String, Vec<&'a Value>> {
    let result = data["result"].as_array().into_iter().flatten();
    let pairs = result.map(|series| {
        let values = match &series[field] {
            Value::Array(values) if field == "values" => values.iter().collect(),
            value => vec![value],
        };
        (series["metric"].to_string(), values)
    });
    pairs.collect()
}

fn samples(query: &Query, theirs: &[&Value], ours: &[&Value]) -> Option<String> {
    if theirs.len() != ours.len() {
        return Some(format!("{} samples instead of {}", ours.len(), theirs.len()));
    }
    for (expected, value) in theirs.iter().zip(ours) {
        if expected[0] != value[0] {
            return Some(format!("at {} instead of {}", value[0], expected[0]));
        }
        if !is_alike(query.likeness, &expected[1], &value[1]) {
            return Some(format!("{} instead of {} at {}", value[1], expected[1], value[0]));
        }
    }
    None
}

fn is_alike(likeness: Likeness, expected: &Value, value: &Value) -> bool {
    if expected == value {
        return true;
    }
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    let Some((expected, value)) = number(expected).zip(number(value)) else { return false };
    // What is left when large numbers cancel is rounding in both.
    const ABSOLUTE: f64 = 1e-9;
    const RELATIVE: f64 = 1e-12;
    let distance = (expected - value).abs();
    // Since sums are compensated, nothing is added to a negative zero, which makes it a zero.
    let is_zero = expected == 0.0 && value == 0.0;
    is_zero
        || likeness == Likeness::Close
            && (distance <= RELATIVE * expected.abs().max(value.abs()) || distance <= ABSOLUTE)
}
