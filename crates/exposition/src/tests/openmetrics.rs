use super::{expect, print};
use crate::{Entry, Parser};

fn check(body: &str, expected: &str) {
    expect(&print(Parser::openmetrics(body.as_bytes())), expected);
}

#[test]
fn negative_timestamps_are_fine() {
    check("a 1 -5\n# EOF\n", r#"{__name__="a"} 1 @-5000"#);
}

#[test]
fn trailing_blank_is_an_error() {
    check(
        "a 1 \n# EOF\n",
        r#"error: expected timestamp or # symbol, got " \n" ("INVALID") while parsing: "a 1 \n""#,
    );
}

#[test]
fn exemplar_has_labels_of_its_own() {
    let body = b"a_total{b=\"}\"} 1 # {id=\"x\\\"y\"} 0.5 1.5\n# EOF";
    let Some(Ok(Entry::Series(series))) = Parser::openmetrics(body).next() else {
        panic!("no series")
    };
    let exemplar = series.exemplar.expect("the line has an exemplar");
    assert_eq!(exemplar.labels().unwrap().to_string(), r#"{id="x\"y"}"#);
    assert_eq!(exemplar.timestamp.unwrap().as_millis(), 1500);
    assert_eq!(series.raw, b"a_total{b=\"}\"}");
}
