//! Upstream's own cases of notifications: settings and alerts in, requests and verdicts out.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alertmanager::{
    Template, Time,
    alert::Alert,
    integration::{Integration, Notification, NotifyError, Reason, Store},
};
use conformance::Score;
use model::Labels;
use runtime::Simulation;
use serde_json::{Value, json};
use settings::{
    decode::{Decoder, Record, Setting, Style},
    yaml::{self, Value as Node},
};

use super::service::{Asked, answer, with_service};
use crate::{Context, Receiver, Settings, build, receiver::for_each_integration, webhook};

const SERVICE: &str = "http://service";

/// The entry as upstream's tests make it: what is not given is empty, whatever the defaults are.
fn entry<T: Settings>(config: &Value) -> Vec<T> {
    let text = config.to_string().replace("{server}", SERVICE);
    let node = yaml::parse(&text).unwrap().unwrap();
    let Node::Map(pairs) = &node.value else { panic!("{text} is no map") };
    let mut entry = T::default();
    let mut decoder = Decoder::default();
    for (key, value) in pairs {
        let Node::Scalar(key) = &key.value else { panic!("{text}: a key that is no text") };
        let is_known = Record::set(&mut entry, &key.text, value, &mut decoder).unwrap();
        assert!(is_known && decoder.mismatch_count() == 0, "{}: {decoder:?}", key.text);
    }
    vec![entry]
}

fn receiver(case: &Value) -> Receiver {
    let name = case["receiver"].as_str().unwrap_or("").to_owned();
    let mut receiver = Receiver { name, ..Receiver::default() };
    let integration = case["integration"].as_str().unwrap();
    macro_rules! dispatch {
        ($($key:ident: $module:ident),* $(,)?) => {
            match integration {
                $( stringify!($module) => receiver.$key = entry(&case["config"]).into(), )*
                other => panic!("{other} is no integration"),
            }
        };
    }
    for_each_integration!(dispatch);
    receiver
}

fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())))
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// Seconds from now, or a time as it is written.
fn time(value: &Value, now: Time) -> Option<Time> {
    match value {
        Value::String(text) => Time::parse(text),
        Value::Number(seconds) => {
            let seconds = seconds.as_i64().unwrap();
            let distance = Duration::from_secs(seconds.unsigned_abs());
            Some(if seconds < 0 { now - distance } else { now + distance })
        }
        _ => None,
    }
}

fn notification(case: &Value, now: Time) -> Notification {
    let alerts = case["alerts"].as_array().into_iter().flatten().map(|alert| {
        Arc::new(Alert {
            labels: labels(&alert["labels"]),
            annotations: Arc::new(texts(&alert["annotations"])),
            starts_at: time(&alert["starts_at"], now).unwrap_or(now),
            ends_at: time(&alert["ends_at"], now),
            generator_url: alert["generator_url"].as_str().unwrap_or("").to_owned(),
            updated_at: now,
            is_timeout: false,
        })
    });
    Notification {
        group_key: case["group_key"].as_str().unwrap_or("").to_owned(),
        group_labels: labels(&case["group_labels"]),
        receiver: case["receiver"].as_str().unwrap_or("").to_owned(),
        alerts: alerts.collect(),
        now,
        repeat_interval: Duration::from_secs(3600),
        reason: Reason::Unknown,
        route_labels: Default::default(),
        store: Store::default(),
    }
}

async fn attempt(case: &Value) -> (Result<(), NotifyError>, Vec<Asked>) {
    let simulation = Simulation::new(1);
    let runtime = simulation.runtime();
    for (path, content) in case["file_contents"].as_object().into_iter().flatten() {
        let content = content.as_str().unwrap().replace("{server}", SERVICE);
        runtime.disk.write_atomically(path.as_ref(), content.as_bytes()).unwrap();
    }
    let external_url = case["external_url"].as_str().unwrap_or("http://am");
    let template = Arc::new(Template::new(external_url, runtime.clock.clone()));
    let context = Context { runtime, template };
    let built = build(&receiver(case), &context).unwrap();
    let [integration]: [Arc<dyn Integration>; 1] = built.integrations.try_into().ok().unwrap();
    let notification = notification(case, Time::now(&*simulation.clock));
    let case = case.clone();
    let ask = async { integration.notify(&notification).await };
    with_service(&simulation, move |_| answer(&case), ask).await
}

