use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use conformance::Score;
use model::{Labels, TargetGroup};
use runtime::{Disk as _, Simulation};
use serde_json::{Value, json};
use telemetry::{Reading, Registry};
use tokio::sync::watch;

use crate::{Config, Groups, Manager, Metrics, Options, file};

mod services;

struct World {
    simulation: Simulation,
    registry: Registry,
    manager: Manager,
    updates: watch::Receiver<Arc<Groups>>,
}

impl World {
    fn new() -> World {
        let (simulation, registry) = (Simulation::new(1), Registry::default());
        simulation.disk.create_directories(Path::new("/sd")).expect("memory has room");
        let metrics = Metrics::register(&registry);
        let manager = Manager::new(Options::named("scrape"), simulation.runtime(), &metrics);
        let updates = manager.updates();
        World { simulation, registry, manager, updates }
    }

    fn apply(&self, sets: &[(&str, Config)]) {
        let mut all: BTreeMap<String, Vec<Config>> = BTreeMap::new();
        for (set, config) in sets {
            all.entry((*set).to_owned()).or_default().push(config.clone());
        }
        self.manager.apply(all);
    }

    async fn write(&self, path: &str, text: &str) {
        let disk: &dyn runtime::Disk = &self.simulation.disk;
        disk.write_atomically(Path::new(path), text.as_bytes()).expect("memory has room");
        // So that a next version has another time.
        self.run_for(1500).await;
    }

    async fn run_for(&self, millis: u64) {
        self.simulation.clock.run_for(Duration::from_millis(millis)).await;
    }

    /// Targets by set, as a line each.
    fn print(&self) -> String {
        let mut out = String::new();
        for (set, groups) in self.updates.borrow().iter() {
            for group in groups {
                let targets: Vec<_> =
                    group.targets.iter().map(|t| t.value("__address__")).collect();
                out.push_str(&format!("{set} {} {}\n", targets.join(","), group.labels));
            }
        }
        out
    }

    fn value(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name == name).expect(name);
        match family.metrics[0].reading {
            Reading::Value(value) => value,
            _ => panic!("{name} is no single value"),
        }
    }
}

fn fixed(addresses: &[&str]) -> Config {
    let targets = addresses.iter().map(|a| Labels::from_pairs([("__address__", a)])).collect();
    Config::Static(vec![TargetGroup { targets, source: "0".to_owned(), ..Default::default() }])
}

fn files(pattern: &str) -> Config {
    let refresh_interval = Duration::from_secs(300);
    Config::File(file::Config { files: vec![pattern.into()], refresh_interval })
}

#[tokio::test]
async fn static_targets_are_there_at_once() {
    let world = World::new();
    world.apply(&[("a", fixed(&["x:1", "y:1"])), ("b", fixed(&["x:1", "y:1"]))]);
    assert_eq!(world.print(), "a x:1,y:1 {}\nb x:1,y:1 {}\n");
    assert_eq!(world.value("prometheus_sd_discovered_targets"), 2.0);
    world.apply(&[("b", fixed(&["z:1"]))]);
    assert_eq!(world.print(), "b z:1 {}\n");
}

