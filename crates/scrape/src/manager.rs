use std::{collections::BTreeMap, sync::Arc, time::Duration};

use exposition::Protocol;
use model::{Labels, TargetGroup};
use parking_lot::Mutex;
use runtime::Runtime;
use storage::Appendable;
use telemetry::{Family, Kind, Registry};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use transport::client::Client;

use crate::{
    Config, Error, PoolStatus, Result, failure_log, metrics::Metrics, pool::Pool, schedule,
    scrape_loop::World, shared::Sharing,
};

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
    /// Whether the storage is told what series mean, for the log.
    pub logs_metadata: bool,
    /// Whether a zero is stored where a counter or a histogram says that it began. Then protobuf,
    /// which says so best, is asked for first.
    pub stores_start_zeros: bool,
    /// Whether all jobs have the extra metrics of which the configuration speaks.
    pub extra_scrape_metrics: bool,
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
            logs_metadata: false,
            stores_start_zeros: false,
            extra_scrape_metrics: false,
        }
    }
}

/// Scrapes all targets of all jobs.
pub struct Manager {
    world: Arc<World>,
    /// Held while jobs or targets are replaced, never while anything is scraped.
    state: Arc<Mutex<State>>,
    /// The loops, also those of targets that are gone and whose series still have to end.
    tasks: TaskTracker,
}

#[derive(Default)]
struct State {
    pools: BTreeMap<String, Pool>,
    /// The newest targets, for jobs that change.
    groups: TargetGroups,
}

impl Manager {
    /// A manager that scrapes nothing yet.
    pub fn new(
        options: Options,
        runtime: Runtime,
        appendable: Arc<dyn Appendable>,
        registry: &Registry,
    ) -> Manager {
        let metrics = Metrics::register(registry);
        let shutdown = CancellationToken::new();
        let world = World { options, runtime, appendable, metrics, shutdown, sharing: None };
        let state: Arc<Mutex<State>> = Arc::default();
        let asked = Arc::downgrade(&state);
        registry.collect(move |families| {
            if let Some(state) = asked.upgrade() {
                collect_metadata_sizes(&state.lock(), families);
            }
        });
        Manager { world: Arc::new(world), state, tasks: TaskTracker::new() }
    }

    /// Shares the scrapes with other servers. Before anything is scraped.
    pub fn with_sharing(mut self, sharing: Arc<dyn Sharing>) -> Manager {
        let world = Arc::get_mut(&mut self.world);
        stdx::never!(world.is_none());
        if let Some(world) = world {
            world.sharing = Some(sharing);
        }
        self
    }

    /// What a job means with the options of the process.
    fn adopt(&self, mut config: Config) -> Config {
        let options = &self.world.options;
        config.extra_scrape_metrics |= options.extra_scrape_metrics;
        if options.stores_start_zeros && config.scrape_protocols == Protocol::STANDARD {
            config.scrape_protocols.insert(0, Protocol::PrometheusProto);
        }
        config
    }

    /// Replaces the jobs. Targets that stay the same are scraped on; new jobs wait for
    /// [`Manager::set_targets`]. After an error nothing has changed. Call it inside of a Tokio
    /// runtime.
    pub fn apply(&self, configs: Vec<Config>, external_labels: &Labels) -> Result<()> {
        let configs: Vec<Config> = configs.into_iter().map(|config| self.adopt(config)).collect();
        let mut state = self.state.lock();
        let mut clients = Vec::with_capacity(configs.len());
        for config in &configs {
            clients.push(self.client(config, state.pools.get(&config.job_name))?);
        }
        let logs = failure_log::open(&*self.world.runtime.disk, &configs)?;
        let seed = match &self.world.sharing {
            Some(sharing) => schedule::seed(&sharing.name(), &Labels::empty()),
            None => schedule::seed(&self.world.options.host_name, external_labels),
        };
        let mut old = std::mem::take(&mut state.pools);
        for (config, client) in configs.into_iter().zip(clients) {
            let job = config.job_name.clone();
            let groups = state.groups.get(&job).map_or(&[][..], Vec::as_slice);
            let pool = match (old.remove(&job), client) {
                (Some(pool), _) if *pool.config() == config => pool,
                (Some(mut pool), client) => {
                    pool.reload(Arc::new(config), client);
                    pool.sync(groups);
                    pool
                }
                (None, Some(client)) => {
                    let mut pool = self.pool(config, client, seed);
                    if !groups.is_empty() {
                        pool.sync(groups);
                    }
                    pool
                }
                (None, None) => unreachable!("a job without a pool was given a client"),
            };
            pool.set_seed(seed);
            let log_file = pool.config().scrape_failure_log_file.clone();
            pool.set_failure_log(log_file.and_then(|path| logs.get(&path).cloned()));
            state.pools.insert(job, pool);
        }
        for gone in old.into_values() {
            gone.stop();
        }
        Ok(())
    }

