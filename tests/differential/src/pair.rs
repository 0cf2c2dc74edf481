//! Both servers, with the same data.

use std::path::Path;

use acceptance::{Answer, Process, free_port, get, post_bytes, program, vesta};

use crate::{
    Query, Times,
    compare::difference,
    data::{self, LENGTH_S, START_MS, Series},
    grammar, remote_write,
};

/// A Prometheus and a Vesta; both end with it.
pub struct Pair {
    seed: u64,
    theirs: u16,
    ours: u16,
    _processes: [Process; 2],
    _folder: tempfile::TempDir,
}

/// What came of some queries.
#[derive(Debug, Default)]
pub struct Report {
    pub asked: u64,
    /// Of these, how many had an answer with something in it, and how many an error.
    pub filled: u64,
    pub refused: u64,
    /// Each with what it takes to ask it again.
    pub differences: Vec<String>,
}

impl Pair {
    /// Nothing, if there is no Prometheus on this machine.
    pub fn start(seed: u64) -> Option<Pair> {
        let prometheus = program("prometheus")?;
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        std::fs::write(folder.path().join("empty.yml"), "").expect("the folder is ours");
        let config = ["--config.file=empty.yml"];
        let (theirs, first) = serve(&prometheus, folder.path(), "prometheus", &[], &config);
        let (ours, second) = serve(&vesta(), folder.path(), "vesta", &["server"], &config);
        load(&[theirs, ours], &data::generate(seed));
        Some(Pair { seed, theirs, ours, _processes: [first, second], _folder: folder })
    }

    /// Asks the queries of these numbers.
    pub fn ask(&self, numbers: std::ops::Range<u64>) -> Report {
        let mut report = Report::default();
        for number in numbers {
            let query = grammar::query(self.seed, number);
            let (theirs, ours) = (answer(self.theirs, &query), answer(self.ours, &query));
            report.asked += 1;
            report.refused += u64::from(theirs.status != 200);
            report.filled += u64::from(theirs.body.contains("\"metric\""));
            if let Some(text) = difference(&query, &theirs, &ours) {
                let Query { text: query, times, likeness } = &query;
                report.differences.push(format!(
                    "seed {} query {number} {times:?} {likeness:?}: {query}\n    {text}",
                    self.seed
                ));
            }
        }
        report
    }
}

/// Into both, in order of time, as a sender would.
pub(crate) fn load(ports: &[u16], all: &[Series]) {
    const SLICE_MS: i64 = 600_000;
    let mut start = START_MS - SLICE_MS;
    while start < START_MS + LENGTH_S * 1000 + SLICE_MS {
        let parts = all.iter().map(|series| {
            let first = series.samples.partition_point(|sample| sample.time < start);
            let end = series.samples.partition_point(|sample| sample.time < start + SLICE_MS);
            (&series.labels[..], &series.samples[first..end])
        });
        let parts: Vec<_> = parts.filter(|(_, samples)| !samples.is_empty()).collect();
        let body = remote_write::body(&parts);
        for port in ports {
            let answer = post_bytes(*port, "/api/v1/write", remote_write::HEADERS, &body);
            let answer = answer.expect("the server is there");
            assert_eq!(answer.status / 100, 2, "{}", answer.body);
        }
        start += SLICE_MS;
    }
}

/// Starts a server that takes what is written to it.
pub(crate) fn serve(
    program: &Path,
    folder: &Path,
    name: &str,
    command: &[&str],
    more: &[&str],
) -> (u16, Process) {
    let port = free_port();
    let arguments = [
        format!("--storage.tsdb.path=data-{name}"),
        "--storage.tsdb.retention.time=100y".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--web.enable-remote-write-receiver".to_owned(),
    ];
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let arguments: Vec<String> = [words(command), arguments.to_vec(), words(more)].concat();
    let mut process = Process::start(program, folder, name, &arguments);
    process.wait_until_ready(port, "/-/ready");
    (port, process)
}

fn answer(port: u16, query: &Query) -> Answer {
    let seconds = |millis: i64| millis as f64 / 1000.0;
    let text = acceptance::escape(&query.text);
    let path = match query.times {
        Times::Instant(time) => format!("/api/v1/query?query={text}&time={}", seconds(time)),
        Times::Range { start, end, step } => format!(
            "/api/v1/query_range?query={text}&start={}&end={}&step={}",
            seconds(start),
            seconds(end),
            seconds(step)
        ),
    };
    get(port, &path).unwrap_or_else(|| panic!("no answer to {}", query.text))
}
