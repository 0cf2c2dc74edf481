//! Upstream's tables of checks.

#![expect(clippy::disallowed_methods, reason = "fixtures are read from the real disk")]

use conformance::Score;
use runtime::Runtime;
use serde_json::Value;

use super::world::{FOLDER, promtool, relative, whole};
use crate::check;

/// Words of a command line; fixtures become whole paths.
fn words(args: &Value) -> Vec<String> {
    let args = args.as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
    let args =
        args.map(|arg| if arg.starts_with("testdata/") { whole(arg) } else { arg.to_owned() });
    args.collect()
}

#[tokio::test]
async fn configurations_are_checked_as_upstream_does() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/check_config.json")) else { return };
    let mut score = Score::new("promtool/check_config");
    for (idx, case) in table.cases.iter().enumerate() {
        let file = case["file"].as_str().unwrap();
        let (path, syntax_only) = (whole(file), case["syntax_only"] == true);
        let mut args = vec!["check", "config", &path];
        args.extend(syntax_only.then_some("--syntax-only"));
        let found = promtool(Runtime::real(), &args, "").await;
        let stderr = relative(&found.stderr);
        let error = case["error"].as_str().map(|error| format!("  FAILED: {error}\n"));
        let contained = case["error_contains"].as_str().unwrap_or_default();
        let is_right = (found.exit_code == 0) == (case["ok"] == true)
            && error.is_none_or(|error| stderr == error)
            && stderr.contains(contained);
        let outcome = if is_right { Ok(()) } else { Err(format!("{found:?}")) };
        score.add(format!("{idx} {file}"), outcome);
    }
    score.finish(&[]);
}

#[tokio::test]
async fn command_lines_end_with_upstreams_exit_codes() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/exit_codes.json")) else { return };
    let mut score = Score::new("promtool/exit_codes");
    for case in &table.cases {
        let args = words(&case["args"]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let stdin = match case["stdin_file"].as_str() {
            Some(file) => std::fs::read_to_string(whole(file)).unwrap(),
            None => case["stdin"].as_str().unwrap_or_default().to_owned(),
        };
        let found = promtool(Runtime::real(), &args, &stdin).await;
        let has = |key: &str, text: &str| case[key].as_str().is_none_or(|it| text.contains(it));
        let lacks = |key: &str, text: &str| case[key].as_str().is_none_or(|it| !text.contains(it));
        let is_right = case["exit_code"] == found.exit_code
            && has("stdout_contains", &found.stdout)
            && has("stderr_contains", &found.stderr)
            && lacks("stdout_lacks", &found.stdout)
            && lacks("stderr_lacks", &found.stderr);
        let outcome = if is_right { Ok(()) } else { Err(format!("{found:?}")) };
        let stdin = if case["stdin_file"].is_null() { "" } else { " < file" };
        score.add(relative(&args.join(" ")) + stdin, outcome);
    }
    score.finish(&[]);
}

#[test]
fn target_files_are_checked() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/check_sd_file.json")) else { return };
    let mut score = Score::new("promtool/check_sd_file");
    for case in &table.cases {
        let path = whole(case["file"].as_str().unwrap());
        let found = check::target_files::read(&*Runtime::real().disk, path.as_ref());
        let found = found.err().map(|error| error.to_string());
        let is_right = found.as_deref() == case["error"].as_str();
        let outcome = if is_right { Ok(()) } else { Err(format!("{found:?}")) };
        score.add(case["name"].as_str().unwrap(), outcome);
    }
    score.finish(&[("bad format", "refused, but in words of our decoder, not of Go's types")]);
}

#[test]
fn duplicate_rules_are_found() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/duplicate_rules.json")) else { return };
    let mut score = Score::new("promtool/duplicate_rules");
    for case in &table.cases {
        let file = case["file"].as_str().unwrap();
        let text = std::fs::read_to_string(whole(file)).unwrap();
        let options = rules::file::Options {
            names: model::names::ValidationScheme::Utf8,
            ignore_unknown_fields: false,
            check_expr: &|expr| Ok(expr.to_owned()),
        };
        let groups = rules::file::parse(&text, &options).unwrap().groups;
        let found: Vec<Value> = check::rules::duplicates(&groups)
            .into_iter()
            .map(|rule| serde_json::json!({"metric": rule.name, "labels": rule.labels}))
            .collect();
        let is_right = case["duplicates"] == Value::from(found.clone());
        let outcome = if is_right { Ok(()) } else { Err(format!("{found:?}")) };
        score.add(file, outcome);
    }
    score.finish(&[]);
}

/// Compared with the real promtool 2.42; only an indentation differs, which 3 has dropped.
#[tokio::test]
async fn duplicates_are_told_as_upstream_tells_them() {
    let found = promtool(
        Runtime::real(),
        &["check", "rules"],
        "groups: [{name: g, labels: {a: b}, rules: [{record: r, expr: up}, {record: r, expr: up, labels: {a: b}}]}]",
    )
    .await;
    assert_eq!(found.stdout, "Checking standard input\n\n");
    assert_eq!(
        found.stderr,
        "  FAILED:\nlint error 1 duplicate rule(s) found.\nMetric: r\nLabel(s):\n\ta: b\n\
         Might cause inconsistency while recording expressions\n"
    );
    assert_eq!(found.exit_code, 0);
}

