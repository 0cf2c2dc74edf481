use std::sync::Arc;

use axum::http::Method;
use serde_json::Value;

use crate::prometheus::{
    State,
    tests::{ask, fakes, state},
};

/// Speaks everything, as the table wants it.
fn speaking() -> State {
    let engine =
        fakes::Engine { language: promql_syntax::Options::ALL, ..fakes::Engine::default() };
    State { engine: Arc::new(engine), ..state() }
}

#[test]
fn syntax_trees() {
    let Some(table) = conformance::cases("prometheus/api/parse_query_ast.json") else { return };
    let mut score = conformance::Score::new("api/parse_query_ast");
    for case in &table.cases {
        let text = case["query"].as_str().expect("a text").to_owned();
        let query = [("query".to_owned(), text)];
        let answer = ask(speaking(), &Method::GET, "/api/v1/parse_query", &query);
        let data = &answer.json()["data"];
        let fields = case["fields"].as_object().expect("fields");
        let has_fields =
            fields.iter().all(|(name, value)| data.get(name).is_some_and(|got| got == value));
        let is_same = has_fields && case["type"] == data["type"];
        score.add(
            case["name"].as_str().expect("a text"),
            if is_same { Ok(()) } else { Err(answer.body) },
        );
    }
    score.finish(&[]);
}

#[test]
fn keys_of_a_tree_are_sorted() {
    let text =
        "sum by (job) (rate(x{a=\"b\"}[5m] @ start())) / on () group_left (c) 2 ^ -y offset 1m";
    let query = [("query".to_owned(), text.to_owned())];
    let answer = ask(speaking(), &Method::POST, "/api/v1/parse_query", &query);
    fn check(value: &Value, raw: &str) {
        // serde_json sorts keys, so what was sorted prints as it was.
        assert_eq!(value.to_string(), raw);
    }
    let start = answer.body.find("\"data\":").expect("there is data") + "\"data\":".len();
    let raw = &answer.body.get(start..answer.body.len() - 1).expect("an object ends");
    check(&answer.json()["data"], raw);
}
