use axum::{body::Body, http::Request};
use serde_json::Value;

use crate::prometheus::{
    Origins, State,
    tests::{Answer, send, state},
};

fn outcome(got: &str, expected: &Value) -> Result<(), String> {
    let expected = expected.as_str().unwrap_or_default();
    if got == expected { Ok(()) } else { Err(format!("{got}, wanted {expected}")) }
}

fn ask(state: State, method: &str, header: &str, value: &Value) -> Answer {
    let mut request = Request::builder().method(method).uri("/api/v1/status/runtimeinfo");
    if let Some(value) = value.as_str() {
        request = request.header(header, value);
    }
    send(state, request.body(Body::empty()).expect("a request"))
}

#[test]
fn cors() {
    let Some(table) = conformance::cases("prometheus/util/cors.json") else { return };
    let mut score = conformance::Score::new("util/cors");
    for (idx, case) in table.cases.iter().enumerate() {
        let pattern = case["allowed_origin_regexp"].as_str().expect("a text");
        let cors = Origins::new(pattern).expect("it is a pattern");
        let answer = ask(State { cors, ..state() }, "OPTIONS", "origin", &case["request_origin"]);
        let allowed = answer.header("access-control-allow-origin");
        let result = outcome(allowed, &case["access_control_allow_origin"]);
        score.add(format!("{idx}"), result.and(outcome(answer.header("vary"), &case["vary"])));
    }
    score.finish(&[]);
}

#[test]
fn compression() {
    let Some(table) = conformance::cases("prometheus/util/compression.json") else { return };
    let mut score = conformance::Score::new("util/compression");
    for (idx, case) in table.cases.iter().enumerate() {
        let answer = ask(state(), "GET", "accept-encoding", &case["accept_encoding"]);
        let encoding = answer.header("content-encoding");
        score.add(format!("{idx}"), outcome(encoding, &case["content_encoding"]));
    }
    score.finish(&[]);
}
