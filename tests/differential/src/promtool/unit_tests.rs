//! `test rules`.

use super::Case;

const TEST: &[&str] = &["test", "rules"];

/// The files of [`super::cases`] that are damaged at random.
pub(super) fn good() -> Case {
    Case { name: "test".to_owned(), command: TEST.to_vec(), files: with_rules(GOOD) }
}

const RULES: &str = r#"groups:
- name: g
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(errors_total[5m]))
  - alert: TooManyErrors
    expr: job:errors:rate5m > 0.5
    for: 3m
    labels:
      severity: page
      size: '{{ if gt $value 5.0 }}big{{ else }}small{{ end }}'
    annotations:
      summary: '{{ $labels.job }} has {{ $value | humanize }} errors'
- name: h
  interval: 1m
  rules:
  - alert: Down
    expr: up == 0
    keep_firing_for: 2m
  - record: alerts:count
    expr: count(ALERTS{alertstate="firing"}) or vector(0)
"#;

const GOOD: &str = r#"rule_files:
- rules.yml
evaluation_interval: 1m
group_eval_order:
- g
- h
tests:
- name: first
  interval: 1m
  input_series:
  - series: 'errors_total{job="a", instance="1"}'
    values: '0+60x20'
  - series: 'errors_total{job="b", instance="1"}'
    values: '0 0 0 _ 0 stale'
  - series: 'up{job="a"}'
    values: '1x3 0 0 1x20'
  promql_expr_test:
  - expr: job:errors:rate5m
    eval_time: 10m
    exp_samples:
    - labels: 'job:errors:rate5m{job="a"}'
      value: 1
  - expr: count(up)
    eval_time: 5m
    exp_samples:
    - labels: '{}'
      value: 1
  - expr: missing
    eval_time: 1m
  alert_rule_test:
  - alertname: TooManyErrors
    eval_time: 10m
    exp_alerts:
    - exp_labels:
        severity: page
        job: a
        size: small
      exp_annotations:
        summary: 'a has 1 errors'
  - alertname: TooManyErrors
    eval_time: 1m
  - alertname: Down
    eval_time: 4m
    exp_alerts:
    - exp_labels:
        job: a
"#;

