//! Upstream's tables of printed queries.

use model::{MatchKind, Matcher};
use serde_json::Value;

use super::{same, table, text};
use crate::{Options, ast::VectorSelector, extract_selectors, parse, pretty, to_json};

#[test]
fn queries_print_as_upstream() {
    table("promql/parser/printer", |case| {
        let expr = parse(text(case, "input"), &Options::ALL).map_err(|error| error.to_string())?;
        same(&expr.to_string(), text(case, "output"))
    });
}

#[test]
fn queries_are_formatted_as_upstream() {
    table("promql/parser/prettier", |case| {
        let line_length_max = case["max_characters_per_line"].as_u64().expect("a number") as usize;
        let expr = parse(text(case, "input"), &Options::ALL).map_err(|error| error.to_string())?;
        same(&pretty(&expr, line_length_max), text(case, "output"))
    });
}

#[test]
fn selectors_print_as_upstream() {
    table("promql/parser/vector_selector_printing", |case| {
        let matchers = case["matchers"].as_array().expect("a list").iter().map(|matcher| {
            assert_eq!(text(matcher, "type"), "=");
            Matcher::new(MatchKind::Equal, text(matcher, "name"), text(matcher, "value"))
                .expect("not a regex")
        });
        let selector = VectorSelector {
            name: text(case, "metric_name").to_owned(),
            matchers: matchers.collect(),
            ..VectorSelector::default()
        };
        same(&selector.to_string(), text(case, "output"))
    });
}

#[test]
fn selectors_are_found_as_upstream() {
    table("promql/parser/extract_selectors", |case| {
        let expr = parse(text(case, "input"), &Options::ALL).map_err(|error| error.to_string())?;
        let print = |matchers: &[Matcher]| {
            let all: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
            format!("{{{}}}", all.join(", "))
        };
        let found: Vec<String> = extract_selectors(&expr).into_iter().map(print).collect();
        let wanted = case["selectors"].as_array().expect("a list").iter();
        let wanted: Vec<&str> = wanted.map(|one| one.as_str().expect("a text")).collect();
        same(&found.join("\n"), &wanted.join("\n"))
    });
}

#[test]
fn trees_are_shown_as_upstream() {
    table("api/parse_query_ast", |case| {
        let expr = parse(text(case, "query"), &Options::ALL).map_err(|error| error.to_string())?;
        let shown = to_json(&expr);
        let tree: Value =
            serde_json::from_str(&shown).map_err(|error| format!("{error}: {shown}"))?;
        same(tree["type"].as_str().unwrap_or_default(), text(case, "type"))?;
        for (key, wanted) in case["fields"].as_object().expect("an object") {
            same(&tree[key].to_string(), &wanted.to_string())?;
        }
        // Serde keeps the keys sorted, so this is about their order and about spaces.
        same(&shown, &tree.to_string())
    });
}
