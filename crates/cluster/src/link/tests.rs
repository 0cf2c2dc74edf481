//! What goes over a link comes out as it was; what nobody of ours would send does no harm.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt as _;
use proptest::prelude::*;
use prost::Message as _;
use proto::vesta::cluster::v1;

use super::{
    outbox::{Outbox, Outgoing},
    wire::{Arrived, Assembler},
};
use crate::{
    MemberId,
    frame::{AckGroup, Acks, Echo, Frame, Heartbeat, Payload, Share, Shared, SlotId},
    lease::gossip::{Rank, Word},
};

const ID: SlotId = SlotId { key: 7, slot: -5 };

fn shared(len: usize) -> Shared {
    let bytes: Vec<u8> = (0..len).map(|idx| (idx / 1000) as u8).collect();
    let payload = Payload { bytes: Bytes::from(bytes), unpacked_len: Some(99) };
    Shared { by: MemberId(3), has_failed: true, payload }
}

fn heartbeat() -> Heartbeat {
    let ms = Duration::from_millis;
    Heartbeat {
        sent: ms(5),
        wall: ms(6),
        echo: Some(Echo { sent: ms(7), age: ms(8) }),
        fingerprint: u64::MAX,
        is_quarantined: true,
        lease: Word {
            claim: Some(4),
            is_holding: true,
            promise: Some((4, MemberId(u128::MAX))),
            epoch: 9,
            rank: Rank::Released,
        },
    }
}

/// Everything that comes out at the other end, in that order.
async fn through(frames: Vec<Frame>) -> Vec<Frame> {
    let outbox = Arc::new(Outbox::default());
    for frame in frames {
        assert!(outbox.push(frame));
    }
    let mut outgoing = Outgoing(outbox.clone());
    let mut assembler = Assembler::default();
    let mut arrived = Vec::new();
    while !outbox.is_empty() {
        let frame = outgoing.next().await.expect("it is open");
        let frame = v1::Frame::decode(&frame.encode_to_vec()[..]).expect("it is ours");
        if let Arrived::Frame(frame) = assembler.take(frame).expect("it makes sense") {
            arrived.push(frame);
        }
    }
    outbox.close();
    assert!(outgoing.next().await.is_none());
    arrived
}

#[tokio::test]
async fn frames_arrive_as_they_were_and_heartbeats_first() {
    let group = AckGroup { time: 1_000_000, step: 15_000, n_steps: 3, series: vec![1, u64::MAX] };
    let acks = Acks { queue: "q".to_owned(), groups: vec![group] };
    let long = Frame::Share(ID, Share::Offer(shared(1_000_000)));
    let short = Frame::Share(ID, Share::Have(shared(10)));
    let urgent = vec![
        Frame::Share(ID, Share::Want),
        Frame::Share(ID, Share::Ask),
        Frame::Share(ID, Share::Unknown),
        Frame::Share(ID, Share::Took),
        Frame::Acks(acks),
        Frame::Heartbeat(heartbeat()),
        Frame::Goodbye,
    ];
    let mut sent = vec![long.clone(), short.clone()];
    sent.extend(urgent.clone());
    let expected: Vec<Frame> = urgent.into_iter().chain([long, short]).collect();
    assert_eq!(through(sent).await, expected);
}

fn share(outcome: v1::Outcome) -> v1::Frame {
    let kind = v1::share::Kind::Offer.into();
    let share = v1::Share { key: 1, slot: 1, kind, outcome: Some(outcome) };
    v1::Frame { frame: Some(v1::frame::Frame::Share(share)) }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let piece = |len: u64, offset: u64, data: &[u8]| v1::Outcome {
        by: MemberId(1).to_bytes(),
        len,
        offset,
        data: Bytes::copy_from_slice(data),
        ..v1::Outcome::default()
    };
    let refused = |frames: Vec<v1::Frame>| {
        let mut assembler = Assembler::default();
        frames.into_iter().any(|frame| assembler.take(frame).is_err())
    };
    assert!(!refused(vec![share(piece(2, 0, b"a")), share(piece(2, 1, b"b"))]));
    assert!(refused(vec![share(piece(u64::MAX, 0, b"a"))]), "longer than any");
    assert!(refused(vec![share(piece(1, 0, b"ab"))]), "more than it says");
    assert!(refused(vec![share(piece(3, 1, b"a"))]), "no beginning");
    assert!(refused(vec![share(piece(9, 0, b"a")), share(piece(9, 5, b"a"))]), "a hole");
    assert!(refused(vec![share(piece(9, u64::MAX, b"a"))]), "beyond all numbers");
    let lease = v1::Lease { claim: u64::MAX, ..v1::Lease::default() };
    let heartbeat = v1::Heartbeat { lease: Some(lease), ..v1::Heartbeat::default() };
    let frame = v1::frame::Frame::Heartbeat(heartbeat);
    assert!(refused(vec![v1::Frame { frame: Some(frame) }]), "no epoch can follow");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(frames in prop::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut assembler = Assembler::default();
        for bytes in frames {
            if let Ok(frame) = v1::Frame::decode(&bytes[..]) {
                assembler.take(frame).map(drop).unwrap_or_default();
            }
        }
    }
}
