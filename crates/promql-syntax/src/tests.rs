mod expressions;
mod lexer;
mod printing;

use crate::{Options, parse};

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
