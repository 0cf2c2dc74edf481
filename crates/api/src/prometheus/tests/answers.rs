//! Whole answers, header by header.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::{ask, fakes, get, send, state};
use crate::prometheus::{
    State,
    engine::{self, QueryError},
    lifecycle::{Phase, Readiness},
    status::Notification,
};

/// Asks for `url` and compares the status and the body.
fn check(state: State, request: &str, expected: &str) {
    let (method, url) = request.split_once(' ').expect("a method and a URL");
    let request = Request::builder().method(method).uri(url).body(Body::empty());
    let answer = send(state, request.expect("it is a URL"));
    assert_eq!(format!("{} {}", answer.status.as_u16(), answer.body.trim_end()), expected);
}

fn with_phase(phase: Phase) -> State {
    let readiness = Readiness::default();
    readiness.set(phase);
    State { readiness, ..state() }
}

fn with_lifecycle(reload: Result<(), String>) -> State {
    State { lifecycle: Some(Arc::new(fakes::Lifecycle(reload))), ..state() }
}

#[test]
fn health_does_not_wait_for_readiness() {
    check(with_phase(Phase::Starting), "GET /-/healthy", "200 Prometheus Server is Healthy.");
    check(with_phase(Phase::Starting), "GET /-/ready", "503 Service Unavailable");
    check(with_phase(Phase::Ready), "GET /-/ready", "200 Prometheus Server is Ready.");
    check(with_phase(Phase::Starting), "GET /api/v1/labels", "503 Service Unavailable");
    let answer = get(with_phase(Phase::Stopping), "/-/ready");
    assert_eq!(answer.header("x-prometheus-stopping"), "true");
    let replay = r#"200 {"status":"success","data":{"min":1,"max":4,"current":3}}"#;
    check(with_phase(Phase::Starting), "GET /api/v1/status/walreplay", replay);
}

fn in_cluster(is_mine: bool) -> State {
    State { cluster: Some(Arc::new(fakes::Cluster { is_mine })), ..with_lifecycle(Ok(())) }
}

#[test]
fn one_member_says_that_it_writes() {
    check(state(), "GET /-/leader", "200 This server stands alone.");
    check(in_cluster(true), "GET /-/leader", "200 a writes, epoch 7.");
    check(in_cluster(false), "GET /-/leader", "503 b writes, epoch 7.");
    check(with_phase(Phase::Starting), "GET /-/leader", "503 Service Unavailable");
}

#[test]
fn the_lease_is_released_on_demand() {
    check(in_cluster(true), "POST /-/lease/release", "200 Released.");
    check(in_cluster(false), "POST /-/lease/release", "500 b writes");
    check(with_lifecycle(Ok(())), "POST /-/lease/release", "409 This server stands alone.");
    check(state(), "POST /-/lease/release", "403 Lifecycle API is not enabled.");
    check(state(), "GET /-/lease/release", "405 Only POST or PUT requests allowed");
}

