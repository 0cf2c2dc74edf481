mod keep;
mod maintain;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use runtime::Runtime;
use telemetry::Registry;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    alert,
    cluster::{Cluster, StateKey},
    config::{Config, Options},
    dispatch::Now,
    error::Result,
    history::History,
    inhibit::Inhibitor,
    metrics::Metrics,
    nflog::{Claims, Log},
    pipeline,
    shared::{Generation, Shared, register_gauges},
    silence::Silences,
    snapshot,
    state::State,
    time::Time,
};

/// A running Alertmanager.
///
/// Methods that aren't async compute under a lock: with many thousand alerts call the lists off
/// the async threads.
pub struct Alertmanager {
    pub(crate) shared: Arc<Shared>,
    /// What the configuration in force has started. Held while one is replaced by the next.
    running: tokio::sync::Mutex<Option<Running>>,
    housekeeping: TaskTracker,
    stop: CancellationToken,
}

struct Running {
    generation: Arc<Generation>,
    /// The dispatch loop and all flushes.
    tasks: TaskTracker,
}

impl Alertmanager {
    /// Reads the snapshots. Nothing is notified before [`Alertmanager::apply`].
    pub fn open(
        options: Options,
        runtime: Runtime,
        registry: &Registry,
        cluster: Arc<dyn Cluster>,
    ) -> Result<Alertmanager> {
        let time = Time::now(&*runtime.clock);
        let started = Now { time, monotonic: runtime.clock.monotonic() };
        let mut state = State {
            alerts: alert::Store::new(options.alerts_per_name_max),
            silences: Silences::new(options.retention, options.silence_limits, options.mode),
            log: Log::new(options.retention),
            claims: Claims::default(),
            history: History::new(options.history_len),
            restored: HashMap::new(),
            inhibitor: Inhibitor::default(),
            dispatcher: None,
            events: options.events.clone(),
        };
        maintain::load(&options, &*runtime.disk, &mut state, time)?;
        if options.keeps_alerts {
            keep::load(&options, &*runtime.disk, &mut state, time);
        }
        let shared = Arc::new(Shared {
            metrics: Metrics::register(registry, &options),
            owner: format!("{:016x}", runtime.random.u64()),
            options,
            runtime,
            cluster,
            state: Mutex::new(state),
            wake: tokio::sync::Notify::new(),
            log_changed: tokio::sync::Notify::new(),
            generation: Mutex::new(None),
            started,
        });
        register_gauges(&shared, registry);
        Ok(Alertmanager {
            shared,
            running: tokio::sync::Mutex::new(None),
            housekeeping: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Puts a configuration in force: all groups start anew, and the notification log keeps them
    /// from repeating themselves. The first one starts everything.
    pub async fn apply(&self, config: Config) {
        let mut running = self.running.lock().await;
        if self.stop.is_cancelled() {
            return;
        }
        let is_first = running.is_none();
        if let Some(old) = running.take() {
            old.stop().await;
        }
        self.count(&config);
        let rules = config.inhibit_rules.clone();
        let generation = Arc::new(Generation::new(config));
        let options = &self.shared.options;
        {
            let starts_at = self.shared.started.monotonic + options.start_delay;
            let now = self.shared.now();
            let mut state = self.shared.state.lock();
            state.configure(&rules, generation.root.clone(), starts_at, options.groups_max, now);
        }
        *self.shared.generation.lock() = Some(generation.clone());
        let tasks = TaskTracker::new();
        tasks.spawn(dispatch(self.shared.clone(), generation.clone(), tasks.clone()));
        *running = Some(Running { generation, tasks });
        if is_first {
            let (shared, stop) = (self.shared.clone(), self.stop.clone());
            self.housekeeping.spawn(maintain::collect_alerts(shared, stop));
            let (shared, stop) = (self.shared.clone(), self.stop.clone());
            self.housekeeping.spawn(maintain::keep_snapshots(shared, stop));
            if self.shared.options.keeps_alerts {
                let (shared, stop) = (self.shared.clone(), self.stop.clone());
                self.housekeeping.spawn(keep::keep_alerts(shared, stop));
            }
        }
    }

    /// The time by this node's clock, which all answers refer to.
    pub fn now(&self) -> Time {
        self.shared.now().time
    }

    /// Takes in what a peer says; says whether there was news, which then is to be passed on.
    pub fn merge(&self, state: StateKey, message: &[u8]) -> Result<bool, snapshot::Error> {
        let now = self.shared.now();
        let (metrics, is_news) = {
            let mut all = self.shared.state.lock();
            match state {
                StateKey::Log => (&self.shared.metrics.log, all.merge_log(message, now)?),
                StateKey::Silences => {
                    (&self.shared.metrics.silences, all.silences.merge(message, now.time)?)
                }
            }
        };
        if is_news {
            metrics.propagated.increment();
            self.shared.log_changed.notify_waiters();
        }
        Ok(is_news)
    }

    /// All replicated state, for a peer.
    pub fn full_state(&self, state: StateKey) -> Vec<u8> {
        let all = self.shared.state.lock();
        match state {
            StateKey::Log => {
                let mut log = all.log.encode();
                log.extend(all.claims.encode(self.shared.runtime.clock.monotonic()));
                log
            }
            StateKey::Silences => all.silences.encode(),
        }
    }

    /// Ends all flushes, writes the snapshots, and waits for both.
    pub async fn stop(&self) {
        self.stop.cancel();
        let mut running = self.running.lock().await;
        if let Some(running) = running.take() {
            running.stop().await;
        }
        self.shared.state.lock().dispatcher = None;
        self.housekeeping.close();
        self.housekeeping.wait().await;
        maintain::maintain(&self.shared);
        if self.shared.options.keeps_alerts {
            keep::write(&self.shared);
        }
    }

    fn count(&self, config: &Config) {
        let metrics = &self.shared.metrics;
        let n_integrations: usize =
            config.receivers.iter().map(|receiver| receiver.integrations.len()).sum();
        metrics.inhibition_rules.set(config.inhibit_rules.len() as f64);
        metrics.receivers.set(config.route.receivers().len() as f64);
        metrics.integrations.set(n_integrations as f64);
        for receiver in &config.receivers {
            for integration in &receiver.integrations {
                metrics.notifications.initialize(integration.name(), &receiver.name);
            }
        }
    }
}

impl Running {
    async fn stop(self) {
        self.generation.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Starts flushes when their time has come.
async fn dispatch(shared: Arc<Shared>, generation: Arc<Generation>, tasks: TaskTracker) {
    loop {
        let now = shared.now();
        let (flushes, deadline) = {
            let mut state = shared.state.lock();
            let Some(dispatcher) = &mut state.dispatcher else { return };
            (dispatcher.tick(now), dispatcher.next_deadline())
        };
        for flush in flushes {
            tasks.spawn(pipeline::run(shared.clone(), generation.clone(), flush));
        }
        let until_next = async {
            match deadline {
                Some(deadline) => {
                    shared.runtime.clock.sleep(deadline.saturating_sub(now.monotonic)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = generation.stop.cancelled() => return,
            () = shared.wake.notified() => {}
            () = until_next => {}
        }
    }
}
