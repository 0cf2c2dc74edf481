use proptest::prelude::*;

use super::{expect, print};
use crate::{Entry, Parser, protobuf};

fn check(body: &str, expected: &str) {
    expect(&print(Parser::text(body.as_bytes())), expected);
}

#[test]
fn blanks_and_missing_line_ends_are_fine() {
    check("a 1", r#"{__name__="a"} 1"#);
    check("\n  a\t{ b = \"c\" , }  2  5 \n\n", r#"{__name__="a", b="c"} 2 @5"#);
    check("", "");
    check("# only a comment", "comment # only a comment");
}

#[test]
fn label_values_may_hold_raw_line_breaks_and_braces() {
    check("a{b=\"}\nx\",c=\"\\\\\"} 1\n", r#"{__name__="a", b="}\nx", c="\\"} 1"#);
}

#[test]
fn label_error_comes_before_value_error() {
    check(
        "a{b='c'} x\n",
        r#"error: expected label value, got "'" ("INVALID") while parsing: "a{b='""#,
    );
}

#[test]
fn numbers_are_those_of_go() {
    check(
        "a +Inf\na -inf\na 1e5\na .5\n",
        "{__name__=\"a\"} inf\n{__name__=\"a\"} -inf\n{__name__=\"a\"} 100000\n{__name__=\"a\"} 0.5",
    );
    let fails = |number: &str, reason: &str| {
        let text = format!("strconv.ParseFloat: parsing {number:?}: {reason}");
        check(&format!("a {number}\n"), &format!("error: {text} while parsing: \"a {number}\""));
    };
    fails("+nan", "invalid syntax");
    fails("1e999", "value out of range");
    fails("0x10", "invalid syntax");
    check(
        "a 1 99999999999999999999\n",
        r#"error: strconv.ParseInt: parsing "99999999999999999999": value out of range while parsing: "a 1 99999999999999999999""#,
    );
    check(
        "a 1 -5\n",
        r#"error: expected timestamp or new record, got "-" ("INVALID") while parsing: "a 1 -""#,
    );
}

#[test]
fn second_name_is_an_error() {
    check("a{\"b\"} 1\n", r#"error: metric name already set while parsing: "a{\"b\"}""#);
}

proptest! {
    /// Both formats, arbitrary bytes: an end, and no panic.
    #[test]
    fn any_bytes_end(body in prop::collection::vec(any::<u8>(), 0..200)) {
        print(Parser::text(&body));
        print(Parser::openmetrics(&body).with_start_timestamps());
    }

    /// The same with bytes that mean something.
    #[test]
    fn any_tokens_end(body in "[a{}\"\\\\=,#\n 1.é\0TYPEHLUNIOF_created]{0,80}") {
        print(Parser::text(body.as_bytes()));
        print(Parser::openmetrics(body.as_bytes()).with_start_timestamps());
    }

    /// Messages of arbitrary bytes: an end, and no panic.
    #[test]
    fn any_message_ends(body in prop::collection::vec(any::<u8>(), 0..60)) {
        let message = |number: u8, inside: &[u8]| -> Vec<u8> {
            let mut out = vec![number << 3 | 2, inside.len() as u8];
            out.extend_from_slice(inside);
            out
        };
        // A family of a name and a metric, whose histogram is anything.
        let metric = message(7, &body);
        let mut family = message(1, b"a");
        family.extend([0x18, 4]);
        family.extend(message(4, &metric));
        let mut delimited = vec![family.len() as u8];
        delimited.extend(family);
        for body in [&body, &delimited] {
            for native_histograms in [false, true] {
                let options = protobuf::Options { native_histograms, classic_histograms: true };
                let read = protobuf::read(body, options, |entry| match entry {
                    Entry::Series(series) => series.labels().map(|_| ()),
                    _ => Ok(()),
                });
                prop_assert!(read.is_ok() || read.is_err());
            }
        }
    }
}
