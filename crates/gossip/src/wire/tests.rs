//! Upstream's bytes: fixed vectors, and all that a real cluster sent in its life.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use conformance::{Score, cases};
use proptest::prelude::*;
use serde_json::Value;
use stdx::cursor::Cursor;

use super::{
    compression,
    frame::{Frame, LENGTH_BYTES, frame_len},
    kind,
    message::{Ack, Alive, Condition, Message, NodeState, Ping, Source},
    packet,
    stream::{Decoder, Exchange, PushPull},
};
use crate::{Error, membership::VERSIONS};

const FOLDER: &str = "alertmanager/cluster";

fn base64(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("a text")).expect("base64")
}

/// Reads a packet and writes it again: the same bytes.
fn round_trip(packet: &[u8], label: &str) -> Result<(), String> {
    let mut messages = Vec::new();
    packet::read(label, packet, |message| messages.push(message.to_bytes()))
        .map_err(|error| error.to_string())?;
    let (_, inner) = packet::split_label(packet).map_err(|error| error.to_string())?;
    let has_checksum = inner.first() == Some(&kind::CHECKSUM);
    let body = match messages.len() {
        1 => messages.remove(0),
        _ => packet::join(&messages),
    };
    let again = packet::wrap(label, body, has_checksum);
    if again == packet { Ok(()) } else { Err(format!("{again:02x?} for {packet:02x?}")) }
}

/// Reads a stream in small bites and writes it again: the same plain bytes, but for the numbers
/// that the old library wrote as unsigned ones.
fn stream_round_trip(bytes: &[u8], label: &str) -> Result<Exchange, String> {
    let exchange = bite(bytes, label, 7)?;
    let plain = match bytes.first() {
        Some(&kind::COMPRESSED) => {
            compression::unwrap(&mut Cursor::new(&bytes[1..]), compression::PLAIN_BYTES_MAX)
                .map_err(|error| error.to_string())?
        }
        _ => packet::split_label(bytes).map_err(|error| error.to_string())?.1.to_vec(),
    };
    let again = exchange.to_plain();
    let is_old = |bytes: &[u8]| bytes.windows(4).any(|window| window == b"Len\xcd");
    if again != plain && !is_old(&plain) {
        return Err(format!("{again:02x?} for {plain:02x?}"));
    }
    if bite(&exchange.to_bytes(label), label, 1000)? != exchange {
        return Err("what was written reads otherwise".to_owned());
    }
    Ok(exchange)
}

fn bite(bytes: &[u8], label: &str, bite: usize) -> Result<Exchange, String> {
    let mut decoder = Decoder::new(label);
    for chunk in bytes.chunks(bite) {
        if let Some(exchange) = decoder.feed(chunk).map_err(|error| error.to_string())? {
            return Ok(exchange);
        }
    }
    Err("it is not whole".to_owned())
}

#[test]
fn packets_and_streams_of_a_real_cluster() {
    let Some(frames) = cases(&format!("{FOLDER}/frames.json")) else { return };
    let mut score = Score::new("cluster/frames.json");
    for (idx, case) in frames.cases.iter().enumerate() {
        let mut outcome = Ok(());
        if case.get("bytes").is_some() {
            outcome = round_trip(&base64(&case["bytes"]), "");
        }
        for key in ["request", "answer"] {
            if case.get(key).is_some_and(Value::is_string) {
                let read = stream_round_trip(&base64(&case[key]), "");
                outcome = outcome.and(read.map(|_| ()));
            }
        }
        score.add(format!("{idx} {}", case["name"]), outcome);
    }
    score.finish(&[]);
}

#[test]
fn everything_that_a_real_cluster_sent_in_its_life() {
    let Some(session) = cases(&format!("{FOLDER}/session.json")) else { return };
    let mut score = Score::new("cluster/session.json");
    // The bytes of each direction of a stream.
    let mut streams = std::collections::BTreeMap::<(u64, String), Vec<u8>>::new();
    for (idx, case) in session.cases.iter().enumerate() {
        if case["transport"] == "udp" {
            score.add(format!("packet {idx}"), round_trip(&base64(&case["bytes"]), ""));
        } else if case.get("bytes").is_some() {
            let stream = case["stream"].as_u64().expect("a number");
            let from = case["from"].to_string();
            streams.entry((stream, from)).or_default().extend(base64(&case["bytes"]));
        }
    }
    for ((stream, from), bytes) in streams {
        let read = stream_round_trip(&bytes, "");
        score.add(format!("stream {stream} from {from}"), read.map(|_| ()));
    }
    score.finish(&[]);
}

