//! Upstream's tables for the sending side.

use std::{sync::Arc, time::Duration};

use conformance::{Score, cases};
use http::{HeaderMap, StatusCode};
use model::{Labels, Metadata, MetricType};
use serde_json::Value as Json;

use crate::{
    Written, metric_type,
    send::{
        batch::{Item, Value, extract_old},
        client::{failed, parse_retry_after, written},
        config::Queue,
        desired::{Flow, desired_shards},
        encode::{SymbolTable, describe},
        series::{Sent, with_external_labels},
    },
};

/// Long after any date in the tables.
const NOW: Duration = Duration::from_secs(2_000_000_000);

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, want {want:?}")) }
}

fn labels(json: &Json) -> Labels {
    let pairs = json.as_object().expect("labels").iter();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().expect("a text"))))
}

#[test]
fn shards_follow_the_load() {
    let table = "prometheus/remote/desired_shards.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let float = |key: &str| case[key].as_f64().expect("a number");
        let flow = Flow {
            samples_in: float("in_per_s"),
            samples_out: float("out_per_s"),
            samples_dropped: float("dropped_per_s"),
            sending: float("out_duration"),
        };
        let present = float("previous_shards") as usize;
        let got = desired_shards(flow, float("backlog_s"), present, &Queue::default());
        let want = float("shards") as usize;
        score.add(case["name"].as_str().expect("a name"), same("shards", got, want));
    }
    score.finish(&[]);
}

#[test]
fn receivers_may_ask_to_wait() {
    let table = "prometheus/remote/retry_after.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let want = Duration::from_millis(case["retry_after_ms"].as_u64().unwrap_or_default());
        let outcome = match (case["header"].as_str(), case["status"].as_u64()) {
            (Some(header), _) => same("wait", parse_retry_after(header, NOW), want),
            (None, status) => {
                let status = StatusCode::from_u16(status.expect("a status") as u16).expect("valid");
                let retry = case["retry_on_rate_limit"].as_bool().expect("a bool");
                let failed = failed(status, b"", "5", retry, Duration::ZERO);
                let is_recoverable = case["recoverable"].as_bool().expect("a bool");
                same("recoverable", failed.is_recoverable, is_recoverable)
                    .and_then(|()| same("wait", failed.retry_after.unwrap_or_default(), want))
            }
        };
        score.add(case["name"].as_str().expect("a name"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn answers_that_are_no_success_say_what_they_are() {
    let table = "prometheus/remote/write_client_errors.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    let body = "error message".repeat(1024);
    for case in &cases.cases {
        let status = StatusCode::from_u16(case["status"].as_u64().expect("a status") as u16);
        let status = status.expect("it is valid");
        let outcome = match case["error"].as_str() {
            None => same("success", status.is_success(), true),
            Some(error) => {
                let failed = failed(status, body.as_bytes(), "", false, Duration::ZERO);
                let want = format!("{error}{}", body.chars().take(1024).collect::<String>());
                let is_recoverable = case["recoverable"].as_bool().expect("a bool");
                same("error", failed.text, want)
                    .and_then(|()| same("recoverable", failed.is_recoverable, is_recoverable))
            }
        };
        score.add(status.as_str(), outcome);
    }
    score.finish(&[]);
}

#[test]
fn counts_of_what_was_written_are_read() {
    let table = "prometheus/remote/write_response_stats.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in cases.cases.iter().enumerate() {
        let mut headers = HeaderMap::new();
        // A receiver of version 2 says all three.
        if case["server_adds_header"] == true || case["message"] == "version 2" {
            headers.insert("X-Prometheus-Remote-Write-Samples-Written", "2".parse().expect("ok"));
        }
        let samples = case["samples"].as_u64().unwrap_or_default();
        let want = case["confirmed"].as_bool().expect("a bool");
        let want = want.then_some(Written { samples, ..Written::default() });
        score.add(format!("{idx}"), same("written", written(&headers), want));
    }
    score.finish(&[]);
}

#[test]
fn external_labels_are_added_where_they_lack() {
    let table = "prometheus/remote/external_labels_write.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in cases.cases.iter().enumerate() {
        let (own, external) = (labels(&case["labels"]), labels(&case["external_labels"]));
        let got = with_external_labels(&own, &external, &[]);
        score.add(format!("{idx}"), same("labels", got, Some(labels(&case["expected"]))));
    }
    score.finish(&[]);
}

fn sent(labels: Labels, metadata: Option<Metadata>) -> Sent {
    Sent { labels, written: Box::default(), shard_key: 0, hash: 0, metadata }
}

fn item(time: i64, value: f64) -> Item {
    let series = Arc::new(sent(Labels::empty(), None));
    Item { series, time, value: Value::Float(value), exemplars: None, record: 0 }
}

#[test]
fn old_samples_are_dropped() {
    let table = "prometheus/remote/drop_old_samples.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let samples = case["samples"].as_array().expect("a list").iter();
        let mut items: Vec<Item> = samples
            .map(|s| item(s["timestamp"].as_i64().expect("a time"), s["value"].as_f64().expect("")))
            .collect();
        let oldest = case["drop_older_than"].as_i64();
        let dropped = oldest.map(|oldest| extract_old(&mut items, oldest).len());
        let number = |key: &str| case[key].as_i64().expect("a number");
        let times = items.iter().map(|item| item.time);
        let got = (times.len(), times.clone().min(), times.max(), dropped.unwrap_or_default());
        let want = (
            number("kept") as usize,
            Some(number("lowest")),
            Some(number("highest")),
            number("dropped") as usize,
        );
        score.add(case["name"].as_str().expect("a name"), same("kept", got, want));
    }
    score.finish(&[]);
}

