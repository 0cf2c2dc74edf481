//! `check rules`.

use super::Case;

/// The files of [`super::cases`] that are damaged at random.
pub(super) fn good() -> Case {
    Case { name: "rules".to_owned(), command: CHECK.to_vec(), files: file(GOOD) }
}

pub(super) const CHECK: &[&str] = &["check", "rules"];

pub(super) const GOOD: &str = r#"groups:
- name: node
  interval: 30s
  limit: 100
  rules:
  - record: instance:cpu:rate5m
    expr: sum without (cpu) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))
    labels:
      source: node
      tier: "1"
  - alert: DiskFull
    expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1
    for: 15m
    keep_firing_for: 5m
    labels:
      severity: critical
    annotations:
      summary: 'Disk of {{ $labels.instance }} is full'
      value: '{{ $value | humanizePercentage }}'
- name: targets
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - alert: TargetDown
    expr: up == 0
    for: 5m
    annotations:
      summary: '{{ range query "up" }}{{ .Labels.job }} {{ end }}'
"#;

/// What stands in a list of rules, in YAML's short form.
const RULES: &[(&str, &str)] = &[
    ("a recording rule", "{record: a, expr: up}"),
    ("an alerting rule", "{alert: A, expr: up == 0}"),
    ("both", "{record: a, alert: A, expr: up}"),
    ("neither", "{expr: up}"),
    ("no expression", "{record: a}"),
    ("an empty expression", "{record: a, expr: ''}"),
    ("an expression that ends early", "{record: a, expr: 'sum('}"),
    ("a number", "{record: a, expr: 1}"),
    ("a string", "{record: a, expr: '\"text\"'}"),
    ("a range", "{record: a, expr: 'up[5m]'}"),
    ("an unknown function", "{record: a, expr: nothing(up)}"),
    ("a function of too little", "{record: a, expr: rate(up)}"),
    ("a function of too much", "{record: a, expr: 'abs(up, up)'}"),
    ("a function of an instant", "{record: a, expr: 'rate(up)'}"),
    ("a regex that ends early", "{record: a, expr: 'up{a=~\"(b\"}'}"),
    ("a matcher of nothing", "{record: a, expr: '{a=\"\"}'}"),
    ("a selector of everything", "{record: a, expr: '{a=~\".*\"}'}"),
    ("an unknown operator", "{record: a, expr: 'up === 1'}"),
    ("a comparison of numbers", "{record: a, expr: '1 == 1'}"),
    ("a comparison of numbers with bool", "{record: a, expr: '1 == bool 1'}"),
    ("bool of a sum", "{record: a, expr: 'up + bool up'}"),
    ("many to many", "{record: a, expr: 'up * on (a) group_left (a) up'}"),
    ("matching", "{record: a, expr: 'up * on (a) group_left (b) down'}"),
    ("sets that are grouped", "{record: a, expr: 'up and on (a) group_left (b) down'}"),
    ("a name twice", "{record: a, expr: 'up{__name__=\"b\"}'}"),
    ("an offset", "{record: a, expr: up offset 5m}"),
    ("an offset back", "{record: a, expr: up offset -5m}"),
    ("two offsets", "{record: a, expr: up offset 5m offset 5m}"),
    ("a moment", "{record: a, expr: 'up @ 1600000000'}"),
    ("the end", "{record: a, expr: 'up @ end()'}"),
    ("a moment that is none", "{record: a, expr: 'up @ start'}"),
    ("a subquery", "{record: a, expr: 'max_over_time(rate(up[1m])[5m:])'}"),
    ("a subquery without a colon", "{record: a, expr: 'max_over_time(rate(up[1m])[5m])'}"),
    ("a window of nothing", "{record: a, expr: 'rate(up[0s])'}"),
    ("a window without a unit", "{record: a, expr: 'rate(up[5])'}"),
    ("a window of mixed units", "{record: a, expr: 'rate(up[1h30m])'}"),
    ("a window of units in disorder", "{record: a, expr: 'rate(up[30m1h])'}"),
    ("an aggregation by nothing", "{record: a, expr: 'sum by () (up)'}"),
    ("an aggregation by a text", "{record: a, expr: 'sum by (5) (up)'}"),
    ("topk of one", "{record: a, expr: 'topk(up)'}"),
    ("topk of two", "{record: a, expr: 'topk(2, up)'}"),
    ("count_values of a text", "{record: a, expr: 'count_values(\"v\", up)'}"),
    ("count_values of a bad label", "{record: a, expr: 'count_values(\"v-v\", up)'}"),
    ("label_replace", "{record: a, expr: 'label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")'}"),
    ("label_replace by numbers", "{record: a, expr: 'label_replace(up, 1, 2, 3, 4)'}"),
    ("a comment", "{record: a, expr: \"up # comment\"}"),
    ("hexadecimal", "{record: a, expr: 'up > 0xff'}"),
    ("not a number", "{record: a, expr: 'up > NaN'}"),
    ("infinity", "{record: a, expr: 'up > +Inf'}"),
    ("unclosed quotes", "{record: a, expr: 'up{a=\"b}'}"),
    ("backquotes", "{record: a, expr: 'up{a=`b`}'}"),
    ("holt_winters", "{record: a, expr: 'holt_winters(up[5m], 0.5, 0.5)'}"),
    ("sort_by_label", "{record: a, expr: 'sort_by_label(up, \"a\")'}"),
    ("limitk", "{record: a, expr: 'limitk(2, up)'}"),
    ("mad_over_time", "{record: a, expr: 'mad_over_time(up[5m])'}"),
    ("histogram_avg", "{record: a, expr: 'histogram_avg(up)'}"),
    ("histogram_stddev", "{record: a, expr: 'histogram_stddev(up)'}"),
    ("a quoted name", "{record: a, expr: '{\"a.b\"}'}"),
    ("a quoted label", "{record: a, expr: 'up{\"a.b\"=\"c\"}'}"),
    ("a name with a dot", "{record: a, expr: 'a.b'}"),
    ("a name with a dash", "{record: a-b, expr: up}"),
    ("a name with a colon", "{record: 'a:b', expr: up}"),
    ("a name that begins with a digit", "{record: 1a, expr: up}"),
    ("an empty name", "{record: '', expr: up}"),
    ("a name with braces", "{record: 'a{b=\"c\"}', expr: up}"),
    ("a name of other letters", "{record: größe, expr: up}"),
    ("an alert of other letters", "{alert: 'Größe ist 1', expr: up}"),
    ("for of a record", "{record: a, expr: up, for: 5m}"),
    ("keep_firing_for of a record", "{record: a, expr: up, keep_firing_for: 5m}"),
    ("annotations of a record", "{record: a, expr: up, annotations: {a: b}}"),
    ("no annotations of a record", "{record: a, expr: up, annotations: {}}"),
    ("for", "{alert: A, expr: up, for: 1h30m}"),
    ("for without a unit", "{alert: A, expr: up, for: 5}"),
    ("for of nothing", "{alert: A, expr: up, for: 0}"),
    ("for of nothing, quoted", "{alert: A, expr: up, for: '0'}"),
    ("for back", "{alert: A, expr: up, for: -5m}"),
    ("for of a fraction", "{alert: A, expr: up, for: 1.5m}"),
    ("for of an unknown unit", "{alert: A, expr: up, for: 5min}"),
    ("for of nobody", "{alert: A, expr: up, for: null}"),
    ("for of an empty text", "{alert: A, expr: up, for: ''}"),
    ("for of a list", "{alert: A, expr: up, for: [5m]}"),
    ("for that is too long", "{alert: A, expr: up, for: 1000y}"),
    ("keep_firing_for", "{alert: A, expr: up, keep_firing_for: 5m}"),
    ("keep_firing_for of an unknown unit", "{alert: A, expr: up, keep_firing_for: 5q}"),
    ("labels", "{record: a, expr: up, labels: {a: b}}"),
    ("labels of nothing", "{record: a, expr: up, labels: {}}"),
    ("labels of nobody", "{record: a, expr: up, labels: null}"),
    ("labels as a list", "{record: a, expr: up, labels: [a, b]}"),
    ("labels as a text", "{record: a, expr: up, labels: a}"),
    ("a label with a dash", "{record: a, expr: up, labels: {a-b: c}}"),
    ("a label of other letters", "{record: a, expr: up, labels: {ö: c}}"),
    ("a label without a name", "{record: a, expr: up, labels: {'': c}}"),
    ("a label called __name__", "{record: a, expr: up, labels: {__name__: c}}"),
    ("a label of a number", "{record: a, expr: up, labels: {a: 1}}"),
    ("a label of truth", "{record: a, expr: up, labels: {a: true}}"),
    ("a label of nothing", "{record: a, expr: up, labels: {a: null}}"),
    ("a label of a list", "{record: a, expr: up, labels: {a: [b]}}"),
    ("a label twice", "{record: a, expr: up, labels: {a: b, a: c}}"),
    ("a template in a record's label", "{record: a, expr: up, labels: {a: '{{ .Bad'}}"),
    ("an annotation with a dash", "{alert: A, expr: up, annotations: {a-b: c}}"),
    ("an annotation of a number", "{alert: A, expr: up, annotations: {a: 1.0}}"),
    ("a template", "{alert: A, expr: up, annotations: {a: '{{ $value }} {{ $labels.a }}'}}"),
    ("a template in a label", "{alert: A, expr: up, labels: {a: '{{ $labels.b | toUpper }}'}}"),
    ("a template that ends early", "{alert: A, expr: up, annotations: {a: '{{ $value'}}"),
    ("a template in a label that ends early", "{alert: A, expr: up, labels: {a: '{{ end }}'}}"),
    ("an unknown variable", "{alert: A, expr: up, annotations: {a: '{{ $nothing }}'}}"),
    (
        "an unknown function of a template",
        "{alert: A, expr: up, annotations: {a: '{{ nothing 1 }}'}}",
    ),
    ("an unknown field", "{alert: A, expr: up, annotations: {a: '{{ .Nothing }}'}}"),
    ("a bad query in a template", "{alert: A, expr: up, annotations: {a: '{{ query \"sum(\" }}'}}"),
    (
        "externals",
        "{alert: A, expr: up, annotations: {a: '{{ $externalLabels.a }}{{ $externalURL }}'}}",
    ),
    ("a pipe to nothing", "{alert: A, expr: up, annotations: {a: '{{ $value | }}'}}"),
    ("if without an end", "{alert: A, expr: up, annotations: {a: '{{ if $value }}x'}}"),
    ("humanize", "{alert: A, expr: up, annotations: {a: '{{ humanizeDuration $value }}'}}"),
    ("toDuration", "{alert: A, expr: up, annotations: {a: '{{ $value | toDuration }}'}}"),
    ("now", "{alert: A, expr: up, annotations: {a: '{{ now }}'}}"),
    ("an unknown key", "{alert: A, expr: up, summary: a}"),
    ("a key twice", "{alert: A, expr: up, expr: down}"),
    ("a rule that is a text", "up"),
    ("a rule that is a list", "[up]"),
    ("a rule that is nothing", "null"),
    ("a rule that is empty", "{}"),
    ("expr as a list", "{record: a, expr: [up]}"),
    ("expr as truth", "{record: a, expr: true}"),
    ("a record of a number", "{record: 1, expr: up}"),
    ("UTF-8 in a matcher", "{record: a, expr: 'up{a=\"ü\"}'}"),
    ("a time of day", "{record: a, expr: 'hour() > 8'}"),
    ("absent", "{record: a, expr: 'absent_over_time(up[5m])'}"),
    ("a product of durations", "{record: a, expr: 'rate(up[2*3m])'}"),
    ("atan2", "{record: a, expr: 'up atan2 down'}"),
];

