//! Upstream's acceptance scenarios, and the example of a cluster, in simulated time.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use runtime::{BoxFuture, Simulation};
use serde_json::Value;
use telemetry::Registry;

use crate::{
    Alertmanager, Config, Options, Template, Time,
    cluster::{Cluster, ClusterStatus, StateKey},
    inhibit::InhibitRule,
    integration::{Integration, Notification, NotifyError, Receiver},
    silence::{Pattern, Silence},
    testing::{labels, matchers, route_config, seconds_after, text, text_map, texts, yaml},
    view::PostableAlert,
};

/// What a collector was told: when, and the alerts.
type Told = (f64, Vec<Value>);

struct Collector {
    /// Requests before are answered, but not recorded.
    ignore_before: f64,
    delay_ignored: Duration,
    told: Mutex<Vec<Told>>,
}

struct Webhook {
    idx: usize,
    send_resolved: bool,
    timeout: Option<Duration>,
    collector: Arc<Collector>,
    clock: Arc<dyn runtime::Clock>,
    zero: Time,
}

impl Integration for Webhook {
    fn name(&self) -> &str {
        "webhook"
    }

    fn idx(&self) -> usize {
        self.idx
    }

    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn notify<'a>(&'a self, told: &'a Notification) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            let at = seconds_between(self.zero, Time::now(&*self.clock));
            if at < self.collector.ignore_before {
                let delay = self.collector.delay_ignored;
                if let Some(timeout) = self.timeout.filter(|timeout| *timeout < delay) {
                    self.clock.sleep(timeout).await;
                    return Err(NotifyError::transient("context deadline exceeded"));
                }
                self.clock.sleep(delay).await;
                return Ok(());
            }
            let alerts = told.alerts.iter().map(|alert| {
                serde_json::json!({
                    "labels": alert.labels.iter().collect::<HashMap<_, _>>(),
                    "annotations": *alert.annotations,
                    "starts_at": seconds_between(self.zero, alert.starts_at),
                    "ends_at": alert.ends_at.map(|end| seconds_between(self.zero, end)),
                })
            });
            self.collector.told.lock().push((at, alerts.collect()));
            Ok(())
        })
    }
}

fn seconds_between(start: Time, end: Time) -> f64 {
    (end.as_nanos() - start.as_nanos()) as f64 / 1e9
}

/// Nodes that hear of each other at once.
#[derive(Default)]
struct Hub(Mutex<Vec<Weak<Alertmanager>>>);

struct Peer {
    hub: Arc<Hub>,
    position: usize,
}

impl Cluster for Peer {
    fn position(&self) -> usize {
        self.position
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn broadcast(&self, state: StateKey, message: Vec<u8>) {
        let nodes = self.hub.0.lock().clone();
        for (idx, node) in nodes.iter().enumerate() {
            if let Some(node) = node.upgrade().filter(|_| idx != self.position) {
                node.merge(state, &message).expect("our own bytes");
            }
        }
    }

    fn status(&self) -> ClusterStatus {
        ClusterStatus::default()
    }
}

struct Scenario {
    simulation: Simulation,
    zero: Time,
    nodes: Vec<Arc<Alertmanager>>,
    collectors: HashMap<String, Arc<Collector>>,
    config: Value,
    silences: HashMap<String, String>,
}

impl Scenario {
    async fn new(case: &Value) -> Scenario {
        let simulation = Simulation::new(5);
        let hub = Arc::new(Hub::default());
        let mut nodes = Vec::new();
        for position in 0..case["peers"].as_u64().unwrap_or(1) as usize {
            let mut options = Options::new(format!("data{position}"));
            // Flags have their values behind a blank or behind "=".
            let args = texts(&case["extra_args"]).join("=");
            let flag = |name: &str| {
                let (_, value) = args.split_once(name)?;
                let value = value.split("=--").next().unwrap_or_default();
                Some(model::duration::parse(value.trim_start_matches('=')).expect("a duration"))
            };
            if let Some(delay) = flag("--dispatch.start-delay") {
                options.start_delay = delay;
            }
            if let Some(timeout) = flag("--cluster.peer-timeout") {
                options.peer_timeout = timeout;
            }
            let cluster = Arc::new(Peer { hub: hub.clone(), position });
            let registry = Registry::default();
            let node = Alertmanager::open(options, simulation.runtime(), &registry, cluster);
            nodes.push(Arc::new(node.expect("an empty disk")));
        }
        *hub.0.lock() = nodes.iter().map(Arc::downgrade).collect();
        // The processes start a little before time zero.
        simulation.clock.advance(Duration::from_millis(100));
        let zero = nodes[0].now();
        let collectors = case["collectors"].as_array().into_iter().flatten().map(|node| {
            let collector = Collector {
                ignore_before: node["ignore_before"].as_f64().unwrap_or(f64::MIN),
                delay_ignored: crate::testing::duration(&node["delay_ignored_s"]),
                told: Mutex::default(),
            };
            (text(&node["name"]).to_owned(), Arc::new(collector))
        });
        let collectors = collectors.collect();
        let config = yaml(text(&case["config_yaml"]));
        let scenario =
            Scenario { simulation, zero, nodes, collectors, config, silences: HashMap::new() };
        scenario.apply().await;
        scenario
    }

