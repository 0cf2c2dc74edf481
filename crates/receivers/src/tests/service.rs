//! A service in a simulated world that notes what it is asked.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, extract::Request};
use http::StatusCode;
use runtime::{Network as _, Simulation};
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

/// What the service answers: the table's `server_answer`, or 200 without a body.
pub(super) fn answer(case: &Value) -> http::Response<Body> {
    let answer = &case["server_answer"];
    let status = answer["status"].as_u64().unwrap_or(200) as u16;
    let mut response =
        http::Response::new(Body::from(answer["body"].as_str().unwrap_or("").to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some(kind) = answer["content_type"].as_str() {
        response.headers_mut().insert("content-type", kind.parse().unwrap());
    }
    response
}

/// Runs `ask` beside a service at `http://service/` that answers by `answer`; what it was asked
/// comes back too. When nothing else happens the clock moves on.
pub(super) async fn with_service<T>(
    simulation: &Simulation,
    answer: impl Fn(&Asked) -> http::Response<Body> + Clone + Send + Sync + 'static,
    ask: impl Future<Output = T>,
) -> (T, Vec<Asked>) {
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let notes = asked.clone();
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
        response
    });
    let stop = CancellationToken::new();
    let listener = simulation.network.host("service").listen(":80").await.unwrap();
    let clock = simulation.clock.clone();
    let server = serve(vec![listener], router, Limits::default(), clock, stop.clone());
    let ask = async {
        let outcome = ask.await;
        stop.cancel();
        simulation.clock.run_for(std::time::Duration::from_secs(60)).await;
        outcome
    };
    let (outcome, ()) = tokio::join!(ask, async {
        server.await;
    });
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}
