//! The programs that people scrape, as targets of Vesta and of upstream's server at once: both store
//! the same series.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};

use acceptance::{Process, free_port, get, post, program, vesta};
use serde_json::Value;

use crate::bed::{Bed, Running};

/// By then whatever takes its time to appear has appeared.
const LIMIT: Duration = Duration::from_secs(60);

/// Where one of them listens, and what is special about scraping it.
struct Target {
    job: &'static str,
    port: u16,
    settings: &'static str,
}

/// Starts a program that says on `flag` where to listen.
fn start(bed: &Bed, name: &str, program: &Path, flag: &str, more: &[&str]) -> Running {
    let port = free_port();
    let mut args = vec![format!("{flag}=127.0.0.1:{port}")];
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    let mut process = Process::start(program, bed.path(), name, &args);
    process.wait_until_ready(port, "/metrics");
    Running { process, port }
}

/// All that are installed.
fn exporters(bed: &Bed) -> BTreeMap<&'static str, Running> {
    let mut all = BTreeMap::new();
    let web = "--web.listen-address";
    let programs: [(&str, &str, &str, &[&str]); 4] = [
        ("node", "prometheus-node-exporter", web, &[]),
        ("blackbox", "prometheus-blackbox-exporter", web, &["--config.file=blackbox.yml"]),
        ("push", "prometheus-pushgateway", web, &[]),
        ("victoria", "victoria-metrics", "-httpListenAddr", &["-storageDataPath=victoria-data"]),
    ];
    bed.write("blackbox.yml", "modules: {http_2xx: {prober: http}}\n");
    for (job, name, flag, more) in programs {
        match program(name) {
            Some(program) => drop(all.insert(job, start(bed, job, &program, flag, more))),
            None => acceptance::skip("one of the exporters", name),
        }
    }
    let config = "route: {receiver: none}\nreceivers: [{name: none}]\n";
    if let Some(alertmanager) = bed.upstream_alertmanager("their-alertmanager", config) {
        all.insert("alertmanager", alertmanager);
    }
    all.insert("our-alertmanager", bed.vesta_alertmanager("our-alertmanager", config));
    let nothing = "scrape_configs: []\n";
    if let Some(prometheus) = bed.prometheus("their-target", nothing) {
        all.insert("prometheus", prometheus);
    }
    all.insert("our-server", bed.vesta_server("our-target", nothing));
    if let Some(push) = all.get("push") {
        let text = "# TYPE jobs_total counter\njobs_total{kind=\"a b\"} 3\n\
                    # TYPE took_seconds histogram\ntook_seconds_bucket{le=\"1\"} 1\n\
                    took_seconds_bucket{le=\"+Inf\"} 2\ntook_seconds_sum 3\ntook_seconds_count 2\n";
        let pushed = post(push.port, "/metrics/job/batch/instance/one", "text/plain", text);
        assert_eq!(pushed.map(|answer| answer.status), Some(200));
    }
    all
}

fn config(exporters: &BTreeMap<&'static str, Running>, ours: &str) -> (String, Vec<String>) {
    let mut targets: Vec<Target> = exporters
        .iter()
        .map(|(job, running)| Target {
            job,
            port: running.port,
            settings: if *job == "push" { "honor_labels: true" } else { "" },
        })
        .collect();
    if let (Some(blackbox), Some(node)) = (exporters.get("blackbox"), exporters.get("node")) {
        let probe = format!(
            "metrics_path: /probe, params: {{module: [http_2xx], target: ['http://127.0.0.1:{}']}}",
            node.port
        );
        targets.push(Target { job: "probe", port: blackbox.port, settings: probe.leak() });
    }
    let mut text = format!("global: {{scrape_interval: 1s{ours}}}\nscrape_configs:\n");
    for Target { job, port, settings } in &targets {
        let comma = if settings.is_empty() { "" } else { ", " };
        text.push_str(&format!(
            "- {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]{comma}{settings}}}\n"
        ));
    }
    let mut jobs: Vec<String> = targets.iter().map(|target| target.job.to_owned()).collect();
    // What was pushed has a job of its own.
    if exporters.contains_key("push") {
        jobs.push("batch".to_owned());
    }
    (text, jobs)
}

/// The names and labels of all series of a job's target.
fn series(port: u16, job: &str) -> BTreeSet<String> {
    let matcher = acceptance::escape(&format!("{{job=\"{job}\"}}"));
    let path = format!("/api/v1/series?match[]={matcher}");
    let answer = get(port, &path).unwrap_or_else(|| panic!("no answer on {port}"));
    let series = answer.json()["data"].as_array().cloned().unwrap_or_default();
    series.iter().map(print).collect()
}

/// Prometheus 3 writes bounds as numbers, whatever the target wrote; Debian's is older.
fn print(labels: &Value) -> String {
    let mut out = String::new();
    for (name, value) in labels.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let number = ["le", "quantile"].contains(&name.as_str()).then(|| value.parse::<f64>());
        match number {
            Some(Ok(number)) => out.push_str(&format!("{name}={number} ")),
            _ => out.push_str(&format!("{name}={value} ")),
        }
    }
    out
}

fn check(test: &str, upstream_flags: &[&str], ours: &str) {
    let bed = Bed::new();
    let Some(prometheus) = program("prometheus") else {
        return acceptance::skip(test, "prometheus");
    };
    let exporters = exporters(&bed);
    let (text, jobs) = config(&exporters, ours);
    let ours = bed.server(&vesta(), &["server"], "ours", &text, free_port());
    let (text, _) = config(&exporters, "");
    let theirs = bed.server_with(&prometheus, &[], "theirs", &text, free_port(), upstream_flags);
    for job in jobs {
        let both = same_series(&format!("{test}, {job}"), ours.port, theirs.port, &job);
        eprintln!("{test}, {job}: {both} series in both");
    }
}

/// How many series of a job both servers have in the end.
fn same_series(what: &str, ours: u16, theirs: u16, job: &str) -> usize {
    let started = Instant::now();
    loop {
        let (ours, theirs) = (series(ours, job), series(theirs, job));
        if ours == theirs && !ours.is_empty() {
            return ours.len();
        }
        // A target may make a series just between the two scrapes.
        if started.elapsed() > LIMIT {
            let only_ours: Vec<_> = ours.difference(&theirs).collect();
            let only_theirs: Vec<_> = theirs.difference(&ours).collect();
            panic!("{what}: only ours: {only_ours:#?}\nonly theirs: {only_theirs:#?}");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn exporters_give_the_series_that_upstream_stores() {
    check("text and OpenMetrics", &[], "");
}

#[test]
fn exporters_give_the_series_that_upstream_stores_of_protobuf() {
    let protocols = ", scrape_native_histograms: true, scrape_protocols: \
                     [PrometheusProto, OpenMetricsText1.0.0, OpenMetricsText0.0.1, PrometheusText0.0.4]";
    check("protobuf", &["--enable-feature=native-histograms"], protocols);
}