#[tokio::test]
async fn files_are_read_and_read_again() {
    let world = World::new();
    world.write("/sd/a.json", r#"[{"targets":["x:1"],"labels":{"k":"v"}}]"#).await;
    world.apply(&[("job", files("/sd/*.json"))]);
    world.run_for(200).await;
    assert_eq!(world.print(), "job x:1 {__meta_filepath=\"/sd/a.json\", k=\"v\"}\n");
    world.write("/sd/a.json", r#"[{"targets":["y:1"]},{"targets":["z:1"]}]"#).await;
    world.write("/sd/b.yml", "- targets: [ignored:1]\n").await;
    world.run_for(5000).await;
    let labels = "{__meta_filepath=\"/sd/a.json\"}";
    assert_eq!(world.print(), format!("job y:1 {labels}\njob z:1 {labels}\n"));
    // Fewer groups, then none.
    world.write("/sd/a.json", r#"[{"targets":["y:1"]}]"#).await;
    world.run_for(5000).await;
    assert_eq!(world.print(), format!("job y:1 {labels}\n"));
    world.simulation.disk.remove_file(Path::new("/sd/a.json")).expect("it is there");
    world.run_for(6000).await;
    assert_eq!(world.print(), "");
}

#[tokio::test]
async fn broken_file_keeps_its_last_groups() {
    let world = World::new();
    world.write("/sd/a.yml", "- targets: ['x:1']\n").await;
    world.apply(&[("job", files("/sd/a.yml"))]);
    world.run_for(200).await;
    let labels = "{__meta_filepath=\"/sd/a.yml\"}";
    assert_eq!(world.print(), format!("job x:1 {labels}\n"));
    for broken in ["- targets: [", "- target: ['y:1']\n", "- targets: 'y:1'\n", "-\n"] {
        world.write("/sd/a.yml", broken).await;
        world.run_for(5000).await;
        assert_eq!(world.print(), format!("job x:1 {labels}\n"), "{broken}");
    }
    assert_eq!(world.value("prometheus_sd_file_read_errors_total"), 4.0);
    world.write("/sd/a.yml", "").await;
    world.run_for(5000).await;
    assert_eq!(world.print(), "");
}

#[tokio::test]
async fn mechanism_with_the_same_settings_goes_on() {
    let world = World::new();
    world.write("/sd/a.yml", "- targets: ['x:1']\n").await;
    world.apply(&[("a", files("/sd/a.yml"))]);
    world.run_for(200).await;
    world.apply(&[("a", files("/sd/a.yml")), ("b", files("/sd/a.yml"))]);
    // Nobody has to look again.
    let labels = "{__meta_filepath=\"/sd/a.yml\"}";
    assert_eq!(world.print(), format!("a x:1 {labels}\nb x:1 {labels}\n"));
    world.manager.stop().await;
}

#[tokio::test]
async fn changed_settings_tear_no_hole() {
    let world = World::new();
    world.write("/sd/a.yml", "- targets: ['x:1']\n").await;
    world.apply(&[("a", files("/sd/a.yml"))]);
    world.run_for(200).await;
    world.apply(&[("a", files("/sd/*.yml"))]);
    let labels = "{__meta_filepath=\"/sd/a.yml\"}";
    assert_eq!(world.print(), format!("a x:1 {labels}\n"));
    world.apply(&[("a", files("/sd/b.yml"))]);
    assert_eq!(world.print(), format!("a x:1 {labels}\n"));
    world.run_for(5000).await;
    assert_eq!(world.print(), "");
}

#[tokio::test]
async fn frequent_changes_are_handed_out_now_and_then() {
    let mut world = World::new();
    world.apply(&[("a", files("/sd/a.yml"))]);
    world.updates.mark_unchanged();
    let mut n_updates = 0;
    for idx in 0..20 {
        world.write("/sd/a.yml", &format!("- targets: ['x:{idx}']\n")).await;
        if world.updates.has_changed().unwrap() {
            world.updates.mark_unchanged();
            n_updates += 1;
        }
    }
    // Half a minute of changes.
    assert!((5..=12).contains(&n_updates), "{n_updates}");
    world.run_for(5000).await;
    assert_eq!(world.print(), "a x:19 {__meta_filepath=\"/sd/a.yml\"}\n");
    assert!(world.value("prometheus_sd_updates_delayed_total") > 0.0);
}

#[test]
fn target_groups_are_read_as_upstream_reads_them() {
    let Some(data) = conformance::cases("prometheus/scrape/target_group.json") else { return };
    let mut score = Score::new("scrape/target_group (reading)");
    let reading = data.cases.iter().filter(|case| case["direction"] == "read");
    for case in reading {
        let (format, text) = (case["format"].as_str().unwrap(), case["text"].as_str().unwrap());
        // A file holds a list of groups.
        let list = match format {
            "json" => format!("[{text}]"),
            _ => format!("- {}", text.trim_end().replace('\n', "\n  ")),
        };
        let parsed = file::parse(Path::new(&format!("a.{format}")), list.as_bytes());
        let outcome = match (parsed, case["error"].as_str()) {
            // The words are those of Go's decoders.
            (Err(_), Some(_)) => Ok(()),
            (Ok(groups), None) if describe(&groups) == wanted(case) => Ok(()),
            (parsed, _) => Err(format!("{parsed:?}")),
        };
        score.add(text, outcome);
    }
    score.finish(&[]);
}

fn describe(groups: &[TargetGroup]) -> Value {
    let pairs = |labels: &Labels| -> BTreeMap<String, String> {
        labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    };
    let group = &groups[0];
    let targets: Vec<_> = group.targets.iter().map(pairs).collect();
    json!({ "targets": targets, "labels": pairs(&group.labels) })
}

fn wanted(case: &Value) -> Value {
    json!({ "targets": case["targets"], "labels": case["labels"] })
}
