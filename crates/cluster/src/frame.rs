//! What members say to each other over a link.

use std::time::Duration;

use bytes::Bytes;

use crate::{MemberId, lease::gossip::Word};

/// A message between two members, in the order in which it was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    Heartbeat(Heartbeat),
    /// The sender stops, now.
    Goodbye,
    Share(SlotId, Share),
    Acks(Acks),
}

/// A target and the beginning of a slot, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    pub key: u64,
    pub slot: i64,
}

/// What is said of one target's slot.
#[derive(Debug, Clone, PartialEq)]
pub enum Share {
    /// Tell me what you get, or that you will not ask the target.
    Want,
    /// I failed: try it yourself, and tell me.
    Ask,
    /// I do not ask this target.
    Unknown,
    /// This is what I got, unless you know better.
    Offer(Shared),
    /// To an offer: something else has been decided, namely this.
    Have(Shared),
    /// To an offer: I took it.
    Took,
}

/// The outcome of a scrape, and who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    pub by: MemberId,
    pub has_failed: bool,
    pub payload: Payload,
}

/// Bytes as they travel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload {
    pub bytes: Bytes,
    /// How long they are without compression, if they are compressed.
    pub unpacked_len: Option<usize>,
}

/// Said every so often, and whenever something in it has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heartbeat {
    /// The sender's clocks as it was sent.
    pub sent: Duration,
    pub wall: Duration,
    /// The newest of the receiver's that the sender has heard.
    pub echo: Option<Echo>,
    /// Of the sender's configuration.
    pub fingerprint: u64,
    /// Its clock is wrong, and so it does nothing.
    pub is_quarantined: bool,
    pub lease: Word,
}

/// When a heartbeat was sent, by the clock of who sent it, and how long ago it was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo {
    pub sent: Duration,
    pub age: Duration,
}

/// Samples of one queue that have arrived.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Acks {
    pub queue: String,
    pub groups: Vec<AckGroup>,
}

/// Series of which samples of the same times have arrived.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AckGroup {
    /// In milliseconds.
    pub time: i64,
    /// Those before it have arrived, too: so far apart, and so many.
    pub step: i64,
    pub n_steps: u32,
    /// Hashes of their labels.
    pub series: Vec<u64>,
}
