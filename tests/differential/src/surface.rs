//! The whole HTTP surface, request by request: does Vesta answer as the real Prometheus does?
//!
//! `surface/requests.txt` has one request a line. Both servers have the same data, rules and
//! targets. A line that begins with `~name` is answered otherwise by 3.14 than by 2.42: the reason
//! stands at the top of the file, under that name, and such a line must differ. With `?name` it
//! depends on the moment.

mod request;

use std::{collections::BTreeMap, path::Path, time::Duration};

use acceptance::{Answer, Process, program, vesta, wait_for};
use serde_json::Value;

use self::request::Request;
use crate::{data, pair};

const REQUESTS: &str = include_str!("surface/requests.txt");

const RULES: &str = "\
groups:
  - name: first
    interval: 1s
    rules:
      - {record: recorded, expr: 'vector(42)', labels: {a: b}}
      - {alert: Fires, expr: 'vector(1)', labels: {severity: page}, annotations: {summary: 'it is {{ $value }}'}}
      - {alert: Waits, expr: 'vector(2)', for: 1d}
  - name: second
    interval: 1h
    rules:
      - {alert: Never, expr: 'vector(1) > 2'}
";

const CONFIG: &str = "\
global:
  scrape_interval: 1d
  external_labels: {cluster: c}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{targets: ['127.0.0.1:1', 'dropped:1']}]
      relabel_configs: [{source_labels: [__address__], regex: 'dropped.*', action: drop}]
scrape_configs:
  - job_name: gone
    static_configs: [{targets: ['127.0.0.1:1', 'dropped:1'], labels: {place: here}}]
    relabel_configs: [{source_labels: [__address__], regex: 'dropped.*', action: drop}]
  - job_name: other
    metrics_path: /x
    params: {a: [b]}
    static_configs: [{targets: ['127.0.0.1:2']}]
";

/// What differs is asked so often.
const TRIES: usize = 4;

/// Both servers, with data and rules.
struct Servers {
    theirs: u16,
    ours: u16,
    _processes: [Process; 2],
    _folder: tempfile::TempDir,
}

/// What came of all requests.
#[derive(Debug, Default)]
pub struct Report {
    pub asked: usize,
    /// How many differ, by the name of the reason.
    pub explained: BTreeMap<String, usize>,
    /// What differed, and no more when it was asked again.
    pub passing: Vec<String>,
    /// What differs without a reason, or has one and does not differ.
    pub wrong: Vec<String>,
}

/// Asks everything of both; nothing, if there is no Prometheus on this machine.
pub fn ask() -> Option<Report> {
    let servers = Servers::start()?;
    let (reasons, requests) = request::parse(REQUESTS);
    let mut report = Report::default();
    for request in requests {
        report.asked += 1;
        let difference = servers.ask(&request, &mut report.passing);
        match (&request.reason, difference) {
            (None, None) => {}
            (None, Some(difference)) => {
                report.wrong.push(format!("{}\n{difference}", request.text));
            }
            (Some(name), Some(_)) => {
                assert!(reasons.contains_key(name), "{name} is not explained");
                *report.explained.entry(name.clone()).or_default() += 1;
            }
            (Some(_), None) if request.may_differ => {}
            (Some(name), None) => {
                report.wrong.push(format!("{}\n    differs no more: {name}", request.text));
            }
        }
    }
    Some(report)
}

impl Servers {
    fn start() -> Option<Servers> {
        let prometheus = program("prometheus")?;
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("the folder is ours");
        };
        write("config.yml", "");
        write("rules.yml", RULES);
        let (theirs, first) = serve(&prometheus, folder.path(), "prometheus", &[]);
        let (ours, second) = serve(&vesta(), folder.path(), "vesta", &["server"]);
        // What is old first: once rules store what is now, it would be too old.
        pair::load(&[theirs, ours], &data::generate(1));
        write("config.yml", CONFIG);
        for port in [theirs, ours] {
            let answer = acceptance::post(port, "/-/reload", "text/plain", "");
            assert_eq!(answer.expect("it is there").status, 200);
            // What is discovered comes with the next batch.
            for (path, parts) in [
                ("/api/v1/alerts", ["firing", "pending"]),
                ("/api/v1/targets", ["gone", "other"]),
                ("/api/v1/alertmanagers", ["127.0.0.1", "dropped"]),
            ] {
                wait_for(path, Duration::from_secs(60), || {
                    let body = acceptance::get(port, path)?.body;
                    parts.iter().all(|part| body.contains(part)).then_some(())
                });
            }
        }
        Some(Servers { theirs, ours, _processes: [first, second], _folder: folder })
    }
}

