use std::{net::SocketAddr, time::Duration};

use crate::{
    suspicion::Suspicion,
    wire::message::{Alive, Condition, NodeState, Versions},
};

/// A node as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// Never a mapped IPv4 address.
    pub address: SocketAddr,
    pub condition: Condition,
}

/// What is known of a node.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// As it was said: a mapped IPv4 address stays mapped.
    pub(super) address: SocketAddr,
    pub(super) meta: Option<Vec<u8>>,
    pub(super) versions: Versions,
    pub(super) incarnation: u32,
    pub(super) condition: Condition,
    /// When the condition changed.
    pub(super) since: Duration,
    /// Of suspects only.
    pub(super) suspicion: Option<Suspicion>,
}

impl Entry {
    /// A node that nothing is known of but what it says of itself; not alive yet.
    pub(super) fn new(alive: &Alive, now: Duration) -> Entry {
        Entry {
            address: SocketAddr::new(alive.address, alive.port),
            meta: None,
            versions: alive.versions,
            incarnation: 0,
            condition: Condition::Dead,
            since: now,
            suspicion: None,
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.condition, Condition::Dead | Condition::Left)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.suspicion.as_ref().map(Suspicion::deadline)
    }

    pub(super) fn change(&mut self, condition: Condition, now: Duration) {
        self.condition = condition;
        self.since = now;
        self.suspicion = None;
    }

    pub(super) fn member(&self, name: &str) -> Member {
        let address = SocketAddr::new(self.address.ip().to_canonical(), self.address.port());
        Member { name: name.to_owned(), address, condition: self.condition }
    }

    pub(super) fn state(&self, name: &str) -> NodeState {
        NodeState {
            name: name.to_owned(),
            address: self.address.ip(),
            port: self.address.port(),
            meta: self.meta.clone(),
            incarnation: self.incarnation,
            condition: self.condition,
            versions: self.versions,
        }
    }

    /// Says that the node is alive, in its own words.
    pub(super) fn alive(&self, name: &str) -> Alive {
        Alive {
            incarnation: self.incarnation,
            node: name.to_owned(),
            address: self.address.ip(),
            port: self.address.port(),
            meta: self.meta.clone(),
            versions: self.versions,
        }
    }
}
