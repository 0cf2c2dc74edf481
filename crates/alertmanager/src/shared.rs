use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use runtime::Runtime;
use telemetry::{Family, Kind, Metric, Reading, Registry};
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::Cluster,
    config::{Config, Options},
    dispatch::Now,
    integration::Receiver,
    interval::TimeIntervals,
    metrics::Metrics,
    route::Route,
    silence,
    state::State,
    template::Template,
    time::Time,
    view::{AlertState, ReceiverView},
};

/// For so long after a start, alerts that were kept but not repeated neither begin nor end a story.
pub(crate) const RESTORED_GRACE: Duration = Duration::from_secs(5 * 60);

/// What all tasks of a node see.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) runtime: Runtime,
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) metrics: Metrics,
    /// Held for moments, and never while anything waits; nothing else is locked under it.
    pub(crate) state: Mutex<State>,
    /// Tells the dispatch loop that another timer may be first.
    pub(crate) wake: tokio::sync::Notify,
    /// Tells who waits for another node that it may be done.
    pub(crate) log_changed: tokio::sync::Notify,
    /// What this node's claims are known by; new with each start.
    pub(crate) owner: String,
    /// The configuration in force; held for moments.
    pub(crate) generation: Mutex<Option<Arc<Generation>>>,
    pub(crate) started: Now,
}

/// A configuration in force.
pub(crate) struct Generation {
    pub(crate) root: Arc<Route>,
    pub(crate) receivers: HashMap<String, Receiver>,
    /// In the order of the configuration.
    pub(crate) receiver_views: Vec<ReceiverView>,
    pub(crate) time_intervals: TimeIntervals,
    pub(crate) template: Arc<Template>,
    pub(crate) resolve_timeout: Duration,
    pub(crate) text: Arc<str>,
    /// Cancelled when the next one comes.
    pub(crate) stop: CancellationToken,
}

impl Shared {
    pub(crate) fn now(&self) -> Now {
        Now { time: Time::now(&*self.runtime.clock), monotonic: self.runtime.clock.monotonic() }
    }

    pub(crate) fn generation(&self) -> Option<Arc<Generation>> {
        self.generation.lock().clone()
    }
}

impl Generation {
    pub(crate) fn new(config: Config) -> Generation {
        let receiver_views = config.receivers.iter().map(|receiver| ReceiverView {
            name: receiver.name.clone(),
            labels: receiver.labels.clone(),
        });
        Generation {
            root: Route::new(&config.route),
            receiver_views: receiver_views.collect(),
            receivers: config.receivers.into_iter().map(|it| (it.name.clone(), it)).collect(),
            time_intervals: config.time_intervals,
            template: config.template,
            resolve_timeout: config.resolve_timeout,
            text: config.text,
            stop: CancellationToken::new(),
        }
    }
}

/// Registers what is counted when somebody asks.
pub(crate) fn register_gauges(shared: &Arc<Shared>, registry: &Registry) {
    let shared = Arc::downgrade(shared);
    registry.collect(move |families| {
        let Some(shared) = shared.upgrade() else { return };
        let now = shared.now().time;
        let has_group_keys = shared.options.has_group_keys_in_metrics;
        let state = shared.state.lock();
        let mut silences =
            Family::new("alertmanager_silences", "How many silences by state.", Kind::Gauge);
        for wanted in [silence::State::Active, silence::State::Expired, silence::State::Pending] {
            let count = state.silences.count(wanted, now);
            silences = silences.with(&[("state", wanted.as_str())], count as f64);
        }
        let n_groups = state.dispatcher.as_ref().map_or(0, |dispatcher| dispatcher.len());
        let groups = Family::single(
            "alertmanager_dispatcher_aggregation_groups",
            "Number of active aggregation groups",
            Kind::Gauge,
            n_groups as f64,
        );
        let mut alerts =
            Family::new("alertmanager_alerts", "How many alerts by state.", Kind::Gauge);
        alerts.metrics = count_alerts(&state, has_group_keys);
        let sizes = [
            (
                "alertmanager_silences_state_size",
                "The number of silences in the state map.",
                state.silences.len(),
            ),
            (
                "alertmanager_silences_version_index_size",
                "The number of entries in the version index.",
                state.silences.n_appeared(),
            ),
        ];
        drop(state);
        families.extend([silences, groups, alerts]);
        families.extend(
            sizes.map(|(name, help, size)| Family::single(name, help, Kind::Gauge, size as f64)),
        );
    });
}

const ALERT_STATES: [AlertState; 3] =
    [AlertState::Active, AlertState::Suppressed, AlertState::Unprocessed];

/// Alerts of all groups by what their last flush found out.
fn count_alerts(state: &State, has_group_keys: bool) -> Vec<Metric> {
    let mut counts: HashMap<(&str, AlertState), usize> = HashMap::new();
    if !has_group_keys {
        counts.extend(ALERT_STATES.map(|state| (("", state), 0)));
    }
    for group in state.dispatcher.iter().flat_map(|dispatcher| dispatcher.groups()) {
        let key = if has_group_keys { &*group.key } else { "" };
        for (_, _, status) in group.alerts() {
            *counts.entry((key, status.state)).or_default() += 1;
        }
    }
    let to_metric = |((key, state), count): ((&str, AlertState), usize)| {
        let mut labels = vec![("state".to_owned(), state.as_str().to_owned())];
        if has_group_keys {
            labels.insert(0, ("group_key".to_owned(), key.to_owned()));
        }
        Metric { labels, reading: Reading::Value(count as f64) }
    };
    counts.into_iter().map(to_metric).collect()
}