/// Whole files.
const FILES: &[(&str, &str)] = &[
    ("nothing", ""),
    ("a comment", "# nothing\n"),
    ("a text", "text\n"),
    ("a list", "- a\n"),
    ("no groups", "groups: []\n"),
    ("groups of nobody", "groups:\n"),
    ("groups as a mapping", "groups: {a: b}\n"),
    ("groups as a text", "groups: a\n"),
    ("an unknown key", "groups: []\nrules: []\n"),
    ("groups twice", "groups: []\ngroups: []\n"),
    ("a group without a name", "groups: [{rules: []}]\n"),
    ("a group with an empty name", "groups: [{name: '', rules: []}]\n"),
    ("a group with no rules", "groups: [{name: g, rules: []}]\n"),
    ("a group with rules of nobody", "groups: [{name: g, rules: }]\n"),
    ("a group without rules", "groups: [{name: g}]\n"),
    ("a group that is a text", "groups: [g]\n"),
    ("a group that is nothing", "groups: [null]\n"),
    ("rules as a text", "groups: [{name: g, rules: text}]\n"),
    ("rules as a mapping", "groups: [{name: g, rules: {record: a, expr: up}}]\n"),
    ("two groups of one name", "groups: [{name: g, rules: []}, {name: g, rules: []}]\n"),
    ("two groups", "groups: [{name: g, rules: []}, {name: h, rules: []}]\n"),
    ("a group's name as a number", "groups: [{name: 1, rules: []}]\n"),
    ("an interval", "groups: [{name: g, interval: 1m30s, rules: []}]\n"),
    ("an interval of a number", "groups: [{name: g, interval: 5, rules: []}]\n"),
    ("an interval of nothing", "groups: [{name: g, interval: 0s, rules: []}]\n"),
    ("an interval back", "groups: [{name: g, interval: -5s, rules: []}]\n"),
    ("a limit", "groups: [{name: g, limit: 5, rules: []}]\n"),
    ("a limit below zero", "groups: [{name: g, limit: -5, rules: []}]\n"),
    ("a limit of a text", "groups: [{name: g, limit: x, rules: []}]\n"),
    ("a limit of a fraction", "groups: [{name: g, limit: 1.5, rules: []}]\n"),
    ("a query offset", "groups: [{name: g, query_offset: 1m, rules: []}]\n"),
    ("labels of a group", "groups: [{name: g, labels: {a: b}, rules: []}]\n"),
    ("an unknown key of a group", "groups: [{name: g, source_tenants: [a], rules: []}]\n"),
    ("Thanos' key", "groups: [{name: g, partial_response_strategy: abort, rules: []}]\n"),
    ("a tab", "groups:\n\t- name: g\n"),
    ("an open bracket", "groups: [\n"),
    ("an open quote", "groups: 'a\n"),
    ("an anchor", "groups: [{name: g, rules: [&a {record: a, expr: up}, *a]}]\n"),
    ("an unknown anchor", "groups: [{name: g, rules: [*a]}]\n"),
    ("a merge", "groups: [{name: g, rules: [&a {record: a, expr: up}, {<<: *a, record: b}]}]\n"),
    ("two documents", "groups: []\n---\ngroups: [{name: g}]\n"),
    ("a second document that is bad", "groups: []\n---\nbad: [\n"),
    ("a document's marks", "---\ngroups: []\n...\n"),
    (
        "JSON",
        "{\"groups\": [{\"name\": \"g\", \"rules\": [{\"record\": \"a\", \"expr\": \"up\"}]}]}\n",
    ),
    (
        "two errors",
        "groups: [{name: g, rules: [{record: a, expr: 'sum('}, {alert: A, expr: 'sum('}]}]\n",
    ),
    (
        "the same rule twice",
        "groups: [{name: g, rules: [{record: a, expr: up}, {record: a, expr: down}]}]\n",
    ),
    (
        "the same alert with other labels",
        "groups: [{name: g, rules: [{alert: A, expr: up}, {alert: A, expr: up, labels: {a: b}}]}]\n",
    ),
    (
        "the same rule in two groups",
        "groups: [{name: g, rules: [{record: a, expr: up}]}, {name: h, rules: [{record: a, expr: up}]}]\n",
    ),
    (
        "a block of text",
        "groups:\n- name: g\n  rules:\n  - record: a\n    expr: |\n      sum(\n        up\n      )\n",
    ),
    (
        "a folded text",
        "groups:\n- name: g\n  rules:\n  - record: a\n    expr: >-\n      sum(\n        up)\n",
    ),
    ("upper case", "Groups: []\n"),
    ("a first line that is indented", "  groups:\n- name: g\n"),
    ("carriage returns", "groups:\r\n- name: g\r\n  rules: []\r\n"),
    ("a mark of the order of bytes", "\u{feff}groups: []\n"),
];

