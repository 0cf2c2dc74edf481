//! A node in a world of its own, with one receiver that does as it is told.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use model::Labels;
use parking_lot::Mutex;
use runtime::{BoxFuture, Simulation};
use serde_json::{Value, json};
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use super::super::{Unfinished, turn::Turn};
use crate::{
    Alertmanager, Config, Template,
    cluster::Alone,
    integration::{FailureReason, Integration, Notification, NotifyError, Reason, Receiver, Store},
    nflog::{Entry, ReceiverData, ReceiverKey},
    pipeline::{context::Context, mute},
    route::{Route, RouteConfig},
    silence::{Pattern, Silence},
    testing::{base, labels, time},
    view::PostableAlert,
};

pub(super) struct Options {
    pub(super) send_resolved: bool,
    /// How attempts end, one after the other; then all succeed.
    pub(super) attempts: Vec<Attempt>,
    /// What the integration remembers.
    pub(super) sets: ReceiverData,
}

impl Default for Options {
    fn default() -> Options {
        Options { send_resolved: true, attempts: Vec::new(), sets: ReceiverData::new() }
    }
}

pub(super) struct Attempt {
    outcome: Result<(), NotifyError>,
    cancels: bool,
}

impl Attempt {
    pub(super) fn from_table(node: &Value) -> Attempt {
        let cancels = node["context_cancelled_during_attempt"] == true;
        let Some(message) = node["error"].as_str() else {
            return Attempt { outcome: Ok(()), cancels };
        };
        let reason = FailureReason::ALL
            .into_iter()
            .find(|reason| node["reason"] == reason.as_str())
            .unwrap_or_default();
        let retry = node["retryable"] == true;
        Attempt {
            outcome: Err(NotifyError { message: message.to_owned(), retry, reason }),
            cancels,
        }
    }
}

/// An integration that does as it is told and remembers what it was told.
pub(super) struct Fake {
    send_resolved: bool,
    sets: ReceiverData,
    attempts: Mutex<VecDeque<Attempt>>,
    stop: CancellationToken,
    delivered: Mutex<Vec<String>>,
    seen: Mutex<Option<ReceiverData>>,
}

impl Integration for Fake {
    fn name(&self) -> &str {
        "webhook"
    }

    fn idx(&self) -> usize {
        0
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn notify<'a>(
        &'a self,
        notification: &'a Notification,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            *self.seen.lock() = Some(notification.store.snapshot());
            for (name, datum) in &self.sets {
                notification.store.set(name.as_str(), datum.clone());
            }
            let attempt = self.attempts.lock().pop_front();
            if let Some(attempt) = attempt {
                if attempt.cancels {
                    self.stop.cancel();
                }
                attempt.outcome?;
            }
            let names = notification.alerts.iter().map(|alert| alert.name().to_owned());
            self.delivered.lock().extend(names);
            Ok(())
        })
    }
}

pub(super) struct World {
    simulation: Simulation,
    node: Alertmanager,
    fake: Arc<Fake>,
}

impl World {
    pub(super) async fn new(options: Options) -> World {
        let simulation = Simulation::new(1);
        let runtime = simulation.runtime();
        let registry = Registry::default();
        let node = Alertmanager::open(
            crate::Options::new("data"),
            runtime.clone(),
            &registry,
            Arc::new(Alone),
        )
        .expect("an empty disk");
        let fake = Arc::new(Fake {
            send_resolved: options.send_resolved,
            sets: options.sets,
            attempts: Mutex::new(options.attempts.into()),
            stop: CancellationToken::new(),
            delivered: Mutex::default(),
            seen: Mutex::default(),
        });
        node.apply(Config {
            resolve_timeout: Duration::from_secs(300),
            route: RouteConfig { receiver: Some("r".to_owned()), ..RouteConfig::default() },
            receivers: vec![Receiver {
                name: "r".to_owned(),
                labels: Default::default(),
                integrations: vec![fake.clone()],
            }],
            inhibit_rules: Vec::new(),
            time_intervals: Default::default(),
            template: Arc::new(Template::new("http://am", runtime.clock.clone())),
            text: Arc::from(""),
        })
        .await;
        World { simulation, node, fake }
    }

    pub(super) fn put(&self, labels_of_alert: Value) {
        let labels = labels(&labels_of_alert);
        self.node
            .put_alerts(vec![PostableAlert { labels, ..PostableAlert::default() }])
            .expect("valid");
    }

    pub(super) async fn run_for(&self, duration: Duration) {
        self.simulation.clock.run_for(duration).await;
    }

