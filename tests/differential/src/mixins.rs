//! Do some hundred rules yield the same series and alerts in Vesta and in the real Prometheus?
//!
//! Both get the same samples, those of the next minutes too, and then the same rule files at the
//! same paths; groups have names with which both evaluate them at the same moments. What they
//! recorded, `ALERTS`, `ALERTS_FOR_STATE`, and what a webhook behind an Alertmanager was told are
//! compared sample by sample. A group that one of them evaluated too late, or first in another
//! slot, says nothing, and is counted.

mod phase;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use acceptance::{Process, free_port, post, post_bytes, program, query_result, vesta};
use serde_json::Value;

use crate::remote_write;
use phase::Phases;

const TEMPLATE: &str = include_str!("../test_data/mixins.yml");
const WINDOWS: [&str; 6] = ["20s", "25s", "30s", "40s", "60s", "90s"];
/// How long before the beginning there are samples, when rules must have begun, and the end.
const HISTORY_MS: i64 = 300_000;
const QUIET_MS: i64 = 20_000;
const LENGTH_MS: i64 = 95_000;
/// Of all groups.
const INTERVAL: Duration = Duration::from_secs(5);
/// Values are as equal as sums in another order are.
const RELATIVE: f64 = 1e-9;

/// Samples by series and time in milliseconds.
type Samples = BTreeMap<String, BTreeMap<i64, f64>>;

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    pub rules: usize,
    pub groups: usize,
    /// Groups that say nothing.
    pub unlike: BTreeSet<String>,
    pub recorded: usize,
    pub alerts: usize,
    pub told: usize,
    pub differences: Vec<String>,
}

/// Runs both for a minute and a half; nothing if there is no Prometheus on this machine.
pub fn run(seed: u64) -> Option<Report> {
    let prometheus = program("prometheus")?;
    let files = rule_files();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let path = folder.path();
    let mut sides = [
        Side::start(&prometheus, &[], path, "theirs"),
        Side::start(&vesta(), &["server"], path, "ours"),
    ];
    let started = now_ms();
    let (quiet, end) = (started + QUIET_MS, started + LENGTH_MS);
    let series = world::generate(seed, (started - HISTORY_MS, quiet, end + 60_000));
    for side in &sides {
        side.load(&series);
    }
    for (file, text) in &files {
        std::fs::write(path.join(file), text).expect("it is ours");
    }
    // At once, so that hardly any slot lies between.
    thread::scope(|scope| {
        for side in &sides {
            scope.spawn(|| side.reload());
        }
    });
    assert!(now_ms() < quiet, "this machine is too slow for the test");
    // Notifications of the last moments may be on their way.
    let wait = end + 5_000 - now_ms();
    thread::sleep(Duration::from_millis(wait.max(0) as u64));
    let found = sides.each_mut().map(|side| side.found(quiet, end));
    Some(compare(&found, &groups(&files), quiet))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("it is later than 1970").as_millis() as i64
}

/// A server with an Alertmanager of its own, and somebody who is told.
struct Side {
    port: u16,
    webhook: Process,
    _processes: [Process; 2],
}

/// What a side knows in the end.
struct Found {
    /// By the rule that says so, when its group was evaluated first.
    first_slots: BTreeMap<String, i64>,
    late: BTreeSet<String>,
    recorded: Samples,
    alerts: Samples,
    told: BTreeSet<String>,
}

