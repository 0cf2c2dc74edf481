//! The other nodes, as far as this crate cares: where we stand among them, and a way to tell them.

use std::time::Duration;

use runtime::BoxFuture;

/// The nodes that share silences and the notification log. Implemented over gossip elsewhere.
pub trait Cluster: Send + Sync {
    /// Our place in line: who stands before us gets a chance to notify first.
    fn position(&self) -> usize;

    /// Whether there is anybody to agree with.
    fn has_others(&self) -> bool {
        true
    }

    /// Completes once what the others know has arrived.
    fn settled(&self) -> BoxFuture<'_, ()>;

    /// Sends a change of replicated state to the others; never waits.
    fn broadcast(&self, state: StateKey, message: Vec<u8>);

    fn status(&self) -> ClusterStatus;
}

/// Which replicated state a message belongs to; the names on the wire are upstream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateKey {
    Log,
    Silences,
}

/// What status pages show of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterStatus {
    pub name: Option<String>,
    pub state: ClusterState,
    /// By name.
    pub peers: Vec<Peer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClusterState {
    #[default]
    Disabled,
    Settling,
    Ready,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub name: String,
    pub address: String,
    /// Since it last answered; `None` for this node, and for one that has not been asked yet.
    pub lag: Option<Duration>,
    /// How long its last answer took.
    pub round_trip: Option<Duration>,
}

/// A node that has no others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Cluster for Alone {
    fn position(&self) -> usize {
        0
    }

    fn has_others(&self) -> bool {
        false
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn broadcast(&self, _: StateKey, _: Vec<u8>) {}

    fn status(&self) -> ClusterStatus {
        ClusterStatus::default()
    }
}

impl StateKey {
    pub fn as_str(self) -> &'static str {
        match self {
            StateKey::Log => "nfl",
            StateKey::Silences => "sil",
        }
    }
}

impl ClusterState {
    pub fn as_str(self) -> &'static str {
        match self {
            ClusterState::Disabled => "disabled",
            ClusterState::Settling => "settling",
            ClusterState::Ready => "ready",
        }
    }
}