/// A test with one series `x` and what is expected of it.
const TESTS: &[(&str, &str)] = &[
    (
        "a sample",
        "promql_expr_test: [{expr: x, eval_time: 2m, exp_samples: [{labels: x, value: 2}]}]",
    ),
    (
        "another value",
        "promql_expr_test: [{expr: x, eval_time: 2m, exp_samples: [{labels: x, value: 3}]}]",
    ),
    (
        "another label",
        "promql_expr_test: [{expr: x, eval_time: 2m, exp_samples: [{labels: 'x{a=\"b\"}', value: 2}]}]",
    ),
    (
        "no name",
        "promql_expr_test: [{expr: x, eval_time: 2m, exp_samples: [{labels: '{}', value: 2}]}]",
    ),
    ("nothing expected", "promql_expr_test: [{expr: x, eval_time: 2m}]"),
    (
        "too much expected",
        "promql_expr_test: [{expr: x, eval_time: 2m, exp_samples: [{labels: x, value: 2}, {labels: y, value: 2}]}]",
    ),
    ("no time", "promql_expr_test: [{expr: x, exp_samples: [{labels: x, value: 0}]}]"),
    (
        "a time between",
        "promql_expr_test: [{expr: x, eval_time: 90s, exp_samples: [{labels: x, value: 1}]}]",
    ),
    ("a bad time", "promql_expr_test: [{expr: x, eval_time: 2}]"),
    ("a bad expression", "promql_expr_test: [{expr: 'sum(', eval_time: 2m}]"),
    (
        "an expression that fails",
        "promql_expr_test: [{expr: 'x * on () group_left () y', eval_time: 2m}]",
    ),
    (
        "a scalar",
        "promql_expr_test: [{expr: '1 + 1', eval_time: 2m, exp_samples: [{labels: '{}', value: 2}]}]",
    ),
    (
        "a rate",
        "promql_expr_test: [{expr: 'rate(x[2m]) * 60', eval_time: 4m, exp_samples: [{labels: '{}', value: 1}]}]",
    ),
    (
        "not a number",
        "promql_expr_test: [{expr: 'x * NaN', eval_time: 4m, exp_samples: [{labels: '{}', value: NaN}]}]",
    ),
    (
        "infinity",
        "promql_expr_test: [{expr: 'x / 0', eval_time: 4m, exp_samples: [{labels: '{}', value: +Inf}]}]",
    ),
    (
        "a bad value",
        "promql_expr_test: [{expr: x, eval_time: 2m, exp_samples: [{labels: x, value: much}]}]",
    ),
    (
        "bad labels",
        "promql_expr_test: [{expr: x, eval_time: 2m, exp_samples: [{labels: 'x{', value: 2}]}]",
    ),
    (
        "two in a window",
        "promql_expr_test: [{expr: 'count_over_time(x[2m])', eval_time: 4m, exp_samples: [{labels: '{}', value: 2}]}]",
    ),
    (
        "three in a window",
        "promql_expr_test: [{expr: 'count_over_time(x[2m])', eval_time: 4m, exp_samples: [{labels: '{}', value: 3}]}]",
    ),
    (
        "a step of a subquery",
        "promql_expr_test: [{expr: 'sum_over_time(x[90s:1m])', eval_time: 4m, exp_samples: [{labels: '{}', value: 7}]}]",
    ),
    (
        "an alert",
        "alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{exp_labels: {a: b}}]}]",
    ),
    ("an alert that is not expected", "alert_rule_test: [{alertname: High, eval_time: 5m}]"),
    (
        "an alert that is not there yet",
        "alert_rule_test: [{alertname: High, eval_time: 1m, exp_alerts: [{exp_labels: {a: b}}]}]",
    ),
    ("an alert that nobody knows", "alert_rule_test: [{alertname: Nothing, eval_time: 1m}]"),
    (
        "an alert that nobody knows, expected",
        "alert_rule_test: [{alertname: Nothing, eval_time: 1m, exp_alerts: [{}]}]",
    ),
    ("an alert without a name", "alert_rule_test: [{eval_time: 1m}]"),
    (
        "an alert without its label",
        "alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{}]}]",
    ),
    (
        "an alert with its name",
        "alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{exp_labels: {a: b, alertname: High}}]}]",
    ),
    (
        "an alert with another annotation",
        "alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{exp_labels: {a: b}, exp_annotations: {c: d}}]}]",
    ),
    (
        "an alert twice",
        "alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{exp_labels: {a: b}}, {exp_labels: {a: b}}]}]",
    ),
    (
        "an alert at a time between",
        "alert_rule_test: [{alertname: High, eval_time: 4m30s, exp_alerts: [{exp_labels: {a: b}}]}]",
    ),
    (
        "an alert in the external labels",
        "external_labels: {e: f}, alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{exp_labels: {a: b}}]}]",
    ),
    (
        "an external address",
        "external_url: 'http://a/', alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{exp_labels: {a: b}}]}]",
    ),
    ("an unknown key", "unknown: 1"),
    ("an unknown key of a query", "promql_expr_test: [{expr: x, eval_time: 2m, unknown: 1}]"),
    (
        "an unknown key of an alert",
        "alert_rule_test: [{alertname: High, eval_time: 5m, unknown: 1}]",
    ),
    ("alerts as a text", "alert_rule_test: text"),
    ("queries as a mapping", "promql_expr_test: {expr: x}"),
    ("a name", "name: test"),
    ("a start", "start_timestamp: 2026-01-01T00:00:00Z"),
    (
        "fuzzy",
        "promql_expr_test: [{expr: 'x / 3', eval_time: 2m, exp_samples: [{labels: '{}', value: 0.6666}]}]",
    ),
    (
        "as exact as it is",
        "promql_expr_test: [{expr: 'x / 3', eval_time: 2m, exp_samples: [{labels: '{}', value: 0.6666666666666666}]}]",
    ),
];

/// Values of a series, at 3 minutes of which `sum(x) or vector(-1)` must be 3.
const VALUES: &[(&str, &str)] = &[
    ("counting", "0+1x9"),
    ("a list", "0 1 2 3"),
    ("a gap", "0 1 2 _ 3"),
    ("a long gap", "3 _x9"),
    ("the end", "3 3 3 stale"),
    ("a repetition", "3x9"),
    ("backwards", "6-1x9"),
    ("nothing", ""),
    ("a text", "abc"),
    ("a bad repetition", "1+x"),
    ("a fraction", "1.5+0.5x9"),
    ("a negative start", "-3+2x9"),
    ("an exponent", "3e0x9"),
    ("not a number", "NaNx9"),
    ("infinity", "Infx9"),
    ("a space too much", "0  1  2  3"),
    ("a comma", "0,1,2,3"),
    ("a native histogram", "{{schema:0 count:3 sum:3 buckets:[3]}}x9"),
    ("a bad histogram", "{{schema:x}}x9"),
];

