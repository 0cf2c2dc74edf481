//! Whole answers, as the real one gives them.

use std::{sync::Arc, task::Poll, time::Duration};

use ::alertmanager::{GroupBy, Matcher, Mode, RouteConfig};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::{Answer, Reloads, State, World, receiver};

fn print(answer: &Answer) -> String {
    format!("{} {}", answer.status, answer.body.trim_end())
}

fn check(request: &str, expected: &str) {
    let (method, path) = request.split_once(' ').expect("a method and a URL");
    let request = Request::builder().method(method).uri(path).body(Body::empty());
    assert_eq!(print(&World::new().send(request.expect("it is a URL"))), expected, "{path}");
}

fn check_alerts(body: &str, expected: &str) {
    assert_eq!(print(&World::new().post("/api/v2/alerts", body)), expected, "{body}");
}

fn check_silence(body: &str, expected: &str) {
    let body = body
        .replace("TIMES", r#""startsAt":"2026-01-01T00:00:00Z","endsAt":"2027-01-01T00:00:00Z""#);
    assert_eq!(print(&World::new().post("/api/v2/silences", &*body)), expected, "{body}");
}

#[test]
fn alerts_are_checked_as_upstream_checks_them() {
    check_alerts("", r#"422 {"code":602,"message":"alerts in body is required"}"#);
    check_alerts(
        "{",
        r#"400 {"code":400,"message":"parsing alerts body from \"\" failed, because unexpected EOF"}"#,
    );
    check_alerts(
        "{}",
        r#"400 {"code":400,"message":"parsing alerts body from \"\" failed, because json: cannot unmarshal object into Go value of type models.PostableAlerts"}"#,
    );
    for (body, reason) in [
        ("x", "invalid character 'x' looking for beginning of value"),
        ("[1 2]", "invalid character '2' after array element"),
        (
            r#"[{"labels":{"z":"1"},}]"#,
            "invalid character '}' looking for beginning of object key string",
        ),
        (r#"[{"labels" 1}]"#, "invalid character '1' after object key"),
        (r#"[{"labels":{} 1}]"#, "invalid character '1' after object key:value pair"),
    ] {
        let expected = format!(
            r#"400 {{"code":400,"message":"parsing alerts body from \"\" failed, because {reason}"}}"#
        );
        check_alerts(body, &expected);
    }
    check_alerts("null", "200 ");
    check_alerts("[{}]", r#"422 {"code":602,"message":"0.labels in body is required"}"#);
    check_alerts(
        r#"[{"labels":{"a":1}}]"#,
        r#"400 {"code":400,"message":"parsing alerts body from \"\" failed, because json: cannot unmarshal number into Go struct field Alert.labels of type string"}"#,
    );
    check_alerts(
        r#"[{"labels":{"a":"b"},"startsAt":"x"}]"#,
        r#"400 {"code":400,"message":"parsing alerts body from \"\" failed, because parsing time \"x\" as \"2006-01-02 15:04:05\": cannot parse \"x\" as \"2006\""}"#,
    );
    for url in ["::x", "x y", "abc", "http://a b/"] {
        check_alerts(
            &format!(r#"[{{"labels":{{"a":"b"}},"generatorURL":"{url}"}}]"#),
            &format!(
                r#"422 {{"code":601,"message":"0.generatorURL in body must be of type uri: \"{url}\""}}"#
            ),
        );
    }
    for url in ["", "/x", "mailto:x", "http://", "http://h:9090/graph?g0.expr=%3D"] {
        check_alerts(&format!(r#"[{{"labels":{{"a":"b"}},"generatorURL":"{url}"}}]"#), "200 ");
    }
    check_alerts(r#"[{"LABELS":{"z":"1"},"startsAt":"2025-11-24 23:00:00"}] x"#, "200 ");
}

#[test]
fn silences_are_checked_as_upstream_checks_them() {
    let required =
        |name: &str| format!(r#"422 {{"code":602,"message":"{name} in body is required"}}"#);
    check_silence("", &required("silence"));
    check_silence("{}", &required("comment"));
    check_silence(r#"{"comment":""}"#, &required("createdBy"));
    check_silence(
        r#"{"matchers":[],"comment":"c","createdBy":"x","startsAt":"2026-01-01T00:00:00Z"}"#,
        &required("endsAt"),
    );
    check_silence(r#"{"comment":"c","createdBy":"x",TIMES}"#, &required("matchers"));
    check_silence(
        r#"{"matchers":[],"comment":"c","createdBy":"x",TIMES}"#,
        r#"422 {"code":612,"message":"matchers in body should have at least 1 items"}"#,
    );
    check_silence(
        r#"{"matchers":[{}],"comment":"c","createdBy":"x",TIMES}"#,
        &required("matchers.0.isRegex"),
    );
    check_silence(
        r#"{"matchers":[{"name":"a","value":"b","isRegex":"x"}],"comment":"c","createdBy":"x",TIMES}"#,
        r#"400 {"code":400,"message":"parsing silence body from \"\" failed, because json: cannot unmarshal string into Go struct field Matcher.matchers.isRegex of type bool"}"#,
    );
    check_silence(
        r#"{"matchers":[{"name":"a","value":"b","isRegex":false}],"comment":"c","createdBy":"x","startsAt":"2027-01-01T00:00:00Z","endsAt":"2026-11-24T00:00:00Z"}"#,
        r#"400 "Failed to create silence: start time must be before end time""#,
    );
    check_silence(
        r#"{"matchers":[{"name":"a","value":"b","isRegex":false}],"comment":"c","createdBy":"x","startsAt":"2024-01-01T00:00:00Z","endsAt":"2025-11-24T00:00:00Z"}"#,
        r#"400 "Failed to create silence: end time can't be in the past""#,
    );
    check_silence(
        r#"{"id":"nope","matchers":[{"name":"a","value":"b","isRegex":false}],"comment":"c","createdBy":"x",TIMES}"#,
        r#"404 "silence not found""#,
    );
}

#[test]
fn silence_ids_are_uuids() {
    let not_a_uuid =
        r#"422 {"code":601,"message":"silenceID in path must be of type uuid: \"nope\""}"#;
    check("GET /api/v2/silence/nope", not_a_uuid);
    check("DELETE /api/v2/silence/nope", not_a_uuid);
    check("GET /api/v2/silence/00000000-0000-4000-8000-000000000000", "404 ");
    check("DELETE /api/v2/silence/00000000-0000-4000-8000-000000000000", "404 ");
}

#[test]
fn filters_that_are_none_are_refused() {
    check("GET /api/v2/alerts?filter=x", r#"400 "bad matcher format: x""#);
    check("GET /api/v2/silences?filter=%3D", r#"400 "bad matcher format: =""#);
    let answer = World::new().get("/api/v2/alerts?receiver=%5B");
    let said = "\"failed to parse receiver param: error parsing regexp: ";
    assert!(answer.status == 400 && answer.body.starts_with(said), "{}", answer.body);
}

#[test]
fn the_framework_refuses_what_is_not_there() {
    check(
        "PUT /api/v2/silences",
        r#"405 {"code":405,"message":"method PUT is not allowed, but [GET,POST] are"}"#,
    );
    check("GET /api/v2/nope", r#"404 {"code":404,"message":"path /api/v2/nope was not found"}"#);
    check("GET /api/v2/", r#"404 {"code":404,"message":"path /api/v2/ was not found"}"#);
    check("GET /api/v2/alerts/", "200 []");
    check("GET /nope", "404 404 page not found");
    check("GET /-/reload", "405 Method Not Allowed");
    let world = World::new();
    let request = Request::post("/api/v2/alerts").body("[]".into()).expect("a request");
    assert_eq!(
        print(&world.send(request)),
        r#"415 {"code":415,"message":"unsupported media type \"application/octet-stream\", only [application/json] are allowed"}"#
    );
    let request = Request::get("/api/v2/status").header("accept", "text/html");
    assert_eq!(
        print(&world.send(request.body(Body::empty()).expect("a request"))),
        r#"406 {"code":406,"message":"unsupported media type requested, only [application/json] are available"}"#
    );
    let head = Request::head("/api/v2/status").body(Body::empty()).expect("a request");
    let answer = world.send(head);
    assert_eq!((answer.status, answer.header("allow")), (405, "GET"));
}

#[test]
fn health_and_what_is_gone() {
    check("GET /-/healthy", "200 OK");
    check("HEAD /-/ready", "200 ");
    check(
        "GET /api/v1/alerts",
        r#"410 {"status":"deprecated","error":"The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.28.0 - please use the equivalent route in the v2 API"}"#,
    );
    check("GET /api/v1/nope", "404 404 page not found");
}

#[test]
fn reload_says_why_not() {
    let reload = |result: Result<(), String>| {
        let world = World::new()
            .with_state(move |state| State { reload: Arc::new(Reloads(result.clone())), ..state });
        print(&world.post("/-/reload", ""))
    };
    assert_eq!(reload(Ok(())), "200 ");
    assert_eq!(reload(Err("bad config".to_owned())), "500 failed to reload config: bad config");
}

#[test]
fn status_names_the_version_and_the_start() {
    check(
        "GET /api/v2/status",
        r#"200 {"cluster":{"peers":[],"status":"disabled"},"config":{"original":""},"uptime":"2026-01-01T00:00:00.000Z","versionInfo":{"branch":"","buildDate":"","buildUser":"","goVersion":"","revision":"","version":"0.34.0"}}"#,
    );
}

#[test]
fn pages_of_other_sites_may_read_but_not_delete() {
    let world = World::new();
    let request = Request::get("/api/v2/silences").header("origin", "http://x");
    let answer = world.send(request.body(Body::empty()).expect("a request"));
    let headers = ["access-control-allow-origin", "vary", "cache-control"];
    assert_eq!(headers.map(|name| answer.header(name)), ["*", "Origin", "no-store"]);
    let ask = |method: &str| {
        let request = Request::options("/api/v2/silences")
            .header("origin", "http://x")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "content-type");
        let answer = world.send(request.body(Body::empty()).expect("a request"));
        let headers = ["access-control-allow-methods", "access-control-allow-headers"];
        (answer.status, headers.map(|name| answer.header(name).to_owned()))
    };
    assert_eq!(ask("POST"), (204, ["POST", "content-type"].map(str::to_owned)));
    assert_eq!(ask("DELETE"), (204, [String::new(), String::new()]));
}

#[test]
fn routes_lie_below_the_prefix() {
    let world = World::new().with_state(|state| State { route_prefix: "/am".to_owned(), ..state });
    assert_eq!(print(&world.get("/am/-/healthy")), "200 OK");
    assert_eq!(world.get("/am/api/v2/alerts").body, "[]\n");
    assert_eq!(world.get("/").header("location"), "/am");
    assert_eq!(world.get("/api/v2/alerts").status, 404);
}

#[test]
fn requests_are_counted_by_handler() {
    let registry = telemetry::Registry::default();
    let shared = registry.clone();
    let world = World::new().with_state(move |state| State { registry: shared.clone(), ..state });
    world.get("/api/v2/silence/00000000-0000-4000-8000-000000000000");
    let families = registry.gather();
    let family = families
        .iter()
        .find(|family| family.name == "alertmanager_http_request_duration_seconds")
        .expect("it is registered");
    let labels: Vec<&str> = family.metrics[0].labels.iter().map(|(_, v)| v.as_str()).collect();
    assert_eq!(labels, ["404", "/api/v2/silence/{silenceID}", "get"]);
}

#[test]
fn a_time_limit_is_said_in_words() {
    struct Never;
    impl super::Reload for Never {
        fn reload(&self) -> runtime::BoxFuture<'_, Result<(), String>> {
            Box::pin(std::future::pending())
        }
    }
    let world = World::new();
    let clock = world.simulation.clock.clone();
    let world = world.with_state(move |state| {
        // The clock runs on its own as soon as somebody waits for it.
        let clock = clock.clone();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(61));
        });
        State { reload: Arc::new(Never), timeout: Some(Duration::from_secs(60)), ..state }
    });
    let _entered = world.tasks.enter();
    assert_eq!(print(&world.post("/-/reload", "")), "503 Exceeded configured timeout of 1m0s.");
}

#[test]
fn too_many_gets_at_a_time_are_refused() {
    let world = World::new().with_state(|state| State { get_concurrency: 1, ..state });
    let tasks = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
    let tasks = tasks.expect("no I/O needed");
    let router = world.router();
    let ask = |request: axum::http::request::Builder| {
        router.clone().oneshot(request.body(Body::empty()).expect("it is a URL"))
    };
    tasks.block_on(async {
        // The only thread that computes is busy, so the first request waits.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || held.recv());
        let mut first = std::pin::pin!(ask(Request::get("/api/v2/alerts")));
        let once = std::future::poll_fn(|context| Poll::Ready(first.as_mut().poll(context)));
        assert!(once.await.is_pending());
        let second = ask(Request::get("/-/healthy")).await.expect("a router always answers");
        assert_eq!(second.status().as_u16(), 503);
        let body = second.into_body().collect().await.expect("it ends well").to_bytes();
        let said = "Limit of concurrent GET requests reached (1), try again later.\n\n";
        assert_eq!(body, said);
        let head = ask(Request::head("/-/healthy")).await.expect("a router always answers");
        assert_eq!(head.status().as_u16(), 200);
        release.send(()).expect("somebody waits");
        busy.await.expect("it does not panic").expect("it is released");
        assert_eq!(first.await.expect("a router always answers").status().as_u16(), 200);
    });
}

#[test]
fn alerts_groups_and_silences_read_as_upstream_writes_them() {
    let world = World::new();
    let alert = r#"[{"labels":{"alertname":"<a&b>","empty":""},"annotations":{"x":"<y>"},"generatorURL":"http://a/?x=<","startsAt":"2025-12-31T23:00:00+02:00"}]"#;
    assert_eq!(print(&world.post("/api/v2/alerts", alert)), "200 ");
    let listed = r#"{"annotations":{"x":"\u003cy\u003e"},"endsAt":"2026-01-01T00:05:00.000Z","fingerprint":"FINGERPRINT","receivers":[{"name":"team-X"}],"startsAt":"2025-12-31T23:00:00.000+02:00","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"2026-01-01T00:00:00.000Z","generatorURL":"http://a/?x=\u003c","labels":{"alertname":"\u003ca\u0026b\u003e"}}"#;
    let got = world.get("/api/v2/alerts");
    let json = got.json();
    let fingerprint = json[0]["fingerprint"].as_str().expect("a text");
    let listed = listed.replace("FINGERPRINT", fingerprint);
    assert_eq!(got.body, format!("[{listed}]\n"));
    // Only alerts and silences are escaped for HTML, as upstream has it.
    let group = format!(
        r#"[{{"alerts":[{listed}],"labels":{{"alertname":"<a&b>"}},"receiver":{{"name":"team-X"}},"routeLabels":{{}}}}]"#
    );
    assert_eq!(world.get("/api/v2/alerts/groups").body.trim_end(), group);
    let silence = r#"{"matchers":[{"name":"a","value":"<b>","isRegex":true,"isEqual":false}],"comment":"<c>","createdBy":"x","annotations":{"k":"v"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2027-01-24T00:00:00+01:00"}"#;
    let id = world.post("/api/v2/silences", silence).json()["silenceID"].clone();
    let id = id.as_str().expect("a text").to_owned();
    let expected = format!(
        r#"{{"id":"{id}","status":{{"state":"pending"}},"updatedAt":"2026-01-01T00:00:00.000Z","annotations":{{"k":"v"}},"comment":"\u003cc\u003e","createdBy":"x","endsAt":"2027-01-23T23:00:00.000Z","matchers":[{{"isEqual":false,"isRegex":true,"name":"a","value":"\u003cb\u003e"}}],"startsAt":"2026-01-02T00:00:00.000Z"}}"#
    );
    assert_eq!(print(&world.get(&format!("/api/v2/silence/{id}"))), format!("200 {expected}"));
    assert_eq!(print(&world.get("/api/v2/silences")), format!("200 [{expected}]"));
}

/// A line for each route: its receiver, what becomes of the alert there, and why.
fn draw(route: &serde_json::Value, depth: usize, out: &mut String) {
    let text = |key: &str| route[key].as_str().unwrap_or_default();
    let indent = "  ".repeat(depth);
    let differing = route["differing"].as_array().into_iter().flatten();
    let differing: Vec<&str> = differing.filter_map(serde_json::Value::as_str).collect();
    let group = &route["groupLabels"];
    let group = if group.is_null() { String::new() } else { format!(" {group}") };
    let why =
        if differing.is_empty() { String::new() } else { format!(" {}", differing.join(" ")) };
    *out += &format!("{indent}{} {}{why}{group}\n", text("receiver"), text("outcome"));
    for child in route["routes"].as_array().into_iter().flatten() {
        draw(child, depth + 1, out);
    }
}

#[test]
fn the_routes_say_which_way_an_alert_takes() {
    let to = |receiver: &str, label: &str, continues: bool, routes: Vec<RouteConfig>| RouteConfig {
        receiver: Some(receiver.to_owned()),
        matchers: vec![Matcher::equal(label, "x")],
        continues,
        routes,
        ..RouteConfig::default()
    };
    let root = RouteConfig {
        receiver: Some("root".to_owned()),
        group_by: Some(GroupBy::Labels(["a".to_owned()].into())),
        routes: vec![
            to("one", "a", true, vec![to("deep", "b", false, Vec::new())]),
            to("two", "c", false, Vec::new()),
            to("three", "a", false, Vec::new()),
            to("four", "a", false, Vec::new()),
        ],
        ..RouteConfig::default()
    };
    let receivers = ["root", "one", "deep", "two", "three", "four"].map(|name| receiver(name, &[]));
    let world = World::with(root, receivers.into(), Mode::default());
    let check = |labels: &str, expected: &str| {
        let labels = format!("/api/vesta/v1/routes?labels={labels}").replace('"', "%22");
        let mut drawn = String::new();
        draw(&world.get(&labels.replace('{', "%7B").replace('}', "%7D")).json(), 0, &mut drawn);
        assert_eq!(drawn, expected);
    };
    check(
        r#"{"a":"x","b":"y"}"#,
        "root passes\n  one takes {\"a\":\"x\"}\n    deep differs b=\"x\"\n  \
         two differs c=\"x\"\n  three takes {\"a\":\"x\"}\n  four unasked\n",
    );
    check(
        r#"{"d":"x"}"#,
        "root takes {}\n  one differs a=\"x\"\n    deep unasked b=\"x\"\n  \
         two differs c=\"x\"\n  three differs a=\"x\"\n  four differs a=\"x\"\n",
    );
    assert_eq!(world.get("/api/vesta/v1/routes").json()["routes"][1]["receiver"], "two");
    let wrong = world.get("/api/vesta/v1/routes?labels=x");
    assert_eq!(wrong.status, 400, "{}", wrong.body);
}

#[test]
fn receivers_are_listed_with_what_they_were_told_last() {
    check(
        "GET /api/vesta/v1/receivers",
        r#"200 [{"name":"team-X","integrations":[]},{"name":"team-Y","integrations":[]}]"#,
    );
}

#[test]
fn the_page_and_all_that_it_loads_are_there() {
    let world = World::new().with_state(|state| State { route_prefix: "/am".to_owned(), ..state });
    assert_eq!(world.get("/am").header("location"), "/am/");
    let page = world.get("/am/").body;
    assert!(page.contains("alertmanager"), "{page}");
    let addresses = page.split("=\"./").skip(1).filter_map(|rest| rest.split('"').next());
    for address in addresses {
        assert_eq!(world.get(&format!("/am/{address}")).status, 200, "{address}");
    }
}
