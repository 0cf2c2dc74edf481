//! What holds for every text: no panic, spans within it, and printing that can be read back.

use proptest::prelude::*;

use crate::{
    Errors, Expr, Options, format_query, parse, parse_bytes, parse_metric, parse_metric_selector,
    parse_series, parse_start_timestamps, pretty, to_json,
};

/// Queries with the right types.
fn vectors() -> impl Strategy<Value = String> {
    let selector = prop::sample::select(vec![
        "up",
        "a:b{x=\"y\",z!~'.*q'}",
        "{\"a b\",c=`d`}",
        "sum",
        "x offset -5m",
        "x @ 1.5 offset 1h30m",
        "x @ end()",
        "x smoothed",
        "start{end=\"\\u00e4\\n\"}",
        "vector(0x1f)",
        "((time() + -1e3 > bool 5m) * x)",
        "x offset (1m + step() ^ -2)",
    ]);
    let range = prop::sample::select(vec![
        "[5m]",
        "[90]",
        "[1h:]",
        "[1d:5m] @ start() offset 1w",
        "[min_of(step(), 3m) + (range())]",
        "[2 * (1m):-1+5m]",
    ]);
    selector.prop_map(str::to_owned).prop_recursive(6, 48, 3, move |inner| {
        let two = (inner.clone(), inner.clone());
        let operator = prop::sample::select(vec![
            "+",
            "-",
            "*",
            "/",
            "%",
            "^",
            "atan2",
            "==",
            "!= bool",
            ">=",
            "<",
            "</",
            ">/",
            "+ on (a, \"b c\")",
            "* ignoring (x) group_left (y)",
            "/ on () group_right ()",
            "- fill (0)",
            "+ on (a) fill_left (-1) fill_right (2)",
        ]);
        let set = prop::sample::select(vec!["and", "or on (a)", "unless ignoring (b)"]);
        let aggregation = prop::sample::select(vec![
            "sum",
            "avg by (a)",
            "max without (b, \"c d\")",
            "topk by () (3,",
            "quantile(.5,",
            "count_values without () (\"v\",",
        ]);
        prop_oneof![
            inner.clone().prop_map(|x| format!("({x})")),
            inner.clone().prop_map(|x| format!("-{x}")),
            inner.clone().prop_map(|x| format!("+ {x}")),
            inner.clone().prop_map(|x| format!("label_replace({x}, \"a\", '$1', `b`, \"(.*)\")")),
            inner.clone().prop_map(|x| format!("clamp({x}, 1, scalar({x}))")),
            (inner.clone(), range.clone()).prop_map(|(x, range)| match range.contains(':') {
                true => format!("max_over_time(({x}){range})"),
                false => format!("rate(y{range}) + {x}"),
            }),
            (inner.clone(), aggregation).prop_map(|(x, head)| {
                match head.contains("(3") || head.ends_with(',') {
                    true => format!("{head} {x})"),
                    false => format!("{head} ({x})"),
                }
            }),
            (two.clone(), operator).prop_map(|((a, b), op)| format!("{a} {op} {b}")),
            (two, set).prop_map(|((a, b), op)| format!("{a} {op} {b}")),
        ]
    })
}

/// Words of the language in any order.
fn soup() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "foo",
        "sum",
        "by",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ":",
        "5m",
        "offset",
        "@",
        "start",
        "1",
        "0x",
        "1e",
        "_",
        "\"a\"",
        "'",
        "`",
        "\\",
        "=",
        "=~",
        "!",
        "<",
        "/",
        "-",
        "+",
        "^",
        "on",
        "group_left",
        "bool",
        "and",
        "rate",
        "step",
        "min_of",
        ",",
        "#",
        "\n",
        "é",
        "\u{fffd}",
        "anchored",
        "fill",
        "{{",
        "}}",
        "schema:1",
        "buckets:[1 2]",
        "x",
        "x3",
        "stale",
        "@st",
        " ",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

fn check_errors(errors: &Errors, length: usize) {
    assert!(!errors.is_empty());
    for error in errors.iter() {
        let span = error.span;
        assert!(span.start <= span.end && span.end <= length, "{error:?}");
    }
}

fn check_spans(expr: &Expr, length: usize) {
    let outer = expr.span();
    assert!(outer.end <= length);
    expr.walk(&mut |inner| {
        let span = inner.span();
        assert!(outer.start <= span.start && span.start < span.end && span.end <= outer.end);
    });
}

fn check_printing(expr: &Expr) {
    let printed = expr.to_string();
    let read = |text: &str| {
        parse(text, &Options::ALL).unwrap_or_else(|error| panic!("{printed}\n{text}\n{error}"))
    };
    let again = read(&printed);
    assert_eq!(again.to_string(), printed);
    // Printing sorts the conditions of selectors, and nothing else.
    let twice = read(&again.to_string());
    assert_eq!(to_json(&twice), to_json(&again));
    for formatted in [format_query(expr), pretty(expr, 0), pretty(expr, 10)] {
        assert_eq!(read(&formatted).to_string(), printed, "{formatted}");
    }
    serde_json::from_str::<serde_json::Value>(&to_json(expr)).expect("JSON");
}

fn check_any_text(text: &str) {
    for options in [Options::ALL, Options::default()] {
        match parse(text, &options) {
            Ok(expr) => {
                check_spans(&expr, text.len());
                if options == Options::ALL {
                    check_printing(&expr);
                }
            }
            Err(errors) => check_errors(&errors, text.len()),
        }
    }
    let others =
        [parse_series(text).err(), parse_metric(text).err(), parse_metric_selector(text).err()];
    others.iter().flatten().for_each(|errors| check_errors(errors, text.len()));
    if let Err(errors) = parse_start_timestamps(text) {
        assert!(!errors.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_queries_read_back(query in vectors()) {
        match parse(&query, &Options::ALL) {
            Ok(expr) => {
                check_spans(&expr, query.len());
                check_printing(&expr);
            }
            Err(errors) => prop_assert!(false, "{query}: {errors}"),
        }
    }

    #[test]
    fn word_soup_does_not_panic(text in soup()) {
        check_any_text(&text);
    }

    #[test]
    fn damaged_queries_do_not_panic(query in vectors(), at in 0.0..1.0, insert in soup(), cut in 0..4_usize) {
        let boundary = |at: usize| (at..=query.len()).find(|at| query.is_char_boundary(*at)).expect("the end is one");
        let at = boundary((at * query.len() as f64) as usize);
        let (before, _) = query.split_at(at);
        let (_, after) = query.split_at(boundary((at + cut).min(query.len())));
        check_any_text(&format!("{before}{insert}{after}"));
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in ".*") {
        check_any_text(&text);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(errors) = parse_bytes(&bytes, &Options::ALL) {
            check_errors(&errors, bytes.len());
        }
    }
}
