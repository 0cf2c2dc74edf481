//! Reading over HTTP: what the server says becomes status, headers and a body.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use model::Labels;
use remote::read::{Options, Server};
use storage::{Columns, MemoryStorage};

use super::{send, state};
use crate::prometheus::State;

/// A snappy block: from 0 to 100, `{__name__="up"}`.
const SAMPLED: &[u8] = b"\x14\x4c\x0a\x12\x10\x64\x1a\x0e\x12\x08__name__\x1a\x02up";
/// The same, for chunks.
const STREAMED: &[u8] = b"\x17\x58\x0a\x12\x10\x64\x1a\x0e\x12\x08__name__\x1a\x02up\x12\x01\x01";
/// For something that nobody knows.
const UNKNOWN: &[u8] = b"\x03\x08\x12\x01\x14";

fn check(body: &'static [u8], samples_max: usize, expected: &str) {
    let state = state();
    let storage = MemoryStorage::default();
    let mut columns = Columns::default();
    [10, 20].iter().for_each(|time| columns.push(*time, 1.0));
    storage.insert(Labels::from_pairs([("__name__", "up")]), columns);
    let options = Options { samples_max, concurrency_max: 1, frame_bytes_max: 1 << 20 };
    let external = Arc::new(|| Labels::from_pairs([("dc", "one")]));
    let server = Server::new(Arc::new(storage), options, external, &state.registry);
    let state = State { remote_read: Some(Arc::new(server)), ..state };
    let request = Request::post("/api/v1/read").body(Body::from(body)).expect("a request");
    let answer = send(state, request);
    let text = match answer.status.is_success() {
        true => format!("{} bytes", answer.bytes.len()),
        false => answer.body.trim().to_owned(),
    };
    let (kind, encoding) = (answer.header("content-type"), answer.header("content-encoding"));
    assert_eq!(format!("{} {kind};{encoding}: {text}", answer.status.as_u16()), expected);
}

#[test]
fn requests_are_answered_as_they_ask() {
    check(SAMPLED, 0, "200 application/x-protobuf;snappy: 59 bytes");
    let kind = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
    check(STREAMED, 0, &format!("200 {kind};: 57 bytes"));
}

#[test]
fn refusals_say_why() {
    let plain = "text/plain; charset=utf-8;";
    check(SAMPLED, 1, &format!("400 {plain}: exceeded sample limit (1)"));
    check(b"\x05", 0, &format!("400 {plain}: snappy: corrupt input"));
    let text = "server does not support any of the requested response types: [20]; supported: \
                map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]";
    check(UNKNOWN, 0, &format!("400 {plain}: {text}"));
}
