//! `promql …`: queries printed, and with other conditions.

use runtime::Runtime;

use super::world::promtool;

async fn check(args: &[&str], expected: &str) {
    let mut words = vec!["--experimental", "promql"];
    words.extend(args);
    let found = promtool(Runtime::simulated(1), &words, "").await;
    assert_eq!(found.stdout + &found.stderr, format!("{expected}\n"), "{args:?}");
}

#[tokio::test]
async fn queries_are_formatted_and_edited() {
    check(&["format", "sum by(a)(up)"], "sum by (a) (up)").await;
    check(&["label-matchers", "set", "up + down{a='c'}", "a", "b"], r#"up{a="b"} + down{a="b"}"#)
        .await;
    check(&["label-matchers", "set", "-t", "=~", "up[5m]", "a", "b.*"], r#"up{a=~"b.*"}[5m]"#)
        .await;
    check(&["label-matchers", "delete", "up{a='b',c!='d'}", "a"], r#"up{c!="d"}"#).await;
    check(&["format", "sum("], "1:5: parse error: unclosed left parenthesis").await;
}

#[tokio::test]
async fn experiments_must_be_asked_for() {
    let found = promtool(Runtime::simulated(1), &["promql", "format", "up"], "").await;
    let expected = "This command is experimental and requires the --experimental flag to be set.\n";
    assert_eq!((found.stderr.as_str(), found.exit_code), (expected, 1));
}
