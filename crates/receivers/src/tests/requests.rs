//! Upstream's own cases of notifications: settings and alerts in, requests and verdicts out.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alertmanager::{
    Template, Time,
    alert::Alert,
    integration::{Integration, Notification, NotifyError, Reason, Store},
    template::{Alerts, Data, DataAlert, Kv},
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
use crate::{
    Context, Receiver, Settings, build, receiver::for_each_integration, sender::Texts, webhook,
};

const SERVICE: &str = "http://service";

/// The entry as upstream's tests make it: what is not given is empty, whatever the defaults are.
pub(crate) fn entry<T: Settings>(config: &Value) -> Vec<T> {
    let mut config = config.clone();
    for key in ["api_url", "url", "webhook_url"] {
        // No certificates in the simulated world.
        if let Some(Value::String(url)) = config.get_mut(key) {
            *url = url.replace("https:", "http:");
        }
    }
    let text = unroll(&config.to_string()).replace("{server}", SERVICE);
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

/// Carries out the tables' shorthand: `"x*5000"` is x, 5000 times.
pub(super) fn unroll(json: &str) -> String {
    let mut parts: Vec<String> = json.split('"').map(str::to_owned).collect();
    for part in &mut parts {
        let repeated = part.split_once('*').and_then(|(text, times)| {
            let (times, more) = times.split_once(" then ").unwrap_or((times, ""));
            Some(text.repeat(times.parse().ok()?) + more)
        });
        if let Some(repeated) = repeated.filter(|_| part.chars().nth(1) == Some('*')) {
            *part = repeated;
        }
    }
    parts.join("\"")
}

pub(super) fn receiver(case: &Value) -> Receiver {
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

pub(crate) fn notification(case: &Value, now: Time) -> Notification {
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

pub(super) async fn attempt(case: &Value) -> (Result<(), NotifyError>, Vec<Asked>) {
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
    let takes_time = !case["server_answer"]["after_ms"].is_null();
    let ask = async { integration.notify(&notification).await };
    with_service(&simulation, move |_| answer(&case), ask, takes_time).await
}

fn contains(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| contains(found, value))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| contains(f, e))
        }
        _ => found == expected || expected.is_null(),
    }
}

pub(super) fn check_request(asked: &Asked, expected: &Value) -> Result<(), String> {
    let is = |name: &str, found: &str| match expected[name].as_str() {
        Some(wanted) if wanted.replace("{server}", SERVICE).replace("https:", "http:") != found => {
            Err(format!("{name} is {found}"))
        }
        _ => Ok(()),
    };
    is("method", &asked.method)?;
    is("path", &asked.path)?;
    is("url", &format!("http://{}{}", asked.host(), asked.path))?;
    is("body_text", &asked.body)?;
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let found = asked.headers.get(name.as_str()).map(|value| value.to_str().unwrap());
        if found != value.as_str() {
            return Err(format!("header {name} is {found:?}"));
        }
    }
    let body = serde_json::from_str::<Value>(&asked.body);
    let part: Value =
        serde_json::from_str(&unroll(&expected["body_json_contains"].to_string())).unwrap();
    let is_right = match (&expected["body_json"], &part) {
        (Value::Null, Value::Null) => expected["body_is_json"] != true || body.is_ok(),
        (Value::Null, part) => body.is_ok_and(|body| contains(&body, part)),
        (whole, _) => body.is_ok_and(|body| body == *whole),
    };
    if is_right { Ok(()) } else { Err(format!("the body is {}", asked.body)) }
}

pub(super) fn check_error(outcome: &Result<(), NotifyError>, expect: &Value) -> Result<(), String> {
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
    if let Some(text) = case["yaml"].as_str() {
        return check_decoded(text, case);
    }
    if let Some(count) = case["alert_count"].as_u64() {
        let limit = case["config"]["max_alerts"].as_u64().unwrap();
        let kept = webhook::kept_alerts(limit, count as usize);
        let is_right = case["expect"]["kept"] == kept;
        return if is_right { Ok(()) } else { Err(format!("keeps {kept}")) };
    }
    if case["integration"] == "pagerduty" && !case["data"].is_null() {
        return check_details(case);
    }
    if !case["alerts_generated"].is_null() {
        return check_generated(case);
    }
    let case = &complete(case.clone());
    let (outcome, asked) = attempt(case).await;
    check_error(&outcome, &case["expect"])?;
    if let Some(part) = case["expect"]["encoded_contains"].as_str() {
        let is_there = asked.first().is_some_and(|asked| asked.body.contains(part));
        return if is_there { Ok(()) } else { Err("not encoded so".to_owned()) };
    }
    let expected = case["expect"]["requests"].as_array().into_iter().flatten();
    for (idx, expected) in expected.enumerate() {
        let asked = asked.get(idx).ok_or_else(|| format!("no request {idx}"))?;
        check_request(asked, expected)?;
    }
    Ok(())
}