#[test]
fn texts_are_sent_once() {
    let table = "prometheus/remote/symbol_table.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    let mut symbols = SymbolTable::default();
    for (idx, case) in cases.cases.iter().enumerate() {
        let outcome = match case["operation"].as_str().expect("an operation") {
            "add" => {
                let number = symbols.add(case["text"].as_str().expect("a text"));
                same("number", Json::from(number), case["ref"].clone())
            }
            "reset" => {
                symbols = SymbolTable::default();
                Ok(())
            }
            _ => {
                let pairs = case["labels"].as_array().expect("a list").iter();
                let texts = pairs.flat_map(|pair| pair.as_array().expect("a pair"));
                let numbers: Vec<u32> =
                    texts.map(|text| symbols.add(text.as_str().expect("a text"))).collect();
                same("numbers", Json::from(numbers), case["refs"].clone())
            }
        };
        let outcome = outcome.and_then(|()| match case["symbols"].as_array() {
            Some(_) => {
                let texts: Vec<&str> = symbols.texts().collect();
                same("symbols", Json::from(texts), case["symbols"].clone())
            }
            None => Ok(()),
        });
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn type_and_unit_are_taken_from_labels() {
    let table = "prometheus/remote/type_and_unit_labels_send.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let pairs = [("__type__", text("type_label")), ("__unit__", text("unit_label"))];
        let metadata = case["metadata"].as_object().map(|metadata| Metadata {
            kind: metric_type::parse(metadata["type"].as_str().expect("a type")),
            unit: metadata["unit"].as_str().expect("a unit").to_owned(),
            help: metadata["help"].as_str().expect("a help").to_owned(),
        });
        let series = sent(Labels::from_pairs(pairs), metadata);
        let is_on = case["feature_enabled"].as_bool().expect("a bool");
        let (kind, _, unit) = describe(&series, is_on);
        let want = match text("sent_type") {
            "unspecified" => MetricType::Unknown,
            name => metric_type::parse(name),
        };
        let outcome = same("type", kind, want).and(same("unit", unit, text("sent_unit")));
        score.add(text("name"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn types_have_numbers() {
    let table = "prometheus/remote/metadata_types.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let kind = metric_type::parse(case["type"].as_str().expect("a type"));
        let want = match case["version1"].as_str() {
            Some("COUNTER") => 1,
            Some("STATESET") => 7,
            _ => 0,
        };
        score.add(case["type"].to_string(), same("number", metric_type::number(kind), want));
    }
    score.finish(&[]);
}
