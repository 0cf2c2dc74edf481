//! Some hundred rules in Vesta and in upstream's server over the same targets: the same alerts and
//! recorded series in both, and the same alerts at whoever is told.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use acceptance::{Process, free_port, query_result, vesta, wait_for};
use rustix::process::Signal;
use serde_json::Value;

use crate::bed::{Bed, Running};

const RULES: &str = include_str!("../../test_data/rules.yml");
const WINDOWS: [&str; 8] = ["4s", "5s", "6s", "7s", "8s", "9s", "10s", "11s"];
/// What is raised before the Alertmanagers are known is told when it is repeated.
const RESEND: &str = "--rules.alert.resend-delay=2s";
/// Alerts with `for` fire by then, and groups have been notified.
const LIMIT: Duration = Duration::from_secs(40);

fn server_config(name: &str, targets: &Targets, alertmanager: u16) -> String {
    let Targets { host, victim, servers } = targets;
    let address = |port: &u16| format!("\"127.0.0.1:{port}\"");
    let servers: Vec<String> = servers.iter().map(address).collect();
    format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{dc: d1}}}}\n\
         rule_files: ['rules-*.yml']\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: [{am}]}}]}}]}}\n\
         scrape_configs:\n\
         - {{job_name: node, static_configs: [{{targets: [{host}]}}]}}\n\
         - {{job_name: victim, static_configs: [{{targets: [{victim}]}}]}}\n\
         - {{job_name: prometheus, static_configs: [{{targets: [{servers}]}}]}}\n\
         # {name}\n",
        am = address(&alertmanager),
        host = address(host),
        victim = address(victim),
        servers = servers.join(", "),
    )
}

fn alertmanager_config(webhook: u16) -> String {
    format!(
        "route: {{receiver: w, group_by: [alertname], group_wait: 1s, group_interval: 2s}}\n\
         receivers: [{{name: w, webhook_configs: [{{url: 'http://127.0.0.1:{webhook}/'}}]}}]\n"
    )
}

/// Where both servers scrape.
struct Targets {
    host: u16,
    /// Goes down on the way.
    victim: u16,
    servers: [u16; 2],
}

/// A server with an Alertmanager of its own and somebody who is told.
struct Side {
    server: Running,
    _alertmanager: Running,
    webhook: Process,
}

impl Side {
    fn start(bed: &Bed, program: &Path, command: &[&str], name: &str, targets: &Targets) -> Side {
        let webhook_port = free_port();
        let args = ["webhook".to_owned(), format!("--web.listen-address=127.0.0.1:{webhook_port}")];
        let mut webhook = Process::start(&vesta(), bed.path(), &format!("{name}-told"), &args);
        webhook.wait_until_ready(webhook_port, "/-/ready");
        let config = alertmanager_config(webhook_port);
        let alertmanager = bed.vesta_alertmanager(&format!("{name}-am"), &config);
        let config = server_config(name, targets, alertmanager.port);
        let port = targets.servers[usize::from(name == "theirs")];
        let server = bed.server(program, command, name, &config, port);
        Side { server, _alertmanager: alertmanager, webhook }
    }

