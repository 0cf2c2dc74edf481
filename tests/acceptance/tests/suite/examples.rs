//! Every example starts with one command, keeps its word when something is killed, and cleans up.

mod remote;
mod virtual_address;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    time::Duration,
};

use acceptance::{Process, get, program, query, query_result, skip, vesta, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub(crate) const SOON: Duration = Duration::from_secs(40);

/// A running example, on ports of its own.
pub(crate) struct Example {
    name: &'static str,
    process: Process,
    folder: TempDir,
    block: u16,
}

impl Example {
    /// Runs the example's script and waits until it says that everything is there.
    pub(crate) fn start(name: &'static str) -> Example {
        Example::start_with(name, &[])
    }

    pub(crate) fn start_with(name: &'static str, environment: &[&str]) -> Example {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let block = free_block();
        let script =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../examples/{name}/run.sh"));
        let mut args = vec![
            format!("VESTA={}", vesta().display()),
            format!("PORT_BLOCK={block}"),
            format!("FOLDER={}", folder.path().join("run").display()),
        ];
        args.extend(environment.iter().map(|word| (*word).to_owned()));
        args.push(script.display().to_string());
        let env = PathBuf::from("/usr/bin/env");
        let process = Process::start(&env, folder.path(), name, &args);
        let mut example = Example { name, process, folder, block };
        wait_for(&format!("the example {name}"), Duration::from_secs(60), || {
            let output = example.process.output();
            let status = example.process.wait(Duration::ZERO);
            assert!(status.is_none(), "{name} ended with {status:?}:\n{output}");
            output.contains("READY").then_some(())
        });
        example
    }

    /// The port that is 190NN in the files.
    pub(crate) fn port(&self, last_digits: u16) -> u16 {
        self.block * 100 + last_digits
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.folder.path().join("run").join(name);
        std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
    }

    /// kill -9 for a process that the script has started.
    pub(crate) fn kill(&self, name: &str) {
        let pid = self.read(&format!("{name}.pid")).parse().ok().and_then(Pid::from_raw);
        let pid = pid.unwrap_or_else(|| panic!("{} has started no {name}", self.name));
        kill_process(pid, Signal::KILL).expect("it is ours, and runs");
    }

    /// Ends the script, which must end all that it has started.
    pub(crate) fn stop(mut self) {
        self.interrupt();
        let listens = |port: &u16| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok();
        let still: Vec<u16> = (0..100).map(|digits| self.port(digits)).filter(listens).collect();
        assert!(still.is_empty(), "{} leaves something behind on {still:?}", self.name);
    }

    fn interrupt(&mut self) {
        let pid = Pid::from_raw(self.process.id() as i32).expect("a process has an id");
        // It may have ended by itself, with an error that the test tells of.
        kill_process(pid, Signal::TERM).unwrap_or_default();
        self.process.wait(Duration::from_secs(30));
    }
}

/// Also after a failed test nothing is left behind.
impl Drop for Example {
    fn drop(&mut self) {
        self.interrupt();
    }
}

/// First digits of a hundred ports of which nobody uses any.
fn free_block() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let start = (std::process::id() % 200) as u16;
    let block = || 110 + (start + NEXT.fetch_add(1, Relaxed)) % 210;
    let mut blocks = std::iter::repeat_with(block).take(210);
    blocks
        .find(|block| (0..70).all(|digits| is_free(block * 100 + digits)))
        .expect("not all ports are in use")
}

