use std::sync::Arc;

use api::prometheus::targets::{Health, Pool, Target, Targets};
use scrape::{Manager, PoolStatus, TargetStatus};

use crate::server::shown::Shown;

/// Jobs and their targets.
pub(in crate::server) struct TargetsAdapter {
    pub(in crate::server) scrape: Arc<Manager>,
    pub(in crate::server) shown: Shown,
}

impl Targets for TargetsAdapter {
    fn pools(&self) -> Vec<Pool> {
        self.scrape.pools().into_iter().map(to_pool).collect()
    }

    fn pool_config(&self, pool: &str) -> Result<String, String> {
        self.shown.job(pool).ok_or_else(|| format!("scrape pool {pool:?} not found"))
    }

    fn relabel_rules(&self, pool: &str) -> Result<Vec<relabel::Rule>, String> {
        let mut pools = self.scrape.pools().into_iter();
        let found = pools.find(|status| status.name == pool);
        let rules = found.map(|status| status.config.relabel_rules.clone());
        rules.ok_or_else(|| format!("scrape pool {pool} not found"))
    }
}

fn to_pool(status: PoolStatus) -> Pool {
    Pool {
        name: status.name,
        active: status.active.into_iter().map(to_target).collect(),
        dropped: status.dropped,
        n_dropped: status.n_dropped,
    }
}

fn to_target(status: TargetStatus) -> Target {
    Target {
        discovered_labels: status.discovered_labels,
        labels: status.labels,
        url: status.url,
        health: match status.health {
            scrape::Health::Unknown => Health::Unknown,
            scrape::Health::Up => Health::Up,
            scrape::Health::Down => Health::Down,
        },
        last_error: status.last_error,
        last_scrape: status.last_scrape,
        last_scrape_duration: status.last_scrape_duration,
        interval: status.interval,
        timeout: status.timeout,
        owners: Vec::new(),
        metadata: status.metadata,
    }
}
