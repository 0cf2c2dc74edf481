//! `/api/v1/otlp/v1/metrics`: metrics that other systems push.

use std::sync::Arc;

use axum::{
    body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{Api, disabled, remote_write::text};
use crate::page::plain;

pub(super) async fn write(State(api): State<Arc<Api>>, request: Request) -> Response {
    let Some(receiver) = api.otlp.clone() else { return disabled::otlp() };
    let headers = request.headers();
    let content_type = text(headers, header::CONTENT_TYPE).to_owned();
    let encoding = text(headers, header::CONTENT_ENCODING).to_owned();
    let Ok(body) = body::to_bytes(request.into_body(), remote::BODY_BYTES_MAX).await else {
        return plain(StatusCode::BAD_REQUEST, "http: request body too large\n");
    };
    // A request of thousands of samples computes for longer than an async thread may be held.
    let write = move || receiver.write(&content_type, &encoding, &body);
    match tokio::task::spawn_blocking(write).await {
        Ok(outcome) if outcome.status == 200 => StatusCode::OK.into_response(),
        Ok(outcome) => {
            let status = StatusCode::from_u16(outcome.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain(status, format!("{}\n", outcome.text))
        }
        // A panic ends this request only.
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}
