//! The other Alertmanagers: silences and the notification log over gossip.

mod metrics;

use std::{
    path::Path,
    sync::{Arc, Weak},
};

use alertmanager::{
    Alertmanager,
    cluster::{Cluster, ClusterState, ClusterStatus, Peer, StateKey},
};
use gossip::{Gossip, State};
use runtime::{BoxFuture, Clock, Runtime};
use telemetry::Registry;

use self::metrics::Metrics;
pub(super) use self::metrics::enabled;
use crate::{Result, gossip_tls};

/// Part of a cluster of Alertmanagers, upstream's among them.
pub(super) struct Peers {
    gossip: Gossip,
    clock: Arc<dyn Clock>,
}

impl Peers {
    /// Listens for the others; without a name of its own the node gets one that is new and sorts
    /// behind those of older nodes.
    pub(super) async fn start(
        mut options: gossip::Options,
        tls_config: Option<&Path>,
        runtime: Runtime,
        registry: &Registry,
    ) -> Result<Arc<Peers>> {
        if options.name.is_empty() {
            options.name = new_name(&runtime);
        }
        let metrics = Arc::new(Metrics::register(registry, &options.name));
        let clock = runtime.clock.clone();
        let gossip = gossip_tls::start(options, tls_config, runtime, metrics).await?;
        metrics::collect(registry, gossip.clone(), clock.clone());
        Ok(Arc::new(Peers { gossip, clock }))
    }

    /// Shares what `alertmanager` knows, then looks for the others.
    pub(super) fn join(&self, alertmanager: &Arc<Alertmanager>) {
        for key in [StateKey::Log, StateKey::Silences] {
            let replica = Replica { alertmanager: Arc::downgrade(alertmanager), key };
            self.gossip.share(key.as_str(), Arc::new(replica));
        }
        self.gossip.join();
    }

    /// Says goodbye to the others.
    pub(super) async fn stop(&self) {
        self.gossip.stop().await;
    }
}

impl Cluster for Peers {
    fn position(&self) -> usize {
        self.gossip.position()
    }

    fn has_others(&self) -> bool {
        self.gossip.n_members() > 1
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.gossip.settled())
    }

    fn broadcast(&self, state: StateKey, message: Vec<u8>) {
        self.gossip.broadcast(state.as_str(), message);
    }

    fn status(&self) -> ClusterStatus {
        let has_settled = self.gossip.has_settled();
        let members = self.gossip.members().into_iter();
        let (contacts, now) = (self.gossip.contacts(), self.clock.monotonic());
        ClusterStatus {
            name: Some(self.gossip.name()),
            state: if has_settled { ClusterState::Ready } else { ClusterState::Settling },
            peers: members
                .map(|member| {
                    let contact = contacts.get(&member.name);
                    Peer {
                        lag: contact.map(|contact| now.saturating_sub(contact.heard_at)),
                        round_trip: contact.map(|contact| contact.round_trip),
                        name: member.name,
                        address: member.address.to_string(),
                    }
                })
                .collect(),
        }
    }
}

/// One replicated state of an Alertmanager, which has the cluster, which has this.
struct Replica {
    alertmanager: Weak<Alertmanager>,
    key: StateKey,
}

impl State for Replica {
    fn full(&self) -> Vec<u8> {
        self.alertmanager.upgrade().map(|node| node.full_state(self.key)).unwrap_or_default()
    }

    fn merge(&self, bytes: &[u8]) -> Result<bool, String> {
        match self.alertmanager.upgrade() {
            Some(node) => node.merge(self.key, bytes).map_err(|error| error.to_string()),
            None => Ok(false),
        }
    }
}

/// A ULID, as upstream names nodes.
fn new_name(runtime: &Runtime) -> String {
    let mut random = [0; 16];
    runtime.random.fill(&mut random);
    let millis = u64::try_from(runtime.clock.now_millis()).unwrap_or_default();
    ulid::Ulid::from_parts(millis, u128::from_ne_bytes(random)).to_string()
}
