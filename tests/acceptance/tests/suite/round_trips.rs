//! A data directory goes from upstream to us and back, also when its writer was killed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use acceptance::{escape, free_port, get, program, query_result, run, skip, vesta, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    bed::{Bed, Running},
    crash::copy,
};

const LIMIT: Duration = Duration::from_secs(120);

/// Blocks of some seconds, so that within a minute there are some, and chunks that are full.
const SHORT_BLOCKS: [&str; 2] =
    ["--storage.tsdb.min-block-duration=8s", "--storage.tsdb.max-block-duration=24s"];

/// Samples as they are, then what is made of them.
const QUERIES: [&str; 8] = [
    "{__name__=~\"up|node_cpu_.+|node_load.+|node_memory_M.+\"}[5m]",
    "{__name__=~\"prometheus_http_request_duration_seconds_.+\"}[5m]",
    "count({__name__=~\".+\"})",
    "count by (__name__) ({__name__=~\".+\"} offset 12s)",
    "sum by (mode) (rate(node_cpu_seconds_total[10s]))",
    "histogram_quantile(0.9, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[1m])))",
    "changes(node_time_seconds[1m])",
    "topk(2, node_memory_MemTotal_bytes)",
];

/// Scrapes the targets five times a second.
fn fast_config(targets: &[u16]) -> String {
    let target = |port: &u16| format!("\"127.0.0.1:{port}\"");
    let targets: Vec<String> = targets.iter().map(target).collect();
    format!(
        "global: {{scrape_interval: 200ms}}\nscrape_configs:\n  - job_name: node\n    \
         static_configs: [{{targets: [{}]}}]\n",
        targets.join(", ")
    )
}

/// The blocks in a data directory.
fn blocks(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        (name.len() == 26 && entry.path().join("meta.json").exists()).then_some(name)
    };
    entries.filter_map(name).collect()
}

/// A server that has scraped itself and a host until there are blocks beside the head.
fn fill(bed: &Bed, program: &Path, command: &[&str], name: &str, flags: &[&str]) -> Running {
    let host = bed.host();
    let port = free_port();
    let config = fast_config(&[host.port, port]);
    let flags = [&SHORT_BLOCKS[..], flags].concat();
    let server = bed.server_with(program, command, name, &config, port, &flags);
    let data = bed.path().join(format!("{name}-data"));
    wait_for("two blocks and a while of samples", LIMIT, || {
        let is_long = !query_result(port, "min(count_over_time(up[5m])) > 120").is_empty();
        (is_long && blocks(&data).len() >= 2).then_some(())
    });
    server
}

/// A time up to which all targets have been scraped: nothing comes for it any more. No sample lies a
/// whole number of scrapes before it, because 2.42 counts one at the far end of a range and we,
/// like 3, do not.
fn settled(port: u16) -> f64 {
    let times = query_result(port, "timestamp(up)");
    let time = |series: &Value| series["value"][1].as_str()?.parse::<f64>().ok();
    let times: Vec<i64> =
        times.iter().filter_map(time).map(|time| (time * 1000.0).round() as i64).collect();
    let newest = times.iter().copied().min().expect("something was scraped");
    let is_apart = |time: &i64| {
        times.iter().all(|scraped| (20..=180).contains(&(scraped - time).rem_euclid(200)))
    };
    let time = (newest - 1000..newest).rev().find(is_apart).expect("two targets leave gaps");
    time as f64 / 1000.0
}

/// The answers to all queries at `time`, each sorted by labels.
fn answers(port: u16, time: f64) -> Vec<Vec<Value>> {
    let ask = |query: &&str| {
        let path = format!("/api/v1/query?time={time}&query={}", escape(query));
        let answer = get(port, &path).expect("it runs");
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let mut result = answer.json()["data"]["result"].as_array().cloned().expect("a list");
        result.sort_by_key(|series| series["metric"].to_string());
        result
    };
    QUERIES.iter().map(ask).collect()
}

/// Whether two answers say the same; sums of floats may differ in their last digits.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (Value::String(a), Value::String(b)) if a != b => {
            let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
            (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        _ => a == b,
    }
}

#[track_caller]
fn assert_same(ours: &[Vec<Value>], theirs: &[Vec<Value>]) {
    for ((query, ours), theirs) in QUERIES.iter().zip(ours).zip(theirs) {
        assert!(!theirs.is_empty(), "{query} has no answer");
        let labels = |result: &[Value]| -> Vec<String> {
            result.iter().map(|series| series["metric"].to_string()).collect()
        };
        assert_eq!(labels(ours), labels(theirs), "{query}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(is_same(ours, theirs), "{query}\nours   {ours}\ntheirs {theirs}");
        }
    }
}

