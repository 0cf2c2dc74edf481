//! Upstream's own cases.

mod filters;
mod handlers;

use std::collections::BTreeMap;

use ::alertmanager::{GroupBy, Mode, Receiver, RouteConfig};
use serde_json::Value;

use super::{Reloads, State, World, receiver};

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a text in {value}"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn outcome<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{got:?}, wanted {expected:?}")) }
}

fn url(path: &str, query: &[(&str, String)]) -> String {
    let form: String =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{path}?{form}")
}

/// Just enough YAML for the tables: receivers with names and labels.
fn receivers(yaml: &str) -> Vec<Receiver> {
    let mut receivers: Vec<Receiver> = Vec::new();
    for line in yaml.lines().skip_while(|line| *line != "receivers:") {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("- name: ") {
            receivers.push(receiver(name.trim_matches('\''), &[]));
        } else if let (Some(receiver), Some((name, value))) =
            (receivers.last_mut(), line.split_once(": "))
        {
            receiver.labels.insert(name.to_owned(), value.to_owned());
        }
    }
    receivers
}

fn labels(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().expect("labels are an object");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    pairs.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn to(name: &str) -> RouteConfig {
    RouteConfig { receiver: Some(name.to_owned()), ..RouteConfig::default() }
}

#[test]
fn receivers_are_listed_and_filtered() {
    let Some(table) = conformance::cases("alertmanager/api/receivers.json") else { return };
    let mut score = conformance::Score::new("api/receivers");
    for (idx, case) in table.cases.iter().enumerate() {
        let receivers = receivers(text(case, "config_yaml"));
        let world = World::with(to("team-X"), receivers, Mode::Classic);
        let matchers = texts(&case["receiver_matchers"]);
        let query: Vec<(&str, String)> =
            matchers.iter().map(|text| ("receiver_matchers", (*text).to_owned())).collect();
        let answer = world.get(&url("/api/v2/receivers", &query));
        let mut result = outcome(Some(u64::from(answer.status)), case["status"].as_u64());
        if let Some(body) = case["body"].as_str() {
            result = result.and(outcome(answer.body.trim_end(), body));
        }
        if case.get("receivers").is_some() {
            result = result.and(outcome(&answer.json(), &case["receivers"]));
        }
        if case.get("names").is_some() {
            let json = answer.json();
            let names: Vec<&str> = json
                .as_array()
                .into_iter()
                .flatten()
                .map(|receiver| text(receiver, "name"))
                .collect();
            result = result.and(outcome(names, texts(&case["names"])));
        }
        score.add(format!("{idx} {}", text(case, "test")), result);
    }
    score.finish(&[]);
}

#[test]
fn http_endpoints() {
    let Some(table) = conformance::cases("alertmanager/app/http_endpoints.json") else { return };
    let mut score = conformance::Score::new("app/http_endpoints");
    let mut known = Vec::new();
    for (idx, case) in table.cases.iter().enumerate() {
        let name = format!("{idx} {}", text(case, "test"));
        if case.get("client_leaves").is_some() {
            known.push((name.clone(), "a client that left gets no answer, 503 or other"));
            score.add(name, Err("nobody to answer".to_owned()));
            continue;
        }
        let reload = match case["reload"].as_str() {
            Some("ok") | None => Ok(()),
            Some(reason) => Err(reason.to_owned()),
        };
        let prefix = case["route_prefix"].as_str().unwrap_or("/").to_owned();
        let world = World::new().with_state(move |state| State {
            reload: std::sync::Arc::new(Reloads(reload.clone())),
            route_prefix: prefix.clone(),
            ..state
        });
        let (method, path) = text(case, "request").split_once(' ').expect("a method and a path");
        let answer = if method == "POST" { world.post(path, "") } else { world.get(path) };
        let has_body = case["body_contains"].as_str().is_none_or(|text| answer.body.contains(text));
        if path.contains("/debug/pprof") {
            known.push((name.clone(), "there are no Go profiles to offer"));
        }
        let status = outcome(Some(u64::from(answer.status)), case["status"].as_u64());
        score.add(name, status.and(outcome(has_body, true)));
    }
    let known: Vec<(&str, &str)> = known.iter().map(|(name, why)| (name.as_str(), *why)).collect();
    score.finish(&known);
}
