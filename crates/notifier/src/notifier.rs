use std::{collections::BTreeMap, sync::Arc};

use model::{Alert, Labels, LabelsBuilder};
use parking_lot::Mutex;
use relabel::Rule;
use runtime::Runtime;
use telemetry::Registry;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use transport::client::Client;
use url::Url;

use crate::{
    Config, Options, SetConfig, TargetGroup, alertmanager::addresses, metrics::Metrics,
    queue::Queue, sender::Sender,
};

/// Why a configuration cannot be applied.
#[derive(Debug, thiserror::Error)]
#[error("alertmanager set {idx}: {source}")]
pub struct Error {
    idx: usize,
    source: transport::client::Error,
}

/// Queues alerts and sends them to all Alertmanagers.
pub struct Notifier {
    runtime: Runtime,
    options: Arc<Options>,
    metrics: Metrics,
    /// Held for moments only; queues are locked under it.
    state: Mutex<State>,
    /// The senders, also those of Alertmanagers that are gone and still drain.
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Default)]
struct State {
    external_labels: Labels,
    alert_relabel: Vec<Rule>,
    sets: Vec<Set>,
}

/// The Alertmanagers of one entry in the configuration.
struct Set {
    config: SetConfig,
    client: Arc<Client>,
    /// By URL.
    active: BTreeMap<String, Active>,
    dropped: Vec<String>,
}

/// An Alertmanager that is sent to.
struct Active {
    queue: Arc<Queue>,
    stop: CancellationToken,
}

impl Notifier {
    /// A notifier that knows no Alertmanager yet.
    pub fn new(options: Options, runtime: Runtime, registry: &Registry) -> Notifier {
        Notifier {
            runtime,
            metrics: Metrics::register(registry, options.queue_capacity),
            options: Arc::new(options),
            state: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Applies a configuration. Sets that stay the same keep their Alertmanagers and queues; the
    /// others wait for [`Notifier::set_targets`]. After an error nothing has changed.
    pub fn apply(&self, config: Config) -> Result<(), Error> {
        let mut clients = Vec::new();
        for (idx, set) in config.sets.iter().enumerate() {
            let client = Client::new(set.http.clone(), self.runtime.clone())
                .map_err(|source| Error { idx, source })?;
            clients.push(Arc::new(client));
        }
        let mut state = self.state.lock();
        let mut old = std::mem::take(&mut state.sets);
        for (set, client) in config.sets.into_iter().zip(clients) {
            let same = old.iter().position(|old| old.config.is_same(&set));
            state.sets.push(match same {
                Some(idx) => old.swap_remove(idx),
                None => Set { config: set, client, active: BTreeMap::new(), dropped: Vec::new() },
            });
        }
        state.external_labels = config.external_labels;
        state.alert_relabel = config.alert_relabel;
        for (url, active) in old.into_iter().flat_map(|set| set.active) {
            active.stop.cancel();
            self.forget_unless_used(&url, &state);
        }
        self.count(&state);
        Ok(())
    }

    /// Replaces the discovered targets of the set at `idx` in the configuration.
    pub fn set_targets(&self, idx: usize, groups: &[TargetGroup]) {
        let mut state = self.state.lock();
        let Some(set) = state.sets.get_mut(idx) else {
            tracing::error!(idx, "targets for an alertmanager set that is not configured");
            return;
        };
        let addresses = addresses(&set.config, groups);
        set.dropped = addresses.dropped.into_iter().collect();
        let (stay, gone): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut set.active)
            .into_iter()
            .partition(|(text, _)| addresses.active.contains_key(text));
        set.active = stay;
        for (text, url) in addresses.active {
            if !set.active.contains_key(&text) {
                let active = self.start(set, &text, url);
                set.active.insert(text, active);
            }
        }
        for (url, active) in gone {
            active.stop.cancel();
            self.forget_unless_used(&url, &state);
        }
        self.count(&state);
    }

    /// Queues `alerts` for every Alertmanager. Never waits.
    pub fn send(&self, alerts: Vec<Alert>) {
        let state = self.state.lock();
        let alerts = prepare(alerts, &state.external_labels, &state.alert_relabel);
        if alerts.is_empty() {
            return;
        }
        for set in &state.sets {
            let alerts = if set.config.alert_relabel.is_empty() {
                alerts.clone()
            } else {
                let alerts = alerts.iter().map(|alert| alert.as_ref().clone()).collect();
                prepare(alerts, &Labels::default(), &set.config.alert_relabel)
            };
            for (url, active) in &set.active {
                let count = active.queue.push(alerts.iter().cloned());
                if count > 0 {
                    self.metrics.of(url).dropped.add(count as f64);
                    tracing::warn!(
                        alertmanager = url,
                        count,
                        "Alert notification queue full, dropping alerts"
                    );
                }
            }
        }
    }

    /// The URLs that alerts are sent to.
    pub fn active(&self) -> Vec<String> {
        let state = self.state.lock();
        state.sets.iter().flat_map(|set| set.active.keys().cloned()).collect()
    }

    /// The URLs that were discovered and that relabelling has dropped.
    pub fn dropped(&self) -> Vec<String> {
        let state = self.state.lock();
        state.sets.iter().flat_map(|set| set.dropped.iter().cloned()).collect()
    }

    /// Stops all senders, which drain their queues if configured, and waits for them.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn start(&self, set: &Set, text: &str, url: Url) -> Active {
        let metrics = self.metrics.of(text);
        let capacity = self.options.queue_capacity;
        let queue = Arc::new(Queue::new(capacity, metrics.queue_length.clone()));
        let stop = self.stop.child_token();
        let sender = Sender {
            url,
            queue: queue.clone(),
            client: set.client.clone(),
            timeout: set.config.timeout,
            options: self.options.clone(),
            metrics,
            clock: self.runtime.clock.clone(),
        };
        self.tasks.spawn(sender.run(stop.clone()));
        Active { queue, stop }
    }

    fn forget_unless_used(&self, url: &str, state: &State) {
        if !state.sets.iter().any(|set| set.active.contains_key(url)) {
            self.metrics.remove(url);
        }
    }

    fn count(&self, state: &State) {
        let count: usize = state.sets.iter().map(|set| set.active.len()).sum();
        self.metrics.alertmanagers_discovered.set(count as f64);
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Adds the labels that are missing and relabels; what is dropped is left out.
fn prepare(alerts: Vec<Alert>, external_labels: &Labels, rules: &[Rule]) -> Vec<Arc<Alert>> {
    let mut prepared = Vec::with_capacity(alerts.len());
    for mut alert in alerts {
        let mut labels = LabelsBuilder::new(&alert.labels);
        for (name, value) in external_labels.iter() {
            if alert.labels.get(name).is_none() {
                labels.set(name, value);
            }
        }
        if relabel::apply(rules, &mut labels) {
            alert.labels = labels.build();
            prepared.push(Arc::new(alert));
        }
    }
    prepared
}
