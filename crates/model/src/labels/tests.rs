//! Upstream's own tables of label sets.

use std::cmp::Ordering;

use conformance::{Score, cases};
use serde_json::Value;

use super::{Labels, LabelsBuilder};
use crate::{MatchKind, Matcher, names::ValidationScheme};

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn pairs(list: &Value) -> impl Iterator<Item = (&str, &str)> {
    let pairs = list.as_array().into_iter().flatten();
    pairs.map(|pair| (text(&pair[0]), text(&pair[1])))
}

fn labels(list: &Value) -> Labels {
    Labels::from_pairs(pairs(list))
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(text).collect()
}

/// Every case of a table, in which `found` must be what is expected.
fn check<T: PartialEq + std::fmt::Debug>(
    table: &str,
    found: impl Fn(&Value) -> T,
    expected: impl Fn(&Value) -> T,
) {
    let Some(data) = cases(&format!("prometheus/labels/{table}.json")) else { return };
    let mut score = Score::new(&format!("labels/{table}"));
    for case in &data.cases {
        let (found, expected) = (found(case), expected(case));
        let outcome =
            if found == expected { Ok(()) } else { Err(format!("{found:?}, not {expected:?}")) };
        score.add(case.to_string(), outcome);
    }
    score.finish(&[]);
}

#[test]
fn sets_are_built_and_taken_apart_as_upstream_does() {
    let result = |case: &Value| labels(&case["result"]);
    check("scratch_builder", |case| labels(&case["add"]), result);
    check("without_empty", |case| labels(&case["labels"]), result);
    check(
        "builder",
        |case| {
            let mut builder = LabelsBuilder::new(&labels(&case["base"]));
            for (name, value) in pairs(&case["set"]) {
                builder.set(name, value);
            }
            let kept = names(&case["keep"]);
            if !kept.is_empty() {
                builder.retain(|name| kept.contains(&name));
            }
            for name in names(&case["delete"]) {
                builder.remove(name);
            }
            builder.build()
        },
        result,
    );
    check(
        "match_labels",
        |case| {
            let (wanted, on) = (names(&case["names"]), case["on"] == true);
            // What is ignored takes the metric's name with it.
            labels(&case["labels"])
                .filter(|name| wanted.contains(&name) == on && (on || name != "__name__"))
        },
        result,
    );
    check(
        "drop",
        |case| {
            let without_name = labels(&case["labels"]).without_name();
            match text(&case["operation"]) {
                "drop metric name" => without_name,
                _ => without_name.filter(|name| name != "__something__"),
            }
        },
        result,
    );
}

#[test]
fn sets_are_compared_and_printed_as_upstream_does() {
    check("equal", |case| labels(&case["a"]) == labels(&case["b"]), |case| case["equal"] == true);
    check(
        "compare",
        |case| labels(&case["a"]).cmp(&labels(&case["b"])),
        |case| case["sign"].as_i64().map_or(Ordering::Equal, |sign| sign.cmp(&0)),
    );
    check(
        "string",
        |case| labels(&case["labels"]).to_string(),
        |case| text(&case["text"]).to_owned(),
    );
}

#[test]
fn names_are_valid_where_upstream_says_so() {
    let is_valid = |case: &Value| {
        let scheme = match text(&case["scheme"]) {
            "legacy" => ValidationScheme::Legacy,
            _ => ValidationScheme::Utf8,
        };
        case["labels"].as_array().into_iter().flatten().all(|pair| {
            // What is no text cannot be a label here.
            let (Some(name), Some(value)) = (pair[0].as_str(), pair[1].as_str()) else {
                return false;
            };
            match name {
                "__name__" => scheme.is_valid_metric_name(value),
                name => scheme.is_valid_label_name(name),
            }
        })
    };
    check("validity", is_valid, |case| case["valid"] == true);
}

#[test]
fn matchers_match_what_upstreams_do() {
    let matches = |case: &Value| {
        let matcher = &case["matcher"];
        let kinds = [MatchKind::Equal, MatchKind::NotEqual, MatchKind::Regex, MatchKind::NotRegex];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == text(&matcher["type"]));
        let kind = kind.expect("one of four");
        let (name, pattern) = (text(&matcher["name"]), text(&matcher["value"]));
        Matcher::new(kind, name, pattern).expect("a pattern").matches(text(&case["value"]))
    };
    check("matcher", matches, |case| case["matches"] == true);
}
