//! Upstream's table of dependencies.

use std::{collections::BTreeSet, sync::Arc};

use conformance::Score;
use model::names::ValidationScheme;
use serde_json::Value as Json;

use super::{Batch, Dependencies};
use crate::{file, tests::world};

#[test]
fn rules_depend_on_each_other_as_upstream_has_it() {
    let table = "prometheus/rules/dependencies.json";
    let Some(table_cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in table_cases.cases.iter().enumerate() {
        score.add(format!("{idx} {}", case["name"]), check(case));
    }
    score.finish(&[]);
}

fn check(case: &Json) -> Result<(), String> {
    let rules = rules(case);
    let dependencies = Dependencies::of(&rules);
    for (idx, rule) in rules.iter().enumerate() {
        let (uses, users) = (dependencies.dependencies(idx), dependencies.dependents(idx));
        if let Some(wanted) = case["dependencies"].get(idx) {
            same(&rule.name, Some(&indexes(wanted)), uses)?;
        }
        if let Some(wanted) = case["dependents"].get(idx) {
            same(&rule.name, Some(indexes(wanted)), users.clone())?;
        }
        let uses_none = uses.is_some_and(BTreeSet::is_empty);
        let nobody_uses = users.is_some_and(|users| users.is_empty());
        if let Some(wanted) = case["independent"].get(idx) {
            same(&rule.name, wanted.as_bool(), Some(uses_none && nobody_uses))?;
        }
        let of_name = &case["by_rule_name"][&rule.name];
        if of_name.is_object() {
            same(&rule.name, of_name["has_no_dependents"].as_bool(), Some(nobody_uses))?;
            same(&rule.name, of_name["has_no_dependencies"].as_bool(), Some(uses_none))?;
        }
    }
    let Some(wanted) = case["concurrent_batches"].as_array() else { return Ok(()) };
    let found = dependencies.batches(rules.len());
    let found = found.iter().map(|batch| batch.rules().iter().copied().collect());
    same("batches", wanted.iter().map(indexes).collect::<Vec<_>>(), found.collect())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, wanted: T, found: T) -> Result<(), String> {
    if wanted == found { Ok(()) } else { Err(format!("{what}: want {wanted:?}, got {found:?}")) }
}

fn indexes(json: &Json) -> BTreeSet<usize> {
    json.as_array().into_iter().flatten().filter_map(|n| Some(n.as_u64()? as usize)).collect()
}

fn rules(case: &Json) -> Vec<Arc<file::Rule>> {
    if let Some(rules) = case["rules"].as_array() {
        return rules.iter().map(|rule| Arc::new(world::rule(rule))).collect();
    }
    let path = format!("prometheus/rules/{}", case["file"].as_str().expect("a file"));
    let text = conformance::text(&path).expect("the table was there");
    let check_expr = |text: &str| Ok(text.to_owned());
    let options = file::Options {
        names: ValidationScheme::Utf8,
        ignore_unknown_fields: false,
        check_expr: &check_expr,
    };
    let groups = file::parse(&text, &options).expect("a good file").groups;
    groups.into_iter().flat_map(|group| group.rules).map(Arc::new).collect()
}

#[test]
fn a_query_that_may_use_anything_keeps_the_order() {
    let rules = [("a", "up"), ("b", r#"count({job="x"})"#)];
    let rules = rules.map(|(record, expr)| {
        Arc::new(world::rule(&serde_json::json!({"record": record, "expr": expr})))
    });
    assert_eq!(Dependencies::of(&rules).batches(2), [Batch::InOrder(vec![0, 1])]);
}
