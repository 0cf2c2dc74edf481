mod flags;
mod kept;
mod scenarios;
mod together;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{Labels, MatchKind};
use parking_lot::Mutex;
use runtime::{BoxFuture, Simulation};
use serde_json::{Value, json};
use telemetry::Registry;

use super::Alertmanager;
use crate::{
    Config, Options, Template,
    cluster::{Alone, Cluster, ClusterStatus, StateKey},
    inhibit::InhibitRule,
    integration::{Integration, Notification, NotifyError, Receiver},
    matcher::{Matcher, Mode},
    silence::{Pattern, Silence, State},
    testing::{labels, route_config, yaml},
    view::{AlertFilter, AlertState, PostableAlert},
};

/// An integration that writes down what it is told.
struct Recorder {
    name: &'static str,
    idx: usize,
    behaviour: Behaviour,
    log: Arc<Mutex<Vec<String>>>,
    clock: Arc<dyn runtime::Clock>,
}

#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    Works,
    Hangs,
    Panics,
    Fails,
}

impl Integration for Recorder {
    fn name(&self) -> &str {
        "webhook"
    }

    fn idx(&self) -> usize {
        self.idx
    }

    fn send_resolved(&self) -> bool {
        true
    }

    fn notify<'a>(&'a self, told: &'a Notification) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            let firing = |alert: &&Arc<crate::Alert>| !alert.is_resolved_at(told.now);
            let n_firing = told.alerts.iter().filter(firing).count();
            let line = format!(
                "{}s {} {}+{} {}",
                self.clock.monotonic().as_secs(),
                self.name,
                n_firing,
                told.alerts.len() - n_firing,
                told.reason.as_str(),
            );
            match self.behaviour {
                Behaviour::Works => self.log.lock().push(line),
                Behaviour::Hangs => std::future::pending().await,
                Behaviour::Panics => panic!("a bug in an integration"),
                Behaviour::Fails => return Err(NotifyError::transient("no route to host")),
            }
            Ok(())
        })
    }
}

struct World {
    simulation: Simulation,
    registry: Registry,
    node: Alertmanager,
    log: Arc<Mutex<Vec<String>>>,
    template: Arc<Template>,
}

impl World {
    fn new() -> World {
        World::with(Options::new("data"), Simulation::new(7), Arc::new(Alone))
    }

    fn with(options: Options, simulation: Simulation, cluster: Arc<dyn Cluster>) -> World {
        let registry = Registry::default();
        let runtime = simulation.runtime();
        let template = Arc::new(Template::new("http://am", runtime.clock.clone()));
        let node = Alertmanager::open(options, runtime, &registry, cluster).expect("an empty disk");
        World { simulation, registry, node, log: Arc::default(), template }
    }

