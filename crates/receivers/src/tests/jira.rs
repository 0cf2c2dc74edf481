//! Upstream's own cases of Jira: an issue is searched, made, changed, closed and opened again.

use std::sync::Arc;

use alertmanager::{Template, Time};
use axum::body::Body;
use conformance::Score;
use runtime::Simulation;
use serde_json::{Value, json};
use settings::yaml;

use super::{
    requests::{check_error, check_request, entry, notification, unroll},
    service::{Asked, with_service},
};
use crate::{Context, Settings as _, jira::Config, sender::Texts};

/// What the table's server answers to a request.
fn answer(case: &Value, asked: &Asked) -> http::Response<Body> {
    let known = case["server"].as_array().into_iter().flatten().find(|known| {
        let is_method = known["method"].as_str().is_none_or(|method| method == asked.method);
        known["path"] == asked.path && is_method
    });
    let body = known.map_or(Value::Null, |known| known["answer"].clone());
    let status = known.and_then(|known| known["status"].as_u64()).unwrap_or(200);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    http::Response::builder().status(status as u16).body(Body::from(body)).unwrap()
}

fn config(case: &Value) -> Config {
    let mut written = case["config"].clone();
    if let Some(fields) = case["config_fields_yaml"].as_str() {
        let node = yaml::parse(fields).unwrap().unwrap();
        let tree = settings::decode::Setting::decode(&node, &mut Default::default());
        let tree: yaml::Yaml = tree.unwrap().unwrap();
        written["fields"] = crate::payload::to_json(&tree);
    }
    entry::<Config>(&written).remove(0)
}

fn template(case: &Value, simulation: &Simulation) -> Template {
    let external_url = case["external_url"].as_str().unwrap_or("http://am");
    let mut template = Template::new(external_url, simulation.runtime().clock);
    if let Some(text) = case["extra_template"].as_str() {
        template.parse("extra", text).unwrap();
    }
    template
}

/// The parts of an attempt that upstream looks at alone.
fn check_part(case: &Value, simulation: &Simulation) -> Option<Result<(), String>> {
    let template = template(case, simulation);
    let notification = notification(case, Time::now(&*simulation.clock));
    let texts = Texts { template: &template, data: template.data(&notification) };
    let expect = &case["expect"];
    let same = |found: &Value, wanted: &Value| {
        if found == wanted { Ok(()) } else { Err(found.to_string()) }
    };
    if !expect["output"].is_null() {
        let found = texts.text(case["template"].as_str().unwrap()).unwrap();
        return Some(same(&json!(found), &expect["output"]));
    }
    if let Some(jql) = case["jql"].as_str() {
        // The host decides, so that the scheme of the table has to stay.
        let mut config = config(case);
        let url = case["config"]["api_url"].as_str().unwrap();
        config.api_url = Some(crate::values::HttpUrl::parse(url).unwrap());
        let (url, body) = config.search_request(jql);
        let found = json!({"url": url, "body": body});
        let wanted = json!({"url": expect["search_url"], "body": expect["search_body"]});
        return Some(same(&found, &wanted));
    }
    if !expect["search_jql"].is_null() {
        let label = format!("ALERT{{{}}}", case["issue_label_hash"].as_str().unwrap());
        let found = config(case).jql(&texts, &label, case["firing"] == true);
        return Some(same(&json!(found.unwrap()), &expect["search_jql"]));
    }
    if case["test"] == "TestPrepareIssueRequestBodyAPIv3DescriptionValidation" {
        let fields = config(case).fields(&texts, "ALERT{1}", &notification);
        return Some(match fields {
            Ok(fields) => same(&fields["description"], &expect["description_json"]),
            Err(error) => check_error(&Err(error), expect),
        });
    }
    None
}

async fn check(case: &Value) -> Result<(), String> {
    let simulation = Simulation::new(1);
    if let Some(outcome) = check_part(case, &simulation) {
        return outcome;
    }
    let runtime = simulation.runtime();
    let template = Arc::new(template(case, &simulation));
    let notifier = config(case).notifier(&Context { runtime, template }).unwrap();
    let notification = notification(case, Time::now(&*simulation.clock));
    let table = case.clone();
    let answer = move |asked: &Asked| answer(&table, asked);
    let ask = notifier.notify(&notification);
    let (outcome, asked) = with_service(&simulation, answer, ask, false).await;
    let expect: Value = serde_json::from_str(&unroll(&case["expect"].to_string())).unwrap();
    check_error(&outcome, &expect)?;
    if !expect["created_issue_contains"].is_null() {
        let expected = json!({"body_json_contains": expect["created_issue_contains"]});
        check_request(&asked[1], &expected)?;
    }
    for (idx, expected) in expect["requests"].as_array().into_iter().flatten().enumerate() {
        let asked = asked.get(idx).ok_or_else(|| format!("no request {idx}"))?;
        check_request(asked, expected)?;
        for name in expected["fields_absent"].as_array().into_iter().flatten() {
            let body: Value = serde_json::from_str(&asked.body).unwrap();
            assert!(body["fields"].get(name.as_str().unwrap()).is_none(), "{body}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn jira_is_told_as_upstream_tells_it() {
    let Some(table) = conformance::cases("alertmanager/notify/jira.json") else { return };
    let mut score = Score::new("notify/jira");
    for (idx, case) in table.cases.iter().enumerate() {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        score.add(format!("{idx} {}: {}", text("test"), text("name")), check(case).await);
    }
    score.finish(&[]);
}
