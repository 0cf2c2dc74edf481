//! Writing over HTTP: what the receiver says becomes status, text and headers.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use remote::{Message, Receiver, ReceiverOptions};
use storage::MemoryStorage;

use super::{send, state};
use crate::prometheus::State;

/// A snappy block with one series `{__name__="up"}` of one sample.
const VERSION1: &[u8] = b"\x1f\x78\x0a\x1d\x0a\x0e\x0a\x08__name__\x12\x02up\x12\x0b\x09\
    \0\0\0\0\0\0\xf0\x3f\x10\x0a";

/// The same, with a second series that has no labels.
const VERSION2: &[u8] =
    b"\x32\xc4\x22\x00\x22\x08__name__\x22\x02up\x2a\x11\x0a\x02\x01\x02\x12\x0b\
    \x09\0\0\0\0\0\0\xf0\x3f\x10\x0a\x2a\x0d\x12\x0b\x09\0\0\0\0\0\0\xf0\x3f\x10\x0a";

fn check(content_type: &str, body: &'static [u8], expected: &str) {
    let state = state();
    let options = ReceiverOptions {
        accepted: Message::ALL.to_vec(),
        type_and_unit_labels: false,
        metadata: false,
    };
    let storage = Arc::new(MemoryStorage::default());
    let receiver = Receiver::new(storage, options, &state.runtime, &state.registry);
    let state = State { remote_write: Some(Arc::new(receiver)), ..state };
    let request = Request::post("/api/v1/write").header("content-type", content_type);
    let answer = send(state, request.body(Body::from(body)).expect("a request"));
    let mut said = format!("{} {}", answer.status.as_u16(), answer.body.trim());
    for what in ["samples", "histograms", "exemplars"] {
        if let Some(count) = answer.headers.get(format!("x-prometheus-remote-write-{what}-written"))
        {
            said.push_str(&format!(" {what}={}", count.to_str().expect("a number")));
        }
    }
    assert_eq!(said.trim(), expected);
}

#[test]
fn requests_are_answered_as_their_version_wants() {
    let version2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
    check("application/x-protobuf", VERSION1, "204");
    let text = "400 invalid metric name or labels, got {} samples=1 histograms=0 exemplars=0";
    check(version2, VERSION2, text);
    check(
        "application/x-protobuf",
        b"\xff\xff\xff\xff\x0f",
        "400 snappy: decoded block is too large",
    );
    let text = "415 expected application/x-protobuf as the first (media) part, got text/plain content-type";
    check("text/plain", VERSION1, text);
}