    async fn apply(&self, route: &str, receivers: &[(&'static str, &[Behaviour])]) {
        self.apply_with(route, receivers, Vec::new()).await;
    }

    async fn apply_with(
        &self,
        route: &str,
        receivers: &[(&'static str, &[Behaviour])],
        inhibit_rules: Vec<InhibitRule>,
    ) {
        let receivers = receivers.iter().map(|(name, behaviours)| {
            let integrations = behaviours.iter().enumerate().map(|(idx, behaviour)| {
                let recorder = Recorder {
                    name,
                    idx,
                    behaviour: *behaviour,
                    log: self.log.clone(),
                    clock: self.simulation.clock.clone(),
                };
                Arc::new(recorder) as Arc<dyn Integration>
            });
            Receiver {
                name: (*name).to_owned(),
                labels: BTreeMap::from([("name".to_owned(), (*name).to_owned())]),
                integrations: integrations.collect(),
            }
        });
        let night = crate::interval::TimeInterval::default();
        self.node
            .apply(Config {
                resolve_timeout: Duration::from_secs(300),
                route: route_config(&yaml(route)),
                receivers: receivers.collect(),
                inhibit_rules,
                time_intervals: BTreeMap::from([("always".to_owned(), vec![night])]),
                template: self.template.clone(),
                text: Arc::from("the configuration"),
            })
            .await;
    }

    fn put(&self, alert: Value) {
        self.node.put_alerts(vec![self.postable(&alert)]).expect("a valid alert");
    }

    /// Ends in seconds from now.
    fn postable(&self, alert: &Value) -> PostableAlert {
        let now = self.node.now();
        let end = alert["end"].as_f64().map(|end| crate::testing::seconds_after(now, end));
        PostableAlert {
            labels: labels(&alert["labels"]),
            starts_at: Some(now),
            ends_at: end.map(|end| end.max(now)),
            ..PostableAlert::default()
        }
    }

    async fn run_for(&self, seconds: u64) {
        self.simulation.clock.run_for(Duration::from_secs(seconds)).await;
    }

    /// What was told since the last question.
    fn told(&self) -> Vec<String> {
        let mut told = std::mem::take(&mut *self.log.lock());
        told.sort();
        told
    }

    fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name == name).expect("a known metric");
        let values = family.metrics.iter().map(|metric| match metric.reading {
            telemetry::Reading::Value(value) => value,
            _ => 0.0,
        });
        values.sum()
    }
}

const ROUTE: &str = "{receiver: a, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 1h}";

#[tokio::test]
async fn a_group_is_told_then_changed_then_repeated_then_over() {
    let world = World::new();
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    let firing = |instance: &str, end: f64| json!({"labels": {"alertname": "A", "instance": instance}, "end": end});
    world.put(firing("1", 100_000.0));
    world.put(firing("2", 100_000.0));
    world.run_for(29).await;
    assert!(world.told().is_empty());
    world.run_for(2).await;
    assert_eq!(world.told(), ["30s a 2+0 first notification"]);
    world.put(firing("3", 100_000.0));
    world.run_for(300).await;
    assert_eq!(world.told(), ["330s a 3+0 new alerts added"]);
    world.put(firing("3", -1.0));
    world.run_for(300).await;
    assert_eq!(world.told(), ["630s a 2+1 some alerts resolved"]);
    // One hour after 630 is 4230, when the log is not yet older than an hour.
    world.run_for(4230 - 631).await;
    assert!(world.told().is_empty());
    world.run_for(301).await;
    assert_eq!(world.told(), ["4530s a 2+0 repeat interval elapsed"]);
    world.put(firing("1", -1.0));
    world.put(firing("2", -1.0));
    world.run_for(300).await;
    assert_eq!(world.told(), ["4830s a 0+2 all alerts resolved"]);
    assert!(world.node.groups(&AlertFilter::default()).is_empty());
    assert_eq!(world.metric("alertmanager_dispatcher_aggregation_groups"), 0.0);
    world.node.stop().await;
}

#[tokio::test]
async fn who_hangs_or_panics_makes_nobody_else_wait() {
    use Behaviour::{Fails, Hangs, Panics, Works};
    let world = World::new();
    let route = "{receiver: a, group_wait: 30s, routes: [{receiver: b, matchers: ['x=b']}]}";
    world.apply(route, &[("a", &[Hangs, Panics, Works, Fails]), ("b", &[Works])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 100_000}));
    world.put(json!({"labels": {"alertname": "B", "x": "b"}, "end": 100_000}));
    world.run_for(31).await;
    assert_eq!(world.told(), ["30s a 1+0 first notification", "30s b 1+0 first notification"]);
    // The group with the hanging one is given up after an interval, and tried again.
    world.run_for(300).await;
    let failed = world.metric("alertmanager_notifications_failed_total");
    assert_eq!(failed, 2.0, "the hanging and the failing one");
    assert!(world.told().is_empty(), "nobody hears twice");
    world.node.stop().await;
}

#[tokio::test]
async fn what_is_silenced_or_inhibited_or_muted_is_not_told() {
    let world = World::new();
    let route = "{receiver: a, group_by: [alertname], routes: [\
        {matchers: ['t=night'], receiver: a, mute_time_intervals: [always]}]}";
    let rule = InhibitRule {
        source: vec![Matcher::equal("alertname", "Source")],
        target: vec![Matcher::equal("alertname", "Target")],
        ..InhibitRule::default()
    };
    world.apply_with(route, &[("a", &[Behaviour::Works])], vec![rule]).await;
    let id = world.node.set_silence(Silence {
        matcher_sets: vec![vec![Pattern::new(MatchKind::Equal, "alertname", "Silenced")]],
        ends_at: Some(world.node.now() + Duration::from_secs(3600)),
        ..Silence::default()
    });
    let id = id.expect("a valid silence");
    for name in ["Silenced", "Target", "Source", "Loud"] {
        world.put(json!({"labels": {"alertname": name}, "end": 100_000}));
    }
    world.put(json!({"labels": {"alertname": "Night", "t": "night"}, "end": 100_000}));
    world.run_for(31).await;
    let loud = "30s a 1+0 first notification";
    assert_eq!(world.told(), [loud, loud]);

    let status = |name: &str, filter: &AlertFilter| {
        let all = world.node.groups(filter);
        let mut views = all.into_iter().flat_map(|group| group.alerts);
        views.find(|view| view.alert.name() == name).map(|view| view.status)
    };
    let all = AlertFilter::default();
    let silenced = status("Silenced", &all).expect("listed");
    assert_eq!((silenced.state, silenced.silenced_by), (AlertState::Suppressed, vec![id.clone()]));
    assert_eq!(status("Target", &all).expect("listed").inhibited_by.len(), 1);
    assert_eq!(status("Night", &all).expect("listed").muted_by, ["always"]);
    assert_eq!(status("Loud", &all).expect("listed").state, AlertState::Active);
    assert_eq!(status("Night", &AlertFilter { muted: false, ..all.clone() }), None);
    assert_eq!(status("Target", &AlertFilter { inhibited: false, ..all.clone() }), None);
    assert_eq!(status("Silenced", &AlertFilter { silenced: false, ..all.clone() }), None);
    assert_eq!(status("Loud", &AlertFilter { active: false, ..all }), None);

    world.node.expire_silence(&id).expect("it is there");
    assert_eq!(world.node.silence(&id).map(|view| view.state), Some(State::Expired));
    world.run_for(300).await;
    assert_eq!(world.told(), ["330s a 1+0 first notification"]);
    world.node.stop().await;
}

#[tokio::test]
async fn alerts_are_listed_with_their_receivers() {
    let world = World::new();
    let route = "{receiver: a, routes: [{receiver: b, matchers: ['x=b'], continue: true}, \
        {receiver: c, matchers: ['x=b']}]}";
    let works: &[Behaviour] = &[Behaviour::Works];
    world.apply(route, &[("a", works), ("b", works), ("c", works)]).await;
    world.put(json!({"labels": {"alertname": "A"}}));
    world.put(json!({"labels": {"alertname": "B", "x": "b"}}));
    let receivers = |filter: AlertFilter| -> Vec<String> {
        let views = world.node.alerts(&filter);
        views.into_iter().map(|view| view.receivers.join(",")).collect()
    };
    let mut all = receivers(AlertFilter::default());
    all.sort();
    assert_eq!(all, ["a", "b,c"]);
    let only_c = re2::Regex::new("^(?:c)$").expect("a regex");
    assert_eq!(receivers(AlertFilter { receiver: Some(only_c), ..Default::default() }), ["b,c"]);
    let name_a = vec![Matcher::equal("name", "a")];
    assert_eq!(receivers(AlertFilter { receiver_matchers: name_a, ..Default::default() }), ["a"]);
    let x = Mode::Fallback.parse_matchers("x=~\"b.*\"", "test").expect("a matcher");
    assert_eq!(receivers(AlertFilter { matchers: x, ..Default::default() }), ["b,c"]);
    // Nobody repeats them: after the resolve timeout they are over and no longer listed.
    world.run_for(301).await;
    assert!(receivers(AlertFilter::default()).is_empty());
    world.node.stop().await;
}

#[tokio::test]
async fn valid_alerts_are_taken_beside_invalid_ones() {
    let world = World::new();
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    let alerts = [json!({"labels": {}}), json!({"labels": {"alertname": "A"}, "end": 60})];
    let alerts = alerts.iter().map(|alert| world.postable(alert)).collect();
    let error = world.node.put_alerts(alerts).expect_err("one has no labels");
    assert_eq!(error.to_string(), "at least one label pair required");
    assert_eq!(world.node.alerts(&AlertFilter::default()).len(), 1);
    assert_eq!(world.metric("alertmanager_alerts_received_total"), 2.0);
    assert_eq!(world.metric("alertmanager_alerts_invalid_total"), 1.0);
    world.node.stop().await;
}

#[tokio::test]
async fn another_configuration_repeats_nothing() {
    let world = World::new();
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 100_000}));
    world.run_for(31).await;
    assert_eq!(world.told().len(), 1);
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world.run_for(301).await;
    assert!(world.told().is_empty(), "the log remembers");
    // Another receiver has not heard of it, and does so at once, since the alert has waited.
    world.apply(&ROUTE.replace("receiver: a", "receiver: b"), &[("b", &[Behaviour::Works])]).await;
    world.run_for(1).await;
    assert_eq!(world.told(), ["332s b 1+0 first notification"]);
    world.node.stop().await;
}

