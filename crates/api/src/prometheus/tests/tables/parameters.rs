use std::sync::Arc;

use axum::http::Method;

use crate::prometheus::{
    State,
    params::{parse_duration, parse_time},
    targets::GlobalUrl,
    tests::{ask, fakes, state},
};

fn outcome<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{got:?}, wanted {expected:?}")) }
}

#[test]
fn times_and_durations() {
    let Some(table) = conformance::cases("prometheus/api/parse_time_and_duration.json") else {
        return;
    };
    let mut score = conformance::Score::new("api/parse_time_and_duration");
    for case in &table.cases {
        let input = case["input"].as_str().expect("a text");
        let kind = case["kind"].as_str().expect("a text");
        let got = match kind {
            "time" => parse_time(input).map(|time| time.as_millis()),
            _ => parse_duration(input),
        };
        let expected = match (case["unix_ms"].as_i64(), case["unix_s"].as_i64()) {
            (None, Some(seconds)) => {
                let nanos = case["nanoseconds"].as_i64().unwrap_or_default();
                Some(seconds * 1000 + nanos / 1_000_000)
            }
            (millis, _) => millis.or(case["ms"].as_i64()),
        };
        score.add(format!("{kind} {input:?}"), outcome(got.ok(), expected));
    }
    score.finish(&[]);
}

#[test]
fn query_options() {
    let Some(table) = conformance::cases("prometheus/api/query_options.json") else { return };
    let mut score = conformance::Score::new("api/query_options");
    for (idx, case) in table.cases.iter().enumerate() {
        let engine = fakes::Engine::default();
        let asked = engine.asked.clone();
        let mut query = vec![("query".to_owned(), "up".to_owned())];
        for name in ["stats", "lookback_delta"] {
            if let Some(value) = case[name].as_str() {
                query.push((name.to_owned(), value.to_owned()));
            }
        }
        let state = State { engine: Arc::new(engine), ..state() };
        let answer = ask(state, &Method::GET, "/api/v1/query", &query);
        let result = match case["error"].as_str() {
            Some(error) => outcome(answer.json()["error"].as_str(), Some(error)),
            None => {
                let query = asked.lock()[0].clone();
                let lookback_ms = query.lookback_delta.unwrap_or_default().as_millis() as u64;
                outcome(
                    (Some(query.per_step_stats), Some(lookback_ms)),
                    (case["per_step_stats"].as_bool(), case["lookback_delta_ms"].as_u64()),
                )
            }
        };
        score.add(format!("{idx}"), result);
    }
    score.finish(&[]);
}

#[test]
fn stats_are_shown_when_asked_for() {
    let Some(table) = conformance::cases("prometheus/api/stats_parameter.json") else { return };
    let mut score = conformance::Score::new("api/stats_parameter");
    for case in &table.cases {
        let path = case["path"].as_str().expect("a text");
        for method in [Method::GET, Method::POST] {
            let mut query: Vec<(String, String)> =
                [("query", "up"), ("start", "0"), ("end", "1"), ("step", "1")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec();
            if let Some(stats) = case["stats"].as_str() {
                query.push(("stats".to_owned(), stats.to_owned()));
            }
            let json = ask(state(), &method, path, &query).json();
            let has_stats = json["data"].get("stats").is_some();
            let result = outcome(Some(has_stats), case["stats_in_response"].as_bool())
                .and(outcome(&json["warnings"][0], &case["warning"]));
            score.add(format!("{method} {path} {}", case["stats"]), result);
        }
    }
    score.finish(&[]);
}

#[test]
fn global_urls() {
    let Some(table) = conformance::cases("prometheus/api/global_url.json") else { return };
    let mut score = conformance::Score::new("api/global_url");
    for (idx, case) in table.cases.iter().enumerate() {
        let text = |key: &str| case[key].as_str().expect("a text").to_owned();
        let global = GlobalUrl {
            listen_address: text("listen_address"),
            host: text("external_host"),
            scheme: text("external_scheme"),
        };
        score.add(format!("{idx}"), outcome(global.of(&text("url")), text("global_url")));
    }
    score.finish(&[]);
}
