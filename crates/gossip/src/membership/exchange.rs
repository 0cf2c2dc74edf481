//! Full exchanges: two nodes tell each other all that they know.

use std::{net::SocketAddr, time::Duration};

use super::{Membership, Output};
use crate::{
    Error, Result,
    wire::{
        message::{Accusation, Alive, Condition, NodeState, Versions},
        stream::PushPull,
    },
};

/// Larger clusters exchange less often, so that the traffic does not grow with them.
const UNSCALED_NODES_MAX: usize = 32;

impl Membership {
    /// What this node knows of all nodes.
    pub fn states(&self) -> Vec<NodeState> {
        self.nodes.iter().map(|(name, entry)| entry.state(name)).collect()
    }

    /// Whether what another node knows can be taken in at all.
    pub fn check_versions(&self, state: &PushPull) -> Result<()> {
        check_versions(
            state
                .nodes
                .iter()
                .filter(|node| node.condition == Condition::Alive)
                .map(|node| (node.name.as_str(), &node.versions)),
            self.nodes
                .iter()
                .filter(|(_, entry)| entry.condition == Condition::Alive)
                .map(|(name, entry)| (name.as_str(), &entry.versions)),
        )
    }

    /// Takes in what passed [`Membership::check_versions`].
    pub(super) fn merge(&mut self, now: Duration, state: PushPull) {
        for node in state.nodes {
            self.merge_node(now, node);
        }
        if !state.user_state.is_empty() {
            let PushPull { user_state, is_join, .. } = state;
            self.outputs.push(Output::Merge { user_state, is_join });
        }
    }

    fn merge_node(&mut self, now: Duration, node: NodeState) {
        let NodeState { name, incarnation, condition, .. } = node;
        match condition {
            Condition::Alive => self.hear_alive(
                now,
                Alive {
                    incarnation,
                    node: name,
                    address: node.address,
                    port: node.port,
                    meta: node.meta,
                    versions: node.versions,
                },
            ),
            Condition::Left => {
                let from = name.clone();
                self.hear_dead(now, Accusation { incarnation, node: name, from });
            }
            // Dead by their word is suspect by ours: it may object.
            Condition::Suspect | Condition::Dead => {
                let from = self.config.name.clone();
                self.hear_suspect(now, Accusation { incarnation, node: name, from });
            }
        }
    }

    pub(super) fn start_push_pull(&mut self) {
        let own_name = &self.config.name;
        let chosen =
            self.pick(1, |name, entry| name != own_name && entry.condition == Condition::Alive);
        for (_, entry) in chosen {
            let to = SocketAddr::new(entry.address.ip().to_canonical(), entry.address.port());
            self.outputs.push(Output::PushPull { to });
        }
    }

    pub(super) fn push_pull_interval(&self) -> Duration {
        self.config.push_pull_interval * push_pull_scale(self.nodes.len())
    }
}

pub(super) fn push_pull_scale(n_nodes: usize) -> u32 {
    if n_nodes <= UNSCALED_NODES_MAX {
        return 1;
    }
    let doublings = (n_nodes as f64).log2() - (UNSCALED_NODES_MAX as f64).log2();
    doublings.ceil() as u32 + 1
}

/// All nodes must speak a version that each of them understands.
fn check_versions<'a>(
    theirs: impl Iterator<Item = (&'a str, &'a Versions)>,
    ours: impl Iterator<Item = (&'a str, &'a Versions)>,
) -> Result<()> {
    let all: Vec<(&str, &Versions)> = theirs.chain(ours).collect();
    // The outer protocol, then what it carries.
    for (offset, what) in [(0, "protocol"), (3, "delegate")] {
        let least = all.iter().map(|(_, versions)| versions[offset]).max().unwrap_or(0);
        let greatest = all.iter().map(|(_, versions)| versions[offset + 1]).min().unwrap_or(0);
        for (name, versions) in &all {
            let current = versions[offset + 2];
            if current < least || current > greatest {
                return Err(Error::Versions(format!(
                    "node {name:?} speaks {what} version {current}, not in {least} to {greatest}"
                )));
            }
        }
    }
    Ok(())
}