#[tokio::test]
async fn a_restart_remembers_what_was_told_and_silenced() {
    let world = World::new();
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 100_000}));
    let silence = Silence {
        matcher_sets: vec![vec![Pattern::new(MatchKind::Equal, "alertname", "B")]],
        ends_at: Some(world.node.now() + Duration::from_secs(36_000)),
        ..Silence::default()
    };
    world.node.set_silence(silence).expect("valid");
    world.run_for(31).await;
    assert_eq!(world.told().len(), 1);
    world.node.stop().await;

    let World { simulation, .. } = world;
    let world = World::with(Options::new("data"), simulation, Arc::new(Alone));
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 100_000}));
    world.put(json!({"labels": {"alertname": "B"}, "end": 100_000}));
    world.run_for(600).await;
    assert!(world.told().is_empty());
    let states = [State::Active, State::Pending, State::Expired];
    assert_eq!(world.node.silences(&states, &[]).len(), 1);
    assert!(world.node.silences(&states, &[Matcher::equal("alertname", "C")]).is_empty());
    world.node.stop().await;
}

#[tokio::test]
async fn a_broken_snapshot_stops_the_start() {
    let simulation = Simulation::new(7);
    let runtime = simulation.runtime();
    runtime.disk.create_directories("data".as_ref()).expect("a directory");
    runtime.disk.write_atomically("data/silences".as_ref(), b"\x05abc").expect("written");
    let registry = Registry::default();
    let opened = Alertmanager::open(Options::new("data"), runtime, &registry, Arc::new(Alone));
    let error = opened.err().expect("the file is broken").to_string();
    assert_eq!(error, "load snapshot data/silences: unexpected EOF");
}

