use std::{collections::BTreeSet, sync::Arc};

use axum::http::Method;
use model::{Matcher, TimeRange};
use serde_json::Value;
use storage::{
    Error, LabelHints, LabelValues, MemoryStorage, Querier, Queryable, SelectHints, SeriesSet,
};

use super::status::query;
use crate::prometheus::{
    State,
    tests::{Answer, ask, load::load, state},
};

/// Answers everything with an error.
#[derive(Clone)]
struct Broken(String);

impl Broken {
    fn error(&self) -> Error {
        match self.0.strip_prefix("storage error: ") {
            Some(reason) => {
                let source = std::io::Error::other(reason.to_owned());
                Error::Io { action: "read block".to_owned(), source }
            }
            None => Error::Other(self.0.clone()),
        }
    }
}

impl Queryable for Broken {
    fn querier(&self, _: TimeRange) -> storage::Result<Box<dyn Querier>> {
        Ok(Box::new(self.clone()))
    }
}

impl Querier for Broken {
    fn select(&self, _: bool, _: &SelectHints, _: &[Matcher]) -> storage::Result<SeriesSet> {
        Err(self.error())
    }

    fn label_values(&self, _: &str, _: &LabelHints, _: &[Matcher]) -> storage::Result<LabelValues> {
        Err(self.error())
    }

    fn label_names(&self, _: &LabelHints, _: &[Matcher]) -> storage::Result<LabelValues> {
        Err(self.error())
    }
}

fn compare(case: &Value, answer: &Answer) -> Result<(), String> {
    let json = answer.json();
    let has_status = case["status"].as_u64() == Some(u64::from(answer.status.as_u16()));
    let has_kind = case.get("error_type").is_none_or(|kind| *kind == json["errorType"]);
    let as_set = |list: &Value| -> BTreeSet<String> {
        list.as_array().into_iter().flatten().map(Value::to_string).collect()
    };
    let has_data = case.get("data").is_none_or(|data| as_set(data) == as_set(&json["data"]));
    if has_status && has_kind && has_data { Ok(()) } else { Err(answer.body.clone()) }
}

#[test]
fn series_and_labels() {
    let Some(table) = conformance::cases("prometheus/api/series_and_labels.json") else { return };
    let storage = MemoryStorage::default();
    load(&storage, table.whole["setup"]["load"].as_str().expect("a text"));
    let mut score = conformance::Score::new("api/series_and_labels");
    for case in &table.cases {
        let (path, name) = (case["path"].as_str(), case["name"].as_str());
        let (path, name) = (path.expect("a text"), name.expect("a text"));
        for method in case["methods"].as_array().expect("a list") {
            let storage: Arc<dyn Queryable> = match case["storage_error"].as_str() {
                Some(error) => Arc::new(Broken(error.to_owned())),
                None => Arc::new(storage.clone()),
            };
            let state = State { storage, ..state() };
            let method = method.as_str().expect("a text").parse::<Method>().expect("a method");
            let answer = ask(state, &method, path, &query(&case["query"]));
            score.add(format!("{method} {path} {name}"), compare(case, &answer));
        }
    }
    score.finish(&[]);
}