#[test]
fn what_upstream_wrote_until_it_was_killed_we_answer_as_it_did() {
    let Some(prometheus) = program("prometheus") else {
        return skip("we open upstream's directory", "prometheus");
    };
    let bed = Bed::new();
    let mut theirs = fill(&bed, &prometheus, &[], "data-of-both", &[]);
    let time = settled(theirs.port);
    let told = answers(theirs.port, time);
    // It is in the midst of its work.
    theirs.process.kill();
    let head_chunks = std::fs::read_dir(bed.path().join("data-of-both-data/chunks_head"));
    assert!(head_chunks.is_ok_and(|files| files.count() > 0), "chunks of the head are in files");

    let ours = bed.server(&vesta(), &["server"], "data-of-both", "", free_port());
    assert_same(&answers(ours.port, time), &told);
    drop(ours);
    // And back: upstream reads on where it was, with what we have added to its directory.
    let theirs = bed.server(&prometheus, &[], "data-of-both", "", free_port());
    assert_same(&answers(theirs.port, time), &told);
}

#[test]
fn what_we_wrote_until_we_were_killed_upstream_answers_as_we_did() {
    let bed = Bed::new();
    let reload = ["--storage.tsdb.block-reload-interval=1s"];
    let mut ours = fill(&bed, &vesta(), &["server"], "ours", &reload);
    let time = settled(ours.port);
    let told = answers(ours.port, time);
    ours.process.kill();
    let data = bed.path().join("ours-data");
    copy(&data, &bed.path().join("tools-data"));
    match program("prometheus") {
        Some(prometheus) => {
            let theirs = bed.server(&prometheus, &[], "ours", "", free_port());
            assert_same(&told, &answers(theirs.port, time));
        }
        None => skip("upstream opens our directory", "prometheus"),
    }
    // And back.
    let ours = bed.server(&vesta(), &["server"], "ours", "", free_port());
    assert_same(&answers(ours.port, time), &told);
    match program("promtool") {
        Some(promtool) => look_with(&promtool, &bed.path().join("tools-data")),
        None => skip("upstream's tool looks at our directory", "promtool"),
    }
}

/// Upstream's tool takes the directory for one of upstream's, and finds in it what ours does.
fn look_with(promtool: &Path, data: &Path) {
    let data_text = data.to_str().expect("its path is text");
    let output = |program: &Path, args: &[&str]| {
        let output = run(program, &[args, &[data_text]].concat());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{} {args:?}: {errors}", program.display());
        String::from_utf8(output.stdout).expect("it is text")
    };
    let listed = output(promtool, &["tsdb", "list"]);
    let blocks = blocks(data);
    assert!(blocks.iter().all(|block| listed.contains(block)), "{blocks:?}: {listed}");
    let analyzed = output(promtool, &["tsdb", "analyze"]);
    assert!(analyzed.contains("Highest cardinality metric names"), "{analyzed}");
    let lines = |text: String| -> Vec<String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let theirs = lines(output(promtool, &["tsdb", "dump"]));
    let ours = lines(output(&vesta(), &["promtool", "tsdb", "dump"]));
    assert!(theirs.len() > 10_000, "{} samples", theirs.len());
    assert_eq!(ours.len(), theirs.len(), "samples that are dumped");
    let difference = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
    assert_eq!(difference, None, "ours and theirs");
}

const SNAPSHOT: &str = "--enable-feature=memory-snapshot-on-shutdown";

fn snapshots(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data).expect("the data directory is there").flatten();
    let paths = entries.map(|entry| entry.path());
    let is_snapshot = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("chunk_snapshot."))
    };
    paths.filter(is_snapshot).collect()
}

/// Ends a server in order; it leaves a snapshot of its head.
fn stop(mut server: Running, data: &Path) {
    let id = Pid::from_raw(server.process.id() as i32).expect("a process has an id");
    kill_process(id, Signal::TERM).expect("it runs");
    assert!(server.process.wait(LIMIT).is_some(), "it does not end: {}", server.process.output());
    assert_eq!(snapshots(data).len(), 1, "{}", server.process.output());
}

#[test]
fn the_head_goes_both_ways_as_a_snapshot() {
    let Some(prometheus) = program("prometheus") else {
        return skip("a snapshot of the head goes both ways", "prometheus");
    };
    let bed = Bed::new();
    let data = bed.path().join("both-data");
    let theirs = fill(&bed, &prometheus, &[], "both", &[SNAPSHOT]);
    let time = settled(theirs.port);
    let told = answers(theirs.port, time);
    stop(theirs, &data);
    let ours = bed.server_with(&vesta(), &["server"], "both", "", free_port(), &[SNAPSHOT]);
    assert_same(&answers(ours.port, time), &told);
    stop(ours, &data);
    let theirs = bed.server_with(&prometheus, &[], "both", "", free_port(), &[SNAPSHOT]);
    assert_same(&answers(theirs.port, time), &told);
    let said = theirs.process.output();
    assert!(said.contains("Chunk snapshot loading time"), "{said}");
}