/// The first value of an instant query.
pub(crate) fn value(port: u16, expression: &str) -> Option<f64> {
    let answer = query(port, expression)?.json();
    answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

#[test]
fn federation_takes_what_was_asked_for_and_keeps_its_labels() {
    let example = Example::start("federation");
    let (cluster, central) = (example.port(0), example.port(1));
    let series = wait_for("the federated series", SOON, || {
        query_result(central, "node_load1").first().cloned()
    });
    assert_eq!(series["metric"]["job"], "kubernetes-nodes");
    assert_eq!(series["metric"]["cluster"], "kubernetes-1");
    wait_for("the server itself", SOON, || value(cluster, "up{job=\"prometheus\"}"));
    assert!(query_result(central, "{job=\"prometheus\"}").is_empty());
    example.kill("cluster");
    wait_for("the central server to notice", SOON, || {
        (value(central, "up{job=\"federate\"}") == Some(0.0)).then_some(())
    });
    assert!(value(central, "last_over_time(node_load1[5m])").is_some(), "the past is answered");
    example.stop();
}

#[test]
fn a_pair_tells_once_and_goes_on_without_one_of_its_servers() {
    let example = Example::start("ha-pair");
    let (a, b) = (example.port(0), example.port(1));
    for port in [a, b] {
        wait_for("the shop", SOON, || value(port, "up{job=\"shop\"} == 1"));
    }
    example.kill("server-a");
    let scrapes = "count_over_time(up{job=\"host\"}[3s])";
    std::thread::sleep(Duration::from_secs(4));
    assert!(value(b, scrapes) >= Some(3.0), "{:?}", value(b, scrapes));
    example.kill("shop");
    let told = || example.read("webhook.log").matches("\"alertname\":\"ShopDown\"").count();
    wait_for("the notification", SOON, || (told() > 0).then_some(()));
    example.stop();
}

#[test]
fn any_of_three_members_answers_for_all_targets() {
    let example = Example::start("ha-cluster");
    let all = |port| value(port, "count(up)") == Some(7.0);
    for digits in 0..3 {
        let port = example.port(digits);
        wait_for("seven targets", SOON, || all(port).then_some(()));
        wait_for("all targets, each with two owners", SOON, || {
            let answer = get(port, "/api/v1/targets")?.json();
            let targets = answer["data"]["activeTargets"].as_array()?;
            let has_two = |target: &serde_json::Value| {
                target["owners"].as_array().is_some_and(|owners| owners.len() == 2)
            };
            (targets.len() == 7 && targets.iter().all(has_two)).then_some(())
        });
    }
    example.kill("server-b");
    std::thread::sleep(Duration::from_secs(5));
    for digits in [0, 2] {
        let port = example.port(digits);
        wait_for("seven targets, still", SOON, || all(port).then_some(()));
        let fresh = "count(count_over_time(up{job=\"shop\"}[3s]) > 1)";
        wait_for("fresh samples of each shop", SOON, || {
            (value(port, fresh) == Some(3.0)).then_some(())
        });
    }
    example.stop();
}

#[test]
fn what_matters_in_functional_shards_is_kept() {
    let example = Example::start("ha-federated");
    let (a, c, store) = (example.port(0), example.port(2), example.port(50));
    let kept = "job:shop_requests:rate30s{shard=\"business\"}";
    wait_for("the business in the storage", SOON, || value(store, kept));
    wait_for("the system in the storage", SOON, || value(store, "node_load1{shard=\"system\"}"));
    assert!(value(a, "node_cpu_seconds_total").is_some());
    assert_eq!(value(store, "node_cpu_seconds_total"), None);
    example.kill("server-a");
    std::thread::sleep(Duration::from_secs(12));
    let fresh = format!("count_over_time({kept}[10s]) >= 1");
    for port in [c, store] {
        wait_for("the other shard goes on", SOON, || value(port, &fresh));
    }
    example.stop();
}

#[test]
fn each_class_of_metrics_has_its_retention() {
    let example = Example::start("two-classes");
    let retention = |digits| {
        let info = get(example.port(digits), "/api/v1/status/runtimeinfo").expect("it answers");
        info.json()["data"]["storageRetention"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!((retention(0), retention(1)), ("2y".to_owned(), "1w".to_owned()));
    wait_for("system metrics", SOON, || value(example.port(0), "node_load1"));
    wait_for("business metrics", SOON, || value(example.port(1), "count(shop_requests_total)"));
    assert_eq!(value(example.port(0), "shop_requests_total"), None);
    let both = example.port(2);
    wait_for("both in one server", SOON, || {
        value(both, "node_load1").and(value(both, "count(path:shop_success:ratio30s)"))
    });
    let config = get(both, "/api/v1/status/config").expect("it answers").body;
    assert!(config.contains("classes:") && config.contains("name: business"), "{config}");
    example.kill("business");
    assert!(value(example.port(0), "node_load1").is_some(), "the other class is not concerned");
    example.stop();
}

#[test]
fn no_query_through_haproxy_fails_when_a_server_dies() {
    if program("haproxy").is_none() {
        return skip("the example haproxy", "haproxy");
    }
    let example = Example::start("haproxy");
    let (queries, leader) = (example.port(60), example.port(61));
    for digits in [0, 1] {
        wait_for("the host", SOON, || value(example.port(digits), "up"));
    }
    wait_for("a leader", SOON, || get(leader, "/-/leader").filter(|answer| answer.status == 200));
    let mut failed = Vec::new();
    for attempt in 0..60 {
        if attempt == 10 {
            example.kill("server-a");
        }
        match query(queries, "up") {
            Some(answer) if answer.status == 200 => {}
            other => failed.push((attempt, other.map(|answer| answer.status))),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(failed.is_empty(), "{failed:?}");
    example.stop();
}
