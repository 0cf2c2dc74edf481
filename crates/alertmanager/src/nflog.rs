//! What was sent to whom, and when: the notification log that keeps nodes from repeating each other.

mod claims;
mod codec;
mod store;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use crate::time::Time;

pub(crate) use claims::Claims;
pub use codec::{decode, encode};
pub use store::{Error, Log};

/// One integration of one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ReceiverKey {
    pub group_name: String,
    pub integration: String,
    /// Among those of the same kind in its receiver.
    pub idx: u32,
}

/// The last notification of a group through one integration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entry {
    pub group_key: Vec<u8>,
    /// Always there in what upstream writes.
    pub receiver: ReceiverKey,
    pub timestamp: Option<Time>,
    /// Hashes of the alerts that it told as firing.
    pub firing_alerts: Vec<u64>,
    pub resolved_alerts: Vec<u64>,
    /// What the integration wants to remember until the next one.
    pub receiver_data: ReceiverData,
    /// Deprecated; handed on.
    pub group_hash: Vec<u8>,
    /// Deprecated; handed on.
    pub resolved: bool,
    /// When to forget it.
    pub expires_at: Option<Time>,
}

pub type ReceiverData = BTreeMap<String, Datum>;

#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Text(String),
    Int(i64),
    Float(f64),
}

impl Entry {
    /// Whether it says that a notification is on its way, and not that there was one.
    pub(crate) fn is_claim(&self) -> bool {
        claims::is_claim(self)
    }

    /// Whether all of `alerts` were told as firing.
    pub fn is_firing_subset(&self, alerts: &[u64]) -> bool {
        is_subset(alerts, &self.firing_alerts)
    }

    /// Whether all of `alerts` were told as resolved.
    pub fn is_resolved_subset(&self, alerts: &[u64]) -> bool {
        is_subset(alerts, &self.resolved_alerts)
    }
}

fn is_subset(some: &[u64], all: &[u64]) -> bool {
    let all: std::collections::HashSet<u64> = all.iter().copied().collect();
    some.iter().all(|hash| all.contains(hash))
}

/// `receiver/integration/0`
impl fmt::Display for ReceiverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.group_name, self.integration, self.idx)
    }
}
