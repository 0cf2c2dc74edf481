use std::sync::Arc;

use ::alertmanager::{
    Alert, Fingerprint, Time,
    view::{AlertState, AlertStatus, AlertView},
};
use model::Labels;
use serde_json::{Value, json};

use super::{
    super::super::{alerts, body},
    GroupBy, Mode, RouteConfig, World, outcome, receiver, text, texts, to, url,
};
use crate::json::Json;

type Outcome = Result<(), String>;

/// A silence from and to so many seconds from now.
fn silence(world: &World, id: Option<&str>, starts_at: i64, ends_at: i64) -> String {
    let now = world.alertmanager.now();
    let at = |seconds: i64| {
        let millis = (now.as_nanos() / 1_000_000) as i64 + seconds * 1000;
        Time::from_millis(millis).to_rfc3339_millis()
    };
    let mut silence = json!({
        "matchers": [{"name": "a", "value": "b", "isRegex": false}],
        "comment": "test",
        "createdBy": "silenceCreator",
        "startsAt": at(starts_at),
        "endsAt": at(ends_at),
    });
    if let Some(id) = id {
        silence["id"] = id.into();
    }
    silence.to_string()
}

/// Posts a silence; gives its id.
fn put(world: &World, starts_at: i64, ends_at: i64) -> String {
    let answer = world.post("/api/v2/silences", silence(world, None, starts_at, ends_at));
    assert_eq!(answer.status, 200, "{}", answer.body);
    text(&answer.json(), "silenceID").to_owned()
}

/// An id that stands for what the table calls it.
fn id_of(world: &World, name: &str) -> String {
    match name {
        "active silence" => put(world, 0, 3600),
        "expired silence" => {
            let id = put(world, 0, 3600);
            world.simulation.clock.advance(std::time::Duration::from_secs(1));
            assert_eq!(world.delete(&format!("/api/v2/silence/{id}")).status, 200);
            id
        }
        _ => "00000000-0000-4000-8000-000000000000".to_owned(),
    }
}

fn states(answer: &Value) -> Vec<&str> {
    let silences = answer.as_array().into_iter().flatten();
    let mut states: Vec<&str> = silences.map(|silence| text(&silence["status"], "state")).collect();
    states.sort_unstable();
    states
}

fn state_filter(case: &Value) -> Outcome {
    let world = World::new();
    put(&world, 0, 3600);
    put(&world, 3600, 7200);
    id_of(&world, "expired silence");
    let all = ["active", "expired", "pending"];
    for query in case["queries"].as_array().expect("a list") {
        let wanted: Vec<(&str, String)> =
            all.into_iter().map(|state| (state, query[state].to_string())).collect();
        let answer = world.get(&url("/api/v2/silences", &wanted)).json();
        let expected = match query["states_without"].as_str() {
            Some(without) => all.into_iter().filter(|state| *state != without).collect(),
            None => texts(&query["states"]),
        };
        outcome(states(&answer), expected)?;
    }
    Ok(())
}

fn deletes(case: &Value) -> Outcome {
    for delete in case["deletes"].as_array().expect("a list") {
        let world = World::new();
        let id = id_of(&world, text(delete, "id"));
        let answer = world.delete(&format!("/api/v2/silence/{id}"));
        outcome(Some(u64::from(answer.status)), delete["status"].as_u64())?;
    }
    Ok(())
}

fn posts(case: &Value) -> Outcome {
    for post in case["posts"].as_array().expect("a list") {
        let world = World::new();
        let id = post["id"].as_str().map(|name| id_of(&world, name));
        let seconds = |key: &str| post[key].as_i64().expect("a number");
        let silence = silence(&world, id.as_deref(), seconds("starts_at"), seconds("ends_at"));
        let answer = world.post("/api/v2/silences", silence);
        outcome(Some(u64::from(answer.status)), post["status"].as_u64())?;
    }
    Ok(())
}

fn missing_id() -> Outcome {
    let world = World::new();
    let first = put(&world, 3600, 7200);
    outcome(world.get("/api/v2/silences").json().as_array().map(Vec::len), Some(1))?;
    let copy = silence(&world, Some("unknownID"), 3600, 7200);
    outcome(world.post("/api/v2/silences", copy).status, 404)?;
    let copy = silence(&world, Some(""), 3600, 7200);
    let second = world.post("/api/v2/silences", copy).json();
    outcome(world.get("/api/v2/silences").json().as_array().map(Vec::len), Some(2))?;
    outcome(text(&second, "silenceID") != first, true)
}

