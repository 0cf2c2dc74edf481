//! A whole Alertmanager on a simulated clock, disk and network.

mod cluster;

use super::*;
use crate::testing::{ADDRESS, World};

pub(crate) const CONFIG: &str = "alertmanager.yml";

pub(crate) const WEBHOOK: &str = "
route: {receiver: hook, group_by: [alertname], group_wait: 5s, group_interval: 1m}
receivers:
  - name: hook
    webhook_configs: [{url: 'http://hook:5001/'}]
";

pub(crate) const ALERT: &str = r#"[{"labels": {"alertname": "Burns", "severity": "page"}}]"#;

async fn world() -> World {
    let mut world = World::new();
    world.write(CONFIG, WEBHOOK);
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/-/ready", "OK").await;
    world
}

#[tokio::test]
async fn an_alert_is_notified_once() {
    let mut world = world().await;
    let notified = world.other("hook:5001", "").await;
    let answer = world.post_json("/api/v2/alerts", ALERT).await.expect("it runs");
    assert_eq!(answer.status, 200, "{answer:?}");
    world.until(|| (!notified.lock().is_empty()).then_some(())).await;
    // The group's next turn, and a reload, have nothing to add.
    world.simulation.clock.run_for(Duration::from_secs(70)).await;
    assert_eq!(world.post("/-/reload").await.expect("it runs").status, 200);
    world.simulation.clock.run_for(Duration::from_secs(70)).await;
    let notified = notified.lock().clone();
    assert_eq!(notified.len(), 1, "{notified:?}");
    assert!(notified[0].contains(r#""alertname":"Burns""#), "{notified:?}");
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn receivers_that_no_route_names_are_listed() {
    let mut world = World::new();
    world.write(CONFIG, &format!("{WEBHOOK}  - {{name: spare, labels: {{team: night}}}}\n"));
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/api/v2/receivers", r#""name":"hook""#).await;
    world.wait_for("/api/v2/receivers", r#""team":"night""#).await;
    world.wait_for("/metrics", "alertmanager_receivers 1\n").await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn alerts_are_kept_over_a_restart() {
    let mut world = world().await;
    let notified = world.other("hook:5001", "").await;
    world.post_json("/api/v2/alerts", ALERT).await.expect("it runs");
    world.stop().await.expect("a clean end");
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/api/v2/alerts", r#""alertname":"Burns""#).await;
    world.until(|| (!notified.lock().is_empty()).then_some(())).await;
    world.wait_for("/api/vesta/v1/notifications", r#""outcome":"sent""#).await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn silences_survive_a_restart() {
    let mut world = world().await;
    let silence = r#"{"matchers": [{"name": "alertname", "value": "Burns", "isRegex": false}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z",
        "createdBy": "me", "comment": "work"}"#;
    let answer = world.post_json("/api/v2/silences", silence).await.expect("it runs");
    assert_eq!(answer.status, 200, "{answer:?}");
    world.stop().await.expect("a clean end");
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/api/v2/silences", r#""comment":"work""#).await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn a_wrong_file_keeps_the_old_configuration() {
    let mut world = world().await;
    world.write(CONFIG, "route: {receiver: nobody}\nreceivers: []\n");
    let answer = world.post("/-/reload").await.expect("it runs");
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("nobody"), "{answer:?}");
    world.wait_for("/api/v2/status", "hook").await;
    world.wait_for("/metrics", "alertmanager_config_last_reload_successful 0").await;
    world.stop().await.expect("a clean end");
}

#[test]
fn intervals_that_do_not_do_what_they_seem_to_are_warned_of() {
    let check = |route: &str, expected: &[&str]| {
        let world = World::new();
        world.write(CONFIG, &format!("route: {route}\nreceivers: [{{name: r}}]\n"));
        let loader = Loader {
            path: CONFIG.into(),
            external_url: String::new(),
            mode: Default::default(),
            retention: Duration::from_secs(120 * 3600),
            runtime: world.simulation.runtime(),
            tracer: telemetry::trace::Tracer::new(Default::default, Default::default),
        };
        let warnings = loader.load().expect("a good file").warnings;
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, start) in warnings.iter().zip(expected) {
            assert!(warning.starts_with(start), "{warning}");
        }
    };
    check("{receiver: r}", &[]);
    check("{receiver: r, repeat_interval: 6d}", &["repeat_interval is greater"]);
    check("{receiver: r, group_interval: 5h}", &["repeat_interval is less"]);
    check(
        "{receiver: r, repeat_interval: 1h, routes: [{group_interval: 2h}]}",
        &["repeat_interval is less"],
    );
}

#[test]
fn the_hash_of_a_file_is_upstreams() {
    // MD5 of nothing begins with d4 1d 8c d9 8f 00.
    assert_eq!(load::hash(""), 0x008f_d98c_1dd4_u64 as f64);
}

#[tokio::test]
async fn an_unknown_feature_prevents_a_start() {
    let mut world = World::new();
    let options = Options { features: "nonsense".to_owned(), ..options() };
    world.start(|runtime, signals| run(options, runtime, signals));
    let error = world.ended().await.expect_err("it cannot start");
    assert!(error.to_string().contains("unknown option 'nonsense'"), "{error}");
}

pub(crate) fn options() -> Options {
    Options {
        config_file: CONFIG.into(),
        storage_directory: "data".into(),
        retention: Duration::from_secs(120 * 3600),
        maintenance_interval: Duration::from_secs(900),
        silences_max: None,
        silence_bytes_max: None,
        log_silences: false,
        alerts_gc_interval: Duration::from_secs(1800),
        alerts_per_name_max: None,
        dispatch_start_delay: Duration::ZERO,
        listen_addresses: vec![ADDRESS.to_owned()],
        external_url: "http://vesta:9093".to_owned(),
        route_prefix: "/".to_owned(),
        get_concurrency: None,
        request_timeout: None,
        web_config_file: None,
        peer_timeout: Duration::from_secs(15),
        cluster: None,
        cluster_tls_file: None,
        keeps_alerts: true,
        claims: true,
        history_len: 1000,
        features: String::new(),
    }
}
