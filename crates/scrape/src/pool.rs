use std::{collections::HashMap, sync::Arc, time::Duration};

use model::{Labels, TargetGroup};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;
use transport::client::Client;

use crate::{
    Config, PoolStatus,
    failure_log::FailureLog,
    fetch::Headers,
    labels::{self, Outcome},
    metadata::Interner,
    metrics::PoolMetrics,
    scrape_loop::{ScrapeLoop, Settings, World},
    target::Target,
};

/// The targets of one job, a loop for each.
pub(crate) struct Pool {
    world: Arc<World>,
    tasks: TaskTracker,
    settings: watch::Sender<Arc<Settings>>,
    interner: Arc<Interner>,
    metrics: PoolMetrics,
    /// In the order of discovery.
    active: Vec<Active>,
    dropped: Vec<Labels>,
    n_dropped: u64,
    /// Keys of targets that only other servers hold.
    elsewhere: Vec<u64>,
}

struct Active {
    target: Arc<Target>,
    stop: CancellationToken,
}

impl Pool {
    pub(crate) fn new(
        world: Arc<World>,
        tasks: TaskTracker,
        config: Arc<Config>,
        client: Arc<Client>,
        seed: u64,
    ) -> Pool {
        let metrics = world.metrics.of_pool(&config.job_name);
        metrics.target_limit.set(config.target_limit as f64);
        let headers = Headers::new(&config, &world.options.user_agent);
        let settings =
            Settings { config, client, headers, seed, failure_log: None, forced_error: None };
        Pool {
            world,
            tasks,
            settings: watch::Sender::new(Arc::new(settings)),
            interner: Arc::default(),
            metrics,
            active: Vec::new(),
            dropped: Vec::new(),
            n_dropped: 0,
            elsewhere: Vec::new(),
        }
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        self.settings.borrow().config.clone()
    }

    pub(crate) fn set_seed(&self, seed: u64) {
        self.change(|settings| settings.seed = seed);
    }

    pub(crate) fn set_failure_log(&self, log: Option<Arc<FailureLog>>) {
        self.change(|settings| settings.failure_log = log);
    }

    /// Replaces the settings; the caller syncs afterwards.
    pub(crate) fn reload(&self, config: Arc<Config>, client: Option<Arc<Client>>) {
        let began = self.world.runtime.clock.monotonic();
        let interval = config.scrape_interval;
        self.metrics.target_limit.set(config.target_limit as f64);
        self.change(|settings| {
            settings.headers = Headers::new(&config, &self.world.options.user_agent);
            settings.config = config.clone();
            if let Some(client) = client {
                settings.client = client;
            }
        });
        self.world.metrics.pool_reloads.increment();
        let took = self.world.runtime.clock.monotonic() - began;
        self.world.metrics.reload_length(interval).observe_duration(took);
    }

    /// Makes the targets of `groups` the targets of the job: the same ones are scraped on.
    pub(crate) fn sync(&mut self, groups: &[Arc<TargetGroup>]) {
        let began = self.world.runtime.clock.monotonic();
        let config = self.config();
        let found = self.find(&config, groups);
        let mut old: HashMap<u64, Active> = std::mem::take(&mut self.active)
            .into_iter()
            .map(|active| (active.target.hash, active))
            .collect();
        let mut new: Vec<(usize, Target)> = Vec::new();
        let mut active: Vec<Option<Active>> = Vec::with_capacity(found.len());
        for (target, discovered) in found {
            match old.remove(&target.hash) {
                Some(same) => {
                    same.target.set_discovered(discovered);
                    active.push(Some(same));
                }
                None => {
                    new.push((active.len(), target));
                    active.push(None);
                }
            }
        }
        let n_targets = active.len();
        self.set_forced_error(&config, n_targets);
        for (idx, mut target) in new {
            if let Some(before) = old.values().find(|old| target.continues(&old.target)) {
                target.take_over(&before.target);
            }
            active[idx] = Some(self.start(target));
        }
        for gone in old.into_values() {
            gone.stop.cancel();
        }
        self.active = active.into_iter().flatten().collect();
        self.interner.clean();
        self.metrics.targets.set(n_targets as f64);
        self.metrics.syncs.increment();
        let took: Duration = self.world.runtime.clock.monotonic() - began;
        self.metrics.sync_length.observe_duration(took);
    }