    /// What the log holds of the group without labels before it notifies.
    pub(super) fn log(&self, entry: Entry) {
        let (group_key, receiver) = log_key();
        let expires_at = time(&json!(3600));
        let entry = Entry { group_key, receiver, timestamp: Some(base()), expires_at, ..entry };
        self.node.shared.state.lock().log.merge_entry(entry, base());
    }

    pub(super) fn logged(&self) -> Option<ReceiverData> {
        let (group_key, receiver) = log_key();
        let state = self.node.shared.state.lock();
        state.log.get(&group_key, &receiver).map(|entry| entry.receiver_data.clone())
    }

    pub(super) fn seen(&self) -> Option<ReceiverData> {
        self.fake.seen.lock().clone()
    }

    pub(super) fn delivered(&self) -> Vec<String> {
        self.fake.delivered.lock().clone()
    }

    pub(super) fn failed_with(&self, reason: &str) -> f64 {
        let reason = FailureReason::ALL.into_iter().find(|it| it.as_str() == reason);
        let reason = reason.expect("a known reason");
        self.node.shared.metrics.notifications.failed("webhook", "r", reason).get()
    }

    pub(super) fn suppressed(&self, reason: &str) -> f64 {
        self.node.shared.metrics.suppressed.with([reason]).get()
    }

    /// Sends alerts with the names `alert0`, `alert1`… and these ends through the integration.
    pub(super) async fn retry(&self, ends: &[Value]) -> Result<(), String> {
        let alerts = ends.iter().enumerate().map(|(idx, end)| {
            let name = format!("alert{idx}");
            let mut alert = crate::testing::alert(&json!({"labels": {"alertname": name}}));
            alert.ends_at = time(end);
            Arc::new(alert)
        });
        let notification = Notification {
            group_key: "{}:{}".to_owned(),
            group_labels: Labels::empty(),
            receiver: "r".to_owned(),
            alerts: alerts.collect(),
            now: base(),
            repeat_interval: Duration::from_secs(3600),
            reason: Reason::Unknown,
            route_labels: Default::default(),
            store: Store::default(),
        };
        let context = Context {
            clock: self.simulation.clock.clone(),
            route: Route::new(&RouteConfig::default()),
            deadline: Duration::from_secs(300),
            stop: self.fake.stop.clone(),
        };
        let shared = self.node.shared.clone();
        let fake = self.fake.clone();
        let sending = tokio::spawn(async move {
            Turn::new(&shared, &context, &*fake, &notification).take().await
        });
        self.run_for(Duration::from_secs(301)).await;
        sending.await.expect("no panic").map_err(|unfinished| match unfinished {
            Unfinished::Failed(error) => error,
            Unfinished::Postponed => "postponed".to_owned(),
        })
    }

    /// Silences what has a label `name` with a value that `pattern` matches.
    pub(super) fn silence(&self, name: &str, pattern: &str) -> String {
        let pattern = Pattern::new(model::MatchKind::Regex, name, pattern);
        let silence = Silence {
            matcher_sets: vec![vec![pattern]],
            ends_at: Some(self.node.now() + Duration::from_secs(3600)),
            ..Silence::default()
        };
        self.node.set_silence(silence).expect("valid")
    }

    pub(super) fn expire(&self, id: &str) {
        self.node.expire_silence(id).expect("it is there");
        self.simulation.clock.advance(Duration::from_millis(1));
    }

    /// The label sets that are not muted in a flush of these.
    pub(super) async fn mute(&self, sets: Vec<Labels>) -> Vec<Labels> {
        let alerts = sets.into_iter().map(|labels| {
            let mut alert = crate::testing::alert(&json!({}));
            alert.labels = labels;
            (alert.fingerprint(), Arc::new(alert))
        });
        let route = Route::new(&RouteConfig::default());
        let mut dispatcher = crate::dispatch::Dispatcher::new(route.clone(), Duration::ZERO, None);
        let seed = Arc::new(crate::testing::alert(&json!({"starts_at": -3600})));
        let now = self.node.shared.now();
        dispatcher.insert(seed.fingerprint(), &seed, now);
        let mut flush = dispatcher.tick(now).pop().expect("a late group flushes at once");
        flush.alerts = alerts.collect();
        let generation = self.node.shared.generation().expect("a configuration");
        let passed =
            mute(&self.node.shared, &generation, &flush).await.expect("no unknown interval");
        passed.iter().map(|alert| alert.labels.clone()).collect()
    }
}

fn log_key() -> (Vec<u8>, ReceiverKey) {
    let receiver =
        ReceiverKey { group_name: "r".to_owned(), integration: "webhook".to_owned(), idx: 0 };
    (b"{}:{}".to_vec(), receiver)
}
