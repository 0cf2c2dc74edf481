//! The other members as those who can be read.

use std::{collections::HashMap, sync::Arc, time::Duration};

use cluster::{Cluster, Member, MemberId, Status};
use grpc::{Channel, Connect};
use model::{Labels, TimeRange};
use parking_lot::Mutex;
use repair::Repair;
use runtime::Runtime;
use storeapi::{Ask, Peer};
use telemetry::Registry;

/// A member that takes longer to answer is one that is away.
const ANSWER_MAX: Duration = Duration::from_secs(30);
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// A message of an answer.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Knows how to ask other members, and when that is needed.
pub(in crate::server) struct Members {
    cluster: Cluster,
    connect: Arc<dyn Connect>,
    runtime: Runtime,
    metrics: storeapi::Metrics,
    external_labels: Arc<dyn Fn() -> Labels + Send + Sync>,
    /// Knows what is lacking here.
    repair: Repair,
    /// Connections, by member and where it is.
    peers: Mutex<HashMap<(MemberId, String), Peer>>,
}

impl Members {
    pub(super) fn new(
        cluster: Cluster,
        repair: Repair,
        connect: Arc<dyn Connect>,
        external_labels: Arc<dyn Fn() -> Labels + Send + Sync>,
        runtime: Runtime,
        registry: &Registry,
    ) -> Members {
        let metrics = storeapi::Metrics::register(registry);
        let peers = Mutex::default();
        Members { cluster, repair, connect, runtime, metrics, external_labels, peers }
    }

    /// This member's name.
    pub(super) fn own_name(&self) -> &str {
        self.cluster.name()
    }

    /// The others that are live, where each target is some members' only.
    pub(super) fn spread(&self) -> Vec<Peer> {
        let status = self.cluster.status();
        if !is_spread(&status) {
            return Vec::new();
        }
        let others = status.members.iter().filter(|member| !member.is_self && member.is_live);
        others.filter_map(|member| self.peer(member)).collect()
    }

    /// Whom to ask for samples of `range`, and for what of it.
    pub(in crate::server) fn choose(&self, range: TimeRange) -> Vec<Ask> {
        let status = self.cluster.status();
        let stretches = match is_spread(&status) {
            true => vec![range],
            false => self.repair.holes_within(range),
        };
        if stretches.is_empty() {
            return Vec::new();
        }
        let others = status.members.iter().filter(|member| !member.is_self);
        let ask = |member: &Member| {
            let peer = self.peer(member)?;
            Some(Ask { peer, stretches: stretches.clone() })
        };
        others.filter_map(ask).collect()
    }

    /// Nothing if it does not say where it is.
    fn peer(&self, member: &Member) -> Option<Peer> {
        let Member { id, store_address: address, .. } = member;
        let mut peers = self.peers.lock();
        if let Some(peer) = peers.get(&(*id, address.clone())) {
            return Some(peer.clone());
        }
        // One that has moved is another connection; the old one is of no use.
        peers.retain(|(known, _), _| known != id);
        let settings =
            grpc::Settings { connect_timeout: CONNECT_MAX, answer_bytes_max: MESSAGE_BYTES_MAX };
        let (connect, clock) = (self.connect.clone(), self.runtime.clock.clone());
        let channel = Channel::new(address, connect, clock.clone(), settings).ok()?;
        let settings = storeapi::Settings {
            name: member.name.clone(),
            timeout: ANSWER_MAX,
            external_labels: self.external_labels.clone(),
        };
        let peer = Peer::new(settings, channel, clock, self.metrics.clone());
        peers.insert((*id, address.clone()), peer.clone());
        Some(peer)
    }
}

/// Whether each target is some members' only.
pub(super) fn is_spread(status: &Status) -> bool {
    (1..status.members.len()).contains(&status.replication_factor)
}