fn quoted_matchers(case: &Value) -> Outcome {
    let silence = body::silence(text(case, "json").as_bytes()).map_err(|e| format!("{e:?}"))?;
    let pattern = silence.matcher_sets.first().and_then(|set| set.first());
    outcome(pattern.map(|pattern| pattern.pattern.as_str()), case["matcher_value"].as_str())
}

fn alert_as_json(case: &Value) -> Outcome {
    let labels = super::labels(&case["alert"]["labels"]);
    let now = Time::from_millis(1_700_000_000_000);
    let alert = Alert {
        labels: Labels::from_pairs(labels),
        annotations: Arc::default(),
        starts_at: Time::from_millis(1_699_999_940_000),
        ends_at: None,
        generator_url: String::new(),
        updated_at: now,
        is_timeout: false,
    };
    let fingerprint: Fingerprint = alert.fingerprint();
    let view = AlertView {
        alert: Arc::new(alert),
        fingerprint,
        receivers: texts(&case["receivers"]).into_iter().map(str::to_owned).collect(),
        status: AlertStatus { state: AlertState::Active, ..AlertStatus::default() },
    };
    let mut json = Json::default();
    alerts::write_alert(&mut json, &view);
    let mut got: Value = serde_json::from_str(&json.finish()).expect("it is JSON");
    let end = got.as_object_mut().and_then(|object| object.remove("endsAt"));
    outcome(end, Some(json!("0001-01-01T00:00:00.000Z")))?;
    let expected = case["api_alert"].as_object().expect("an object");
    for (key, value) in expected.iter().filter(|(key, _)| *key != "endsAt_is_zero_time") {
        outcome(&got[key], value)?;
    }
    Ok(())
}

fn group_labels(case: &Value) -> Outcome {
    let labels = [("team".to_owned(), "X".to_owned())];
    let route = RouteConfig { labels: labels.into(), ..to("team-X") };
    let root = RouteConfig {
        group_by: Some(GroupBy::Labels(["alertname".to_owned()].into())),
        routes: vec![route],
        ..to("team-X")
    };
    let world = World::with(root, vec![receiver("team-X", &[])], Mode::default());
    world.post("/api/v2/alerts", r#"[{"labels":{"alertname":"Foo"}}]"#);
    let groups = world.get("/api/v2/alerts/groups").json();
    outcome(&groups[0]["labels"], &case["group"]["labels"])?;
    outcome(&groups[0]["receiver"]["name"], &case["group"]["receiver"])?;
    outcome(&groups[0]["routeLabels"], &case["routeLabels"])
}

fn alone(case: &Value) -> Outcome {
    let status = World::new().get("/api/v2/status").json();
    outcome(&status["cluster"]["peers"], &case["cluster"]["peers"])?;
    outcome(
        status["cluster"].get("name").is_none() && status["cluster"]["status"].is_string(),
        true,
    )
}

#[test]
fn handlers() {
    let Some(table) = conformance::cases("alertmanager/api/handlers.json") else { return };
    let mut score = conformance::Score::new("api/handlers");
    for case in &table.cases {
        let name = text(case, "test");
        let outcome = match name {
            "TestGetStatusHandlerWithNilPeer" => alone(case),
            "TestGetSilencesHandlerStateFilter" => state_filter(case),
            "TestDeleteSilenceHandler" => deletes(case),
            "TestPostSilencesHandler" => posts(case),
            "TestPostSilencesHandlerMissingIdCreatesSilence" => missing_id(),
            "TestPostSilences_QuotedMatchers" => quoted_matchers(case),
            "TestAlertToOpenAPIAlert" => alert_as_json(case),
            "TestGetAlertGroupsHandlerRouteLabels" => group_labels(case),
            other => Err(format!("nothing runs {other}")),
        };
        score.add(name, outcome);
    }
    let reason = "states that the times contradict cannot be stored; the order is tested with the \
        Alertmanager";
    score.finish(&[("TestGetSilencesHandler", reason)]);
}