#[test]
fn the_cluster_is_shown() {
    let answer = get(state(), "/api/v1/status/cluster");
    assert_eq!(answer.body, r#"{"status":"success","data":{"enabled":false}}"#);
    let answer = get(in_cluster(true), "/api/v1/status/cluster").json();
    let data = &answer["data"];
    assert_eq!(
        data["lease"].to_string(),
        r#"{"backend":"gossip","epoch":7,"expiresInSeconds":1.5,"holder":"a","isMine":true}"#
    );
    assert_eq!(data["holes"].to_string(), r#"[{"end":2.5,"start":1}]"#);
    assert_eq!(data["members"][1]["name"], "b");
    assert_eq!(data["targets"].to_string(), r#"[{"asks":3,"holds":5,"member":"a"}]"#);
    assert_eq!(
        data["repair"]["mended"].to_string(),
        r#"[{"end":2.5,"finished":4,"member":"b","samples":9,"start":1}]"#
    );
}

#[test]
fn orders_are_taken_only_if_enabled() {
    check(state(), "POST /-/reload", "403 Lifecycle API is not enabled.");
    check(state(), "GET /-/reload", "405 Only POST or PUT requests allowed");
    check(with_lifecycle(Ok(())), "PUT /-/reload", "200 ");
    let broken = Err("line 3".to_owned());
    check(with_lifecycle(broken), "POST /-/reload", "500 failed to reload config: line 3");
    check(with_lifecycle(Ok(())), "POST /-/quit", "200 Requesting termination... Goodbye!");
}

#[test]
fn the_root_leads_to_the_pages() {
    for (path, expected) in
        [("/", "/x/query"), ("/graph?g0.expr=up&g0.tab=1", "/x/query?g0.expr=up&g0.tab=1")]
    {
        let answer = get(State { external_path: "/x/".to_owned(), ..state() }, path);
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, expected));
    }
}

#[test]
fn routes_lie_below_the_prefix() {
    let prefixed = || State { route_prefix: "/x".to_owned(), ..state() };
    check(prefixed(), "GET /x/-/healthy", "200 Prometheus Server is Healthy.");
    check(prefixed(), "GET /-/healthy", "404 404 page not found");
    assert_eq!(get(prefixed(), "/").header("location"), "/x");
    assert_eq!(get(prefixed(), "/x/").header("location"), "/query");
    let expected = r#"200 {"status":"success","data":{}}"#;
    check(prefixed(), "GET /x/api/v1/status/flags", expected);
}

#[test]
fn what_is_not_there_is_said_as_upstream_does() {
    check(state(), "GET /api/v1/nothing", "404 404 page not found");
    check(state(), "DELETE /api/v1/query", "405 Method Not Allowed");
    check(state(), "HEAD /api/v1/query", "405 ");
    check(state(), "OPTIONS /metrics", "200 ");
    for (path, expected) in [
        ("//api/v1/labels?limit=1", "/api/v1/labels?limit=1"),
        ("/api/v1/x/.././labels/", "/api/v1/labels/"),
        // Upstream's own routes of the API do not know what they are below.
        ("/api/v1/labels/?limit=1", "/labels?limit=1"),
        ("/federate/", "/federate"),
    ] {
        let answer = get(state(), path);
        assert_eq!((answer.status.as_u16(), answer.header("location")), (301, expected));
    }
    check(state(), "HEAD /-/healthy", "200 ");
    assert_eq!(get(state(), "/api/v1").header("location"), "/api/v1/");
    check(state(), "GET /api/v1/", "404 404 page not found");
    assert_eq!(get(state(), "/api/v1/label//values").header("location"), "/api/v1/label/values");
    let dropped = r#"500 {"status":"error","errorType":"internal","error":"not implemented"}"#;
    check(state(), "DELETE /api/v1/series?match[]=up", dropped);
}

#[test]
fn broken_forms_are_refused_or_left_out() {
    let refused = |reason: &str| {
        let text = format!("error parsing form values: {reason}").replace('"', "\\\"");
        format!(r#"400 {{"status":"error","errorType":"bad_data","error":"{text}"}}"#)
    };
    let path = "GET /api/v1/series?match[]=up";
    check(state(), &format!("{path}&a=%zz"), &refused("invalid URL escape \"%zz\""));
    check(state(), &format!("{path}&a=%z"), &refused("invalid URL escape \"%z\""));
    check(state(), &format!("{path};a"), &refused("invalid semicolon separator in query"));
    let empty = r#"200 {"status":"success","data":[]}"#;
    check(state(), "GET /api/v1/labels?start=%zz&limit=1", empty);
}

#[test]
fn other_sites_may_ask_if_the_pattern_lets_them() {
    let ask = |pattern: &str, method: &str, origin: &str| {
        let cors = super::Origins::new(pattern).expect("it is a pattern");
        let request = Request::builder().method(method).uri("/api/v1/status/flags");
        let request = request.header("origin", origin).body(Body::empty()).expect("a request");
        let answer = send(State { cors, ..state() }, request);
        let allowed = answer.header("access-control-allow-origin").to_owned();
        (answer.status.as_u16(), allowed, answer.header("vary").contains("Origin"))
    };
    assert_eq!(ask(".*", "GET", "http://a.b"), (200, "*".to_owned(), true));
    assert_eq!(ask("http://a\\.b", "GET", "http://a.b"), (200, "http://a.b".to_owned(), true));
    assert_eq!(ask("http://a\\.b", "GET", "http://c.d"), (200, String::new(), true));
    assert_eq!(ask(".*", "OPTIONS", "http://a.b"), (204, "*".to_owned(), true));
    assert_eq!(ask(".*", "GET", ""), (200, String::new(), true));
}

#[test]
fn long_answers_are_compressed_if_the_client_can() {
    let request = Request::get("/api/v1/status/runtimeinfo").header("accept-encoding", "gzip");
    let answer = send(state(), request.body(Body::empty()).expect("a request"));
    assert_eq!(answer.header("content-encoding"), "gzip");
}

#[test]
fn a_failing_query_says_how_it_failed() {
    let with = |error: QueryError| {
        let engine = fakes::Engine { answer: Err(error), ..fakes::Engine::default() };
        State { engine: Arc::new(engine), ..state() }
    };
    check(
        with(QueryError::Parse("1:1: parse error: unexpected <op:->".to_owned())),
        "GET /api/v1/query?query=-",
        "400 {\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \
        \\\"query\\\": 1:1: parse error: unexpected \\u003cop:-\\u003e\"}",
    );
    check(
        with(QueryError::Timeout("query timed out in expression evaluation".to_owned())),
        "GET /api/v1/query?query=up",
        r#"503 {"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#,
    );
}

#[test]
fn a_panicking_query_ends_alone() {
    struct Panics;
    impl engine::Engine for Panics {
        fn run(&self, _: &engine::Query) -> Result<engine::Answer, QueryError> {
            panic!("a bug")
        }
    }
    let answer = get(State { engine: Arc::new(Panics), ..state() }, "/api/v1/query?query=up");
    assert_eq!(answer.status.as_u16(), 500);
    assert!(answer.body.contains("unexpected error"), "{}", answer.body);
}

#[test]
fn complaints_are_counted_beyond_ten() {
    let complaints = crate::prometheus::Complaints {
        warnings: (0..13).map(|n| format!("w{}", n % 12)).collect(),
        infos: vec!["i".to_owned()],
    };
    let answer = Ok(engine::Answer { complaints, ..engine::Answer::default() });
    let engine = fakes::Engine { answer, ..fakes::Engine::default() };
    check(
        State { engine: Arc::new(engine), ..state() },
        "GET /api/v1/query?query=up",
        r#"200 {"status":"success","data":{"resultType":"vector","result":[]},"warnings":["w0","w1","w2","w3","w4","w5","w6","w7","w8","w9","2 more warning annotations omitted"],"infos":["i"]}"#,
    );
}

#[test]
fn wrong_parameters_are_named() {
    let check = |url: &str, expected: &str| {
        let answer = get(state(), url);
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (400, Some(expected))
        );
    };
    check(
        "/api/v1/query?query=1&time=x",
        "invalid parameter \"time\": Invalid time value for 'time': \
        cannot parse \"x\" to a valid timestamp",
    );
    check(
        "/api/v1/query_range?query=1&start=&end=1&step=1",
        "invalid parameter \"start\": cannot parse \"\" to a valid timestamp",
    );
    check(
        "/api/v1/query_range?query=1&start=0&end=11001&step=1",
        "exceeded maximum resolution of 11,000 points per timeseries. \
        Try decreasing the query resolution (?step=XX)",
    );
    check(
        "/api/v1/query?query=1&limit=x",
        "invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax",
    );
    check(
        "/api/v1/query?query=1&limit=-1",
        "invalid parameter \"limit\": limit must be non-negative",
    );
    check(
        "/api/v1/query?query=1&time=1__0",
        "invalid parameter \"time\": Invalid time value for 'time': cannot parse \"1__0\" to a valid timestamp",
    );
    assert_eq!(get(state(), "/api/v1/query?query=1&time=1_0").status.as_u16(), 200);
    check("/api/v1/series", "no match[] parameter provided");
    check("/api/v1/rules?type=x", "invalid parameter \"type\": not supported value \"x\"");
}

#[test]
fn forms_come_before_the_url() {
    let engine = fakes::Engine::default();
    let asked = engine.asked.clone();
    let state = State { engine: Arc::new(engine), ..state() };
    let query = [("query".to_owned(), "from form".to_owned())];
    let answer = ask(state, &Method::POST, "/api/v1/query?query=from+url", &query);
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(asked.lock()[0].text, "from form");
}

#[test]
fn own_metrics_do_not_wait_for_readiness() {
    let registry = telemetry::Registry::default();
    registry.gauge("up_and_running", "Says so.").set(1.0);
    let answer = get(State { registry, ..with_phase(Phase::Starting) }, "/metrics");
    let content_type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
    assert_eq!(answer.header("content-type"), content_type);
    assert!(answer.body.contains("# TYPE up_and_running gauge\nup_and_running 1\n"));
}

#[test]
fn requests_are_counted_by_route() {
    let registry = telemetry::Registry::default();
    let with = || State { registry: registry.clone(), route_prefix: "/x".to_owned(), ..state() };
    get(with(), "/x/api/v1/label/job/values");
    let families = registry.gather();
    let family = families.iter().find(|family| family.name == "prometheus_http_requests_total");
    let metric = &family.expect("it is registered").metrics[0];
    let labels: Vec<&str> = metric.labels.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(labels, ["200", "/api/v1/label/:name/values"]);
}

#[test]
fn what_the_pages_ask_for_is_there() {
    let data = |json: &str| format!(r#"200 {{"status":"success","data":{json}}}"#);
    check(state(), "GET /api/v1/notifications", &data("[]"));
    check(state(), "GET /api/v1/status/tsdb/blocks", &data(r#"{"blocks":[]}"#));
    check(state(), "GET /api/v1/scrape_pools", &data(r#"{"scrapePools":[]}"#));
    check(
        state(),
        "GET /api/v1/alertmanagers",
        &data(r#"{"activeAlertmanagers":[],"droppedAlertmanagers":[]}"#),
    );
    let version = r#"200 {"version":"3.14.0","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":""}"#;
    check(state(), "GET /version", version);
}

#[test]
fn receivers_that_are_off_say_how_to_open_them() {
    check(
        state(),
        "POST /api/v1/write",
        "404 remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
    );
    check(
        state(),
        "POST /api/v1/otlp/v1/metrics",
        "404 otlp write receiver needs to be enabled with --web.enable-otlp-receiver",
    );
}

#[test]
fn pages_and_all_that_they_load_are_there() {
    for prefix in ["", "/x"] {
        let state = || State { route_prefix: format!("{prefix}/"), ..state() };
        for page in super::super::pages::PAGES {
            let answer = get(state(), &format!("{prefix}{page}"));
            assert_eq!(answer.status.as_u16(), 200, "{page}");
            assert_eq!(answer.header("content-security-policy"), ui::CONTENT_SECURITY_POLICY);
            assert_eq!(answer.header("cache-control"), "no-cache");
            let addresses = answer.body.split("=\"./").skip(1);
            let addresses: Vec<_> = addresses.filter_map(|rest| rest.split('"').next()).collect();
            assert!(addresses.len() >= 3, "{addresses:?}");
            for address in addresses {
                let answer = get(state(), &format!("{prefix}/{address}"));
                assert_eq!(answer.status.as_u16(), 200, "{address}");
            }
        }
    }
    check(state(), "GET /assets/nothing.js", "404 404 page not found");
}

#[test]
fn assets_are_asked_for_once() {
    let path = ui::paths().find(|path| path.ends_with(".js")).expect("there is a script");
    let answer = get(state(), &path);
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    let ask = |name, value: &str| {
        send(state(), Request::get(&path).header(name, value).body(Body::empty()).expect("fine"))
    };
    let known = ask(header::IF_NONE_MATCH, answer.header("etag"));
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
    let packed = ask(header::ACCEPT_ENCODING, "br, gzip;q=0.8");
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() * 2 < answer.bytes.len());
    assert_eq!(ask(header::ACCEPT_ENCODING, "gzip;q=0").bytes, answer.bytes);
}

#[test]
fn notifications_come_and_go_as_events() {
    let simulation = runtime::Simulation::new(1);
    let status = fakes::Status::default();
    let notifications = status.notifications.clone();
    let failed = Notification {
        text: "Configuration reload has failed.".to_owned(),
        since: Duration::from_secs(1),
    };
    notifications.lock().push(failed);
    let readiness = Readiness::default();
    readiness.set(Phase::Ready);
    let router = super::router(State {
        status: Arc::new(status),
        runtime: simulation.runtime(),
        readiness: readiness.clone(),
        ..state()
    });
    let tasks = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
    tasks.block_on(async {
        let ask = || Request::get("/api/v1/notifications/live").body(Body::empty());
        let answer = router.clone().oneshot(ask().expect("a request")).await;
        let mut body = answer.expect("a router always answers").into_body();
        let event = |is_active: bool| {
            let text = "Configuration reload has failed.";
            let date = "1970-01-01T00:00:01Z";
            format!("data: {{\"text\":\"{text}\",\"date\":\"{date}\",\"active\":{is_active}}}\n\n")
        };
        let frame = body.frame().await.expect("an event").expect("it is whole");
        assert_eq!(frame.into_data().expect("it is data"), event(true));
        notifications.lock().clear();
        let frame = body.frame().await.expect("an event").expect("it is whole");
        assert_eq!(frame.into_data().expect("it is data"), event(false));
        readiness.set(Phase::Stopping);
        assert!(body.frame().await.is_none(), "the server does not wait for its pages");
    });
}