fn contains(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| contains(found, value))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| contains(f, e))
        }
        _ => found == expected,
    }
}

fn check_request(asked: &Asked, expected: &Value) -> Result<(), String> {
    let is = |name: &str, found: &str| match expected[name].as_str() {
        Some(wanted) if wanted.replace("{server}", SERVICE) != found => {
            Err(format!("{name} is {found}"))
        }
        _ => Ok(()),
    };
    is("method", &asked.method)?;
    is("path", &asked.path)?;
    is("url", &format!("{SERVICE}{}", asked.path))?;
    is("body_text", &asked.body)?;
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let found = asked.headers.get(name.as_str()).map(|value| value.to_str().unwrap());
        if found != value.as_str() {
            return Err(format!("header {name} is {found:?}"));
        }
    }
    let body = serde_json::from_str::<Value>(&asked.body);
    let is_right = match (&expected["body_json"], &expected["body_json_contains"]) {
        (Value::Null, Value::Null) => expected["body_is_json"] != true || body.is_ok(),
        (Value::Null, part) => body.is_ok_and(|body| contains(&body, part)),
        (whole, _) => body.is_ok_and(|body| body == *whole),
    };
    if is_right { Ok(()) } else { Err(format!("the body is {}", asked.body)) }
}

fn check_error(outcome: &Result<(), NotifyError>, expect: &Value) -> Result<(), String> {
    let parts: Vec<&str> = match &expect["error_contains"] {
        Value::Null => Vec::new(),
        Value::String(part) => vec![part],
        parts => parts.as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect(),
    };
    let wants_error = !expect["error_contains"].is_null() || !expect["error"].is_null();
    match outcome {
        Ok(()) if wants_error => Err("was sent".to_owned()),
        Ok(()) => Ok(()),
        Err(error) if !wants_error => Err(error.to_string()),
        Err(error) => {
            let is_exact = expect["error"].as_str().is_none_or(|text| text == error.message);
            let has_parts = parts.iter().all(|part| error.message.contains(part));
            let retry = expect["retry"].as_bool().unwrap_or(error.retry);
            let reason = expect["reason"].as_str().unwrap_or(error.reason.as_str());
            if is_exact && has_parts && retry == error.retry && reason == error.reason.as_str() {
                return Ok(());
            }
            Err(format!("{error:?}"))
        }
    }
}

async fn check(case: &Value) -> Result<(), String> {
    if let Some(count) = case["alert_count"].as_u64() {
        let limit = case["config"]["max_alerts"].as_u64().unwrap();
        let kept = webhook::kept_alerts(limit, count as usize);
        let is_right = case["expect"]["kept"] == kept;
        return if is_right { Ok(()) } else { Err(format!("keeps {kept}")) };
    }
    let (outcome, asked) = attempt(case).await;
    check_error(&outcome, &case["expect"])?;
    let expected = case["expect"]["requests"].as_array().into_iter().flatten();
    for (idx, expected) in expected.enumerate() {
        let asked = asked.get(idx).ok_or_else(|| format!("no request {idx}"))?;
        check_request(asked, expected)?;
    }
    Ok(())
}

/// The cases of one integration. `known` are those that fail, with the reason.
async fn check_all(integration: &str, known: &[(&str, &str)]) {
    let Some(table) = conformance::cases("alertmanager/notify/requests.json") else { return };
    let mut score = Score::new(&format!("notify/requests ({integration})"));
    for case in table.cases.iter().filter(|case| case["integration"] == integration) {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        score.add(format!("{}: {}", text("test"), text("name")), check(case).await);
    }
    score.finish(known);
}

#[tokio::test]
async fn webhooks_are_told_as_upstream_tells_them() {
    check_all("webhook", &[]).await;
}