    async fn apply(&self) {
        for node in &self.nodes {
            let runtime = self.simulation.runtime();
            let receivers = self.config["receivers"].as_array().expect("a list").iter();
            let rules = self.config["inhibit_rules"].as_array().into_iter().flatten();
            let resolve_timeout = self.config["global"]["resolve_timeout"].as_str();
            let resolve_timeout = resolve_timeout.unwrap_or("5m");
            let resolve_timeout = model::duration::parse(resolve_timeout).expect("a duration");
            node.apply(Config {
                resolve_timeout,
                route: route_config(&self.config["route"]),
                receivers: receivers.map(|node| self.receiver(node)).collect(),
                inhibit_rules: rules.map(inhibit_rule).collect(),
                time_intervals: Default::default(),
                template: Arc::new(Template::new("http://am", runtime.clock)),
                text: Arc::from(""),
            })
            .await;
        }
    }

    fn receiver(&self, node: &Value) -> Receiver {
        let webhooks = node["webhook_configs"].as_array().into_iter().flatten().enumerate();
        let integrations = webhooks.map(|(idx, webhook)| {
            let url = text(&webhook["url"]);
            let (_, name) = url.split_once('{').expect("a collector");
            let name = name.split('}').next().expect("a name");
            let timeout = webhook["timeout"].as_str();
            Arc::new(Webhook {
                idx,
                send_resolved: webhook["send_resolved"] != false,
                timeout: timeout.map(|it| model::duration::parse(it).expect("a duration")),
                collector: self.collectors[name].clone(),
                clock: self.simulation.clock.clone(),
                zero: self.zero,
            }) as Arc<dyn Integration>
        });
        Receiver {
            name: text(&node["name"]).to_owned(),
            labels: Default::default(),
            integrations: integrations.collect(),
        }
    }

    async fn run_until(&self, at: f64) {
        let end = seconds_after(self.zero, at);
        self.simulation.clock.run_for(end.since(self.nodes[0].now())).await;
    }

