//! Remote write between ours and theirs, while both ends are stopped, killed and away: in the end
//! both have the same samples, each once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use acceptance::{
    Process, free_port, get, post, program, query, query_result, run, skip, vesta, wait_for,
};
use serde_json::Value;

use crate::bed::Bed;

const LIMIT: Duration = Duration::from_secs(60);

/// What is compared: all that comes from the exporter, and whether it was there; but for what is
/// infinite, which VictoriaMetrics exports as no JSON knows it.
const SERIES: &str = "{job=\"host\",__name__!=\"process_virtual_memory_max_bytes\"}";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Vesta,
    Prometheus,
    VictoriaMetrics,
}

/// Times and values of each series, by its labels.
type Samples = BTreeMap<String, Vec<(i64, f64)>>;

/// One end: a program with data that outlives it.
struct End {
    program: Program,
    binary: PathBuf,
    name: &'static str,
    port: u16,
    flags: Vec<String>,
    process: Option<Process>,
    n_starts: usize,
}

#[test]
fn ours_sends_to_ours() {
    check(Program::Vesta, Program::Vesta, "prometheus.WriteRequest");
}

#[test]
fn ours_sends_to_ours_with_version_2() {
    check(Program::Vesta, Program::Vesta, "io.prometheus.write.v2.Request");
}

#[test]
fn ours_sends_to_theirs() {
    check(Program::Vesta, Program::Prometheus, "prometheus.WriteRequest");
}

#[test]
fn theirs_sends_to_ours() {
    check(Program::Prometheus, Program::Vesta, "prometheus.WriteRequest");
}

#[test]
fn ours_sends_to_victoria_metrics() {
    check(Program::Vesta, Program::VictoriaMetrics, "prometheus.WriteRequest");
}

fn check(from: Program, to: Program, message: &str) {
    let bed = Bed::new();
    let exporter = bed.host();
    let flags = ["--config.file=sender.yml", "--web.enable-lifecycle"];
    let Some(mut sender) = End::new(from, "sender", &flags) else {
        return skip(&format!("remote write from {from:?}"), from.name());
    };
    let flags = ["--config.file=receiver.yml", "--web.enable-remote-write-receiver"];
    let Some(mut receiver) = End::new(to, "receiver", &flags) else {
        return skip(&format!("remote write to {to:?}"), to.name());
    };
    bed.write("receiver.yml", "global: {}\n");
    bed.write("sender.yml", &config(receiver.port, message, &[exporter.port]));
    receiver.start(bed.path());
    sender.start(bed.path());
    sender.collect(8);

    // The receiver dies and is away for a while. VictoriaMetrics says that it has taken what it keeps
    // in memory for some seconds, so it may not be killed.
    match to {
        Program::VictoriaMetrics => receiver.stop(),
        _ => receiver.kill(),
    }
    sender.collect(8);
    receiver.start(bed.path());
    sender.collect(8);

    // The sender ends in order, then without a word, while the receiver is there.
    sender.stop();
    sender.start(bed.path());
    sender.collect(8);
    if from == Program::Vesta {
        sender.kill();
        sender.start(bed.path());
        sender.collect(8);

        // Without a word while nobody takes what it has. Theirs would not send that any more.
        receiver.stop();
        sender.collect(8);
        sender.kill();
        sender.start(bed.path());
        sender.collect(8);
        receiver.start(bed.path());
        sender.collect(8);
    }

    // From now on there is nothing new.
    bed.write("sender.yml", &config(receiver.port, message, &[]));
    assert_eq!(post(sender.port, "/-/reload", "text/plain", "").expect("it is there").status, 200);
    let sent = sender.samples();
    let n_sent: usize = sent.values().map(Vec::len).sum();
    assert!(sent.len() >= 10 && n_sent >= 300, "{} series, {n_sent} samples", sent.len());
    let difference = last_difference(&sent, &receiver);
    assert_eq!(difference, None, "{n_sent} samples were sent");
}