    /// The labels of what rules have written.
    fn written(&self) -> BTreeSet<String> {
        let series = [r#"{__name__=~".+:.+"}"#, "ALERTS", "ALERTS_FOR_STATE"];
        let results = series.iter().flat_map(|series| query_result(self.server.port, series));
        results.map(|series| series["metric"].to_string()).collect()
    }

    /// The labels and annotations of firing alerts that somebody was told of.
    fn told(&self) -> BTreeSet<String> {
        let output = self.webhook.output();
        let notifications = output.lines().filter_map(|line| serde_json::from_str(line).ok());
        let alerts = notifications.flat_map(|notification: Value| {
            notification["alerts"].as_array().cloned().unwrap_or_default()
        });
        let firing = alerts.filter(|alert| alert["status"] == "firing");
        firing.map(|alert| format!("{} {}", alert["labels"], alert["annotations"])).collect()
    }
}

#[test]
fn hundreds_of_rules_yield_the_same_series_and_alerts() {
    let bed = Bed::new();
    for window in WINDOWS {
        bed.write(&format!("rules-{window}.yml"), &RULES.replace("WINDOW", window));
    }
    let Some(prometheus) = acceptance::program("prometheus") else {
        return acceptance::skip("rules", "prometheus");
    };
    let (host, mut victim) = (bed.host(), bed.host());
    let targets =
        Targets { host: host.port, victim: victim.port, servers: [free_port(), free_port()] };
    let ours = Side::start(&bed, &vesta(), &["server", RESEND], "ours", &targets);
    let theirs = Side::start(&bed, &prometheus, &[RESEND], "theirs", &targets);
    for side in [&ours, &theirs] {
        wait_for("the victim's alerts", LIMIT, || {
            let kept = query_result(side.server.port, r#"ALERTS{alertname="NodeKept"}"#);
            (kept.len() == WINDOWS.len()).then_some(())
        });
    }
    victim.process.kill();
    compare("written", || ours.written(), || theirs.written());
    compare("told", || ours.told(), || theirs.told());
    let n_rules = RULES.matches("expr:").count() * WINDOWS.len();
    let (n_written, n_told) = (ours.written().len(), ours.told().len());
    eprintln!("{n_rules} rules: {n_written} series and {n_told} alerts are the same");
    assert!(n_written > 500 && n_told > 50, "{n_written} series, {n_told} alerts");
}

/// Waits until both are the same and go on being so for a while; shows how they differ.
fn compare(what: &str, ours: impl Fn() -> BTreeSet<String>, theirs: impl Fn() -> BTreeSet<String>) {
    let started = Instant::now();
    let mut n_same = 0;
    while n_same < 5 {
        let (ours, theirs) = (ours(), theirs());
        n_same = if ours == theirs && !ours.is_empty() { n_same + 1 } else { 0 };
        if started.elapsed() > LIMIT {
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
                a.difference(b).cloned().collect::<Vec<_>>().join("\n  ")
            };
            let (more, less) = (only(&ours, &theirs), only(&theirs, &ours));
            panic!("{what}: only ours\n  {more}\nonly theirs\n  {less}");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// One alert waits, one fires, and one is only kept firing since UNTIL.
const ALWAYS: &str = "
groups:
- name: g
  rules:
  - {record: always, expr: vector(1)}
  - {record: above, expr: always + 1}
  - {alert: Waits, expr: vector(1), for: 1h}
  - {alert: Fires, expr: vector(1), for: 2s}
  - {alert: Kept, expr: vector(1) and on () (vector(time()) < UNTIL), keep_firing_for: 1h}
";

#[test]
fn faults_leave_no_hole_and_no_alert_waits_again_or_ends() {
    // Ten minutes say more, but not at every change: `PAUSE_SECONDS=600`.
    let pause = std::env::var("PAUSE_SECONDS").ok().and_then(|text| text.parse().ok());
    let pause: u64 = pause.unwrap_or(6);
    let bed = Bed::new();
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later");
    bed.write("always.yml", &ALWAYS.replace("UNTIL", &(since.as_secs() + 10).to_string()));
    let webhook = bed.webhook();
    let alertmanager = bed.vesta_alertmanager("am", &alertmanager_config(webhook.port));
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [always.yml]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]}}\n",
        alertmanager.port
    );
    // Nothing is over for want of news in ten minutes.
    let start = |port| {
        bed.server(&vesta(), &["server", "--rules.alert.resend-delay=5m"], "s", &config, port)
    };
    let mut server = start(free_port());
    let port = server.port;
    wait_for("ten samples", LIMIT, || has_all(port, 10));
    wait_for("the alert that is kept", LIMIT, || {
        let is_true = query_result(port, &format!("vector(time()) > {}", since.as_secs() + 12));
        (!is_true.is_empty()).then_some(())
    });
    check_alerts(port);
    let before = waits_since(port);

    server.process.kill();
    std::thread::sleep(Duration::from_secs(3));
    let mut server = start(port);
    wait_for("the samples of the kill", LIMIT, || has_all(port, 15));
    check_alerts(port);

    signal(&server, Signal::TERM);
    server.process.wait(LIMIT).expect("it ends when it is told to");
    std::thread::sleep(Duration::from_secs(3));
    let mut server = start(port);
    wait_for("the samples of the restart", LIMIT, || has_all(port, 20));
    check_alerts(port);

    signal(&server, Signal::STOP);
    std::thread::sleep(Duration::from_secs(pause));
    signal(&server, Signal::CONT);
    wait_for("the samples of the pause", LIMIT, || has_all(port, pause + 10));
    check_alerts(port);
    // Outages themselves may not count, and restoring takes a few evaluations.
    let after = waits_since(port);
    assert!(after - before < 20.0, "waits since {before}, then since {after}");
    let told = webhook.process.output();
    assert!(told.contains("\"firing\"") && !told.contains("\"resolved\""), "{told}");
    eprintln!("killed, restarted and paused for {pause} s: no sample is missing, all alerts go on");
    server.process.kill();
}

/// Whether there is a sample of each of the last seconds.
fn has_all(port: u16, seconds: u64) -> Option<()> {
    let all = format!("count_over_time(above[{seconds}s]) >= {seconds}");
    (!query_result(port, &all).is_empty()).then_some(())
}

fn signal(server: &Running, signal: Signal) {
    let id = rustix::process::Pid::from_raw(server.process.id() as i32).expect("it runs");
    rustix::process::kill_process(id, signal).expect("it is ours");
}

/// Waits until all three are as they were.
fn check_alerts(port: u16) {
    for (name, state) in [("Waits", "pending"), ("Fires", "firing"), ("Kept", "firing")] {
        wait_for(&format!("{name} to be {state}"), LIMIT, || {
            let alerts = query_result(port, &format!("ALERTS{{alertname=\"{name}\"}}"));
            alerts.iter().any(|alert| alert["metric"]["alertstate"] == state).then_some(())
        });
    }
}

fn waits_since(port: u16) -> f64 {
    let result = query_result(port, r#"ALERTS_FOR_STATE{alertname="Waits"}"#);
    let value = result.first().map(|series| series["value"][1].clone());
    value.and_then(|value| value.as_str()?.parse().ok()).expect("the alert is pending")
}
