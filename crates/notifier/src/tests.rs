//! Alerts in, requests out, over a simulated network.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Request, http::StatusCode, routing::post};
use model::{Alert, Labels, Timestamp, names::ValidationScheme};
use parking_lot::Mutex;
use relabel::{RawRule, Rule};
use runtime::{Network as _, Simulation};
use telemetry::{Reading, Registry};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Notifier, Options, SetConfig, TargetGroup, alertmanager::addresses, encode::encode,
};

fn alert(name: &str) -> Alert {
    Alert {
        labels: Labels::from_pairs([("alertname", name)]),
        annotations: Labels::default(),
        starts_at: Timestamp::from_millis(1_714_979_289_120),
        ends_at: Timestamp::from_millis(1_714_979_529_000),
        generator_url: String::new(),
    }
}

fn rule(yaml: &[(&str, &str)]) -> Rule {
    let mut raw = RawRule::default();
    for (key, value) in yaml {
        match *key {
            "source" => raw.source_labels = vec![(*value).to_owned()],
            "regex" => raw.regex = Some((*value).to_owned()),
            "target" => raw.target_label = (*value).to_owned(),
            "replacement" => raw.replacement = (*value).to_owned(),
            _ => raw.action = (*value).to_owned(),
        }
    }
    Rule::new(raw, ValidationScheme::Utf8).expect("a good rule")
}

fn group(addresses: &[&str], labels: &[(&str, &str)]) -> TargetGroup {
    TargetGroup {
        targets: addresses.iter().map(|a| Labels::from_pairs([("__address__", a)])).collect(),
        labels: Labels::from_pairs(labels.iter().copied()),
    }
}

/// Compared with what a real server of version 2.42 sent for the same alerts.
#[test]
fn alerts_are_encoded_as_upstream_does() {
    let first = Alert {
        labels: Labels::from_pairs([("alertname", "A"), ("dc", "a<b"), ("x", "q\"<&>'é\t")]),
        generator_url: "http://ext/p/graph?g0.expr=up&g0.tab=1".to_owned(),
        ..alert("A")
    };
    let second =
        Alert { annotations: Labels::from_pairs([("s", "v 2"), ("r", "x")]), ..alert("B") };
    assert_eq!(
        encode([&first, &second]),
        concat!(
            r#"[{"endsAt":"2024-05-06T07:12:09.000Z","startsAt":"2024-05-06T07:08:09.120Z","#,
            r#""generatorURL":"http://ext/p/graph?g0.expr=up\u0026g0.tab=1","#,
            r#""labels":{"alertname":"A","dc":"a\u003cb","x":"q\"\u003c\u0026\u003e'é\t"}},"#,
            r#"{"annotations":{"r":"x","s":"v 2"},"#,
            r#""endsAt":"2024-05-06T07:12:09.000Z","startsAt":"2024-05-06T07:08:09.120Z","#,
            r#""labels":{"alertname":"B"}}]"#
        )
    );
}

#[track_caller]
fn check_addresses(config: &SetConfig, group: TargetGroup, active: &[&str], dropped: &[&str]) {
    let found = addresses(config, &[group]);
    assert_eq!(found.active.keys().collect::<Vec<_>>(), active);
    assert_eq!(found.dropped.iter().collect::<Vec<_>>(), dropped);
}

#[test]
fn targets_become_urls() {
    let config = SetConfig { path_prefix: "/pre//x/".to_owned(), ..SetConfig::default() };
    check_addresses(
        &config,
        group(&["b:80", "a:9093", "b:80"], &[]),
        &["http://a:9093/pre/x/api/v2/alerts", "http://b:80/pre/x/api/v2/alerts"],
        &[],
    );
    check_addresses(
        &config,
        group(&["a"], &[("__scheme__", "https"), ("__address__", "unused")]),
        &["https://a/pre/x/api/v2/alerts"],
        &[],
    );
    check_addresses(&config, group(&["a/b", ""], &[]), &[], &[]);
    let keep = rule(&[("source", "__address__"), ("regex", "a.*"), ("action", "keep")]);
    let move_path = rule(&[("target", "__alerts_path__"), ("replacement", "/other")]);
    let config = SetConfig { relabel: vec![keep, move_path], ..SetConfig::default() };
    check_addresses(
        &config,
        group(&["a:1", "b:1"], &[]),
        &["http://a:1/other"],
        &["http://b:1/api/v2/alerts"],
    );
}

