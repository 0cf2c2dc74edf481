use conformance::{Cases, Score};
use model::names::ValidationScheme;
use serde_json::Value as Json;

use super::{Options, Parsed, Position, Problem, RulePlace, parse};

/// Enough of a query check for rule files; the language has its own tests.
fn check_expr(text: &str) -> Result<String, String> {
    match text {
        "rate(hi)" => Err("parse error: expected type range vector".to_owned()),
        text if text.contains("=====") => Err("parse error: unexpected =".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn read(text: &str, names: ValidationScheme) -> Result<Parsed, Vec<Problem>> {
    parse(text, &Options { names, ignore_unknown_fields: false, check_expr: &check_expr })
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let found = match read(text, ValidationScheme::Utf8) {
        Ok(parsed) => format!("{} groups", parsed.groups.len()),
        Err(problems) => problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"),
    };
    assert_eq!(found, expected);
}

#[test]
fn all_problems_come_at_once_with_their_place() {
    check(
        "
groups:
- name: g
  rules:
  - record: a
    expr: rate(hi)
  - alert: b
    expr: up =====
    annotations:
      x: '{{ nofunc }}'
- name: g
  limit: 1
",
        r#"6:11: group "g", rule 1, "a": could not parse expression: parse error: expected type range vector
8:11: group "g", rule 2, "b": could not parse expression: parse error: unexpected =
group "g", rule 2, "b": annotation "x": template: __alert_b:1: function "nofunc" not defined
11:3: groupname: "g" is repeated in the same file"#,
    );
}

#[test]
fn unknown_fields_are_named_with_their_line() {
    check(
        "groups:\n- name: g\n  intervall: 1m\n  rules:\n  - alert: a\n    expr: up\n    lables: {}\n",
        "yaml: unmarshal errors:\n  line 3: field intervall not found in type rulefmt.RuleGroup\n\
         yaml: unmarshal errors:\n  line 7: field lables not found in type rulefmt.Rule",
    );
}

#[test]
fn an_empty_file_has_no_groups() {
    check("", "0 groups");
    check("# nothing yet\n", "0 groups");
    check("groups:\n", "0 groups");
    check("---\ngroups: []\n", "0 groups");
}

#[test]
fn group_labels_give_way_to_the_rule() {
    let text = "groups:\n- name: g\n  labels: {team: a, x: y}\n  rules:\n  - record: r\n    expr: 1\n    labels: {team: b, gone: \"\"}\n";
    let parsed = read(text, ValidationScheme::Utf8).expect("a good file");
    let labels: Vec<_> = parsed.groups[0].rules[0].labels.iter().collect();
    let labels: Vec<_> = labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(labels, ["gone=", "team=b", "x=y"]);
}

#[test]
fn upstream_files_load_or_fail_alike() {
    let table = "prometheus/rulefmt/files.json";
    let Some(Cases { cases, .. }) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases {
        let file = case["file"].as_str().expect("a file");
        let Some(text) = conformance::text(&format!("prometheus/rulefmt/{file}")) else { return };
        let names = case["name_validation_scheme"].as_str().expect("a scheme");
        let names = ValidationScheme::parse(names).expect("a good scheme").expect("it is set");
        let found = read(&text, names);
        score.add(file, compare(case, found));
    }
    score.finish(&[]);
}

#[test]
fn upstream_texts_load_or_fail_alike() {
    let table = "prometheus/rulefmt/inline.json";
    let Some(Cases { cases, .. }) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in cases.iter().enumerate() {
        let found = read(case["yaml"].as_str().expect("a text"), ValidationScheme::Utf8);
        score.add(idx.to_string(), compare(case, found));
    }
    score.finish(&[]);
}

fn compare(case: &Json, found: Result<Parsed, Vec<Problem>>) -> Result<(), String> {
    match (case["ok"].as_bool(), found) {
        (Some(true), Ok(parsed)) => {
            let more = case["warns_multiple_documents"].as_bool();
            if more.is_some_and(|more| more != parsed.has_more_documents) {
                return Err(format!("more documents: {}", parsed.has_more_documents));
            }
            let groups = case["groups"].as_u64();
            if groups.is_some_and(|groups| groups != parsed.groups.len() as u64) {
                return Err(format!("{} groups", parsed.groups.len()));
            }
            match case.get("every_group_has_rules") {
                Some(rules) => compare_rules(rules, &parsed),
                None => Ok(()),
            }
        }
        (Some(false), Err(problems)) => {
            let first = problems[0].to_string();
            let wanted = case["error_contains"].as_str().unwrap_or_default();
            let count = case["error_count"].as_u64();
            if !first.contains(wanted) || count.is_some_and(|n| n != problems.len() as u64) {
                return Err(format!("{} problems, first {first}", problems.len()));
            }
            Ok(())
        }
        (_, found) => Err(format!("{found:?}")),
    }
}

fn compare_rules(wanted: &Json, parsed: &Parsed) -> Result<(), String> {
    for group in &parsed.groups {
        for (wanted, rule) in wanted.as_array().into_iter().flatten().zip(&group.rules) {
            let name = wanted["alert"].as_str().or(wanted["record"].as_str());
            if name != Some(&rule.name) || wanted["expr"].as_str() != Some(&rule.expr) {
                return Err(format!("want {wanted}, got {rule:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn problems_read_as_upstream_errors() {
    let table = "prometheus/rulefmt/error_format.json";
    let Some(Cases { cases, .. }) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    let position = |json: &Json| {
        let (line, column) = (json["line"].as_u64()?, json["column"].as_u64()?);
        Some(Position { line, column })
    };
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    for case in &cases {
        let problem = Problem {
            position: position(&case["position"]),
            alternative: position(&case["alternative_position"]),
            rule: Some(RulePlace {
                group: text(&case["group"]),
                number: case["rule"].as_u64().unwrap_or_default() as usize,
                name: text(&case["rule_name"]),
            }),
            message: text(&case["error"]),
        };
        let found = problem.to_string();
        let outcome = if found == text(&case["text"]) { Ok(()) } else { Err(found) };
        score.add(text(&case["name"]), outcome);
    }
    score.finish(&[]);
}

#[test]
fn upstream_fixtures_load_or_fail_alike() {
    let table = "prometheus/rules/parse_files.json";
    let Some(Cases { cases, .. }) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases {
        let pattern = case["patterns"][0].as_str().expect("a pattern");
        // Finding files is another's job; the patterns match one file each.
        let file = pattern.replace("y*ml", "yaml");
        let Some(text) = conformance::text(&format!("prometheus/rules/{file}")) else { return };
        score.add(pattern, compare(case, read(&text, ValidationScheme::Utf8)));
    }
    score.finish(&[]);
}