/// Flags of `check rules` with what they are about.
const LINTS: &[&[&str]] = &[
    &["check", "rules", "--lint=all"],
    &["check", "rules", "--lint=none"],
    &["check", "rules", "--lint=duplicate-rules"],
    &["check", "rules", "--lint=duplicate-rules", "--lint-fatal"],
    &["check", "rules", "--lint-fatal"],
    &["check", "rules", "--lint=none", "--lint-fatal"],
    &["check", "rules", "--lint=unknown"],
    &["check", "rules", "--lint"],
    &["check", "rules", "--unknown-flag"],
];

pub(super) fn cases() -> Vec<Case> {
    let new = |name: String, command: &[&'static str], text: &str| Case {
        name,
        command: command.to_vec(),
        files: file(text),
    };
    let mut cases = vec![new("rules: a good file".to_owned(), CHECK, GOOD)];
    for (name, rule) in RULES {
        let text = format!("groups:\n- name: g\n  rules:\n  - {rule}\n");
        cases.push(new(format!("rules: {name}"), CHECK, &text));
    }
    for (name, text) in FILES {
        cases.push(new(format!("rule file: {name}"), CHECK, text));
    }
    for command in LINTS {
        for (kind, text) in [("good", "groups: []\n"), ("bad", "groups: [x]\n"), ("twice", TWICE)] {
            cases.push(new(format!("{kind} rules: {}", command.join(" ")), command, text));
        }
    }
    cases
}

const TWICE: &str = "groups: [{name: g, rules: [{record: a, expr: up}, {record: a, expr: down}, {record: b, expr: up}]}]\n";

fn file(text: &str) -> Vec<(&'static str, String)> {
    vec![("rules.yml", text.to_owned())]
}