/// Whole files.
const FILES: &[(&str, &str)] = &[
    ("nothing", ""),
    ("a text", "text\n"),
    ("no tests", "rule_files: [rules.yml]\n"),
    ("tests of nobody", "rule_files: [rules.yml]\ntests:\n"),
    ("rules that are not there", "rule_files: [missing.yml]\ntests: []\n"),
    ("rules that match nothing", "rule_files: ['missing*.yml']\ntests: []\n"),
    ("rules that match", "rule_files: ['rul*.yml']\ntests: []\n"),
    ("bad rules", "rule_files: [bad.yml]\ntests: [{interval: 1m}]\n"),
    ("bad rules without a test", "rule_files: [bad.yml]\ntests: []\n"),
    ("no rules", "tests: [{interval: 1m}]\n"),
    ("an unknown key", "unknown: 1\n"),
    ("a bad interval", "evaluation_interval: 5\ntests: []\n"),
    ("an interval of nothing", "evaluation_interval: 0s\ntests: [{interval: 1m}]\n"),
    (
        "a group twice in order",
        "rule_files: [rules.yml]\ngroup_eval_order: [g, g]\ntests: [{interval: 1m}]\n",
    ),
    (
        "an unknown group in order",
        "rule_files: [rules.yml]\ngroup_eval_order: [k]\ntests: [{interval: 1m}]\n",
    ),
    ("a test without an interval", "rule_files: [rules.yml]\ntests: [{input_series: []}]\n"),
    ("a test of nothing", "rule_files: [rules.yml]\ntests: [null]\n"),
    ("a test that is a text", "rule_files: [rules.yml]\ntests: [a]\n"),
    ("a bad series", "tests: [{interval: 1m, input_series: [{series: 'x{', values: '1'}]}]\n"),
    (
        "a series without a name",
        "tests: [{interval: 1m, input_series: [{series: '{a=\"b\"}', values: '1'}]}]\n",
    ),
    (
        "a series twice",
        "tests: [{interval: 1m, input_series: [{series: x, values: '1'}, {series: x, values: '1'}]}]\n",
    ),
    ("fuzzy comparing", "fuzzy_compare: true\ntests: []\n"),
    (
        "the same rules twice",
        "rule_files: [high.yml, 'hig*.yml']\ntests: [{interval: 1m, input_series: [{series: x, values: 3x9}], alert_rule_test: [{alertname: High, eval_time: 5m, exp_alerts: [{exp_labels: {a: b}}]}]}]\n",
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let new =
        |name: String, text: &str| Case { name, command: TEST.to_vec(), files: with_rules(text) };
    let mut cases = vec![new("test: a good file".to_owned(), GOOD)];
    for (name, text) in FILES {
        cases.push(new(format!("test file: {name}"), text));
    }
    for (name, test) in TESTS {
        let text = format!(
            "rule_files: [high.yml]\ntests:\n- {{interval: 1m, input_series: \
             [{{series: x, values: '0+1x9'}}], {test}}}\n"
        );
        cases.push(new(format!("test: {name}"), &text));
    }
    for (name, values) in VALUES {
        let text = format!(
            "tests:\n- interval: 1m\n  input_series: [{{series: x, values: '{values}'}}]\n  \
             promql_expr_test:\n  - {{expr: sum(x) or vector(-1), eval_time: 3m, \
             exp_samples: [{{labels: '{{}}', value: 3}}]}}\n"
        );
        cases.push(new(format!("values: {name}"), &text));
    }
    cases
}

fn with_rules(text: &str) -> Vec<(&'static str, String)> {
    let high =
        "groups: [{name: g, rules: [{alert: High, expr: x > 2, for: 1m, labels: {a: b}}]}]\n";
    vec![
        ("test.yml", text.to_owned()),
        ("rules.yml", RULES.to_owned()),
        ("high.yml", high.to_owned()),
        ("bad.yml", "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n".to_owned()),
    ]
}
