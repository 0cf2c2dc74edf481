mod expressions;
mod lexer;
mod printing;
mod scripts;
mod series;

use serde_json::Value;

use crate::{Options, parse};

/// Runs `check` over a table of upstream's.
fn table(name: &str, check: impl Fn(&Value) -> Result<(), String>) {
    let Some(cases) = conformance::cases(&format!("prometheus/{name}.json")) else { return };
    let mut score = conformance::Score::new(name);
    for (at, case) in cases.cases.iter().enumerate() {
        let shown = case["input"].as_str().or(case["name"].as_str()).unwrap_or_default();
        score.add(format!("{at} {shown}"), check(case));
    }
    score.finish(&[]);
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no text {key} in {case}"))
}

fn same(found: &str, wanted: &str) -> Result<(), String> {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("\n{found}\n   instead of\n{wanted}")),
    }
}

#[test]
fn ordinary_queries_parse() {
    for query in [
        "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m])) / on (job) group_left b",
        "histogram_quantile(0.9, sum(rate(x_bucket[5m] offset 1h)) by (le))",
        "max_over_time(up[1h:5m] @ end()) > bool 1 or vector(1)",
    ] {
        parse(query, &Options::default()).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = |open: &str, inner: &str, close: &str| {
        let query = format!("{}{inner}{}", open.repeat(10_000), close.repeat(10_000));
        parse(&query, &Options::ALL).expect_err("this is too deep").to_string()
    };
    let expected = "expression is nested too deeply";
    for error in [
        deep("(", "1", ")"),
        deep("sum(", "x", ")"),
        deep("-", "x", ""),
        deep("x^", "x", ""),
        deep("x or ", "x", ""),
        deep("", "x offset (5m", "+5m"),
    ] {
        assert!(error.ends_with(expected), "{error}");
    }
    let query = format!("x[{}5m{}]", "(".repeat(10_000), ")".repeat(10_000));
    assert!(parse(&query, &Options::ALL).unwrap_err().to_string().ends_with(expected));
}