/// A place in line, in a cluster that takes its time; messages go nowhere.
struct InLine {
    position: usize,
    settled_after: Duration,
    clock: Arc<dyn runtime::Clock>,
}

impl InLine {
    /// A node at `position` of a cluster that knows at once what there is to know.
    fn at(position: usize) -> Arc<InLine> {
        let clock = Arc::new(runtime::clock::SimulatedClock::default());
        Arc::new(InLine { position, settled_after: Duration::ZERO, clock })
    }
}

impl Cluster for InLine {
    fn position(&self) -> usize {
        self.position
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        self.clock.sleep(self.settled_after.saturating_sub(self.clock.monotonic()))
    }

    fn broadcast(&self, _: StateKey, _: Vec<u8>) {}

    fn status(&self) -> ClusterStatus {
        ClusterStatus::default()
    }
}

#[tokio::test]
async fn nobody_is_told_before_the_cluster_has_settled() {
    let simulation = Simulation::new(10);
    let clock = simulation.clock.clone();
    let cluster = InLine { position: 0, settled_after: Duration::from_secs(40), clock };
    let world = World::with(Options::new("data"), simulation, Arc::new(cluster));
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 100_000}));
    world.run_for(39).await;
    assert!(world.told().is_empty());
    world.run_for(1).await;
    assert_eq!(world.told(), ["40s a 1+0 first notification"]);
    world.node.stop().await;
}

