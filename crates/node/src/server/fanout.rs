//! What is stored here and what others store, as one.

use std::sync::Arc;

use arc_swap::ArcSwap;
use model::{TimeRange, Timestamp};
use remote::read::{Config, LocalStart, Metrics, Remote};
use runtime::Runtime;
use storage::{Querier, Queryable, Result};
use storeapi::Merged;
use telemetry::Registry;

use super::{LateDatabase, cluster::Members};

/// For what members answer to one selection.
const ANSWERS_BYTES_MAX: usize = 1 << 30;

/// The database, and the systems that `remote_read` names. Cloning gives another handle.
#[derive(Clone)]
pub(super) struct Fanout {
    local: LateDatabase,
    /// The database, completed from other members of the cluster.
    completed: Arc<dyn Queryable>,
    remotes: Arc<ArcSwap<Vec<Remote>>>,
    runtime: Runtime,
    metrics: Metrics,
}

impl Fanout {
    /// What `members` know is as good as what is stored here. Call it inside of a Tokio runtime.
    pub(super) fn new(
        local: LateDatabase,
        members: Option<Arc<Members>>,
        runtime: Runtime,
        registry: &Registry,
    ) -> Fanout {
        let metrics = Metrics::register(registry);
        let own = Arc::new(local.clone());
        let completed: Arc<dyn Queryable> = match members {
            Some(members) => {
                let choose = Arc::new(move |range| members.choose(range));
                Arc::new(Merged::new(own, choose, ANSWERS_BYTES_MAX))
            }
            None => own,
        };
        Fanout { local, completed, remotes: Arc::default(), runtime, metrics }
    }

    /// Reads from these systems from now on; after an error everything is as before.
    pub(super) fn apply(&self, configs: Vec<Config>) -> Result<(), transport::client::Error> {
        let mut remotes = Vec::new();
        for config in configs {
            let start = self.local_start();
            remotes.push(Remote::new(config, self.runtime.clone(), start, &self.metrics)?);
        }
        self.remotes.store(Arc::new(remotes));
        Ok(())
    }

    /// From when on there are samples here.
    fn local_start(&self) -> LocalStart {
        let local = self.local.clone();
        Arc::new(move || -> Option<Timestamp> { Some(local.get()?.time_range()?.start) })
    }
}

impl Queryable for Fanout {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier>> {
        let local = self.completed.querier(range)?;
        let remotes = self.remotes.load();
        let mut parts = vec![local];
        for remote in remotes.iter() {
            parts.push(remote.querier(range)?);
        }
        Ok(storage::merge(parts))
    }
}
