use serde_json::{Value, json};

use super::{GroupBy, Mode, Receiver, RouteConfig, World, labels, outcome, text, texts, to, url};

/// `name="value"`, as filters are written.
fn filter(matcher: &Value) -> (&'static str, String) {
    let value = model::labels::quote(text(matcher, "value"));
    ("filter", format!("{}{}{value}", text(matcher, "name"), text(matcher, "op")))
}

fn is_listed(world: &World, path: &str, query: &[(&str, String)]) -> Result<bool, String> {
    let answer = world.get(&url(path, query));
    match answer.status {
        200 => Ok(answer.json().as_array().is_some_and(|list| !list.is_empty())),
        status => Err(format!("{status} {}", answer.body)),
    }
}

fn compare(listed: Result<bool, String>, case: &Value) -> Result<(), String> {
    outcome(Some(listed?), case["matches"].as_bool())
}

#[test]
fn alerts_by_labels() {
    let Some(table) = conformance::cases("alertmanager/api/alert_filter.json") else { return };
    let mut score = conformance::Score::new("api/alert_filter");
    for (idx, case) in table.cases.iter().enumerate() {
        let world = World::new();
        let posted = world.post("/api/v2/alerts", json!([{"labels": case["labels"]}]).to_string());
        assert_eq!(posted.status, 200, "{}", posted.body);
        let filter = filter(&case["filter"]);
        let name = format!("{idx} {}", filter.1);
        score.add(name, compare(is_listed(&world, "/api/v2/alerts", &[filter]), case));
    }
    score.finish(&[]);
}

#[test]
fn silences_by_matchers() {
    let Some(table) = conformance::cases("alertmanager/api/silence_filter.json") else { return };
    let mut score = conformance::Score::new("api/silence_filter");
    for (idx, case) in table.cases.iter().enumerate() {
        let world = World::new();
        let matchers = case["silence_matchers"].as_array().expect("a list").iter().map(|matcher| {
            let op = text(matcher, "op");
            json!({
                "name": matcher["name"],
                "value": matcher["pattern"],
                "isRegex": op.ends_with('~'),
                "isEqual": op.starts_with('='),
            })
        });
        let silence = json!({
            "matchers": matchers.collect::<Vec<Value>>(),
            "comment": "c",
            "createdBy": "x",
            "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "2027-01-01T00:00:00Z",
        });
        let posted = world.post("/api/v2/silences", silence.to_string());
        assert_eq!(posted.status, 200, "{}", posted.body);
        let filters: Vec<(&str, String)> =
            case["filter"].as_array().expect("a list").iter().map(filter).collect();
        let listed = is_listed(&world, "/api/v2/silences", &filters);
        score.add(format!("{idx}"), compare(listed, case));
    }
    score.finish(&[]);
}

#[test]
fn alerts_by_labels_of_receivers() {
    let Some(table) = conformance::cases("alertmanager/api/receiver_matchers.json") else { return };
    let mut score = conformance::Score::new("api/receiver_matchers");
    for case in &table.cases {
        let all = case["receiver_labels"].as_object().expect("an object");
        let receivers = all.iter().map(|(name, of)| Receiver {
            name: name.clone(),
            labels: labels(of),
            integrations: Vec::new(),
        });
        // Each receiver that the alert shall have gets a route that leads to it and goes on.
        let taken = texts(&case["alert_receivers"]).into_iter();
        let routes = taken.map(|name| RouteConfig { continues: true, ..to(name) }).collect();
        let root = RouteConfig { group_by: Some(GroupBy::All), routes, ..to("root") };
        let world = World::with(root, receivers.collect(), Mode::default());
        let posted = world.post("/api/v2/alerts", r#"[{"labels":{"alertname":"a"}}]"#);
        assert_eq!(posted.status, 200, "{}", posted.body);
        let matcher = text(case, "receiver_matcher").to_owned();
        let listed = is_listed(&world, "/api/v2/alerts", &[("receiver_matchers", matcher)]);
        score.add(text(case, "name"), compare(listed, case));
    }
    score.finish(&[]);
}
