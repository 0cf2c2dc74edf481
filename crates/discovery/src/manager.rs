use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use model::TargetGroup;
use parking_lot::Mutex;
use runtime::Runtime;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

use crate::{
    Config, Metrics, Updates,
    mechanism::{self, Mechanism},
    publish::{Provided, Publisher, Subscription},
};

/// Target groups by the name of the set that asked for them: a job, a set of Alertmanagers.
pub type Groups = BTreeMap<String, Vec<Arc<TargetGroup>>>;

/// Settings for the whole life of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `scrape` or `notify`, in metrics.
    pub name: String,
    /// Changes are handed out so long after the first of them, so that others can join it.
    pub update_interval_min: Duration,
    /// The pause grows up to this one while changes keep coming.
    pub update_interval_max: Duration,
}

impl Options {
    pub fn named(name: &str) -> Options {
        Options {
            name: name.to_owned(),
            update_interval_min: Duration::from_millis(100),
            update_interval_max: Duration::from_secs(5),
        }
    }
}

/// Runs the mechanisms that are configured and hands out what they find.
pub struct Manager {
    runtime: Runtime,
    metrics: Metrics,
    publisher: Arc<Publisher>,
    /// Only reloads take it.
    providers: Mutex<Vec<Provider>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A mechanism at work, for all sets that configure it alike.
struct Provider {
    config: Config,
    provided: Arc<Provided>,
    /// Who wants it.
    sets: BTreeSet<String>,
    stop: CancellationToken,
}

impl Manager {
    /// A manager that looks for nothing yet. Call it inside of a Tokio runtime.
    pub fn new(options: Options, runtime: Runtime, metrics: &Metrics) -> Manager {
        let publisher = Arc::new(Publisher::new(metrics.of_manager(&options.name)));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (hand_out, clock, stopped) = (publisher.clone(), runtime.clock.clone(), stop.clone());
        tasks.spawn(async move { hand_out.run(options, clock, stopped).await });
        let metrics = metrics.clone();
        Manager { runtime, metrics, publisher, providers: Mutex::default(), tasks, stop }
    }

    /// Replaces what is looked for. Mechanisms whose settings stay the same go on, and what they
    /// have found is handed out at once. Says why some cannot work at all, which is also logged.
    pub fn apply(&self, sets: BTreeMap<String, Vec<Config>>) -> Vec<String> {
        let mut providers = self.providers.lock();
        let mut old = std::mem::take(&mut *providers);
        let mut failures = Vec::new();
        for (set, configs) in &sets {
            for config in configs {
                if let Some(same) = providers.iter_mut().find(|p| p.config == *config) {
                    same.sets.insert(set.clone());
                    continue;
                }
                let same = old.iter().position(|provider| provider.config == *config);
                let provider = match same {
                    Some(idx) => Ok(old.swap_remove(idx)),
                    None => self.start(config, set, &old),
                };
                match provider {
                    Ok(provider) => {
                        let sets = BTreeSet::from([set.clone()]);
                        providers.push(Provider { sets, ..provider });
                    }
                    Err(error) => {
                        error!(config = set, error, "Cannot create service discovery");
                        failures.push(error);
                    }
                }
            }
        }
        for gone in old {
            gone.stop.cancel();
        }
        self.publisher.metrics.failed_configs.set(failures.len() as f64);
        let subscriptions = providers.iter().map(|provider| Subscription {
            provided: provider.provided.clone(),
            sets: provider.sets.clone(),
        });
        self.publisher.reload(sets.into_keys().collect(), subscriptions.collect());
        failures
    }

    /// The newest groups of all sets, and a way to wait for newer ones.
    pub fn updates(&self) -> watch::Receiver<Arc<Groups>> {
        self.publisher.subscribe()
    }

    /// Stops all mechanisms and waits for them; the last groups stay.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn start(&self, config: &Config, set: &str, old: &[Provider]) -> Result<Provider, String> {
        let provided =
            Provided::new(self.publisher.changed.clone(), self.publisher.metrics.clone());
        let provided = Arc::new(provided);
        let stop = self.stop.child_token();
        match mechanism::build(config, set, &self.runtime, &self.metrics)? {
            Mechanism::Fixed(groups) => provided.replace(groups),
            Mechanism::Running(discoverer) => {
                let is_before = |old: &&Provider| {
                    old.config.mechanism() == config.mechanism() && old.sets.contains(set)
                };
                if let Some(before) = old.iter().find(is_before) {
                    provided.inherit(&before.provided);
                }
                let (updates, stopped) = (Updates(provided.clone()), stop.clone());
                self.tasks.spawn(async move {
                    stopped.run_until_cancelled(discoverer.run(updates)).await;
                });
            }
        }
        Ok(Provider { config: config.clone(), provided, sets: BTreeSet::new(), stop })
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
