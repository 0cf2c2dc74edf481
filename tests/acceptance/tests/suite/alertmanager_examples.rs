//! The examples with Alertmanagers, as they are, on free ports.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use acceptance::{Process, free_port, get, program, vesta, wait_for};
use rustix::process::{Pid, Signal, kill_process};

use crate::bed::Bed;

/// A running example, which ends with all that it has started.
struct Example {
    bed: Bed,
    folder: PathBuf,
    process: Process,
    web_ports: [u16; 3],
    balancer_port: u16,
}

impl Example {
    /// Starts `run.sh` of an example; its groups wait for so long.
    fn start(name: &str, group_wait: &str, variables: &[(&str, &str)]) -> Example {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
        let bed = Bed::new();
        let config = std::fs::read_to_string(folder.join("alertmanager.yml"))
            .expect("the example has a configuration");
        let webhook_port = free_port();
        let lines = config.lines().map(|line| match line.split_once("group_wait:") {
            Some((before, _)) => format!("{before}group_wait: {group_wait}\n"),
            None => line.replace(":5001", &format!(":{webhook_port}")) + "\n",
        });
        bed.write("alertmanager.yml", &lines.collect::<String>());
        let web_ports = [free_port(), free_port(), free_port()];
        let balancer_port = free_port();
        let join = |ports: [u16; 3]| ports.map(|port| port.to_string()).join(" ");
        let mut environment = vec![
            ("VESTA", vesta().canonicalize().expect("it is there").display().to_string()),
            ("CONFIG", bed.path().join("alertmanager.yml").display().to_string()),
            ("FOLDER", bed.path().display().to_string()),
            ("WEB_PORTS", join(web_ports)),
            ("GOSSIP_PORTS", join([free_port(), free_port(), free_port()])),
            ("WEBHOOK_PORT", webhook_port.to_string()),
            ("BALANCER_PORT", balancer_port.to_string()),
        ];
        environment.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let script = folder.join("run.sh");
        let process = Process::start_with(&script, bed.path(), "run", &[], &environment);
        let mut example = Example { bed, folder, process, web_ports, balancer_port };
        for port in web_ports {
            example.process.wait_until_ready(port, "/-/ready");
        }
        example.process.wait_until_ready(webhook_port, "/-/ready");
        example
    }

    /// Runs `send-alerts.sh`.
    fn send(&self, alert: &str, nodes: &[u16], variables: &[(&str, &str)]) {
        let nodes = nodes.iter().map(|port| format!("http://127.0.0.1:{port}"));
        let sent = Command::new(self.folder.join("send-alerts.sh"))
            .args(nodes)
            .env("ALERT_NAME", alert)
            .envs(variables.iter().copied())
            .output()
            .expect("the script runs");
        let errors = String::from_utf8_lossy(&sent.stderr);
        assert!(sent.status.success(), "{errors}");
    }

    /// How many alerts each notification has whose group has this name.
    fn notified(&self, alert: &str) -> Vec<usize> {
        let log = std::fs::read_to_string(self.bed.path().join("webhook.log"));
        let log = log.unwrap_or_default();
        let lines = log.lines().filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter(|it: &serde_json::Value| it["groupLabels"]["alertname"] == alert)
            .map(|it| it["alerts"].as_array().map_or(0, Vec::len))
            .collect()
    }

    fn wait_for_notification(&self, alert: &str) {
        wait_for(&format!("a notification of {alert}"), Duration::from_secs(90), || {
            (!self.notified(alert).is_empty()).then_some(())
        });
    }

    fn wait_until_settled(&self) {
        for port in self.web_ports {
            wait_for("the cluster to settle", Duration::from_secs(60), || {
                let status = get(port, "/api/v2/status")?.json();
                let n_peers = status["cluster"]["peers"].as_array()?.len();
                (status["cluster"]["status"] == "ready" && n_peers == 3).then_some(())
            });
        }
    }

