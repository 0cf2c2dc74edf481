//! From what mechanisms say to what consumers see: collected at once, handed out now and then.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use model::TargetGroup;
use parking_lot::Mutex;
use runtime::Clock;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{Groups, Options, metrics::ManagerMetrics};

/// What one provider has said so far.
pub(crate) struct Provided {
    /// No other lock is taken while this one is held.
    known: Mutex<Known>,
    changed: Arc<Notify>,
    metrics: ManagerMetrics,
}

#[derive(Default)]
struct Known {
    /// By source.
    groups: BTreeMap<String, Arc<TargetGroup>>,
    /// Whether the groups are those of the provider before this one, which has not said anything.
    is_inherited: bool,
}

impl Provided {
    pub(crate) fn new(changed: Arc<Notify>, metrics: ManagerMetrics) -> Provided {
        Provided { known: Mutex::default(), changed, metrics }
    }

    /// Until this provider finds something itself, what `other` has found goes on to hold: a reload
    /// must not tear a hole.
    pub(crate) fn inherit(&self, other: &Provided) {
        let groups = other.known.lock().groups.clone();
        *self.known.lock() = Known { groups, is_inherited: true };
    }

    fn groups(&self) -> Vec<Arc<TargetGroup>> {
        self.known.lock().groups.values().cloned().collect()
    }

    pub(crate) fn update(&self, groups: Vec<TargetGroup>) {
        self.metrics.received_updates.increment();
        self.replace(groups);
        self.changed.notify_one();
    }

    /// Replaces groups without telling anybody.
    pub(crate) fn replace(&self, groups: Vec<TargetGroup>) {
        let mut known = self.known.lock();
        if std::mem::take(&mut known.is_inherited) {
            known.groups.clear();
        }
        for group in groups {
            if group.targets.is_empty() {
                known.groups.remove(&group.source);
            } else {
                known.groups.insert(group.source.clone(), Arc::new(group));
            }
        }
    }
}

/// Who wants the targets of a provider.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub(crate) provided: Arc<Provided>,
    pub(crate) sets: BTreeSet<String>,
}

/// The hand-out: everything that is known by now, for everybody who is configured.
pub(crate) struct Publisher {
    /// Changed by reloads only.
    state: Mutex<State>,
    sender: watch::Sender<Arc<Groups>>,
    pub(crate) changed: Arc<Notify>,
    pub(crate) metrics: ManagerMetrics,
}

#[derive(Default)]
struct State {
    sets: BTreeSet<String>,
    subscriptions: Vec<Subscription>,
}

impl Publisher {
    pub(crate) fn new(metrics: ManagerMetrics) -> Publisher {
        Publisher {
            state: Mutex::default(),
            sender: watch::Sender::default(),
            changed: Arc::default(),
            metrics,
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Groups>> {
        self.sender.subscribe()
    }

    /// Replaces who wants what, and hands out at once what is known of it.
    pub(crate) fn reload(&self, sets: BTreeSet<String>, subscriptions: Vec<Subscription>) {
        let mut state = self.state.lock();
        for gone in state.sets.difference(&sets) {
            self.metrics.remove_set(gone);
        }
        *state = State { sets, subscriptions };
        self.publish(&state);
    }

    /// Hands out changes: soon after the first one, ever later while they keep coming.
    pub(crate) async fn run(
        &self,
        options: Options,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) {
        let mut wait = options.update_interval_min;
        let mut last: Option<Duration> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => {}
            }
            let now = clock.monotonic();
            let is_busy = last.is_some_and(|last| now < last + options.update_interval_max);
            if is_busy {
                self.metrics.updates_delayed.increment();
                wait = (wait * 2).min(options.update_interval_max);
            } else {
                wait = options.update_interval_min;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep(wait) => {}
            }
            self.publish(&self.state.lock());
            last = Some(clock.monotonic());
        }
    }

    fn publish(&self, state: &State) {
        let mut groups: Groups = state.sets.iter().map(|set| (set.clone(), Vec::new())).collect();
        for subscription in &state.subscriptions {
            let provided = subscription.provided.groups();
            for set in &subscription.sets {
                groups.entry(set.clone()).or_default().extend_from_slice(&provided);
            }
        }
        for (set, groups) in &groups {
            let n_targets = groups.iter().map(|group| group.targets.len()).sum();
            self.metrics.set_discovered(set, n_targets);
        }
        self.metrics.updates.increment();
        self.sender.send_replace(Arc::new(groups));
    }
}