    async fn step(&mut self, step: &Value) {
        let time = |node: &Value| node.as_f64().map(|at| seconds_after(self.zero, at));
        if let Some(alerts) = step["post_alerts"].as_array() {
            let posted = alerts.iter().map(|node| PostableAlert {
                labels: labels(&node["labels"]),
                annotations: Arc::new(text_map(&node["annotations"])),
                starts_at: time(&node["starts_at"]),
                ends_at: time(&node["ends_at"]),
                generator_url: String::new(),
            });
            let posted: Vec<PostableAlert> = posted.collect();
            for node in &self.nodes {
                node.put_alerts(posted.clone()).expect("valid alerts");
            }
        } else if step["set_silence"].is_object() {
            let node = &step["set_silence"];
            let patterns = node["matchers"].as_array().expect("a list").iter().map(|it| {
                let kind = match it["isRegex"] == true {
                    true => model::MatchKind::Regex,
                    false => model::MatchKind::Equal,
                };
                Pattern::new(kind, text(&it["name"]), text(&it["value"]))
            });
            let silence = Silence {
                matcher_sets: vec![patterns.collect()],
                starts_at: time(&node["starts_at"]),
                ends_at: time(&node["ends_at"]),
                ..Silence::default()
            };
            // Every step goes to every node, as in upstream.
            for node in &self.nodes {
                let id = node.set_silence(silence.clone()).expect("valid");
                if let Some(name) = step["name"].as_str() {
                    self.silences.insert(name.to_owned(), id);
                }
            }
        } else if let Some(name) = step["delete_silence"].as_str() {
            let id = &self.silences[name];
            self.nodes[0].expire_silence(id).expect("it is there");
        } else {
            assert_eq!(step["reload"], true, "an unknown step");
            self.apply().await;
        }
    }
}

fn inhibit_rule(node: &Value) -> InhibitRule {
    InhibitRule {
        name: String::new(),
        source: matchers(node, "source_match", "source_match_re", "source_matchers"),
        target: matchers(node, "target_match", "target_match_re", "target_matchers"),
        equal: texts(&node["equal"]),
    }
}

#[tokio::test]
async fn nodes_tell_what_upstreams_tell() {
    for table in ["acceptance/api_v2.json", "acceptance/ha_example.json"] {
        let table = format!("alertmanager/{table}");
        let Some(cases) = conformance::cases(&table) else { return };
        let mut score = conformance::Score::new(&format!("{table} (timed)"));
        let mut variants: HashMap<&str, Vec<Value>> = HashMap::new();
        let timed = cases.cases.iter().enumerate().filter(|(_, case)| case["kind"] == "timed");
        for (idx, case) in timed {
            let outcome = match case["check"] == "compare_variants" {
                true => run_variant(case, &mut variants).await,
                false => run(case).await,
            };
            score.add(format!("{idx} {}", text(&case["name"])), outcome);
        }
        score.finish(&[]);
    }
}

/// All variants of a scenario tell the same.
async fn run_variant<'a>(
    case: &'a Value,
    variants: &mut HashMap<&'a str, Vec<Value>>,
) -> Result<(), String> {
    let scenario = play(case).await;
    let mut told = Vec::new();
    for collector in scenario.collectors.values() {
        told.extend(collector.told.lock().iter().flat_map(|(_, alerts)| alerts.clone()));
    }
    let first = variants.entry(text(&case["name"])).or_insert_with(|| told.clone());
    let tolerance = case["tolerance_s"].as_f64().unwrap_or_default();
    match !told.is_empty() && are_same(&told, first, tolerance) {
        true => Ok(()),
        false => Err(format!("{told:?} instead of {first:?}")),
    }
}

async fn play(case: &Value) -> Scenario {
    let mut scenario = Scenario::new(case).await;
    for step in case["steps"].as_array().expect("a list") {
        scenario.run_until(step["at"].as_f64().expect("a time")).await;
        scenario.step(step).await;
    }
    scenario.run_until(case["run_until"].as_f64().unwrap_or_default()).await;
    for node in &scenario.nodes {
        node.stop().await;
    }
    scenario
}

async fn run(case: &Value) -> Result<(), String> {
    let scenario = play(case).await;
    let tolerance = case["tolerance_s"].as_f64().unwrap_or_default();
    let mut n_expected: HashMap<&str, usize> = HashMap::new();
    for wanted in case["expect"].as_array().expect("a list") {
        let collector = text(&wanted["collector"]);
        let alerts = wanted["alerts"].as_array().cloned().unwrap_or_default();
        *n_expected.entry(collector).or_default() += alerts.len();
        let (from, to) = (wanted["from"].as_f64(), wanted["to"].as_f64());
        let told = scenario.collectors[collector].told.lock().clone();
        let inside = told.iter().filter(|(at, _)| Some(*at) >= from && Some(*at) <= to);
        let inside: Vec<&Told> = inside.collect();
        let is_told = match alerts.is_empty() {
            true => inside.is_empty(),
            false => inside.iter().any(|(_, found)| are_same(found, &alerts, tolerance)),
        };
        if !is_told {
            return Err(format!("{wanted} is not in {told:?}"));
        }
    }
    for (name, collector) in &scenario.collectors {
        let n_told: usize = collector.told.lock().iter().map(|(_, alerts)| alerts.len()).sum();
        let n_expected = n_expected.get(name.as_str()).copied().unwrap_or_default();
        if n_told != n_expected {
            let told = collector.told.lock().clone();
            return Err(format!("{n_told} alerts instead of {n_expected}: {told:?}"));
        }
    }
    Ok(())
}

/// Whether `found` holds exactly `wanted`, in any order.
fn are_same(found: &[Value], wanted: &[Value], tolerance: f64) -> bool {
    let is_near = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance,
        (a, b) => a.is_none() == b.is_none(),
    };
    let is_same = |a: &Value, b: &Value| {
        a["labels"] == b["labels"]
            && a["annotations"] == b["annotations"]
            && is_near(&a["starts_at"], &b["starts_at"])
            && is_near(&a["ends_at"], &b["ends_at"])
    };
    found.len() == wanted.len()
        && wanted.iter().all(|wanted| found.iter().any(|found| is_same(found, wanted)))
}