/// A notifier, and Alertmanagers named `am1` and `am2` that keep what they are sent.
struct Harness {
    simulation: Simulation,
    notifier: Notifier,
    registry: Registry,
    received: Arc<Mutex<Vec<String>>>,
    servers: JoinSet<()>,
    stop: CancellationToken,
}

impl Harness {
    async fn new(options: Options) -> Harness {
        let simulation = Simulation::new(1);
        let (registry, received) = (Registry::default(), Arc::default());
        let (mut servers, stop) = (JoinSet::new(), CancellationToken::new());
        for host in ["am1", "am2"] {
            let listener = simulation.network.host(host).listen(":9093").await.expect("it is free");
            let limits = transport::server::Limits::default();
            let (clock, stop) = (simulation.clock.clone(), stop.clone());
            let router = router(host, Arc::clone(&received));
            servers.spawn(transport::server::serve(vec![listener], router, limits, clock, stop));
        }
        let notifier = Notifier::new(options, simulation.runtime(), &registry);
        Harness { simulation, notifier, registry, received, servers, stop }
    }

    fn apply(&self, config: Config) {
        self.notifier.apply(config).expect("a good configuration");
    }

    async fn settle(&self) {
        self.simulation.clock.run_for(Duration::from_secs(1)).await;
    }

    /// What was received so far, sorted, and forgets it.
    fn received(&self) -> Vec<String> {
        let mut received = std::mem::take(&mut *self.received.lock());
        received.sort();
        received
    }

    /// The value of a metric for Alertmanager `am1`.
    fn metric(&self, name: &str) -> Option<f64> {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name.ends_with(name))?;
        let of_first = |labels: &[(String, String)]| {
            labels.iter().any(|(_, value)| value.starts_with("http://am1"))
        };
        let metric = family.metrics.iter().find(|metric| of_first(&metric.labels))?;
        match metric.reading {
            Reading::Value(value) => Some(value),
            _ => None,
        }
    }

    async fn stop(mut self) {
        tokio::join!(self.notifier.stop(), self.settle());
        self.stop.cancel();
        self.simulation.clock.run_for(Duration::from_secs(60)).await;
        while self.servers.join_next().await.is_some() {}
    }
}

/// `/api/v2/alerts` notes who got what; `/broken/…` fails.
fn router(host: &'static str, received: Arc<Mutex<Vec<String>>>) -> Router {
    let take = move |request: Request| async move {
        let agent = request.headers()["user-agent"].to_str().expect("it is text").to_owned();
        assert_eq!(request.headers()["content-type"], "application/json");
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("it is short");
        let alerts: Vec<serde_json::Value> = serde_json::from_slice(&body).expect("it is JSON");
        let labels = alerts.iter().map(|alert| alert["labels"].to_string());
        let line = format!("{host} {agent} {}", labels.collect::<Vec<_>>().join(" "));
        received.lock().push(line.replace('"', ""));
    };
    let broken = post(async || StatusCode::INTERNAL_SERVER_ERROR);
    Router::new().route("/api/v2/alerts", post(take)).route("/broken/api/v2/alerts", broken)
}

fn config(sets: Vec<SetConfig>) -> Config {
    Config { sets, ..Config::default() }
}

#[tokio::test]
async fn every_alertmanager_hears_of_every_alert() {
    let harness = Harness::new(Options::default()).await;
    harness.apply(Config {
        external_labels: Labels::from_pairs([("dc", "one"), ("alertname", "never")]),
        alert_relabel: vec![rule(&[("source", "alertname"), ("regex", "B"), ("action", "drop")])],
        sets: vec![SetConfig::default()],
    });
    harness.notifier.set_targets(0, &[group(&["am1:9093", "am2:9093"], &[])]);
    harness.notifier.send(vec![alert("A"), alert("B")]);
    harness.settle().await;
    assert_eq!(
        harness.received(),
        [
            "am1 Prometheus/3.14.0 {alertname:A,dc:one}",
            "am2 Prometheus/3.14.0 {alertname:A,dc:one}"
        ]
    );
    assert_eq!(harness.metric("sent_total"), Some(1.0));
    assert_eq!(harness.metric("queue_length"), Some(0.0));
    harness.stop().await;
}