    /// A client for the job; nothing if it can keep the one that it has.
    fn client(&self, config: &Config, pool: Option<&Pool>) -> Result<Option<Arc<Client>>> {
        if pool.is_some_and(|pool| pool.config().http == config.http) {
            return Ok(None);
        }
        let metrics = &self.world.metrics;
        if pool.is_none() {
            metrics.pools.increment();
        }
        match Client::new(config.http.clone(), self.world.runtime.clone()) {
            Ok(client) => Ok(Some(Arc::new(client))),
            Err(source) => {
                let failed = if pool.is_some() {
                    &metrics.pool_reloads_failed
                } else {
                    &metrics.pools_failed
                };
                failed.increment();
                Err(Error::Client { job: config.job_name.clone(), source })
            }
        }
    }

    fn pool(&self, config: Config, client: Arc<Client>, seed: u64) -> Pool {
        Pool::new(self.world.clone(), self.tasks.clone(), Arc::new(config), client, seed)
    }

    /// Replaces the targets of all jobs at once. Call it inside of a Tokio runtime.
    pub fn set_targets(&self, groups: &TargetGroups) {
        let mut state = self.state.lock();
        state.groups = groups.clone();
        for (job, pool) in &mut state.pools {
            // Who is not mentioned has not been looked for yet.
            if let Some(groups) = groups.get(job) {
                pool.sync(groups);
            }
        }
    }

    /// Asks again which targets this server holds: others have come or gone.
    pub fn share_anew(&self) {
        let mut state = self.state.lock();
        let State { pools, groups } = &mut *state;
        for (job, pool) in pools {
            if let Some(groups) = groups.get(job) {
                pool.sync(groups);
            }
        }
    }

    /// Takes up targets as they are discovered, the first ones at once, until nobody discovers any
    /// more or the manager is stopped.
    pub async fn run(&self, mut updates: watch::Receiver<Arc<TargetGroups>>) {
        let pause = self.world.options.discovery_reload_interval;
        updates.mark_changed();
        let take_up = async {
            while updates.changed().await.is_ok() {
                let groups = updates.borrow_and_update().clone();
                // Relabelling many targets takes its time.
                runtime::blocking(|| self.set_targets(&groups));
                // Before the first ones are found there is nothing to spare.
                if groups.values().any(|groups| !groups.is_empty()) {
                    self.world.runtime.clock.sleep(pause).await;
                }
            }
        };
        self.world.shutdown.run_until_cancelled(take_up).await;
    }

    /// All jobs by name, with what is known of their targets.
    pub fn pools(&self) -> Vec<PoolStatus> {
        self.state.lock().pools.values().map(Pool::status).collect()
    }

    /// What [`crate::Sharing`] knows targets by: all there are, also those that only other servers
    /// hold.
    pub fn shared_keys(&self) -> Vec<u64> {
        self.state.lock().pools.values().flat_map(Pool::shared_keys).collect()
    }

    /// Stops all scrapes and waits for them. Writes no staleness markers: the next start goes on.
    pub async fn stop(&self) {
        self.world.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.world.shutdown.cancel();
    }
}

fn collect_metadata_sizes(state: &State, families: &mut Vec<Family>) {
    let mut entries = Family::new(
        "prometheus_target_metadata_cache_entries",
        "Total number of metric metadata entries in the cache",
        Kind::Gauge,
    );
    let mut bytes = Family::new(
        "prometheus_target_metadata_cache_bytes",
        "The number of bytes that are currently used for storing metric metadata in the cache",
        Kind::Gauge,
    );
    for (job, pool) in &state.pools {
        let (n_entries, n_bytes) = pool.metadata_size();
        entries.push(&[("scrape_job", job)], n_entries as f64);
        bytes.push(&[("scrape_job", job)], n_bytes as f64);
    }
    families.extend([entries, bytes]);
}
