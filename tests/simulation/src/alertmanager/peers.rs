//! From an Alertmanager to its real gossip, from one start to the next.

use std::sync::{Arc, Weak};

use alertmanager::{
    Alertmanager, Cluster,
    cluster::{ClusterStatus, StateKey},
};
use gossip::{Gossip, State};
use parking_lot::Mutex;
use runtime::{BoxFuture, Runtime};

use super::{
    Rule,
    plan::Plan,
    wire::{self, host},
};

const PORT: u16 = 9094;

pub(super) struct Peers {
    /// Until the process ends: what it still does then has no effect. Nothing else is locked while
    /// this is held.
    gossip: Mutex<Option<Gossip>>,
}

impl Peers {
    pub(super) async fn start(plan: &Plan, rule: Rule, idx: usize, runtime: Runtime) -> Arc<Peers> {
        // As upstream's, names of later processes are greater.
        let started_ms = runtime.clock.monotonic().as_millis();
        let name = format!("{started_ms:09}-{}", plan.ranks[idx]);
        let others = (0..plan.n_nodes()).filter(|other| *other != idx);
        let options = gossip::Options {
            peers: others.map(|other| format!("{}:{PORT}", wire::host(other))).collect(),
            ..gossip::Options::new(name, format!("{}:{PORT}", host(idx)))
        };
        let options = match rule {
            Rule::Claims => options,
            Rule::Upstream => gossip::Options { gossip_rounds: 1, ..options },
        };
        let gossip = Gossip::start(options, runtime, Arc::new(())).await.expect("a free port");
        Arc::new(Peers { gossip: Mutex::new(Some(gossip)) })
    }

    pub(super) fn join(&self, node: &Arc<Alertmanager>) {
        let Some(gossip) = self.now() else { return };
        for key in [StateKey::Log, StateKey::Silences] {
            let replica = Replica { node: Arc::downgrade(node), key };
            gossip.share(key.as_str(), Arc::new(replica));
        }
        gossip.join();
    }

    pub(super) fn is_alive(&self) -> bool {
        self.gossip.lock().is_some()
    }

    /// Says goodbye, then ends.
    pub(super) async fn stop(&self) {
        let gossip = self.now();
        if let Some(gossip) = gossip {
            gossip.stop().await;
        }
        self.gossip.lock().take();
    }

    /// Ends without a word.
    pub(super) async fn kill(&self) {
        let gossip = self.gossip.lock().take();
        if let Some(gossip) = gossip {
            gossip.kill().await;
        }
    }

    fn now(&self) -> Option<Gossip> {
        self.gossip.lock().clone()
    }
}

impl Cluster for Peers {
    fn position(&self) -> usize {
        self.now().map_or(0, |gossip| gossip.position())
    }

    fn has_others(&self) -> bool {
        self.now().is_some_and(|gossip| gossip.n_members() > 1)
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        let gossip = self.now();
        Box::pin(async move {
            if let Some(gossip) = gossip {
                gossip.settled().await;
            }
        })
    }

    fn broadcast(&self, state: StateKey, message: Vec<u8>) {
        if let Some(gossip) = self.now() {
            gossip.broadcast(state.as_str(), message);
        }
    }

    fn status(&self) -> ClusterStatus {
        ClusterStatus::default()
    }
}

/// One replicated state of an Alertmanager.
struct Replica {
    node: Weak<Alertmanager>,
    key: StateKey,
}

impl State for Replica {
    fn full(&self) -> Vec<u8> {
        self.node.upgrade().map(|node| node.full_state(self.key)).unwrap_or_default()
    }

    fn merge(&self, bytes: &[u8]) -> Result<bool, String> {
        match self.node.upgrade() {
            Some(node) => node.merge(self.key, bytes).map_err(|error| error.to_string()),
            None => Ok(false),
        }
    }
}
