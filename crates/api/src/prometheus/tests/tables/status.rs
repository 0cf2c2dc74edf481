use std::sync::Arc;

use axum::http::Method;
use serde_json::Value;

use crate::prometheus::{
    State, admin,
    status::TsdbError,
    targets::Pool,
    tests::{Answer, ask, fakes, state},
};

pub(in crate::prometheus) fn query(value: &Value) -> Vec<(String, String)> {
    let mut query = Vec::new();
    for (name, values) in value.as_object().into_iter().flatten() {
        for value in values.as_array().expect("each parameter is a list") {
            query.push((name.clone(), value.as_str().expect("a text").to_owned()));
        }
    }
    query
}

fn run(case: &Value) -> Answer {
    let failure = match case["database"].as_str().unwrap_or("ok") {
        "ok" => None,
        "not ready" => Some(TsdbError::NotReady),
        other => {
            let text = other.strip_prefix("fails with: ").expect("the data say so");
            Some(TsdbError::Other(text.to_owned()))
        }
    };
    let admin: Option<Arc<dyn admin::Admin>> = match case["admin_api_enabled"].as_bool() {
        Some(true) => Some(Arc::new(fakes::Admin(failure))),
        _ => None,
    };
    let pools = vec![Pool { name: "testpool".to_owned(), ..Pool::default() }];
    let state = State { admin, targets: Arc::new(fakes::Targets(pools)), ..state() };
    let path = case["path"].as_str().expect("a text");
    let method = if path.contains("/admin/") { Method::POST } else { Method::GET };
    ask(state, &method, path, &query(&case["query"]))
}

fn compare(case: &Value, answer: &Answer) -> Result<(), String> {
    let got = format!("{} {}", answer.status, answer.body);
    if case["ok"] == true {
        let yaml = case["yaml_contains"].as_array().into_iter().flatten();
        let has_yaml = yaml.into_iter().all(|text| {
            let yaml = &answer.json()["data"]["yaml"];
            yaml.as_str().is_some_and(|yaml| yaml.contains(text.as_str().expect("a text")))
        });
        return if answer.status.is_success() && has_yaml { Ok(()) } else { Err(got) };
    }
    let has_status = case["status"].as_u64() == Some(u64::from(answer.status.as_u16()));
    let has_kind = has_status && case["error_type"] == answer.json()["errorType"];
    let has_error =
        has_kind && case.get("error").is_none_or(|error| *error == answer.json()["error"]);
    if has_error { Ok(()) } else { Err(got) }
}

#[test]
fn admin_and_status() {
    let Some(table) = conformance::cases("prometheus/api/admin_and_status.json") else { return };
    let mut score = conformance::Score::new("api/admin_and_status");
    for (idx, case) in table.cases.iter().enumerate() {
        let answer = run(case);
        score.add(
            format!("{idx} {}", case["path"].as_str().expect("a text")),
            compare(case, &answer),
        );
    }
    score.finish(&[]);
}
