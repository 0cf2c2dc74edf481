//! What the command line changes.

use std::path::Path;

use super::*;

fn world(options: Options) -> World {
    World::with(options, Simulation::new(7), Arc::new(Alone))
}

#[tokio::test]
async fn snapshots_are_written_from_time_to_time() {
    let interval = Duration::from_secs(60);
    let world = world(Options { maintenance_interval: interval, ..Options::new("data") });
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    let exist = || {
        let disk = world.simulation.runtime().disk;
        ["data/nflog", "data/silences"].map(|path| disk.exists(Path::new(path)))
    };
    world.run_for(59).await;
    assert_eq!(exist(), [false, false]);
    world.run_for(2).await;
    assert_eq!(exist(), [true, true]);
    assert_eq!(world.metric("alertmanager_nflog_maintenance_total"), 1.0);
    world.node.stop().await;
}

#[tokio::test]
async fn alerts_that_are_over_are_forgotten_from_time_to_time() {
    let interval = Duration::from_secs(600);
    let world = world(Options { alerts_gc_interval: interval, ..Options::new("data") });
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 10}));
    world.put(json!({"labels": {"alertname": "B"}, "end": 10_000}));
    let n_alerts = || world.node.shared.state.lock().alerts.len();
    world.run_for(599).await;
    assert_eq!(n_alerts(), 2);
    world.run_for(2).await;
    assert_eq!(n_alerts(), 1);
    world.node.stop().await;
}

#[tokio::test]
async fn groups_only_collect_before_the_start_delay() {
    let delay = Duration::from_secs(120);
    let world = world(Options { start_delay: delay, ..Options::new("data") });
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world.put(json!({"labels": {"alertname": "A", "instance": "1"}, "end": 10_000}));
    world.run_for(100).await;
    world.put(json!({"labels": {"alertname": "A", "instance": "2"}, "end": 10_000}));
    world.run_for(19).await;
    assert!(world.told().is_empty());
    world.run_for(2).await;
    assert_eq!(world.told(), ["120s a 2+0 first notification"]);
    world.node.stop().await;
}

#[tokio::test]
async fn features_add_labels_to_metrics() {
    let options = Options {
        alerts_per_name_max: Some(1),
        has_alert_names_in_metrics: true,
        has_receiver_names_in_metrics: true,
        has_group_keys_in_metrics: true,
        ..Options::new("data")
    };
    let world = world(options);
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    for instance in ["1", "2"] {
        world.put(json!({"labels": {"alertname": "A", "instance": instance}, "end": 10_000}));
    }
    world.run_for(31).await;
    let families = world.registry.gather();
    let check = |name: &str, label: &str, value: &str| {
        let family = families.iter().find(|family| family.name == name).expect("a known metric");
        let labels = family.metrics.iter().flat_map(|metric| &metric.labels);
        let expected = (label.to_owned(), value.to_owned());
        assert!(labels.clone().any(|it| *it == expected), "{name}: {label}={value}");
    };
    check("alertmanager_alerts_limited_total", "alertname", "A");
    check("alertmanager_notifications_total", "receiver_name", "a");
    check("alertmanager_alerts", "group_key", "{}:{alertname=\"A\"}");
    world.node.stop().await;
}

#[tokio::test]
async fn a_group_may_wait_for_nothing() {
    let world = World::new();
    let route = "{receiver: a, group_by: [alertname], group_wait: 0s}";
    world.apply(route, &[("a", &[Behaviour::Works])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 10_000}));
    world.run_for(1).await;
    assert_eq!(world.told(), ["0s a 1+0 first notification"]);
    world.node.stop().await;
}

/// What happens, by its kind.
#[derive(Default)]
struct Kinds(Mutex<Vec<&'static str>>);

impl crate::event::Recorder for Kinds {
    fn record(&self, event: crate::event::Event) {
        self.0.lock().push(event.kind());
    }
}

#[tokio::test]
async fn what_happens_is_recorded() {
    let kinds = Arc::new(Kinds::default());
    let events = crate::event::Events::to(kinds.clone());
    let world = world(Options { events, ..Options::new("data") });
    let matcher = |name: &str| vec![Matcher::equal("alertname", name)];
    let rule = InhibitRule {
        source: matcher("Cause"),
        target: matcher("Effect"),
        ..InhibitRule::default()
    };
    world.apply_with(ROUTE, &[("a", &[Behaviour::Works])], vec![rule]).await;
    let recorded = || std::mem::take(&mut *kinds.0.lock());
    world.put(json!({"labels": {"alertname": "Cause"}, "end": 10_000}));
    world.put(json!({"labels": {"alertname": "Cause"}, "end": 10_000}));
    assert_eq!(recorded(), ["alert_created", "alert_grouped"]);
    world.run_for(31).await;
    assert_eq!(recorded(), ["notification"]);
    world.put(json!({"labels": {"alertname": "Effect"}, "end": 10_000}));
    world.run_for(31).await;
    assert_eq!(recorded(), ["alert_created", "alert_grouped", "inhibition_muted_alert"]);
    world.put(json!({"labels": {"alertname": "Cause"}, "end": -1}));
    world.run_for(300).await;
    let after = recorded();
    assert!(after.contains(&"alert_resolved"), "{after:?}");
    world.node.stop().await;
}