#[tokio::test]
async fn sets_relabel_for_themselves() {
    let harness = Harness::new(Options::default()).await;
    let only_b = rule(&[("source", "alertname"), ("regex", "B"), ("action", "keep")]);
    let second = SetConfig { alert_relabel: vec![only_b], ..SetConfig::default() };
    harness.apply(config(vec![SetConfig::default(), second]));
    harness.notifier.set_targets(0, &[group(&["am1:9093"], &[])]);
    harness.notifier.set_targets(1, &[group(&["am2:9093"], &[])]);
    harness.notifier.send(vec![alert("A"), alert("B")]);
    harness.settle().await;
    assert_eq!(
        harness.received(),
        [
            "am1 Prometheus/3.14.0 {alertname:A} {alertname:B}",
            "am2 Prometheus/3.14.0 {alertname:B}"
        ]
    );
    harness.stop().await;
}

#[tokio::test]
async fn requests_hold_a_batch_each_and_a_full_queue_drops_the_oldest() {
    let options = Options { queue_capacity: 3, batch_size: 2, ..Options::default() };
    let harness = Harness::new(options).await;
    harness.apply(config(vec![SetConfig::default()]));
    harness.notifier.set_targets(0, &[group(&["am1:9093"], &[])]);
    harness.notifier.send(["A", "B", "C", "D", "E"].map(alert).to_vec());
    harness.settle().await;
    assert_eq!(
        harness.received(),
        [
            "am1 Prometheus/3.14.0 {alertname:C} {alertname:D}",
            "am1 Prometheus/3.14.0 {alertname:E}"
        ]
    );
    assert_eq!(harness.metric("dropped_total"), Some(2.0));
    harness.stop().await;
}

#[tokio::test]
async fn failed_batches_are_counted_and_lost() {
    let harness = Harness::new(Options::default()).await;
    let broken = SetConfig { path_prefix: "/broken".to_owned(), ..SetConfig::default() };
    harness.apply(config(vec![broken]));
    harness.notifier.set_targets(0, &[group(&["am1:9093"], &[])]);
    harness.notifier.send(vec![alert("A"), alert("B")]);
    harness.settle().await;
    let names = ["errors_total", "dropped_total", "sent_total"];
    assert_eq!(names.map(|name| harness.metric(name)), [Some(2.0), Some(2.0), Some(0.0)]);
    harness.stop().await;
}

#[tokio::test]
async fn waiting_alerts_are_sent_at_the_end_or_counted() {
    for (drain_on_shutdown, expected) in
        [(true, vec!["am1 Prometheus/3.14.0 {alertname:A}".to_owned()]), (false, vec![])]
    {
        let options = Options { drain_on_shutdown, ..Options::default() };
        let harness = Harness::new(options).await;
        harness.apply(config(vec![SetConfig::default()]));
        harness.notifier.set_targets(0, &[group(&["am1:9093"], &[])]);
        harness.notifier.send(vec![alert("A")]);
        // The sender has had no turn yet.
        let received = harness.received.clone();
        let dropped = harness.registry.clone();
        harness.stop().await;
        assert_eq!(*received.lock(), expected);
        let families = dropped.gather();
        let family = families.iter().find(|f| f.name.ends_with("dropped_total"));
        let value = family.map(|family| family.metrics[0].reading.clone());
        assert_eq!(value, Some(Reading::Value(f64::from(u8::from(!drain_on_shutdown)))));
    }
}

#[tokio::test]
async fn reload_keeps_equal_sets_and_forgets_the_others() {
    let harness = Harness::new(Options::default()).await;
    let other = SetConfig { scheme: "https".to_owned(), ..SetConfig::default() };
    harness.apply(config(vec![SetConfig::default(), other]));
    harness.notifier.set_targets(0, &[group(&["am1:9093"], &[])]);
    harness.notifier.set_targets(1, &[group(&["am2:9093"], &[])]);
    assert_eq!(harness.notifier.active().len(), 2);
    harness.apply(config(vec![SetConfig::default()]));
    assert_eq!(harness.notifier.active(), ["http://am1:9093/api/v2/alerts"]);
    harness.notifier.set_targets(0, &[]);
    assert_eq!(harness.metric("sent_total"), None);
    harness.stop().await;
}