#[tokio::test]
async fn the_second_in_line_waits_and_then_does_not_repeat() {
    let first = World::new();
    let second = World::with(Options::new("data"), Simulation::new(8), InLine::at(1));
    for world in [&first, &second] {
        world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
        world.put(json!({"labels": {"alertname": "A"}, "end": 100_000}));
        world.run_for(31).await;
    }
    assert_eq!(first.told(), ["30s a 1+0 first notification"]);
    let log = first.node.full_state(StateKey::Log);
    assert_eq!(second.node.merge(StateKey::Log, &log), Ok(true));
    assert_eq!(second.node.merge(StateKey::Log, &log), Ok(false), "no news");
    second.run_for(100).await;
    assert!(second.told().is_empty());

    // Had the first not been there, the second would have told 15 seconds later.
    let alone = World::with(Options::new("data"), Simulation::new(9), InLine::at(1));
    alone.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    alone.put(json!({"labels": {"alertname": "A"}, "end": 100_000}));
    alone.run_for(46).await;
    assert_eq!(alone.told(), ["45s a 1+0 first notification"]);
    for world in [first, second, alone] {
        world.node.stop().await;
    }
}

#[test]
fn filters_are_upstreams() {
    use crate::testing::{expect, kind, run_table, text};
    let matcher = |node: &Value, value: &str| {
        Matcher::new(
            kind(&node["op"]).expect("an operator"),
            text(&node["name"]),
            text(&node[value]),
        )
        .expect("a matcher")
    };
    run_table("api/alert_filter", &[], |_, case| {
        let labels: Labels = labels(&case["labels"]);
        let found = crate::matcher::all_match(&[matcher(&case["filter"], "value")], &labels);
        expect(found, case["matches"] == true)
    });
    run_table("api/silence_filter", &[], |_, case| {
        let patterns = case["silence_matchers"].as_array().into_iter().flatten();
        let set: Vec<Pattern> = patterns.map(crate::testing::pattern).collect();
        let silence = Silence { matcher_sets: vec![set], ..Silence::default() };
        let filter: Vec<Matcher> = case["filter"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| matcher(it, "value"))
            .collect();
        let found = crate::view::silence_has_matchers(&silence, &filter);
        expect(found, case["matches"] == true)
    });
}

#[tokio::test]
async fn metrics_have_upstreams_names() {
    let world = World::new();
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    let families = world.registry.gather();
    let names: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
    for name in [
        "alerts",
        "alerts_received_total",
        "alerts_invalid_total",
        "alerts_limited_total",
        "alerts_per_alert_limit",
        "dispatcher_aggregation_groups",
        "dispatcher_aggregation_group_limit_reached_total",
        "dispatcher_alert_processing_duration_seconds",
        "notifications_total",
        "notifications_failed_total",
        "notification_requests_total",
        "notification_requests_failed_total",
        "notification_latency_seconds",
        "notifications_suppressed_total",
        "nflog_gc_duration_seconds",
        "nflog_snapshot_duration_seconds",
        "nflog_snapshot_size_bytes",
        "nflog_maintenance_total",
        "nflog_maintenance_errors_total",
        "nflog_queries_total",
        "nflog_query_errors_total",
        "nflog_query_duration_seconds",
        "nflog_gossip_messages_propagated_total",
        "silences",
        "silences_gc_errors_total",
        "silences_queries_total",
        "silences_snapshot_size_bytes",
        "silences_state_size",
        "silences_version_index_size",
        "receivers",
        "integrations",
        "inhibition_rules",
    ] {
        let name = format!("alertmanager_{name}");
        assert!(names.contains(&name.as_str()), "{name}");
    }
    let failed = families.iter().find(|it| it.name == "alertmanager_notifications_failed_total");
    let labels = |metric: &telemetry::Metric| {
        let labels = metric.labels.iter().map(|(name, value)| format!("{name}={value}"));
        labels.collect::<Vec<_>>().join(",")
    };
    let failed: Vec<String> = failed.expect("it is there").metrics.iter().map(labels).collect();
    assert!(failed.contains(&"integration=email,reason=rateLimited".to_owned()), "{failed:?}");
    world.node.stop().await;
}
