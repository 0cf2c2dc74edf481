//! What stands in `global`, and what jobs make of it.

use super::{check, effective};

/// The value of `key` where it stands last: in the last job, or in `global`.
fn last(text: &str, key: &str) -> String {
    let shown = effective(text);
    if let Some(error) = shown.strip_prefix("error: ") {
        return error.to_owned();
    }
    let found = shown.lines().rev().find_map(|line| {
        let (name, value) = line.trim_start_matches([' ', '-']).split_once(':')?;
        (name == key).then(|| value.trim().to_owned())
    });
    found.unwrap_or_default()
}

fn check_last(text: &str, key: &str, expected: &str) {
    assert_eq!(last(text, key), expected, "{key} in {text}");
}

const JOB: &str = "scrape_configs: [{job_name: a}]\n";

#[test]
fn intervals_and_timeouts_fit_each_other() {
    check_last(JOB, "scrape_interval", "1m");
    check_last(JOB, "scrape_timeout", "10s");
    check_last(JOB, "evaluation_interval", "1m");
    let short = format!("global: {{scrape_interval: 5s, evaluation_interval: 7s}}\n{JOB}");
    check_last(&short, "scrape_timeout", "5s");
    check_last(&short, "evaluation_interval", "7s");
    check_last("scrape_configs: [{job_name: a, scrape_interval: 3s}]", "scrape_timeout", "3s");
    check(
        "global: {scrape_interval: 5s, scrape_timeout: 6s}",
        "error: global scrape timeout greater than scrape interval (line 1)",
    );
}

#[test]
fn jobs_take_limits_and_schemes_from_the_globals() {
    for (key, value) in [
        ("sample_limit", "1"),
        ("target_limit", "2"),
        ("label_limit", "3"),
        ("label_name_length_limit", "4"),
        ("label_value_length_limit", "5"),
        ("keep_dropped_targets", "6"),
        ("body_size_limit", "7MiB"),
        ("metric_name_validation_scheme", "legacy"),
        ("metric_name_escaping_scheme", "dots"),
    ] {
        check_last(&format!("global: {{{key}: {value}}}\n{JOB}"), key, value);
        let of_job = format!("scrape_configs: [{{job_name: a, {key}: {value}}}]");
        check_last(&of_job, key, value);
    }
    let legacy = format!("global: {{metric_name_validation_scheme: legacy}}\n{JOB}");
    check_last(&legacy, "metric_name_escaping_scheme", "underscores");
}

#[test]
fn protocols_are_known_and_come_once() {
    let of = |list: &str| format!("global: {{scrape_protocols: [{list}]}}\n{JOB}");
    let shown = effective(&of("PrometheusProto, PrometheusText0.0.4"));
    assert!(shown.contains("scrape_protocols:\n  - PrometheusProto\n"), "{shown}");
    let refused = |list: &str, part: &str| {
        let shown = effective(&of(list));
        assert!(shown.starts_with("error: ") && shown.contains(part), "{shown}");
    };
    refused("Nonsense", "unknown scrape protocol Nonsense");
    refused("PrometheusProto, PrometheusProto", "duplicated protocol");
}

#[test]
fn external_labels_take_values_from_the_environment() {
    let of = |value: &str| format!("global: {{external_labels: {{a: '{value}'}}}}");
    check_last(&of("plain"), "a", "plain");
    check_last(&of("$ZONE"), "a", "eu");
    check_last(&of("${ZONE}-1"), "a", "eu-1");
    check_last(&of("$$ZONE"), "a", "$ZONE");
    check_last(&of("$NONE"), "a", "\"\"");
}

#[test]
fn names_come_once() {
    let refused = |text: &str, part: &str| {
        let shown = effective(text);
        assert!(shown.starts_with("error: ") && shown.contains(part), "{shown}");
    };
    refused("scrape_configs: [{scheme: http}]", "job_name is empty");
    refused(
        "scrape_configs: [{job_name: a}, {job_name: a}]",
        "found multiple scrape configs with job name \"a\"",
    );
    let url = "url: 'http://a/'";
    refused(
        &format!("remote_write: [{{name: a, {url}}}, {{name: a, {url}}}]"),
        "found multiple remote write configs with job name \"a\"",
    );
    refused(
        &format!("remote_read: [{{name: a, {url}}}, {{name: a, {url}}}]"),
        "found multiple remote read configs with job name \"a\"",
    );
}

#[test]
fn stars_stand_only_at_the_end_of_paths() {
    let check = |path: &str, is_good: bool| {
        let shown = effective(&format!("rule_files: ['{path}']"));
        assert_eq!(!shown.starts_with("error: "), is_good, "{shown}");
    };
    check("rules.yml", true);
    check("rules/*.yml", true);
    check("rules/a*b*", true);
    check("rules/*/a.yml", false);
    check("*/rules.yml", false);
}
