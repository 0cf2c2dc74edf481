//! What a member shows of its cluster.

use std::time::Duration;

use super::shared::Shared;
use crate::{MemberId, lease};

/// A cluster as one of its members sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The cluster's name.
    pub label: String,
    /// How many members have each target; zero is all.
    pub replication_factor: usize,
    /// This one first, then by name.
    pub members: Vec<Member>,
    pub lease: lease::Status,
    /// How far our clock is ahead of the right time, in seconds, if that is too far.
    pub clock_error: Option<f64>,
}

/// A member as another one sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub id: MemberId,
    /// What people are shown.
    pub name: String,
    /// Empty if gossip does not know it at this moment.
    pub gossip_address: String,
    pub store_address: String,
    pub web_url: String,
    pub version: String,
    pub is_self: bool,
    /// Whether it was heard a moment ago.
    pub is_live: bool,
    /// Whether it works by the same configuration.
    pub has_same_config: bool,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_offset: Option<f64>,
    /// Its clock is wrong, and so it does nothing.
    pub is_quarantined: bool,
    pub holds_lease: bool,
    /// When it was linked, or started if it is this one; since the Unix epoch.
    pub since: Option<Duration>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Why it is not linked.
    pub trouble: Option<String>,
}

pub(super) fn status(shared: &Shared) -> Status {
    Status {
        label: shared.options.label.clone(),
        replication_factor: shared.options.replication_factor,
        members: members(shared),
        lease: lease_status(shared),
        clock_error: shared.clock_error(),
    }
}

fn lease_status(shared: &Shared) -> lease::Status {
    let mut status = shared.lease.status();
    status.holder = status.holder_id.map(|holder| shared.infos.name(holder));
    status
}

pub(super) fn members(shared: &Shared) -> Vec<Member> {
    let infos = shared.infos.all();
    let gossiped = shared.gossip.members();
    let troubles = shared.troubles.lock().clone();
    let holder = shared.lease.status().holder_id;
    let state = shared.state.lock();
    let mut members: Vec<Member> = infos
        .into_iter()
        .map(|(id, info)| {
            let is_self = id == shared.options.id;
            let link = state.links.get(&id);
            let heartbeat = state.core.liveness().last(id);
            let name = id.to_string();
            let address = gossiped.iter().find(|member| member.name == name);
            let offset = state.core.liveness().clock_offset(id);
            let same = heartbeat.is_some_and(|last| last.fingerprint == state.core.fingerprint());
            Member {
                id,
                gossip_address: address
                    .map(|member| member.address.to_string())
                    .unwrap_or_default(),
                store_address: info.store_address,
                web_url: info.web_url,
                version: info.version,
                name: info.name,
                is_self,
                is_live: is_self || state.core.live().contains(&id),
                has_same_config: is_self || same,
                clock_offset: if is_self { Some(0.0) } else { offset.map(|ms| ms as f64 / 1000.0) },
                is_quarantined: match is_self {
                    true => state.core.clock_error().is_some(),
                    false => heartbeat.is_some_and(|last| last.is_quarantined),
                },
                holds_lease: holder == Some(id),
                since: if is_self { Some(shared.started) } else { link.map(|link| link.since) },
                bytes_sent: link.map_or(0, |link| link.outbox.sent_bytes()),
                bytes_received: link.map_or(0, |link| link.received_bytes()),
                trouble: troubles.get(&id).filter(|_| link.is_none()).cloned(),
            }
        })
        .collect();
    members.sort_by(|a, b| (!a.is_self, &a.name, a.id).cmp(&(!b.is_self, &b.name, b.id)));
    members
}
