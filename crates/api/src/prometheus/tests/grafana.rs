//! What Grafana's data source asks, as it asks it.

use std::{path::Path, sync::Arc};

use axum::{
    body::Body,
    http::{Request, header},
};
use runtime::Simulation;
use storage::Queryable;

use super::{Answer, fakes, get, load::load, promql_engine::PromQl, send, state};
use crate::prometheus::State;

fn server() -> State {
    let simulation = Simulation::new(1);
    let runtime = simulation.runtime();
    let database = tsdb::Database::open(&runtime, Path::new("data"), tsdb::Options::default());
    let database = database.expect("it opens");
    load(
        &database,
        "load 1m\n up{job=\"a\",instance=\"x\"} 1+0x60\n up{job=\"b\",instance=\"y\"} 0+0x60",
    );
    let storage: Arc<dyn Queryable> = Arc::new(database);
    let engine = PromQl::new(storage.clone(), runtime.clock.clone());
    let engine = fakes::Engine { real: Some(engine), ..fakes::Engine::default() };
    State { engine: Arc::new(engine), storage, runtime, ..state() }
}

fn post(path: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT_ENCODING, "identity")
        .body(Body::from(form.to_owned()));
    send(server(), request.expect("it is a URL"))
}

fn check(answer: &Answer, expected: &str) {
    assert_eq!(format!("{} {}", answer.status.as_u16(), answer.body), expected);
    assert_eq!(answer.header("content-type"), "application/json");
}

#[test]
fn the_connection_is_tested_with_a_sum() {
    check(
        &post("/api/v1/query", "query=1%2B1&time=4"),
        r#"200 {"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#,
    );
    check(
        &post("/api/v1/query", "query=1e-7&time=4"),
        r#"200 {"status":"success","data":{"resultType":"scalar","result":[4,"0.0000001"]}}"#,
    );
    let version = get(server(), "/api/v1/status/buildinfo");
    assert_eq!(version.json()["data"]["version"], "3.14.0");
}

#[test]
fn panels_post_forms_with_floating_times() {
    check(
        &post(
            "/api/v1/query_range",
            "query=sum+by+%28job%29+%28up%29&start=120.000&end=180.5&step=60",
        ),
        r#"200 {"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a"},"values":[[120,"1"],[180,"1"]]},{"metric":{"job":"b"},"values":[[120,"0"],[180,"0"]]}]}}"#,
    );
    check(
        &post("/api/v1/query", "query=up%7Bjob%3D%22a%22%7D&time=120.25"),
        r#"200 {"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"x","job":"a"},"value":[120.250,"1"]}]}}"#,
    );
}

#[test]
fn variables_ask_for_labels_of_a_selector() {
    let names = r#"200 {"status":"success","data":["__name__","instance","job"]}"#;
    check(&post("/api/v1/labels", "start=0&end=3600&match%5B%5D=up"), names);
    check(&get(server(), "/api/v1/labels?match%5B%5D=up&start=0&end=3600"), names);
    check(
        &get(server(), "/api/v1/label/job/values?match%5B%5D=up%7Binstance%3D%22y%22%7D&start=0"),
        r#"200 {"status":"success","data":["b"]}"#,
    );
    check(
        &post("/api/v1/series", "match%5B%5D=up%7Bjob%3D%22a%22%7D&start=0&end=3600&limit=40000"),
        r#"200 {"status":"success","data":[{"__name__":"up","instance":"x","job":"a"}]}"#,
    );
}

#[test]
fn explore_asks_for_metadata_rules_and_exemplars() {
    check(&get(server(), "/api/v1/metadata?limit=100"), r#"200 {"status":"success","data":{}}"#);
    check(&get(server(), "/api/v1/rules"), r#"200 {"status":"success","data":{"groups":[]}}"#);
    check(&get(server(), "/api/v1/alerts"), r#"200 {"status":"success","data":{"alerts":[]}}"#);
    check(
        &post("/api/v1/query_exemplars", "query=up&start=0&end=3600"),
        r#"200 {"status":"success","data":[]}"#,
    );
}
