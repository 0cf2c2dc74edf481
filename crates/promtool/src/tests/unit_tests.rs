//! Unit tests of rules: upstream's table, and what the real promtool 2.42 prints.

use conformance::Score;
use runtime::Runtime;

use super::world::{FOLDER, promtool, relative, whole};
use crate::{
    arguments::{self, Command},
    unit_test,
};

#[tokio::test]
async fn files_of_tests_pass_and_fail_as_upstream_has_it() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/test_rules.json")) else { return };
    let mut score = Score::new("promtool/test_rules");
    for case in &table.cases {
        let mut args = vec!["test".to_owned(), "rules".to_owned()];
        for run in case["run"].as_array().into_iter().flatten() {
            args.push(format!("--run={}", run.as_str().unwrap()));
        }
        if case["ignore_unknown_fields"] == true {
            args.push("--ignore-unknown-fields".to_owned());
        }
        args.extend(case["files"].as_array().unwrap().iter().map(|it| whole(it.as_str().unwrap())));
        let parsed = arguments::parse(&args, &*Runtime::real().disk).unwrap();
        let Command::TestRules(mut test) = parsed.command else { panic!("{args:?}") };
        test.at_modifier = case["at_modifier"] == true;
        test.negative_offset = case["negative_offset"] == true;
        let (mut world, seen) = super::world::world(Runtime::real(), "");
        let exit = unit_test::run(&parsed.global, &mut world, &test).unwrap();
        let is_right = case["exit_code"] == exit.code();
        let outcome = if is_right { Ok(()) } else { Err(format!("{:?}", seen(exit))) };
        score.add(case["name"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
}

/// Runs a file of tests and gives what it prints.
async fn run(files: &[(&str, &str)], flags: &[&str]) -> (String, String, Runtime) {
    let runtime = Runtime::simulated(1);
    for (name, text) in files {
        runtime.disk.write_atomically(name.as_ref(), text.as_bytes()).unwrap();
    }
    let mut args = vec!["test", "rules", "t.yml"];
    args.extend(flags);
    let found = promtool(runtime.clone(), &args, "").await;
    assert_eq!(found.exit_code, u8::from(found.stderr.contains("FAILED")));
    (found.stdout, found.stderr, runtime)
}

#[tokio::test]
async fn failures_are_told_as_upstream_tells_them() {
    if conformance::path(FOLDER).is_none() {
        return;
    }
    let file = whole("testdata/failing.yml");
    let found = promtool(Runtime::real(), &["test", "rules", &file], "").await;
    assert_eq!(relative(&found.stdout), "Unit Testing:  testdata/failing.yml\n\n\n\n\n\n");
    assert_eq!(
        found.stderr,
        r#"  FAILED:
    name: Failing test,
    alertname: Test, time: 0s, 
        exp:[
            0:
              Labels:{alertname="Test"}
              Annotations:{}
            ], 
        got:[]
    expr: "test", time: 0s,
        exp: {__name__="test"} 1E+00
        got: {__name__="test"} 0E+00
    name: Failing alert test,
    alertname: InstanceDown, time: 5m, 
        exp:[], 
        got:[
            0:
              Labels:{alertname="InstanceDown", job="test", severity="page"}
              Annotations:{description=" of job test has been down for more than 5 minutes.", summary="Instance  down"}
            ]
    name: Failing alert test,
    alertname: AlwaysFiring, time: 5m, 
        exp:[], 
        got:[
            0:
              Labels:{alertname="AlwaysFiring"}
              Annotations:{}
            ]
"#
    );
}

const RULES: &str = r#"
groups:
- name: b
  rules:
  - {record: half, expr: test / 2}
  - {alert: A, expr: test > 0, annotations: {d: "v {{ $value }} {{ $externalLabels.x }} {{ $externalURL }}"}}
- name: a
  rules: [{record: again, expr: half}]
"#;

/// As seen of the real promtool 2.42.
#[tokio::test]
async fn samples_of_the_future_are_not_seen() {
    let test = "
evaluation_interval: 1m
tests:
- interval: 30s
  input_series: [{series: test, values: 0 1 2 3 4 5}]
  promql_expr_test:
  - {expr: test, eval_time: 90s, exp_samples: [{labels: test, value: 2}]}
- interval: 30s
  input_series: [{series: test, values: 0 1 2 3 4 5}]
  promql_expr_test:
  - {expr: test offset -90s, eval_time: 10s, exp_samples: [{labels: test, value: 0}]}
";
    let (stdout, stderr, _) = run(&[("t.yml", test)], &[]).await;
    assert_eq!((stdout.as_str(), stderr.as_str()), ("Unit Testing:  t.yml\n  SUCCESS\n\n", ""));
}

/// As seen of the real promtool 2.42.
#[tokio::test]
async fn order_labels_and_errors_are_upstreams() {
    let test = r#"
rule_files: [r.yml, missing*.yml]
group_eval_order: [a, b]
tests:
- interval: 1m
  name: one
  external_labels: {x: y}
  external_url: http://u
  input_series: [{series: test, values: 1 2 3}]
  promql_expr_test:
  - {expr: again, eval_time: 1m, exp_samples: [{labels: again, value: 0.5}]}
  - {expr: "test[1m]", eval_time: 90s, exp_samples: []}
  - {expr: "test", eval_time: 90s, exp_samples: [{labels: "test{", value: 1}]}
  alert_rule_test:
  - {eval_time: 90s, alertname: A, exp_alerts: [{exp_annotations: {d: "v 2 y http://u"}}]}
"#;
    let (_, stderr, _) = run(&[("t.yml", test), ("r.yml", RULES)], &[]).await;
    assert_eq!(
        stderr,
        r#"  WARNING: no file match pattern missing*.yml
  FAILED:
    expr: "test[1m]", time: 1m30s, err: rule result is not a vector or scalar
    expr: "test", time: 1m30s, err: labels "test{": 1:6: parse error: unexpected end of input inside braces
"#
    );
}

const FAILING: &str = "
rule_files: [r.yml]
tests:
- name: <one>
  input_series: [{series: test, values: 1 2 3}]
  promql_expr_test:
  - {expr: half, eval_time: 1m, exp_samples: [{labels: half, value: 7}]}
- input_series: [{series: test, values: 0}]
";

#[tokio::test]
async fn differences_data_and_xml_are_shown() {
    let files = [("t.yml", FAILING), ("r.yml", RULES)];
    let flags = ["--diff", "--debug", "--junit=out.xml"];
    let (stdout, stderr, runtime) = run(&files, &flags).await;
    assert_eq!(
        stderr,
        "  FAILED:\n    expr: \"half\", time: 1m,\n    diff:\n      \
         - {__name__=\"half\"} 7E+00\n      + {__name__=\"half\"} 1E+00\n"
    );
    assert!(stdout.contains("DEBUG: Starting test <one>\n"), "{stdout}");
    assert!(stdout.contains("{__name__=\"half\"} =>\n0.5 @[0]\n1 @[60000]\n"), "{stdout}");
    let xml = runtime.disk.read_to_string("out.xml".as_ref()).unwrap();
    let (head, tail) = xml.split_once(" timestamp=").unwrap();
    assert_eq!(
        head,
        "<testsuites><testsuite name=\"t.yml\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""
    );
    assert!(tail.contains("<testcase name=\"&lt;one&gt;\"><failure>    expr: &#34;half&#34;"));
    assert!(tail.contains("<testcase name=\"unnamed#1\"></testcase>"), "{tail}");
}

#[tokio::test]
async fn unknown_fields_are_refused_or_ignored() {
    let test =
        "tests: [{bogus: 1, promql_expr_test: [{expr: 1, other: 2, exp_samples: [{value: 1}]}]}]";
    let (_, stderr, _) = run(&[("t.yml", test)], &[]).await;
    assert_eq!(
        stderr,
        "  FAILED:\nyaml: unmarshal errors:\n  \
         field bogus not found in type main.testGroup (tests.0.bogus)\n  \
         field other not found in type main.promqlTestCase (tests.0.promql_expr_test.0.other)\n"
    );
    let (_, stderr, _) = run(&[("t.yml", test)], &["--ignore-unknown-fields"]).await;
    assert_eq!(stderr, "");
}
