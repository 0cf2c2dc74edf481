use super::{of_promises, with_spaces};
use crate::outcome::Promise;

#[test]
fn numbers_have_room() {
    assert_eq!([7, 1000, 1_234_567].map(with_spaces), ["7", "1 000", "1 234 567"]);
}

#[test]
fn a_promise_is_a_line() {
    let promise = Promise {
        name: "samples at server-a".to_owned(),
        expected: Some(21_600),
        lost: Some(3),
        doubled: Some(0),
        wrong: Some(0),
        different: None,
        seconds: None,
        is_kept: false,
    };
    let table = of_promises(&[promise]);
    let words: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    let expected = ["samples", "at", "server-a", "21", "600", "3", "0", "0", "–", "–", "BROKEN"];
    assert_eq!(words, expected);
}