/// Some cases show a function of upstream alone; here they become a whole notification.
fn complete(mut case: Value) -> Value {
    if case["test"] == "TestErrDetails" || case["test"] == "TestIncidentIOErrDetails" {
        let is_pagerduty = case["integration"] == "pagerduty";
        let key = if is_pagerduty { "routing_key" } else { "alert_source_token" };
        case["config"] = json!({"url": "{server}", key: "key"});
        let status = case["server_answer"]["status"].as_u64().unwrap();
        let details = case["expect"]["error_details_contains"].as_str().unwrap_or("").to_owned();
        case["expect"] = match details.as_str() {
            "" => json!({"error": format!("unexpected status code {status}")}),
            details => json!({"error_contains": details}),
        };
    }
    if case["test"] == "TestEventSizeEnforcement" {
        case["config"]["url"] = json!("{server}");
        case["config"]["details"] = case["message"]["payload"]["custom_details"].clone();
    }
    case
}

fn template() -> Template {
    Template::new("http://am", Simulation::new(1).runtime().clock)
}

/// Details alone, with data that no notification has.
fn check_details(case: &Value) -> Result<(), String> {
    let template = template();
    let kv = |value: &Value| Kv(texts(value));
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let leak = |value: &Value| &*Box::leak(text(value).into_boxed_str());
    let alerts = case["data"]["Alerts"].as_array().into_iter().flatten().map(|alert| DataAlert {
        status: leak(&alert["Status"]),
        labels: kv(&alert["Labels"]),
        annotations: kv(&alert["Annotations"]),
        starts_at: time(&alert["StartsAt"], Time::UNIX_EPOCH),
        ends_at: time(&alert["EndsAt"], Time::UNIX_EPOCH),
        generator_url: text(&alert["GeneratorURL"]),
        fingerprint: text(&alert["Fingerprint"]),
    });
    let alerts = Alerts(alerts.collect());
    let data = Data { status: leak(&case["data"]["Status"]), alerts, ..Data::default() };
    let texts = Texts { template: &template, data };
    let config = entry::<crate::pagerduty::Config>(&case["config"]).remove(0);
    match config.rendered_details(&texts) {
        Err(_) if case["expect"]["fails"] == true => Ok(()),
        Ok(found) if case["expect"]["details"] == Value::Object(found.clone()) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Alerts that are too many or too large for incident.io.
fn check_generated(case: &Value) -> Result<(), String> {
    let generated = &case["alerts_generated"];
    let alert = |idx: u64| {
        let mut labels = generated["labels"].clone();
        labels["alertname"] = json!(format!("TestAlert{}", idx % 10));
        for extra in 0..generated["extra_labels"]["count"].as_u64().unwrap_or(0) {
            labels[format!("extra_{extra}_{idx}")] = json!("x".repeat(1024));
        }
        let mut annotations = generated["annotations"].clone();
        for text in annotations.as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
            if *text == "102400 letters" {
                *text = json!("a".repeat(102_400));
            }
        }
        json!({"labels": labels, "annotations": annotations})
    };
    let mut case = case.clone();
    case["alerts"] = (0..generated["count"].as_u64().unwrap()).map(alert).collect();
    let notification = notification(&case, Time::UNIX_EPOCH);
    let template = template();
    let texts = Texts { template: &template, data: template.data(&notification) };
    let config = entry::<crate::incidentio::Config>(&case["config"]).remove(0);
    let body = config.body(&texts, &notification);
    let found: Value = serde_json::from_str(&body).unwrap();
    let count = found["alerts"].as_array().unwrap().len() as u64;
    let expect = &case["expect"];
    let fits = body.len() as u64 <= expect["encoded_at_most_bytes"].as_u64().unwrap();
    let is_right = expect["alert_count"].as_u64().is_none_or(|wanted| wanted == count)
        && contains(&found["alerts"][0]["labels"], &expect["kept_labels"]);
    if fits && is_right { Ok(()) } else { Err(format!("{} bytes, {count} alerts", body.len())) }
}

fn check_decoded(text: &str, case: &Value) -> Result<(), String> {
    assert_eq!(case["integration"], "telegram");
    let config: crate::telegram::Config = settings::decode::from_str(text).unwrap();
    let found = super::sections::to_json(&config.encode(Style::Whole));
    if contains(&found, &case["expect"]["decoded"]) { Ok(()) } else { Err(found.to_string()) }
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

#[tokio::test]
async fn chats_are_told_as_upstream_tells_them() {
    for integration in ["discord", "msteams", "msteamsv2", "webex"] {
        check_all(integration, &[]).await;
    }
}

#[tokio::test]
async fn telegram_is_told_as_upstream_tells_it() {
    check_all("telegram", &[]).await;
}

#[tokio::test]
async fn slack_is_told_as_upstream_tells_it() {
    check_all("slack", &[]).await;
}

#[tokio::test]
async fn pagerduty_is_told_as_upstream_tells_it() {
    let fixed = "the URL of version 1 is fixed, so that no test can listen there";
    check_all("pagerduty", &[("TestEventSizeEnforcement: v1", fixed)]).await;
}

#[tokio::test]
async fn opsgenie_is_told_as_upstream_tells_it() {
    check_all("opsgenie", &[]).await;
}

#[tokio::test]
async fn mattermost_is_told_as_upstream_tells_it() {
    check_all("mattermost", &[]).await;
}

#[tokio::test]
async fn incidentio_is_told_as_upstream_tells_it() {
    check_all("incidentio", &[]).await;
}

#[tokio::test]
async fn victorops_is_told_as_upstream_tells_it() {
    check_all("victorops", &[]).await;
}