#[test]
fn fixed_vectors() {
    let Some(vectors) = cases(&format!("{FOLDER}/vectors.json")) else { return };
    let mut score = Score::new("cluster/vectors.json, those of memberlist");
    for case in &vectors.cases {
        let name = case["name"].as_str().expect("a name");
        let bytes = base64(&case["bytes"]);
        let outcome = match bytes.first() {
            _ if name.contains("Mesh") || name.contains("FullState") || name.contains("TLS") => {
                continue;
            }
            Some(_) if name.starts_with("push/pull header with") => {
                // A header of its own; the state is missing.
                bite(&[bytes, vec![7; 300]].concat(), "", 50).map(|_| ())
            }
            Some(_) if name.starts_with("push/pull") || name.contains("stream") => {
                stream_round_trip(&bytes, "").map(|_| ())
            }
            Some(&kind::COMPRESSED) => stream_round_trip(&bytes, "").map(|_| ()),
            Some(&kind::LABEL) => round_trip(&bytes, "cluster"),
            _ => plain_round_trip(&bytes),
        };
        score.add(name, outcome);
    }
    score.finish(&[]);
}

/// As [`round_trip`], for vectors that are not compressed although it would pay.
fn plain_round_trip(bytes: &[u8]) -> Result<(), String> {
    let mut messages = Vec::new();
    packet::read("", bytes, |message| messages.push(message.to_bytes()))
        .map_err(|error| error.to_string())?;
    let body = match bytes.first() {
        Some(&kind::COMPOUND) => packet::join(&messages),
        Some(&kind::CHECKSUM) => return round_trip(bytes, ""),
        _ => messages.concat(),
    };
    if body == bytes { Ok(()) } else { Err(format!("{body:02x?}")) }
}

#[test]
fn compression_is_that_of_go() {
    let Some(table) = cases(&format!("{FOLDER}/lzw.json")) else { return };
    let mut score = Score::new("cluster/lzw.json");
    for case in &table.cases {
        let (plain, compressed) = (base64(&case["plain"]), base64(&case["lzw"]));
        let read = compression::decompress(&compressed, plain.len());
        let mut outcome = Ok(());
        if read.map_err(|error| error.to_string()).as_ref() != Ok(&plain) {
            outcome = Err("it reads otherwise".to_owned());
        } else if !compression::wrap(&plain).ends_with(&compressed) {
            outcome = Err("other bytes".to_owned());
        }
        score.add(case["name"].as_str().expect("a name"), outcome);
    }
    score.finish(&[(
        "captured stream of 16780 bytes with table resets",
        "the library resets its table one code later; both sides read either",
    )]);
}

#[test]
fn tables_of_memberlist_about_bytes() {
    let Some(table) = cases(&format!("{FOLDER}/memberlist_tables.json")) else { return };
    let mut score = Score::new("cluster/memberlist_tables.json, labels, parts and limits");
    for (idx, case) in table.cases.iter().enumerate() {
        let Some(outcome) = check_table(case) else { continue };
        score.add(format!("{idx} {} {}", case["kind"], case["name"]), outcome);
    }
    score.finish(&[]);
}

