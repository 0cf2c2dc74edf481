//! `/api/v1/read`: samples for other systems.

use std::sync::Arc;

use axum::{
    body::{self, Body},
    extract::{Request, State},
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream;
use remote::read::{Answer, Place, ReadError, Stream};
use tokio::sync::mpsc;
use tracing::warn;

use super::Api;
use crate::page::plain;

const STREAMED: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

/// So many frames are made ahead of who reads them.
const FRAMES_AHEAD: usize = 4;

pub(super) async fn read(State(api): State<Arc<Api>>, request: Request) -> Response {
    let Some(server) = api.remote_read.clone() else {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    };
    let Ok(body) = body::to_bytes(request.into_body(), remote::BODY_BYTES_MAX).await else {
        return plain(StatusCode::BAD_REQUEST, "http: request body too large\n");
    };
    let place = server.enter().await;
    let answer = tokio::task::spawn_blocking(move || server.read(&body)).await;
    match answer {
        Ok(Ok(Answer::Samples(block))) => {
            let headers = [(CONTENT_TYPE, "application/x-protobuf"), (CONTENT_ENCODING, "snappy")];
            (headers, block).into_response()
        }
        Ok(Ok(Answer::Stream(answer))) => {
            ([(CONTENT_TYPE, STREAMED)], streamed(answer, place)).into_response()
        }
        Ok(Err(error)) => {
            let status = match error {
                ReadError::BadRequest(_) => StatusCode::BAD_REQUEST,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            plain(status, format!("{error}\n"))
        }
        // A panic ends this request only.
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

/// A body of frames, which are made as fast as they are read.
fn streamed(answer: Stream, place: Place) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, ReadError>>(FRAMES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut send = |frame: Vec<u8>| sender.blocking_send(Ok(frame.into())).is_ok();
        if let Err(error) = answer.run(&mut send) {
            warn!(err = %error, "remote read ended early");
            // Nobody has to read it any more.
            sender.blocking_send(Err(error)).unwrap_or_default();
        }
    });
    Body::from_stream(stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    }))
}