impl Side {
    fn start(program: &Path, command: &[&str], folder: &Path, name: &str) -> Side {
        let write = |file: &str, text: String| {
            std::fs::write(folder.join(file), text).expect("the folder is ours");
        };
        let listen = |port: u16| format!("--web.listen-address=127.0.0.1:{port}");
        let [port, alertmanager_port, webhook_port] = [free_port(), free_port(), free_port()];
        let args = ["webhook".to_owned(), listen(webhook_port)];
        let mut webhook = Process::start(&vesta(), folder, &format!("{name}-told"), &args);
        webhook.wait_until_ready(webhook_port, "/-/ready");
        write(
            &format!("{name}-am.yml"),
            format!(
                "route: {{receiver: w, group_by: ['...'], group_wait: 0s, group_interval: 1s}}\n\
                 receivers: [{{name: w, webhook_configs: [{{url: 'http://127.0.0.1:{webhook_port}/'}}]}}]\n"
            ),
        );
        let args = [
            "alertmanager".to_owned(),
            format!("--config.file={name}-am.yml"),
            format!("--storage.path={name}-am-data"),
            listen(alertmanager_port),
            "--cluster.listen-address=".to_owned(),
        ];
        let mut alertmanager = Process::start(&vesta(), folder, &format!("{name}-am"), &args);
        alertmanager.wait_until_ready(alertmanager_port, "/-/ready");
        write(
            &format!("{name}.yml"),
            format!(
                "global: {{evaluation_interval: {}s, external_labels: {{dc: d1}}}}\n\
                 rule_files: ['rules-*.yml']\n\
                 alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager_port}']}}]}}]}}\n",
                INTERVAL.as_secs()
            ),
        );
        let mut args: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        args.extend([
            format!("--config.file={name}.yml"),
            format!("--storage.tsdb.path={name}-data"),
            listen(port),
            "--web.enable-lifecycle".to_owned(),
            "--web.enable-remote-write-receiver".to_owned(),
            "--web.external-url=http://example.test:9090".to_owned(),
            "--web.route-prefix=/".to_owned(),
            "--rules.alert.resend-delay=5s".to_owned(),
        ]);
        let mut server = Process::start(program, folder, name, &args);
        server.wait_until_ready(port, "/-/ready");
        Side { port, webhook, _processes: [alertmanager, server] }
    }

    fn load(&self, series: &[crate::data::Series]) {
        let parts: Vec<remote_write::Part<'_>> =
            series.iter().map(|series| (&series.labels[..], &series.samples[..])).collect();
        for parts in parts.chunks(200) {
            let body = remote_write::body(parts);
            let answer = post_bytes(self.port, "/api/v1/write", remote_write::HEADERS, &body);
            let answer = answer.expect("the server is there");
            assert_eq!(answer.status / 100, 2, "{}", answer.body);
        }
    }

