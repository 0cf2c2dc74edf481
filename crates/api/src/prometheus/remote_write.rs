//! `/api/v1/write`: samples from other systems.

use std::sync::Arc;

use axum::{
    body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use remote::{Outcome, Written};

use super::{Api, disabled};
use crate::page::plain;

pub(super) async fn write(State(api): State<Arc<Api>>, request: Request) -> Response {
    let Some(receiver) = api.remote_write.clone() else { return disabled::write() };
    let headers = request.headers();
    let (content_type, encoding) =
        (text(headers, header::CONTENT_TYPE), text(headers, header::CONTENT_ENCODING));
    let message = match receiver.message(content_type, encoding) {
        Ok(message) => message,
        Err(unsupported) => {
            return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{unsupported}\n"));
        }
    };
    let Ok(body) = body::to_bytes(request.into_body(), remote::BODY_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "http: request body too large\n");
    };
    // A request of thousands of samples computes for longer than an async thread may be held.
    let writing = tokio::task::spawn_blocking(move || receiver.write(message, &body));
    match writing.await {
        Ok(outcome) => respond(outcome),
        // A panic ends this request only.
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn respond(outcome: Outcome) -> Response {
    let status = StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match status.is_success() {
        true => status.into_response(),
        false => plain(status, format!("{}\n", outcome.text)),
    };
    if let Some(Written { samples, histograms, exemplars }) = outcome.written {
        for (name, count) in [
            ("x-prometheus-remote-write-samples-written", samples),
            ("x-prometheus-remote-write-histograms-written", histograms),
            ("x-prometheus-remote-write-exemplars-written", exemplars),
        ] {
            response.headers_mut().insert(name, count.into());
        }
    }
    response
}

/// The value of a header, `""` without it; one that is no text is one that nobody knows.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"))
}
