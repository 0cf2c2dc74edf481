use std::time::Duration;

use crate::Event;

/// Something that all nodes have, each a copy, under a key.
pub trait State: Send + Sync {
    /// All of it, for a node that joins or has missed something.
    fn full(&self) -> Vec<u8>;

    /// Takes in what another node says; says whether there was news, which then is passed on.
    /// Merging is commutative, associative and idempotent, since messages come in any order and
    /// more than once.
    fn merge(&self, bytes: &[u8]) -> Result<bool, String>;
}

/// Whoever counts what happens.
pub trait Observer: Send + Sync {
    /// Called outside of all locks; must not wait.
    fn observe(&self, notice: &Notice<'_>);
}

/// What an [`Observer`] is told of.
#[derive(Debug)]
pub enum Notice<'a> {
    Event(&'a Event),
    Received {
        what: Traffic,
        bytes: usize,
    },
    Sent {
        what: Traffic,
        bytes: usize,
    },
    /// A message too long for packets has been sent to one node.
    LargeSent {
        key: &'a str,
        took: Duration,
    },
    LargeFailed {
        key: &'a str,
    },
    /// Too many were waiting.
    LargeDropped {
        key: &'a str,
    },
    /// Another attempt to reach a lost node.
    Reconnected {
        is_success: bool,
    },
    /// An attempt to reach an address that has become known.
    Refreshed {
        is_success: bool,
    },
    Pruned {
        n_messages: usize,
    },
    /// On connections with TLS, of which there are two kinds.
    PacketSent {
        bytes: usize,
    },
    PacketReceived {
        bytes: usize,
    },
    StreamSent,
    StreamReceived,
    SecureReadFailed,
    SecureWriteFailed {
        what: &'static str,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    FullState,
    Update,
}

/// Counts nothing.
impl Observer for () {
    fn observe(&self, _: &Notice<'_>) {}
}