    fn reload(&self) {
        let answer = post(self.port, "/-/reload", "text/plain", "").expect("it is there");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn found(&mut self, quiet: i64, end: i64) -> Found {
        let window = (end - quiet + 20_000) / 1000;
        let at = end / 1000;
        let ask = |selector: &str| samples(self.port, &format!("{selector}[{window}s] @ {at}"));
        let slots = ask(r#"{__name__=~"slot:.+"}"#).into_iter();
        let first_slots = slots.filter_map(|(series, samples)| {
            let labels: Value = serde_json::from_str(&series).ok()?;
            Some((labels["__name__"].as_str()?.to_owned(), *samples.keys().next()?))
        });
        let first_slots = first_slots.collect();
        let missed = "prometheus_rule_group_iterations_missed_total";
        let body = acceptance::get(self.port, "/metrics").expect("it is there").body;
        let late = body.lines().filter(|line| line.starts_with(missed) && !line.ends_with(" 0"));
        let late =
            late.filter_map(|line| Some(line.split_once(';')?.1.split_once('"')?.0.to_owned()));
        Found {
            first_slots,
            late: late.collect(),
            recorded: ask(r#"{__name__=~".+:.+"}"#),
            alerts: ask(r#"{__name__=~"ALERTS(_FOR_STATE)?"}"#),
            told: told(&self.webhook.output(), end),
        }
    }
}

fn samples(port: u16, query: &str) -> Samples {
    let series = query_result(port, query).into_iter().map(|series| {
        let values = series["values"].as_array().cloned().unwrap_or_default();
        let values = values.iter().filter_map(|pair| {
            let time = (pair[0].as_f64()? * 1000.0).round() as i64;
            Some((time, pair[1].as_str()?.parse().ok()?))
        });
        (series["metric"].to_string(), values.collect())
    });
    series.collect()
}

/// What was said of each alert until `end`: its labels, annotations, when it began, and, if so,
/// ended.
fn told(output: &str, end: i64) -> BTreeSet<String> {
    let notifications = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let alerts = notifications
        .flat_map(|notification| notification["alerts"].as_array().cloned().unwrap_or_default());
    let lines = alerts.filter_map(|alert| {
        let is_over = alert["status"] == "resolved";
        let (started, ended) = (&alert["startsAt"], &alert["endsAt"]);
        let last: jiff::Timestamp = if is_over { ended } else { started }.as_str()?.parse().ok()?;
        let ended = if is_over { ended } else { &Value::Null };
        let line = format!(
            "{} {} from {started} to {ended}, see {}",
            alert["labels"], alert["annotations"], alert["generatorURL"]
        );
        (last.as_millisecond() <= end).then_some(line)
    });
    lines.collect()
}

fn compare(found: &[Found; 2], groups_of: &BTreeMap<String, String>, quiet: i64) -> Report {
    let [theirs, ours] = found;
    let is_unlike = |slot: &str, group: &String| {
        let slots = (theirs.first_slots.get(slot), ours.first_slots.get(slot));
        let is_late = theirs.late.contains(group) || ours.late.contains(group);
        slots.0.is_none() || slots.0 != slots.1 || is_late
    };
    let slots = groups_of.iter().filter(|(name, _)| name.starts_with("slot:"));
    let unlike = slots.clone().filter(|(slot, group)| is_unlike(slot, group));
    let unlike: BTreeSet<String> = unlike.map(|(_, group)| group.clone()).collect();
    // A line begins with the labels as JSON.
    let counts = |line: &str| {
        let Some(Ok(labels)) = serde_json::Deserializer::from_str(line).into_iter::<Value>().next()
        else {
            return false;
        };
        let metric = labels["__name__"].as_str().filter(|name| !name.starts_with("ALERTS"));
        let alert =
            || Some(format!("{} {}", labels["alertname"].as_str()?, labels["window"].as_str()?));
        let name = metric.map(str::to_owned).or_else(alert);
        let group = name.and_then(|name| groups_of.get(&name));
        group.is_some_and(|group| !unlike.contains(group))
    };
    let mut report = Report {
        rules: TEMPLATE.matches(" expr:").count() * WINDOWS.len(),
        groups: slots.count(),
        ..Report::default()
    };
    for (theirs, ours, count) in [
        (&theirs.recorded, &ours.recorded, &mut report.recorded),
        (&theirs.alerts, &ours.alerts, &mut report.alerts),
    ] {
        let keys: BTreeSet<_> =
            theirs.keys().chain(ours.keys()).filter(|series| counts(series)).collect();
        for series in keys {
            let (a, b) = (after(theirs, series, quiet), after(ours, series, quiet));
            *count += a.len();
            report.differences.extend(difference(&a, &b).map(|text| format!("{series}: {text}")));
        }
    }
    let told = |found: &Found| -> BTreeSet<String> {
        found.told.iter().filter(|line| counts(line)).cloned().collect()
    };
    let (a, b) = (told(theirs), told(ours));
    report.told = a.len();
    report.differences.extend(a.difference(&b).map(|line| format!("not told: {line}")));
    report.differences.extend(b.difference(&a).map(|line| format!("told too much: {line}")));
    report.unlike = unlike;
    report
}

fn after(samples: &Samples, series: &str, quiet: i64) -> BTreeMap<i64, f64> {
    let samples = samples.get(series).into_iter().flatten();
    samples.filter(|(time, _)| **time >= quiet).map(|(time, value)| (*time, *value)).collect()
}

fn difference(theirs: &BTreeMap<i64, f64>, ours: &BTreeMap<i64, f64>) -> Option<String> {
    let times: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    for time in times {
        match (theirs.get(time), ours.get(time)) {
            (Some(a), Some(b)) => {
                let is_close = (a - b).abs() <= RELATIVE * a.abs().max(b.abs());
                if a.to_bits() != b.to_bits() && !is_close && !(a.is_nan() && b.is_nan()) {
                    return Some(format!("{b} instead of {a} at {time}"));
                }
            }
            (Some(a), None) => return Some(format!("{a} at {time} is missing")),
            (None, _) => return Some(format!("a sample too much at {time}")),
        }
    }
    None
}

/// Names and contents of the rule files, one for each window.
fn rule_files() -> Vec<(String, String)> {
    let mut phases = Phases::new(INTERVAL);
    let files = WINDOWS.iter().map(|window| {
        let file = format!("rules-{window}.yml");
        let mut text = String::new();
        for line in TEMPLATE.replace("WINDOW", window).lines() {
            text += &match line.strip_prefix("- name: ") {
                Some(name) => format!("- name: {}\n", phases.name(&file, name)),
                None => format!("{line}\n"),
            };
        }
        (file, text)
    });
    files.collect()
}

/// The groups of rules by what they record, or by the alert and its window.
fn groups(files: &[(String, String)]) -> BTreeMap<String, String> {
    let mut groups = BTreeMap::new();
    for (window, (_, text)) in WINDOWS.iter().zip(files) {
        let mut group = "";
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("- name: ") {
                group = name;
            } else if let Some(name) = line.strip_prefix("- record: ") {
                groups.insert(name.to_owned(), group.to_owned());
            } else if let Some(name) = line.strip_prefix("- alert: ") {
                groups.insert(format!("{name} {window}"), group.to_owned());
            }
        }
    }
    groups
}
