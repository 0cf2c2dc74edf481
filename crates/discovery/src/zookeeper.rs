//! Trees of nodes in ZooKeeper: read once, then watched.

mod connection;
mod message;
mod tree;

use std::{convert::Infallible, time::Duration};

use model::Labels;
use runtime::Runtime;
use serde_json::Value;
use tracing::{debug, warn};

use self::{connection::Connection, tree::Tree};
use crate::{Updates, found::group, refresh::changes};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub servers: Vec<String>,
    /// A node each: what it has below it are the targets, and so is the node itself.
    pub paths: Vec<String>,
    /// After so long a silence the server is given up.
    pub timeout: Duration,
}

/// A pause before the next server is tried.
const RETRY: Duration = Duration::from_secs(1);

/// Makes a target of each node that has JSON in it.
pub(crate) struct Watcher {
    config: Config,
    runtime: Runtime,
    /// From a node's path and data.
    target: fn(&str, &Value) -> Labels,
}

impl Watcher {
    pub(crate) fn new(
        config: &Config,
        runtime: &Runtime,
        target: fn(&str, &Value) -> Labels,
    ) -> Watcher {
        Watcher { config: config.clone(), runtime: runtime.clone(), target }
    }

    /// Goes on for ever; while no server can be reached, what was found before stays true.
    pub(crate) async fn run(self, updates: Updates) {
        let mut last = None;
        let n_servers = self.config.servers.len();
        // Not all of us at the first one.
        let mut next = usize::try_from(self.runtime.random.u64() >> 33).unwrap_or_default();
        loop {
            let Some(server) = self.config.servers.get(next % n_servers.max(1)) else { return };
            let mut publish = |tree: &Tree| {
                if let Some(changes) = changes(&mut last, self.groups(tree)) {
                    updates.send(changes);
                }
            };
            let Err(err) = self.watch(server, &mut publish).await;
            warn!(server, err, "Lost ZooKeeper");
            next += 1;
            self.runtime.clock.sleep(RETRY).await;
        }
    }

    /// Returns only when the connection is lost.
    async fn watch(
        &self,
        server: &str,
        publish: &mut (impl FnMut(&Tree) + Send),
    ) -> Result<Infallible, String> {
        let mut connection = Connection::open(&self.runtime, server, self.config.timeout).await?;
        let mut tree = Tree::new(&self.config.paths);
        for path in &self.config.paths {
            tree.read(&mut connection, path).await?;
        }
        loop {
            publish(&tree);
            let mut event = Some(connection.event().await?);
            // Whatever has happened by now is told at once.
            while let Some(happened) = event {
                tree.follow(&mut connection, happened).await?;
                event = connection.waiting_event();
            }
        }
    }

    fn groups(&self, tree: &Tree) -> Vec<model::TargetGroup> {
        let mut groups = Vec::new();
        for (path, data) in tree.data().filter(|(_, data)| !data.is_empty()) {
            match serde_json::from_slice(data) {
                Ok(member) => groups.push(group(path, vec![(self.target)(path, &member)])),
                Err(error) => debug!(path, %error, "No target in a node"),
            }
        }
        groups
    }
}