    /// The targets of the groups, each once, with their labels before relabelling; notes the dropped
    /// ones.
    fn find(&mut self, config: &Config, groups: &[Arc<TargetGroup>]) -> Vec<(Target, Labels)> {
        self.dropped.clear();
        self.n_dropped = 0;
        self.elsewhere.clear();
        let mut found = Vec::new();
        let mut hashes = HashMap::new();
        for group in groups {
            let (outcomes, errors) = labels::targets(config, group);
            for error in &errors {
                error!(scrape_pool = config.job_name, error, "Creating target failed");
            }
            self.metrics.sync_failed.add(errors.len() as f64);
            for outcome in outcomes {
                match outcome {
                    Outcome::Target(identity) => {
                        let discovered = identity.discovered.clone();
                        let seed = self.world.runtime.random.u64();
                        let target = Target::new(config, identity, seed);
                        let is_new = hashes.insert(target.hash, ()).is_none();
                        let sharing = self.world.sharing.as_ref();
                        let is_held =
                            sharing.is_none_or(|sharing| sharing.holds(target.shared_key));
                        match (is_new, is_held) {
                            (true, true) => found.push((target, discovered)),
                            (true, false) => self.elsewhere.push(target.shared_key),
                            (false, _) => {}
                        }
                    }
                    Outcome::Dropped(labels) => {
                        let limit = config.keep_dropped_targets;
                        if limit == 0 || (self.dropped.len() as u64) < limit {
                            self.dropped.push(labels);
                        }
                        self.n_dropped += 1;
                    }
                }
            }
        }
        found
    }

    /// With too many targets none is scraped: which ones to leave out is not for us to say.
    fn set_forced_error(&self, config: &Config, n_targets: usize) {
        let limit = config.target_limit;
        let is_exceeded = limit > 0 && n_targets as u64 > limit;
        if is_exceeded {
            self.world.metrics.exceeded_target_limit.increment();
        }
        let error = is_exceeded.then(|| {
            format!("target_limit exceeded (number of targets: {n_targets}, limit: {limit})")
        });
        if self.settings.borrow().forced_error != error {
            self.change(|settings| settings.forced_error = error);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.settings.send_modify(|settings| change(Arc::make_mut(settings)));
    }

    fn start(&self, target: Target) -> Active {
        let (target, stop) = (Arc::new(target), self.world.shutdown.child_token());
        let scrape_loop = ScrapeLoop::new(
            self.world.clone(),
            self.settings.subscribe(),
            self.interner.clone(),
            target.clone(),
        );
        self.tasks.spawn(scrape_loop.run(stop.clone()));
        Active { target, stop }
    }

    /// Ends the scrapes; the loops end their series in their time.
    pub(crate) fn stop(self) {
        for active in &self.active {
            active.stop.cancel();
        }
        let job = &self.settings.borrow().config.job_name;
        self.world.metrics.remove_pool(job);
    }

    /// Entries and bytes of metadata.
    pub(crate) fn metadata_size(&self) -> (usize, usize) {
        self.active.iter().fold((0, 0), |(entries, bytes), active| {
            let memory = active.target.memory.lock();
            (entries + memory.metadata.len(), bytes + memory.metadata.bytes())
        })
    }

    /// Keys of all targets, also of those that only other servers hold.
    pub(crate) fn shared_keys(&self) -> impl Iterator<Item = u64> {
        let here = self.active.iter().map(|active| active.target.shared_key);
        here.chain(self.elsewhere.iter().copied())
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let config = self.config();
        PoolStatus {
            name: config.job_name.clone(),
            config,
            active: self.active.iter().map(|active| active.target.status()).collect(),
            dropped: self.dropped.clone(),
            n_dropped: self.n_dropped,
        }
    }
}