impl Servers {
    /// What is different, again and again: one of them may just be busy with something that the
    /// other has done already. What passed is noted.
    fn ask(&self, request: &Request, passing: &mut Vec<String>) -> Option<String> {
        let ask = || difference(request, &request.send(self.theirs), &request.send(self.ours));
        let first = ask()?;
        let more = if request.reason.is_some() { 0 } else { TRIES - 1 };
        let mut newest = first.clone();
        for _ in 0..more {
            std::thread::sleep(Duration::from_millis(300));
            let Some(difference) = ask() else {
                passing.push(format!("{}\n{first}", request.text));
                return None;
            };
            newest = difference;
        }
        Some(newest)
    }
}

fn serve(program: &Path, folder: &Path, name: &str, command: &[&str]) -> (u16, Process) {
    const MORE: [&str; 6] = [
        "--config.file=config.yml",
        "--web.enable-lifecycle",
        "--web.enable-admin-api",
        "--web.external-url=http://example.com/",
        "--web.console.templates=consoles",
        "--web.console.libraries=libraries",
    ];
    pair::serve(program, folder, name, command, &MORE)
}

/// What is different, if anything is, but for times and the like.
fn difference(request: &Request, theirs: &Answer, ours: &Answer) -> Option<String> {
    if theirs.status != ours.status {
        let (expected, got) = (&theirs.status, &ours.status);
        return Some(format!(
            "    {got} instead of {expected}: {} instead of {}",
            ours.body, theirs.body
        ));
    }
    const HEADERS: [&str; 5] = [
        "content-type",
        "location",
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
    ];
    for name in HEADERS {
        let (expected, got) = (header(theirs, name), header(ours, name));
        if expected != got {
            return Some(format!("    {name}: {got:?} instead of {expected:?}"));
        }
    }
    let (expected, got) = (masked(request, &theirs.body), masked(request, &ours.body));
    (expected != got).then(|| format!("    {got}\n    instead of\n    {expected}"))
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn masked(request: &Request, body: &str) -> String {
    match serde_json::from_str::<Value>(body) {
        Ok(mut json) => {
            // Results of operators and the like have no order in Go.
            let is_sorted = ["query=sort", "query=topk", "query=bottomk"];
            let keeps_order = is_sorted.iter().any(|it| request.text.contains(it));
            let is_vector = json["data"]["resultType"] == "vector";
            let result = json.pointer_mut("/data/result").and_then(Value::as_array_mut);
            if let Some(result) = result.filter(|_| is_vector && !keeps_order) {
                result.sort_by_key(Value::to_string);
            }
            mask(&mut json, request.text.contains("/snapshot"));
            json.to_string()
        }
        Err(_) => body.to_owned(),
    }
}

/// What two servers cannot have in common.
fn mask(value: &mut Value, is_snapshot: bool) {
    const OWN: [&str; 15] = [
        "CWD",
        "GOMAXPROCS",
        "activeAt",
        "chunkCount",
        "evaluationTime",
        "goroutineCount",
        "lastConfigTime",
        "lastEvaluation",
        "lastScrape",
        "lastScrapeDuration",
        "maxTime",
        "peakSamples",
        "serverTime",
        "startTime",
        "timings",
    ];
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let is_own = OWN.contains(&key.as_str()) || is_snapshot && key == "name";
                match is_own {
                    true => *value = Value::from("…"),
                    false => mask(value, is_snapshot),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, is_snapshot)),
        _ => {}
    }
}