/// All integrations that send: which answers are worth another attempt.
#[tokio::test]
async fn status_codes_are_retried_as_upstream_does() {
    let Some(table) = conformance::cases("alertmanager/notify/retry_status_codes.json") else {
        return;
    };
    let codes = table.whole["tested_status_codes"].as_array().unwrap();
    let mut score = Score::new("notify/retry_status_codes");
    for case in
        table.cases.iter().filter(|case| RETRIED.contains(&case["integration"].as_str().unwrap()))
    {
        let mut wrong = Vec::new();
        // 1xx are no answers, and what redirects is followed before anybody sees it.
        for code in codes.iter().filter(|code| code.as_u64().is_some_and(|code| code >= 200)) {
            let mut case = case.clone();
            case["server_answer"] = json!({"status": code, "body": "ok"});
            case["config"]["http_config"] = json!({"follow_redirects": false});
            fill_in(&mut case);
            let (outcome, _) = attempt(&case).await;
            let retried = outcome.is_err_and(|error| error.retry);
            if retried != case["retried"].as_array().unwrap().contains(code) {
                wrong.push(code.clone());
            }
        }
        let outcome = if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:?}")) };
        score.add(case["test"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
}

/// Those whose verdict depends on nothing but the status.
const RETRIED: &[&str] = &["webhook"];

/// What the cases of statuses leave out because upstream's test does not send.
fn fill_in(case: &mut Value) {
    case["alerts"] = json!([{"labels": {"alertname": "x"}}]);
    if case["integration"] == "webhook" {
        case["config"]["url"] = json!("{server}");
    }
}

#[test]
fn names_and_places_of_integrations() {
    let Some(table) = conformance::cases("alertmanager/config/receiver_integrations.json") else {
        return;
    };
    let mut score = Score::new("config/receiver_integrations");
    for (idx, case) in table.cases.iter().enumerate() {
        score.add(idx.to_string(), check_built(case));
    }
    score.finish(&[]);
}

fn check_built(case: &Value) -> Result<(), String> {
    let text = case["receiver_yaml"].as_str().unwrap();
    let node = yaml::parse(text).unwrap().unwrap();
    let Node::Map(pairs) = &node.value else { panic!("{text}") };
    let mut receiver = Receiver { name: "foo".to_owned(), ..Receiver::default() };
    let mut entries = Vec::new();
    let Node::List(nodes) = &pairs[1].1.value else { panic!("{text}") };
    for node in nodes {
        // Decoded without the check: the cases leave the URL out.
        let Node::Map(pairs) = &node.value else { panic!("{text}") };
        let mut entry = webhook::Config::default();
        for (key, value) in pairs {
            let Node::Scalar(key) = &key.value else { panic!("{text}") };
            Record::set(&mut entry, &key.text, value, &mut Decoder::default()).unwrap();
        }
        entries.push(entry);
    }
    receiver.webhook_configs = entries.into();
    let runtime = Simulation::new(1).runtime();
    let template = Arc::new(Template::new("http://am", runtime.clock.clone()));
    match build(&receiver, &Context { runtime, template }) {
        Err(_) if case["rejected"] == true => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(built) => {
            let found: Vec<Value> = built.integrations.iter().map(|it| {
                json!({"name": it.name(), "index": it.idx(), "send_resolved": it.send_resolved(), "receiver": built.name})
            }).collect();
            if case["integrations"] == json!(found) { Ok(()) } else { Err(format!("{found:?}")) }
        }
    }
}

#[tokio::test]
async fn bodies_are_upstreams_to_the_byte() {
    let case = json!({
        "integration": "webhook",
        "receiver": "web.hook",
        "config": {"url": "{server}/hook", "max_alerts": 1},
        "group_key": "{}:{alertname=\"a\"}",
        "group_labels": {"alertname": "a"},
        "alerts": [
            {
                "labels": {"alertname": "a", "b": "<&>"},
                "annotations": {"summary": "ü\u{2028}\"\\\n"},
                "starts_at": "2024-01-01T00:00:00.5+01:00",
                "generator_url": "http://p/graph?a=1&b=2",
            },
            {"labels": {"alertname": "a", "b": "2"}, "starts_at": "2024-01-01T00:00:00Z"},
        ],
    });
    let (outcome, asked) = attempt(&case).await;
    outcome.unwrap();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("POST", "/hook"));
    assert_eq!(asked[0].headers["content-type"], "application/json");
    assert_eq!(asked[0].headers["user-agent"], "Alertmanager/0.34.0");
    assert_eq!(
        asked[0].body,
        concat!(
            r#"{"receiver":"web\\.hook","status":"firing","alerts":[{"status":"firing","#,
            r#""labels":{"alertname":"a","b":"\u003c\u0026\u003e"},"#,
            r#""annotations":{"summary":"ü\u2028\"\\\n"},"#,
            r#""startsAt":"2024-01-01T00:00:00.5+01:00","endsAt":"0001-01-01T00:00:00Z","#,
            r#""generatorURL":"http://p/graph?a=1\u0026b=2","fingerprint":"FINGERPRINT"}],"#,
            r#""notification_reason":"unknown","groupLabels":{"alertname":"a"},"#,
            r#""commonLabels":{"alertname":"a","b":"\u003c\u0026\u003e"},"#,
            r#""commonAnnotations":{"summary":"ü\u2028\"\\\n"},"routeLabels":{},"#,
            r#""externalURL":"http://am","version":"4","groupKey":"{}:{alertname=\"a\"}","#,
            r#""truncatedAlerts":1}"#,
            "\n"
        )
        .replace(
            "FINGERPRINT",
            &alertmanager::alert::fingerprint(&Labels::from_pairs([
                ("alertname", "a"),
                ("b", "<&>")
            ]))
            .to_string()
        )
    );
}

#[tokio::test]
async fn failures_hide_the_url_and_tell_the_reason() {
    let check = async |config: Value, status: u16, expected: &str| {
        let case = json!({
            "integration": "webhook", "config": config, "alerts": [{"labels": {"a": "b"}}],
            "server_answer": {"status": status, "body": "go away"},
        });
        let (outcome, _) = attempt(&case).await;
        let error = outcome.unwrap_err();
        let shown = format!("{error} ({}, retry {})", error.reason.as_str(), error.retry);
        assert_eq!(shown, expected);
    };
    let url = json!({"url": "{server}"});
    check(url.clone(), 500, "unexpected status code 500: go away (serverError, retry true)").await;
    check(url.clone(), 429, "unexpected status code 429: go away (rateLimited, retry false)").await;
    check(url, 404, "unexpected status code 404: go away (clientError, retry false)").await;
    check(
        json!({"url": "http://nobody/secret"}),
        200,
        "Post \"<redacted>\": dial tcp nobody:80: connect: connection refused (other, retry true)",
    )
    .await;
    check(
        json!({"url_file": "gone"}),
        200,
        "read url_file: open gone: no such file or directory (other, retry false)",
    )
    .await;
}

#[tokio::test]
async fn what_cannot_send_fails_aloud() {
    let runtime = Simulation::new(1).runtime();
    let template = Arc::new(Template::new("http://am", runtime.clock.clone()));
    let case = json!({"integration": "sns", "config": {"topic_arn": "t"}});
    let receiver = receiver(&case);
    assert_eq!(
        receiver.unsupported(),
        ["sns_configs: not supported yet, notifications of receiver \"\" through it will fail"]
    );
    let built = build(&receiver, &Context { runtime, template }).unwrap();
    let notification = notification(&case, Time::UNIX_EPOCH);
    let error = built.integrations[0].notify(&notification).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.retry), ("sns is not supported yet", false));
}

#[test]
fn printed_settings_read_the_same_again() {
    let text = "name: x\nwebhook_configs: [{url: 'http://a/'}]\npushover_configs: [{user_key: a, token: b}]\n";
    let receiver: Receiver = settings::decode::from_str(text).unwrap();
    let printed = yaml::print(&receiver.encode(Style::Whole));
    assert_eq!(settings::decode::from_str::<Receiver>(&printed).unwrap(), receiver, "{printed}");
}
