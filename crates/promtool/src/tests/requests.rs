//! Commands that talk to a server, in a simulated world.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use conformance::Score;
use runtime::{Disk, Network as _, Simulation};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use transport::server::{Limits, serve};
use url::{Url, form_urlencoded};

use super::world::{FOLDER, Outcome, promtool};

/// A request as a server has seen it.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Vec<u8>,
}

pub(super) const SERVER: &str = "http://prometheus:9090";

/// Runs a command line while a server answers every request with `answer`; on `disk`, if any.
pub(super) async fn with_server(
    args: &[&str],
    stdin: &str,
    answer: impl Fn(&Asked) -> (u16, String) + Clone + Send + Sync + 'static,
    disk: Option<Arc<dyn Disk>>,
) -> (Outcome, Vec<Asked>) {
    with_seed(1, args, stdin, answer, disk).await
}

/// As [`with_server`], with other randomness.
pub(super) async fn with_seed(
    seed: u64,
    args: &[&str],
    stdin: &str,
    answer: impl Fn(&Asked) -> (u16, String) + Clone + Send + Sync + 'static,
    disk: Option<Arc<dyn Disk>>,
) -> (Outcome, Vec<Asked>) {
    let simulation = Simulation::new(seed);
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let notes = asked.clone();
    let router = Router::new().fallback(async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
        let path = parts.uri.to_string();
        let asked = Asked { path, headers: parts.headers, body };
        let (status, body) = answer(&asked);
        notes.lock().unwrap().push(asked);
        http::Response::builder().status(status).body(Body::from(body)).unwrap()
    });
    let listener = simulation.network.host("prometheus").listen(":9090").await.unwrap();
    let stop = CancellationToken::new();
    let clock = simulation.clock.clone();
    let server = serve(vec![listener], router, Limits::default(), clock, stop.clone());
    let ask = async {
        let mut runtime = simulation.runtime();
        runtime.disk = disk.unwrap_or(runtime.disk);
        let outcome = promtool(runtime, args, stdin).await;
        stop.cancel();
        simulation.clock.run_for(Duration::from_secs(60)).await;
        outcome
    };
    let (outcome, ()) = tokio::join!(ask, server);
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

#[tokio::test]
async fn requests_are_those_of_upstream() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/client_requests.json")) else { return };
    let mut score = Score::new("promtool/client_requests");
    for (idx, case) in table.cases.iter().enumerate() {
        let args = case["args"].as_array().unwrap().iter();
        let mut args: Vec<String> =
            args.map(|arg| arg.as_str().unwrap().replace("<server>", SERVER)).collect();
        for (name, value) in case["extra_http_headers"].as_object().into_iter().flatten() {
            args.push(format!("--header={name}={}", value.as_str().unwrap()));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let body = case["server_body"].as_str().unwrap().to_owned();
        let (outcome, asked) = with_server(&args, "", move |_| (200, body.clone()), None).await;
        let is_right = case["exit_code"] == outcome.exit_code
            && asked.first().is_some_and(|asked| is_request(case, asked));
        let outcome = if is_right { Ok(()) } else { Err(format!("{outcome:?} {asked:?}")) };
        score.add(idx.to_string(), outcome);
    }
    score.finish(&[]);
}

fn is_request(case: &Value, asked: &Asked) -> bool {
    let url = Url::parse(SERVER).unwrap().join(&asked.path).unwrap();
    let form: Vec<(String, String)> = form_urlencoded::parse(&asked.body).into_owned().collect();
    let has_form = case["form"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(name, value)| form.iter().any(|(n, v)| n == name && value == v.as_str()));
    let has_headers =
        case["request_headers"].as_object().into_iter().flatten().all(|(name, value)| {
            asked.headers.get(name).is_some_and(|it| value == it.to_str().unwrap())
        });
    let path = case["request_path"].as_str().unwrap_or(url.path());
    has_form && has_headers && url.path() == path
}

const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[
  {"metric":{"__name__":"up","job":"a"},"value":[1435781451.781,"1"]},
  {"metric":{},"value":[1435781451,"1e+30"]},
  {"metric":{"__name__":"h"},"histogram":[1435781451,{"count":"2","sum":"3","buckets":[[0,"0.5","1","2"]]}]}]}}"#;

#[tokio::test]
async fn vectors_print_as_upstream_prints_them() {
    let answer = |_: &Asked| (200, VECTOR.to_owned());
    let (found, _) = with_server(&["query", "instant", SERVER, "up"], "", answer, None).await;
    assert_eq!(
        found.stdout,
        "up{job=\"a\"} => 1 @[1435781451.781]\n\
         {} => 1000000000000000000000000000000 @[1435781451]\n\
         h => Count: 2.000000, Sum: 3.000000, Buckets: [(0.5,1]:2] @[1435781451]\n"
    );
}

#[tokio::test]
async fn errors_of_the_api_are_told() {
    let answer = |_: &Asked| {
        let body = r#"{"status":"error","errorType":"bad_data","error":"no such thing"}"#;
        (400, body.to_owned())
    };
    let (found, _) = with_server(&["query", "instant", SERVER, "up"], "", answer, None).await;
    assert_eq!(
        (found.stderr.as_str(), found.exit_code),
        ("query error: bad_data: no such thing\n", 1)
    );
    let answer = |_: &Asked| (404, "not here\n".to_owned());
    let (found, _) = with_server(&["query", "labels", SERVER, "job"], "", answer, None).await;
    let expected = "query error: client_error: client error: 404 (detail: not here)\n";
    assert_eq!((found.stderr.as_str(), found.exit_code), (expected, 1));
}