    /// Kills a node, as its number in the scripts has it.
    fn kill(&self, number: usize) {
        let text = std::fs::read_to_string(self.bed.path().join(format!("alert{number}.pid")));
        let id: i32 = text.expect("a process").trim().parse().expect("a number");
        kill_process(Pid::from_raw(id).expect("an id"), Signal::KILL).expect("it runs");
    }
}

/// The script ends what it has started; a kill would leave that alone.
impl Drop for Example {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.process.id() as i32).expect("an id");
        kill_process(id, Signal::TERM).unwrap_or_default();
        self.process.wait(Duration::from_secs(20));
    }
}

fn watch(what: &str, seconds: u64, mut check: impl FnMut() -> Result<(), String>) {
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        check().unwrap_or_else(|reason| panic!("{what}: {reason}"));
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn five_alerts_are_one_notification_whichever_nodes_they_are_sent_to() {
    let example = Example::start("alertmanager-cluster", "2s", &[]);
    example.wait_until_settled();
    // Each set of nodes hears of alerts of its own.
    let members = |set: usize| (0..3).filter(move |idx| set & (1 << idx) != 0);
    let ports = |set: usize| members(set).map(|idx| example.web_ports[idx]).collect();
    let sets: Vec<Vec<u16>> = (1..8).map(ports).collect();
    let name = |set: usize| format!("DiskOfSet{set}");
    for (set, nodes) in sets.iter().enumerate() {
        example.send(&name(set), nodes, &[]);
    }
    for set in 0..sets.len() {
        example.wait_for_notification(&name(set));
    }
    // The last in line has waited for half a minute by then.
    watch("more than one notification", 35, || {
        let told: Vec<Vec<usize>> =
            (0..sets.len()).map(|set| example.notified(&name(set))).collect();
        match told.iter().all(|told| *told == [5]) {
            true => Ok(()),
            false => Err(format!("{told:?}")),
        }
    });
}

fn has_haproxy() -> bool {
    let is_there = program("haproxy").is_some();
    if !is_there {
        acceptance::skip("the example with a load balancer", "haproxy");
    }
    is_there
}

#[test]
fn behind_a_load_balancer_alerts_are_doubled_and_lost() {
    if !has_haproxy() {
        return;
    }
    let mut example = Example::start("alertmanager-load-balancer", "3s", &[]);
    let balancer = example.balancer_port;
    example.process.wait_until_ready(balancer, "/-/ready");
    example.send("Doubled", &[balancer], &[("COUNT", "9"), ("PAUSE", "0.1")]);
    wait_for("three notifications", Duration::from_secs(30), || {
        (example.notified("Doubled").len() == 3).then_some(())
    });
    // One node has heard of it, and dies before it has told anybody.
    example.send("Lost", &[balancer], &[("COUNT", "1"), ("PAUSE", "0")]);
    let knows = |idx: &usize| {
        let alerts = get(example.web_ports[*idx], "/api/v2/alerts").expect("it answers").body;
        alerts.contains("Lost")
    };
    let owner = (0..3).find(knows).expect("one of them has it");
    example.kill(owner + 1);
    watch("it is not lost", 8, || match example.notified("Lost").len() {
        0 => Ok(()),
        n => Err(format!("{n} notifications")),
    });
}

#[test]
fn with_gossip_a_load_balancer_doubles_nothing() {
    if !has_haproxy() {
        return;
    }
    let mut example = Example::start("alertmanager-load-balancer", "3s", &[("GOSSIP", "1")]);
    example.process.wait_until_ready(example.balancer_port, "/-/ready");
    example.wait_until_settled();
    let variables = [("COUNT", "9"), ("PAUSE", "0.1")];
    example.send("Once", &[example.balancer_port], &variables);
    // And as servers should do it: to all nodes, of which one dies before anybody was told.
    for port in example.web_ports {
        example.send("Kept", &[port], &[("COUNT", "1"), ("PAUSE", "0")]);
    }
    example.kill(1);
    example.wait_for_notification("Once");
    example.wait_for_notification("Kept");
    watch("more than one notification", 35, || {
        match (example.notified("Once").len(), example.notified("Kept").len()) {
            (1, 1) => Ok(()),
            counts => Err(format!("{counts:?}")),
        }
    });
}
