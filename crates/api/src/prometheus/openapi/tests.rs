use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value};

use super::{Version, document};
use crate::prometheus::{
    State,
    tests::{get, send, state},
};

fn parse(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// What is not words: descriptions, examples and the like are ours.
fn facts(value: &Value) -> Value {
    const WORDS: [&str; 5] = ["description", "example", "examples", "summary", "title"];
    match value {
        Value::Object(object) => {
            let mut kept = Map::new();
            for (key, value) in object {
                let value = match value {
                    // A property may be called as a word is.
                    Value::Object(names) if key == "properties" => {
                        names.iter().map(|(name, value)| (name.clone(), facts(value))).collect()
                    }
                    // A set, in whichever order.
                    Value::Array(names) if key == "required" => {
                        let mut names = names.clone();
                        names.sort_by_key(Value::to_string);
                        Value::Array(names)
                    }
                    _ if WORDS.contains(&key.as_str()) => continue,
                    value => facts(value),
                };
                kept.insert(key.clone(), value);
            }
            Value::Object(kept)
        }
        Value::Array(items) => items.iter().map(facts).collect(),
        other => other.clone(),
    }
}

/// Operations, schemas and tags by name.
fn parts(document: &Value) -> BTreeMap<String, Value> {
    let mut parts = BTreeMap::new();
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (path, operations) in object(&document["paths"]) {
        for (method, operation) in object(&operations) {
            parts.insert(format!("{method} {path}"), facts(&operation));
        }
    }
    for (name, schema) in object(&document["components"]["schemas"]) {
        parts.insert(name, facts(&schema));
    }
    parts.insert("tags".to_owned(), facts(&document["tags"]));
    parts.insert("openapi".to_owned(), document["openapi"].clone());
    parts
}

fn check(version: Version, golden: &str) {
    let Some(text) = conformance::text(&format!("prometheus/api/{golden}")) else { return };
    let upstream = parts(&parse(&text));
    let ours = parts(&parse(&document(version, "/api/v1", "3.14.0")));
    let mut score = conformance::Score::new(golden);
    for (name, expected) in &upstream {
        let outcome = match ours.get(name) {
            Some(got) if got == expected => Ok(()),
            got => Err(format!("\n    {}\n    {expected}", got.unwrap_or(&Value::Null))),
        };
        score.add(name, outcome);
    }
    score.finish(&[]);
    let more: Vec<_> = ours.keys().filter(|name| !upstream.contains_key(*name)).collect();
    assert!(more.is_empty(), "{more:?}");
}

#[test]
fn version_3_1_describes_what_upstreams_describes() {
    check(Version::V3_1, "openapi_3.1_golden.yaml");
}

#[test]
fn version_3_2_describes_what_upstreams_describes() {
    check(Version::V3_2, "openapi_3.2_golden.yaml");
}

#[test]
fn the_document_is_served_in_either_version() {
    let check = |query: &str, expected: &str| {
        let answer = get(state(), &format!("/api/v1/openapi.yaml{query}"));
        assert_eq!(answer.header("content-type"), "application/yaml; charset=utf-8");
        assert_eq!(answer.body.lines().next(), Some(expected));
    };
    check("", "openapi: 3.1.0");
    check("?openapi_version=3.1", "openapi: 3.1.0");
    check("?openapi_version=3.2", "openapi: 3.2.0");
    check("?openapi_version=4", "openapi: 3.1.0");
    let state = State { external_path: "/prom/".to_owned(), ..state() };
    let body = get(state, "/api/v1/openapi.yaml").body;
    assert!(body.contains("url: \"/prom/api/v1\""), "{body}");
}

#[test]
fn whatever_is_described_is_there() {
    for operation in super::OPERATIONS {
        let path = operation.path.replace("{name}", "job");
        for (method, _) in operation.methods {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let request = axum::http::Request::builder().method(&method);
            let request = request.uri(format!("/api/v1{path}")).body(axum::body::Body::empty());
            // The one would not end, the other is not there without a storage to read.
            if path.ends_with("/live") || path == "/read" {
                continue;
            }
            let answer = send(state(), request.expect("it is a URL"));
            let is_unknown = answer.body.contains("404 page not found")
                || answer.body.contains("Method Not Allowed");
            assert!(!is_unknown, "{method} {path}: {}", answer.body);
        }
    }
}
