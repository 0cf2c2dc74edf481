mod expressions;
mod lexer;
mod printing;
mod properties;
mod scripts;
mod series;

use model::Matcher;
use serde_json::Value;

use crate::{Options, format_query, parse, parse_metric_selector, to_json};

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

#[test]
fn selectors_of_the_api_parse() {
    let check = |text: &str, wanted: &str| {
        let found = match parse_metric_selector(text) {
            Ok(matchers) => matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, wanted, "{text}");
    };
    check("up", "__name__=\"up\"");
    check("{a!=\"b\",'c d'=~`e.*`}", "a!=\"b\" \"c d\"=~\"e.*\"");
    check("sum{}", "__name__=\"sum\"");
    check("{}", "");
    check("up[5m]", "1:3: parse error: unexpected \"[\"");
    check("up offset 5m", "1:4: parse error: unexpected <offset>");
    check("", "unknown position: parse error: unexpected end of input");
    check("1", "1:1: parse error: unexpected number \"1\"");
    let error = parse_metric_selector("{a=~\"(\"}").unwrap_err().to_string();
    assert!(error.starts_with("1:2: parse error: error parsing regexp: "), "{error}");
}

#[test]
fn features_can_be_off() {
    let check = |query: &str, wanted: &str| {
        let none = Options { duration_expressions: false, ..Options::default() };
        let error = parse(query, &none).expect_err(query).to_string();
        assert_eq!(error, wanted, "{query}");
        if let Err(error) = parse(query, &Options::ALL) {
            panic!("{query}: {error}");
        }
    };
    let enable = "must be enabled with --enable-feature=promql-experimental-functions";
    check("limitk(1, x)", &format!("1:1: parse error: limitk() is experimental and {enable}"));
    check("1 + info(x)", "1:5: parse error: function \"info\" is not enabled");
    check("x[5m*2]", "1:3: parse error: experimental duration expression is not enabled");
    check(
        "rate(x[5m] smoothed)",
        "1:6: parse error: smoothed modifier is experimental and not enabled",
    );
    check("x anchored", "1:1: parse error: anchored modifier is experimental and not enabled");
    check(
        "a + fill(0) b",
        "1:1: parse error: binop fill modifiers are experimental and not enabled",
    );
}

#[test]
fn words_of_the_language_are_names_too() {
    for query in [
        "fill + fill_left * fill_right",
        "a - fill{x=\"y\"}",
        "sum by (fill, anchored, bool, on, offset, step, atan2) (sum)",
        "min_of{step=\"1\"} / max_of offset step()",
        "offset offset 5m",
        "start @ start()",
        "bottomk(1, bottomk) or or and and",
    ] {
        parse(query, &Options::ALL).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
    for query in ["bool", "on", "ignoring", "group_left", "group_right", "atan2"] {
        let error = parse(query, &Options::ALL).expect_err(query).to_string();
        assert!(error.starts_with("1:1: parse error: unexpected <"), "{error}");
    }
}

#[test]
fn selectors_can_be_changed() {
    let query = "sum(rate(a[5m])) + topk(scalar(b), c{d=\"e\"} or -max_over_time((f)[1h:])) > (g)";
    let mut expr = parse(query, &Options::ALL).expect(query);
    expr.change_selectors(&mut |selector| selector.matchers.push(Matcher::equal("x", "y")));
    let wanted = "sum(rate(a{x=\"y\"}[5m])) + topk(scalar(b{x=\"y\"}), c{d=\"e\",x=\"y\"} \
                  or -max_over_time((f{x=\"y\"})[1h:])) > (g{x=\"y\"})";
    assert_eq!(expr.to_string(), wanted);
}

#[test]
fn trees_grow_to_their_limit_and_no_further() {
    let chain = |n: usize| vec!["x"; n].join(" or ");
    let expr = parse(&chain(500), &Options::ALL).expect("500 levels are allowed");
    assert_eq!(expr.to_string(), chain(500));
    assert_eq!(format_query(&expr).matches('x').count(), 500);
    assert_eq!(to_json(&expr).matches("vectorSelector").count(), 500);
    let error = parse(&chain(501), &Options::ALL).unwrap_err().to_string();
    assert_eq!(error, "1:1: parse error: expression is nested too deeply");
    // A complaint about a part that was given up is not lost.
    let error = parse(&format!("1 or {}", chain(600)), &Options::ALL).unwrap_err().to_string();
    assert!(error.contains("set operator"), "{error}");
}

#[test]
fn brackets_have_errors_of_their_own() {
    let check = |query: &str, wanted: &str| {
        let error = parse(query, &Options::ALL).expect_err(query).to_string();
        assert_eq!(error, format!("1:{wanted}"), "{query}");
    };
    check("x[", "3: parse error: unexpected end of input in duration expression");
    check("x[5m", "5: parse error: unclosed left bracket");
    check("(x[5m", "6: parse error: unclosed left parenthesis");
    check("x[y]", "3: parse error: unexpected character in duration expression: 'y'");
    check("x[:5m]", "4: parse error: unexpected colon before duration in duration expression");
    check("x[5m:1m:]", "8: parse error: unexpected colon ':'");
    check("x[5m[", "5: parse error: unexpected left bracket '['");
    check(
        "x[5m 1]",
        "6: parse error: unexpected number \"1\" in subquery or range, expected \":\" or \"]\"",
    );
    check(
        "x[5m:1m 1]",
        "9: parse error: unexpected number \"1\" in subquery selector, expected \"]\"",
    );
    let durations = "number, duration, step(), range(), or \"]\"";
    check(
        "x[5m:*]",
        &format!("6: parse error: unexpected <op:*> in subquery selector, expected {durations}"),
    );
    check("x]", "2: parse error: unexpected right bracket ']'");
}
