//! A service in a simulated world that notes what it is asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use http::StatusCode;
use runtime::{Clock as _, Network as _, Simulation};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use transport::server::{Limits, serve};

/// A request as the tables look at it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn host(&self) -> &str {
        self.headers["host"].to_str().unwrap()
    }
}

/// How long an answer takes.
#[derive(Clone, Copy)]
struct Delay(Duration);

/// What the service answers: the table's `server_answer`, or 200 without a body.
pub(super) fn answer(case: &Value) -> http::Response<Body> {
    let answer = &case["server_answer"];
    let status = answer["status"].as_u64().unwrap_or(200) as u16;
    let mut response =
        http::Response::new(Body::from(answer["body"].as_str().unwrap_or("").to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some(millis) = answer["after_ms"].as_u64() {
        response.extensions_mut().insert(Delay(Duration::from_millis(millis)));
    }
    if let Some(kind) = answer["content_type"].as_str() {
        response.headers_mut().insert("content-type", kind.parse().unwrap());
    }
    response
}

/// Runs `ask` beside a service at `http://service/` that answers by `answer`; what it was asked
/// comes back too. With `time_passes`, the clock moves on while it waits.
pub(super) async fn with_service<T>(
    simulation: &Simulation,
    answer: impl Fn(&Asked) -> http::Response<Body> + Clone + Send + Sync + 'static,
    ask: impl Future<Output = T>,
    time_passes: bool,
) -> (T, Vec<Asked>) {
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let notes = asked.clone();
    let sleeper = simulation.clock.clone();
    let router = Router::new().fallback(async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        let asked = Asked {
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        let response = answer(&asked);
        notes.lock().unwrap().push(asked);
        if let Some(Delay(delay)) = response.extensions().get() {
            sleeper.sleep(*delay).await;
        }
        response
    });
    let stop = CancellationToken::new();
    let mut listeners = Vec::new();
    for host in ["service", "opsgenie", "test-opsgenie-url", "nowhere.com"] {
        listeners.push(simulation.network.host(host).listen(":80").await.unwrap());
    }
    let clock = simulation.clock.clone();
    let server = serve(listeners, router, Limits::default(), clock, stop.clone());
    let ask = async {
        let (outcome, ()) = tokio::join!(ask, async {
            if time_passes {
                simulation.clock.run_for(Duration::from_secs(60)).await;
            }
        });
        stop.cancel();
        simulation.clock.run_for(Duration::from_secs(60)).await;
        outcome
    };
    let (outcome, ()) = tokio::join!(ask, async {
        server.await;
    });
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}