/// What is different for as long as one waits.
fn last_difference(sent: &Samples, receiver: &End) -> Option<String> {
    let started = Instant::now();
    loop {
        let difference = first_difference(sent, &receiver.samples())?;
        if started.elapsed() > LIMIT {
            return Some(difference);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn config(receiver: u16, message: &str, targets: &[u16]) -> String {
    // Debian's Prometheus does not know that there is another version.
    let message = match message {
        "prometheus.WriteRequest" => String::new(),
        other => format!("protobuf_message: {other}, "),
    };
    let targets: Vec<String> = targets.iter().map(|port| format!("'127.0.0.1:{port}'")).collect();
    let scrape = match targets.is_empty() {
        true => String::new(),
        false => format!(
            "scrape_configs: [{{job_name: host, static_configs: [{{targets: [{}]}}]}}]\n",
            targets.join(", ")
        ),
    };
    format!(
        "global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}\n{scrape}\
         remote_write:\n  - {{url: 'http://127.0.0.1:{receiver}/api/v1/write', {message}\
         queue_config: {{batch_send_deadline: 100ms, max_samples_per_send: 100, max_backoff: 200ms}}}}\n"
    )
}

/// What the receiver lacks, has besides, or has otherwise.
fn first_difference(sent: &Samples, received: &Samples) -> Option<String> {
    for (series, expected) in sent {
        let Some(got) = received.get(series) else {
            return Some(format!("{series} has not arrived"));
        };
        if got.len() != expected.len() {
            let (expected, got) = (expected.len(), got.len());
            return Some(format!("{got} samples of {series} instead of {expected}"));
        }
        // VictoriaMetrics keeps decimal numbers, which are not always the same in the last digit.
        let is_same = |a: f64, b: f64| a == b || (a - b).abs() <= a.abs() * 1e-12;
        let differs = |(a, b): &(&(i64, f64), &(i64, f64))| a.0 != b.0 || !is_same(a.1, b.1);
        if let Some((expected, got)) = expected.iter().zip(got).find(differs) {
            return Some(format!("{got:?} of {series} instead of {expected:?}"));
        }
    }
    let other = received.keys().find(|series| !sent.contains_key(*series));
    other.map(|series| format!("nobody has sent {series}"))
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Program::Vesta => "vesta",
            Program::Prometheus => "prometheus",
            Program::VictoriaMetrics => "victoria-metrics",
        }
    }
}

impl End {
    fn new(program_: Program, name: &'static str, flags: &[&str]) -> Option<End> {
        let binary = match program_ {
            Program::Vesta => vesta(),
            _ => program(program_.name())?,
        };
        let port = free_port();
        let mut all = Vec::new();
        match program_ {
            Program::VictoriaMetrics => {
                all.push(format!("-httpListenAddr=127.0.0.1:{port}"));
                all.push(format!("-storageDataPath={name}-data"));
                // A request whose answer is lost comes again; so VictoriaMetrics knows its samples.
                all.push("-dedup.minScrapeInterval=1ms".to_owned());
            }
            _ => {
                all.extend((program_ == Program::Vesta).then(|| "server".to_owned()));
                all.push(format!("--web.listen-address=127.0.0.1:{port}"));
                all.push(format!("--storage.tsdb.path={name}-data"));
                all.extend(flags.iter().map(|flag| (*flag).to_owned()));
            }
        }
        Some(End { program: program_, binary, name, port, flags: all, process: None, n_starts: 0 })
    }

    fn start(&mut self, folder: &Path) {
        self.n_starts += 1;
        let log = format!("{}-{}", self.name, self.n_starts);
        let mut process = Process::start(&self.binary, folder, &log, &self.flags);
        let ready = match self.program {
            Program::VictoriaMetrics => "/health",
            _ => "/-/ready",
        };
        process.wait_until_ready(self.port, ready);
        self.process = Some(process);
    }

    fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// Ends it in order.
    fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let id = process.id().to_string();
        assert!(run(Path::new("kill"), &["-TERM", &id]).status.success());
        assert!(process.wait(LIMIT).is_some(), "it does not end:\n{}", process.output());
    }

    /// Waits for so many more scrapes.
    fn collect(&self, n_scrapes: usize) {
        let wanted = self.n_scrapes() + n_scrapes;
        wait_for("scrapes", LIMIT, || (self.n_scrapes() >= wanted).then_some(()));
    }

    fn n_scrapes(&self) -> usize {
        let Some(answer) = query(self.port, "count_over_time(up{job=\"host\"}[1h])") else {
            return 0;
        };
        if answer.status != 200 {
            return 0;
        }
        let count = answer.json()["data"]["result"][0]["value"][1].as_str().map(str::to_owned);
        count.and_then(|count| count.parse().ok()).unwrap_or_default()
    }

    /// All that it has; each sample as often as it is there.
    fn samples(&self) -> Samples {
        let mut samples = match self.program {
            Program::VictoriaMetrics => self.exported(),
            _ => query_result(self.port, &format!("{SERIES}[1h]")).iter().map(of_matrix).collect(),
        };
        samples.retain(|_, samples: &mut Vec<(i64, f64)>| !samples.is_empty());
        samples
    }

    /// One series a line.
    fn exported(&self) -> Samples {
        // Only then what has just arrived is found.
        drop(get(self.port, "/internal/force_flush"));
        let path = format!("/api/v1/export?match[]={}", acceptance::escape(SERIES));
        let answer = get(self.port, &path).expect("it is there");
        let mut samples = Samples::new();
        for line in answer.body.lines() {
            let line: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let times = line["timestamps"].as_array().into_iter().flatten();
            let values = line["values"].as_array().into_iter().flatten();
            let of_line = times
                .zip(values)
                .filter_map(|(time, value)| Some((time.as_i64()?, value.as_f64()?)));
            samples.entry(line["metric"].to_string()).or_default().extend(of_line);
        }
        samples
    }
}

fn of_matrix(series: &Value) -> (String, Vec<(i64, f64)>) {
    let values = series["values"].as_array().into_iter().flatten().map(|pair| {
        let seconds = pair[0].as_f64().expect("a time is a number");
        let value = pair[1].as_str().and_then(|text| text.parse().ok());
        ((seconds * 1000.0).round() as i64, value.expect("a value is a number"))
    });
    (series["metric"].to_string(), values.collect())
}
