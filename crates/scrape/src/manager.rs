use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{Labels, TargetGroup};
use runtime::Runtime;
use storage::Appendable;
use telemetry::Registry;
use tokio::sync::watch;

use crate::{Config, PoolStatus, Result};

/// Target groups by job.
pub type TargetGroups = BTreeMap<String, Vec<Arc<TargetGroup>>>;

/// Settings for the whole life of the process.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub user_agent: String,
    /// Spreads the scrapes of servers with the same targets; upstream takes the full host name.
    pub host_name: String,
    /// Whether a timestamp that is off by no more than the tolerance is moved to where the
    /// schedule wanted it: such series compress better.
    pub adjust_timestamps: bool,
    pub timestamp_tolerance: Duration,
    /// Changes of targets are taken up no more often than this.
    pub discovery_reload_interval: Duration,
    /// Whether samples get `__type__` and `__unit__` labels.
    pub type_and_unit_labels: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            user_agent: "Prometheus/3.14.0".to_owned(),
            host_name: String::new(),
            adjust_timestamps: true,
            timestamp_tolerance: Duration::from_millis(2),
            discovery_reload_interval: Duration::from_secs(5),
            type_and_unit_labels: false,
        }
    }
}

/// Scrapes all targets of all jobs.
pub struct Manager {}

impl Manager {
    /// A manager that scrapes nothing yet.
    pub fn new(
        _options: Options,
        _runtime: Runtime,
        _appendable: Arc<dyn Appendable>,
        _registry: &Registry,
    ) -> Manager {
        Manager {}
    }

    /// Replaces the jobs. Targets that stay the same are scraped on; new jobs wait for
    /// [`Manager::set_targets`]. After an error nothing has changed. Call it inside of a Tokio
    /// runtime.
    pub fn apply(&self, _configs: Vec<Config>, _external_labels: &Labels) -> Result<()> {
        Ok(())
    }

    /// Replaces the targets of all jobs at once. Call it inside of a Tokio runtime.
    pub fn set_targets(&self, _groups: &TargetGroups) {}

    /// Takes up targets as they are discovered, until nobody discovers any more or the manager is
    /// stopped.
    pub async fn run(&self, mut updates: watch::Receiver<Arc<TargetGroups>>) {
        while updates.changed().await.is_ok() {
            self.set_targets(&updates.borrow_and_update().clone());
        }
    }

    /// All jobs by name, with what is known of their targets.
    pub fn pools(&self) -> Vec<PoolStatus> {
        Vec::new()
    }

    /// Stops all scrapes and waits for them. Writes no staleness markers: the next start goes on.
    pub async fn stop(&self) {}
}
