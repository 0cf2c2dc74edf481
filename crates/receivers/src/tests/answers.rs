//! What answers mean: which are worth another attempt, and what errors must not tell.

use conformance::Score;
use serde_json::{Value, json};

use super::requests::attempt;

/// Upstream cancels the attempt; here nobody listens, which is an error with a URL in it too.
#[tokio::test]
async fn errors_tell_no_secrets() {
    let Some(table) = conformance::cases("alertmanager/notify/secrets_not_leaked.json") else {
        return;
    };
    let mut score = Score::new("notify/secrets_not_leaked");
    for case in
        table.cases.iter().filter(|case| SECRETIVE.contains(&case["integration"].as_str().unwrap()))
    {
        let text = case.to_string().replace("{server}", "http://gone.example/secret");
        let mut case: Value = serde_json::from_str(&text).unwrap();
        case["alerts"] = json!([{"labels": {"lbl1": "val1"}}]);
        case["group_key"] = json!("1");
        let (outcome, _) = attempt(&case).await;
        let outcome = match outcome {
            Err(error) if !error.retry => Err(format!("is not retried: {error}")),
            Err(error) => {
                let mut secrets = case["must_not_appear"].as_array().unwrap().iter();
                let told = secrets.find(|it| error.message.contains(it.as_str().unwrap()));
                told.map_or(Ok(()), |_| Err(error.message))
            }
            Ok(()) => Err("was sent".to_owned()),
        };
        score.add(case["test"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
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
            let is_rocketchat = case["integration"] == "rocketchat";
            // It answers in a body, which 204 cannot have.
            if is_rocketchat && *code == 204 {
                continue;
            }
            let body = if is_rocketchat { r#"{"success":true}"# } else { "ok" };
            case["server_answer"] = json!({"status": code, "body": body});
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

/// What the cases of statuses leave out because upstream's test does not send.
fn fill_in(case: &mut Value) {
    case["alerts"] = json!([{"labels": {"alertname": "x"}}]);
    let key = match case["integration"].as_str().unwrap() {
        "webhook" | "incidentio" => "url",
        "discord" | "msteams" | "msteamsv2" | "mattermost" => "webhook_url",
        _ => "api_url",
    };
    case["config"][key] = json!("{server}");
    case["config"]["api_key"] = json!("key");
    if case["integration"] == "rocketchat" {
        case["config"]["token"] = json!("t");
        case["config"]["token_id"] = json!("i");
    }
    if !["victorops", "opsgenie"].contains(&case["integration"].as_str().unwrap()) {
        case["config"].as_object_mut().unwrap().remove("api_key");
    }
}

/// Those that send.
const SECRETIVE: &[&str] = &[
    "webhook",
    "slack",
    "pagerduty",
    "opsgenie",
    "victorops",
    "telegram",
    "discord",
    "msteams",
    "msteamsv2",
    "webex",
    "pushover",
    "mattermost",
    "incidentio",
    "rocketchat",
    "wechat",
    "jira",
];

/// Those whose verdict depends on nothing but the status.
const RETRIED: &[&str] = &[
    "webhook",
    "slack",
    "discord",
    "msteams",
    "msteamsv2",
    "victorops",
    "webex",
    "opsgenie",
    "mattermost",
    "incidentio",
    "rocketchat",
    "jira",
];