#[test]
fn series_are_counted_as_upstream_counts_them() {
    let file = format!("{FOLDER}/check_metrics_extended.json");
    let Some(table) = conformance::cases(&file) else { return };
    let mut score = Score::new("promtool/check_metrics_extended");
    for case in &table.cases {
        let file = case["stdin_file"].as_str().unwrap();
        let (total, metrics) = check::metrics::count(&std::fs::read(whole(file)).unwrap());
        let found: Vec<Value> = metrics
            .iter()
            .map(|metric| {
                let (name, cardinality) = (&metric.name, metric.series);
                serde_json::json!(
                    {"name": name, "cardinality": cardinality, "percentage": metric.fraction}
                )
            })
            .collect();
        let is_right = case["total"] == total && case["stats"] == Value::from(found.clone());
        let outcome = if is_right { Ok(()) } else { Err(format!("{total} {found:?}")) };
        score.add(file, outcome);
    }
    score.finish(&[]);
}

#[test]
fn targets_are_previewed_as_upstream_does() {
    let file = format!("{FOLDER}/check_service_discovery.json");
    let Some(table) = conformance::cases(&file) else { return };
    let mut score = Score::new("promtool/check_service_discovery");
    for (idx, case) in table.cases.iter().enumerate() {
        let duration = |key: &str| model::duration::parse(case[key].as_str().unwrap()).unwrap();
        let rules = case["relabel_configs"].as_array().unwrap().iter().map(relabel_rule);
        let job = scrape::Config {
            scrape_interval: duration("scrape_interval"),
            scrape_timeout: duration("scrape_timeout"),
            metrics_path: String::new(),
            scheme: String::new(),
            relabel_rules: rules.collect(),
            ..scrape::Config::default()
        };
        let targets = case["targets"].as_array().unwrap().iter().map(|target| {
            let pairs = target.as_object().unwrap().iter();
            model::Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().unwrap())))
        });
        let group = model::TargetGroup { targets: targets.collect(), ..Default::default() };
        let found = check::service_discovery::preview(&job, &[group]);
        let is_right = case["result"] == Value::from(found.clone());
        let outcome = if is_right { Ok(()) } else { Err(format!("{found:?}")) };
        score.add(idx.to_string(), outcome);
    }
    score.finish(&[]);
}

fn relabel_rule(rule: &Value) -> relabel::Rule {
    let text = |key: &str| rule[key].as_str().unwrap().to_owned();
    let raw = relabel::RawRule {
        source_labels: vec![rule["source_labels"][0].as_str().unwrap().to_owned()],
        separator: ";".to_owned(),
        regex: Some(text("regex")),
        modulus: 0,
        target_label: text("target_label"),
        replacement: text("replacement"),
        action: text("action"),
    };
    relabel::Rule::new(raw, model::names::ValidationScheme::Utf8).unwrap()
}

/// What the real promtool 2.42 prints, but for series that come twice, which it does not notice.
#[tokio::test]
async fn metrics_are_linted_as_upstream_does() {
    let text = r#"# TYPE fooBar_total gauge
fooBar_total{aB="1",le="2"} 1
fooBar_total{aB="2",quantile="2"} 1
# HELP a_milliseconds_counter x
# TYPE a_milliseconds_counter counter
a_milliseconds_counter 1
un_typed_ms 1
# TYPE x:y_count gauge
x:y_count 1
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 1
h_sum 1
h_count 1
"#;
    let found = promtool(Runtime::real(), &["check", "metrics"], text).await;
    assert_eq!(found.exit_code, 3);
    assert_eq!(
        found.stderr,
        r#"a_milliseconds_counter counter metrics should have "_total" suffix
a_milliseconds_counter metric name should not include type 'counter'
a_milliseconds_counter use base unit "seconds" instead of "milliseconds"
fooBar_total label names should be written in 'snake_case' not 'camelCase'
fooBar_total label names should be written in 'snake_case' not 'camelCase'
fooBar_total metric names should be written in 'snake_case' not 'camelCase'
fooBar_total no help text
fooBar_total non-counter metrics should not have "_total" suffix
fooBar_total non-histogram metrics should not have "le" label
fooBar_total non-summary metrics should not have "quantile" label
h no help text
un_typed_ms metric names should not contain abbreviated units
un_typed_ms no help text
x:y_count metric names should not contain ':'
x:y_count no help text
x:y_count non-histogram and non-summary metrics should not have "_count" suffix
"#
    );
}

/// Errors as the real promtool 2.42 words them.
#[tokio::test]
async fn web_configurations_are_checked() {
    const HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
    for (text, expected) in [
        ("", "SUCCESS"),
        (&format!("basic_auth_users: {{a: {HASH}}}"), "SUCCESS"),
        (
            "basic_auth_users: {a: b}",
            "FAILED: crypto/bcrypt: hashedSecret too short to be a bcrypted password",
        ),
        (
            "http_server_config: {headers: {X-Frame-Options: b}}",
            "FAILED: invalid value for X-Frame-Options. \
             Expected one of: [\"deny\" \"sameorigin\"], but got: \"b\"",
        ),
        ("tls_server_config: {cert_file: a}", "FAILED: missing key_file"),
        (
            "tls_server_config: {cert_file: nope, key_file: b}",
            "FAILED: failed to load X509KeyPair: open nope: no such file or directory",
        ),
        (
            "\nbogus: 1",
            "FAILED: yaml: unmarshal errors:\n  line 2: field bogus not found in type web.Config \
             (column 1, allowed: basic_auth_users, http_server_config, rate_limit, tls_server_config)",
        ),
    ] {
        let runtime = Runtime::simulated(1);
        runtime.disk.write_atomically("w.yml".as_ref(), text.as_bytes()).unwrap();
        let found = promtool(runtime, &["check", "web-config", "w.yml"], "").await;
        assert_eq!(found.stderr, format!("w.yml {expected}\n"), "{text}");
        assert_eq!(found.exit_code, u8::from(found.stderr.contains("FAILED")));
    }
}