fn check_table(case: &Value) -> Option<Result<(), String>> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let equal = |actual: &[u8], expected: &[u8]| {
        if actual == expected { Ok(()) } else { Err(format!("{actual:02x?}")) }
    };
    Some(match text("kind") {
        "add_label" if text("label").len() > packet::LABEL_BYTES_MAX => return None,
        "add_label" => {
            let mut bytes = Vec::new();
            packet::write_label(&mut bytes, text("label"));
            bytes.extend(base64(&case["packet"]));
            equal(&bytes, &base64(&case["result"]))
        }
        "stream_label_header" if text("label").len() > packet::LABEL_BYTES_MAX => return None,
        "stream_label_header" => {
            let mut bytes = Vec::new();
            packet::write_label(&mut bytes, text("label"));
            equal(&bytes, &base64(&case["header"]))
        }
        "remove_label" => match packet::split_label(&base64(&case["bytes"])) {
            Ok((label, rest)) if case.get("rest").is_some() => {
                let both = [label, rest].concat();
                equal(&both, &[text("label").as_bytes(), &base64(&case["rest"])].concat())
            }
            Ok(_) => Err("it is accepted".to_owned()),
            Err(_) if case.get("error_contains").is_some() => Ok(()),
            Err(error) => Err(error.to_string()),
        },
        "label_overhead" => {
            let overhead = packet::label_overhead(text("label")) as u64;
            if case["overhead"] == overhead { Ok(()) } else { Err(overhead.to_string()) }
        }
        "compound" if case.get("body").is_some() => match packet::split(&base64(&case["body"])) {
            Err(Error::Truncated(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        },
        "compound" => {
            let parts = vec![b"message".to_vec(); case["parts"].as_u64()? as usize];
            let mut joined = packet::join(&parts);
            let is_cut = case.get("last_part_cut").is_some();
            if is_cut {
                joined.truncate(joined.len() - 3);
            }
            let (whole, outcome) = packet::split(&joined[1..]).ok()?;
            let expected = if is_cut { 2 } else { parts.len() };
            let is_right = whole.len() == expected && outcome.is_err() == is_cut;
            if is_right { Ok(()) } else { Err(format!("{whole:?} {outcome:?}")) }
        }
        "decompress_limit" => {
            let plain = vec![0; case["plain_bytes"].as_u64()? as usize];
            let wrapped = compression::wrap(&plain);
            let read =
                compression::unwrap(&mut Cursor::new(&wrapped[1..]), compression::PLAIN_BYTES_MAX);
            match (read, case.get("accepted").is_some()) {
                (Ok(_), true) | (Err(Error::TooLarge { .. }), false) => Ok(()),
                (other, _) => Err(format!("{:?}", other.map(|plain| plain.len()))),
            }
        }
        _ => return None,
    })
}

#[test]
fn a_wrong_label_or_checksum_is_not_heard() {
    let ack = Message::Ack(Ack { sequence: 1, payload: Some(Vec::new()) }).to_bytes();
    let heard = |label: &str, packet: &[u8]| {
        let mut n_heard = 0;
        packet::read(label, packet, |_| n_heard += 1).unwrap_or_default();
        n_heard
    };
    let packet = packet::wrap("ours", ack.clone(), true);
    assert_eq!(heard("ours", &packet), 1);
    assert_eq!(heard("theirs", &packet), 0);
    assert_eq!(heard("", &packet), 0);
    assert_eq!(heard("ours", &packet::wrap("", ack.clone(), true)), 0);
    let mut broken = packet::wrap("", ack, true);
    *broken.last_mut().expect("it is not empty") ^= 1;
    assert_eq!(heard("", &broken), 0);
}

#[test]
fn small_packets_do_not_become_large_ones() {
    // A megabyte of zeros in a kilobyte, in a packet, in itself.
    let bomb = compression::wrap(&vec![0; 2 << 20]);
    assert!(bomb.len() < 16 << 10);
    let read = packet::read("", &bomb, |_| {});
    assert!(matches!(read, Err(Error::TooLarge { .. })), "{read:?}");
    let nested = (0..10).fold(b"x".to_vec(), |inner, _| packet::join(&[inner]));
    assert!(packet::read("", &nested, |_| {}).is_err());
}

#[test]
fn a_stream_that_lies_about_its_length_allocates_nothing() {
    let mut header = Exchange::PushPull(PushPull::default()).to_plain();
    let position = header.windows(6).position(|window| window == b"\xa5Nodes").expect("a key");
    header.splice(position + 6..=position + 6, [0xce, 0x00, 0x0f, 0xff, 0xff]);
    let mut decoder = Decoder::new("");
    assert!(matches!(decoder.feed(&header), Ok(None)));
    header.splice(position + 6..position + 11, [0xce, 0xff, 0xff, 0xff, 0xff]);
    let mut decoder = Decoder::new("");
    assert!(matches!(decoder.feed(&header), Err(Error::TooLarge { .. })));
}

fn any_ping() -> impl Strategy<Value = Ping> {
    (any::<u32>(), ".{0,40}", any::<Option<std::net::IpAddr>>(), any::<u16>()).prop_map(
        |(sequence, node, address, port)| Ping {
            sequence,
            source: Source { address, port, node: node.clone() },
            node,
        },
    )
}

fn any_node() -> impl Strategy<Value = NodeState> {
    (".{0,40}", any::<std::net::IpAddr>(), any::<u16>(), any::<u32>(), 0..4_u8).prop_map(
        |(name, address, port, incarnation, condition)| NodeState {
            name,
            address,
            port,
            meta: (port % 2 == 0).then(Vec::new),
            incarnation,
            condition: [Condition::Alive, Condition::Suspect, Condition::Dead, Condition::Left]
                [usize::from(condition)],
            versions: VERSIONS,
        },
    )
}

proptest! {
    #[test]
    fn packets_read_as_they_were_written(pings in prop::collection::vec(any_ping(), 1..5), has_checksum: bool) {
        let messages: Vec<Vec<u8>> =
            pings.iter().map(|ping| Message::Ping(ping.clone()).to_bytes()).collect();
        let packet = packet::wrap("label", packet::join(&messages), has_checksum);
        let mut read = Vec::new();
        packet::read("label", &packet, |message| read.push(message.to_bytes())).expect("our own");
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn alive_reads_as_it_was_written(node in any_node()) {
        let alive = Message::Alive(Alive {
            incarnation: node.incarnation,
            node: node.name,
            address: node.address,
            port: node.port,
            meta: node.meta,
            versions: node.versions,
        });
        let bytes = alive.to_bytes();
        prop_assert_eq!(Message::parse(&bytes).expect("our own"), alive);
    }

    #[test]
    fn streams_read_as_they_were_written(
        nodes in prop::collection::vec(any_node(), 0..5),
        user_state in prop::collection::vec(any::<u8>(), 0..500),
        is_join: bool,
        step in 1..200_usize,
    ) {
        let exchange = Exchange::PushPull(PushPull { is_join, nodes, user_state });
        prop_assert_eq!(bite(&exchange.to_bytes("x"), "x", step).expect("our own"), exchange.clone());
        prop_assert_eq!(bite(&exchange.to_plain(), "", step).expect("our own"), exchange);
    }

    #[test]
    fn hostile_packets_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..14_u8) {
        packet::read("", &bytes, |_| {}).unwrap_or_default();
        let typed = [vec![kind, 0x83, 0xa3], bytes].concat();
        packet::read("", &typed, |_| {}).unwrap_or_default();
        Decoder::new("").feed(&typed).ok();
    }

    #[test]
    fn broken_packets_do_no_harm(ping in any_ping(), at: prop::sample::Index, with: u8) {
        let mut packet = packet::wrap("", Message::Ping(ping).to_bytes(), false);
        let at = at.index(packet.len());
        packet[at] = with;
        packet::read("", &packet, |_| {}).unwrap_or_default();
        Decoder::new("").feed(&packet).ok();
    }
}

/// A frame behind its length, read and written again; nothing if `record` is none.
fn frame_round_trip(record: &[u8]) -> Result<Frame, String> {
    let (length, body) = record.split_first_chunk::<LENGTH_BYTES>().ok_or("no length")?;
    let len = frame_len(*length).map_err(|error| error.to_string())?;
    if len != body.len() {
        return Err(format!("{} bytes instead of {len}", body.len()));
    }
    let frame = Frame::from_bytes(body).map_err(|error| error.to_string())?;
    if frame.to_bytes() == record { Ok(frame) } else { Err(format!("{frame:?}")) }
}

#[test]
fn a_session_over_tls_is_read_and_written_alike() {
    let Some(table) = cases(&format!("{FOLDER}/tls_session.json")) else { return };
    let mut score = Score::new("cluster/tls_session.json");
    for (idx, case) in table.cases.iter().enumerate() {
        let record = base64(&case["record"]);
        let outcome = match case["frame"].as_object() {
            Some(expected) => frame_round_trip(&record).and_then(|frame| match frame {
                Frame::Stream if expected["kind"] == "STREAM" => Ok(()),
                Frame::Packet { from, bytes } if expected["from_addr"] == from.as_str() => {
                    round_trip(&bytes, "")
                }
                other => Err(format!("{other:?}")),
            }),
            None if case["stream_data"].is_object() => stream_round_trip(&record, "").map(drop),
            None => Err("neither frame nor stream".to_owned()),
        };
        score.add(format!("{idx} {}", case["phase"]), outcome);
    }
    score.finish(&[]);
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_an_error(bytes: Vec<u8>) {
        if let Ok(frame) = Frame::from_bytes(&bytes) {
            let again = frame.to_bytes();
            prop_assert_eq!(Frame::from_bytes(&again[LENGTH_BYTES..]).expect("our own"), frame);
        }
    }
}
