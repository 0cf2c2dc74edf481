//! Who is about to notify: short-lived entries of the notification log, one a node.
//!
//! A claim travels as an entry of a receiver that nobody has, so upstream's nodes keep it, hand it
//! on and forget it, and never ask for it. It is worth its lease, counted from when it arrived:
//! clocks differ, and who has died must not be waited for.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{Entry, ReceiverKey, codec};
use crate::{dispatch::Now, time::Time};

/// Stands between the kind of an integration and the node's own mark.
const MARK: &str = "/claim/";
/// A lease that is longer is cut, so that no peer can stop notifications.
const LEASE_MAX: Duration = Duration::from_secs(5 * 60);
/// Clocks may differ by so much; claims that seem to be over for longer are not believed.
const SKEW_MAX: Duration = Duration::from_secs(60);
/// Groups and nodes of one group whose claims are remembered; more come from nobody honest.
const GROUPS_MAX: usize = 1 << 16;
const OWNERS_MAX: usize = 64;

/// The claims of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// By group key and receiver, then by node.
    claims: HashMap<(Vec<u8>, ReceiverKey), BTreeMap<String, Claim>>,
}

#[derive(Debug)]
struct Claim {
    timestamp: Option<Time>,
    expires_at: Option<Time>,
    /// By the monotonic clock of this node.
    holds_until: Duration,
}

/// Whether an entry is no notification but says that one is on its way.
pub(super) fn is_claim(entry: &Entry) -> bool {
    entry.receiver.integration.contains(MARK)
}

impl Claims {
    /// Claims a group and receiver for `owner`, or with no lease lets it go; gives the message for
    /// the peers.
    pub(crate) fn write(
        &mut self,
        group_key: &[u8],
        receiver: &ReceiverKey,
        owner: &str,
        lease: Duration,
        now: Now,
    ) -> Vec<u8> {
        let owners = self.claims.get(&(group_key.to_owned(), receiver.clone()));
        let last = owners.and_then(|owners| owners.get(owner)).and_then(|claim| claim.timestamp);
        // Each replaces the one before, also within one tick of the clock, or if that was set back.
        let timestamp = last.map_or(now.time, |last| now.time.max(last + Duration::from_nanos(1)));
        let claim = Claim {
            timestamp: Some(timestamp),
            expires_at: Some(timestamp + lease),
            holds_until: now.monotonic + lease,
        };
        let message = codec::encode([&claim.to_entry(group_key, receiver, owner)]);
        self.insert(group_key, receiver, owner, claim);
        message
    }

    /// Takes in what a peer says; says whether there was news.
    pub(crate) fn merge(&mut self, entry: &Entry, now: Now) -> bool {
        let (Some(start), Some(end)) = (entry.timestamp, entry.expires_at) else { return false };
        let Some((integration, owner)) = entry.receiver.integration.split_once(MARK) else {
            return false;
        };
        if end + SKEW_MAX < now.time {
            return false;
        }
        let receiver =
            ReceiverKey { integration: integration.to_owned(), ..entry.receiver.clone() };
        let claim = Claim {
            timestamp: entry.timestamp,
            expires_at: entry.expires_at,
            holds_until: now.monotonic + end.since(start).min(LEASE_MAX),
        };
        self.insert(&entry.group_key, &receiver, owner, claim)
    }

    fn insert(&mut self, group: &[u8], receiver: &ReceiverKey, owner: &str, claim: Claim) -> bool {
        let key = (group.to_owned(), receiver.clone());
        if self.claims.len() >= GROUPS_MAX && !self.claims.contains_key(&key) {
            return false;
        }
        let owners = self.claims.entry(key).or_default();
        match owners.get(owner) {
            Some(known) if known.timestamp >= claim.timestamp => return false,
            None if owners.len() >= OWNERS_MAX => return false,
            _ => {}
        }
        owners.insert(owner.to_owned(), claim);
        true
    }

    /// Until when another node than `owner` has claimed a group and receiver.
    pub(crate) fn held_by_another(
        &self,
        group_key: &[u8],
        receiver: &ReceiverKey,
        owner: &str,
        now: Duration,
    ) -> Option<Duration> {
        let owners = self.claims.get(&(group_key.to_owned(), receiver.clone()))?;
        let others = owners.iter().filter(|(name, _)| *name != owner);
        others.map(|(_, claim)| claim.holds_until).max().filter(|until| *until > now)
    }

    /// Forgets claims that nobody would believe any more.
    pub(crate) fn collect_garbage(&mut self, now: Time) {
        self.claims.retain(|_, owners| {
            owners.retain(|_, claim| {
                claim.expires_at.is_some_and(|end| end + 2 * SKEW_MAX + LEASE_MAX > now)
            });
            !owners.is_empty()
        });
    }

    /// The claims that hold, as peers read them.
    pub(crate) fn encode(&self, now: Duration) -> Vec<u8> {
        let mut entries = Vec::new();
        for ((group_key, receiver), owners) in &self.claims {
            let holding = owners.iter().filter(|(_, claim)| claim.holds_until > now);
            entries.extend(holding.map(|(owner, it)| it.to_entry(group_key, receiver, owner)));
        }
        codec::encode(&entries)
    }
}

impl Claim {
    /// The claim as an entry of the log, of a receiver that nobody has.
    fn to_entry(&self, group_key: &[u8], receiver: &ReceiverKey, owner: &str) -> Entry {
        let integration = format!("{}{MARK}{owner}", receiver.integration);
        Entry {
            group_key: group_key.to_vec(),
            receiver: ReceiverKey { integration, ..receiver.clone() },
            timestamp: self.timestamp,
            expires_at: self.expires_at,
            ..Entry::default()
        }
    }
}
