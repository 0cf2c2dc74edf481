//! `query_log_file`: a line of JSON for each query, as upstream writes it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use api::prometheus::engine::Request;
use model::Timestamp;
use parking_lot::Mutex;
use promql::{Error, Stats};
use rules::RuleGroup;
use runtime::{Disk, disk::File};
use serde_json::{Map, Value, json};
use telemetry::{Counter, Gauge, Registry};
use tracing::error;

/// Where queries are noted, if anywhere.
pub(super) struct QueryLog {
    /// Held for a line.
    file: Mutex<Option<(PathBuf, Box<dyn File>)>>,
    enabled: Gauge,
    failures: Counter,
}

/// A query that is over.
pub(super) struct Noted<'a> {
    pub(super) query: &'a str,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) step: Duration,
    pub(super) stats: &'a Stats,
    pub(super) error: Option<&'a Error>,
    pub(super) asker: Asker<'a>,
}

/// Who asked.
#[derive(Clone, Copy)]
pub(super) enum Asker<'a> {
    Http(&'a Request),
    Rules(&'a RuleGroup<'a>),
    Nobody,
}

impl QueryLog {
    pub(super) fn register(registry: &Registry) -> QueryLog {
        let enabled =
            registry.gauge("prometheus_engine_query_log_enabled", "State of the query log.");
        enabled.set(0.0);
        let failures = registry.counter(
            "prometheus_engine_query_log_failures_total",
            "The number of query log failures.",
        );
        QueryLog { file: Mutex::default(), enabled, failures }
    }

    /// From now on notes queries at `path`, or nowhere if that is empty. The file is opened anew
    /// each time, so that it can be rotated.
    pub(super) fn open(&self, disk: &dyn Disk, path: &str) -> Result<(), String> {
        let mut file = self.file.lock();
        *file = None;
        self.enabled.set(0.0);
        if path.is_empty() {
            return Ok(());
        }
        let opened = disk.append(Path::new(path));
        let opened = opened.map_err(|error| format!("open query log {path}: {error}"))?;
        *file = Some((PathBuf::from(path), opened));
        self.enabled.set(1.0);
        Ok(())
    }

    pub(super) fn note(&self, now: Duration, noted: &Noted<'_>) {
        let mut file = self.file.lock();
        let Some((path, file)) = &mut *file else { return };
        if let Err(error) = file.write_all(line(now, noted).as_bytes()) {
            self.failures.add(1.0);
            error!(path = %path.display(), %error, "write query log");
        }
    }
}

fn line(now: Duration, noted: &Noted<'_>) -> String {
    let mut line = Map::new();
    let params = json!({
        "end": date(noted.end),
        "query": noted.query,
        "start": date(noted.start),
        "step": noted.step.as_secs(),
    });
    line.insert("params".to_owned(), params);
    if let Some(error) = noted.error {
        line.insert("error".to_owned(), error.to_string().into());
    }
    line.insert("stats".to_owned(), stats(noted.stats));
    match noted.asker {
        Asker::Http(Request { client, method, path }) => {
            let request = json!({ "clientIP": client, "method": method, "path": path });
            line.insert("httpRequest".to_owned(), request);
        }
        Asker::Rules(RuleGroup { file, name }) => {
            line.insert("ruleGroup".to_owned(), json!({ "file": file, "name": name }));
        }
        Asker::Nobody => {}
    }
    let now = jiff::Timestamp::from_nanosecond(now.as_nanos() as i128).unwrap_or_default();
    let rest: Vec<String> = ["params", "error", "stats", "httpRequest", "ruleGroup"]
        .into_iter()
        .filter_map(|key| Some(format!("\"{key}\":{}", line.get(key)?)))
        .collect();
    format!(
        "{{\"time\":\"{now}\",\"level\":\"INFO\",\"msg\":\"promql query logged\",{}}}\n",
        rest.join(",")
    )
}

fn stats(stats: &Stats) -> Value {
    let times = &stats.timings;
    json!({
        "timings": {
            "evalTotalTime": times.evaluation.as_secs_f64(),
            "resultSortTime": times.result_sort.as_secs_f64(),
            "queryPreparationTime": times.preparation.as_secs_f64(),
            "innerEvalTime": times.inner_evaluation.as_secs_f64(),
            "execQueueTime": times.queue.as_secs_f64(),
            "execTotalTime": times.total.as_secs_f64(),
        },
        "samples": {
            "totalQueryableSamples": stats.total_samples,
            "samplesRead": stats.samples_read,
            "peakSamples": stats.peak_samples,
        },
    })
}

/// RFC 3339 with three digits of milliseconds.
fn date(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use runtime::Simulation;

    use super::*;

    #[test]
    fn queries_are_noted_until_the_log_is_closed() {
        let runtime = Simulation::new(1).runtime();
        let log = QueryLog::register(&Registry::default());
        let stats =
            Stats { total_samples: 3, samples_read: 2, peak_samples: 1, ..Stats::default() };
        let request = Request {
            client: "127.0.0.1".to_owned(),
            method: "GET".to_owned(),
            path: "/api/v1/query_range".to_owned(),
        };
        let error = Error::Execution("no".to_owned());
        let mut noted = Noted {
            query: "up == \"0\"",
            start: Timestamp::from_millis(1_581_173_994_038),
            end: Timestamp::from_millis(1_581_174_000_000),
            step: Duration::from_millis(5_500),
            stats: &stats,
            error: None,
            asker: Asker::Http(&request),
        };
        let note = |noted: &Noted<'_>| log.note(Duration::from_millis(1_600_000_000_123), noted);
        note(&noted);
        log.open(&*runtime.disk, "/q.log").expect("the disk works");
        note(&noted);
        (noted.error, noted.asker) = (Some(&error), Asker::Nobody);
        note(&noted);
        noted.asker = Asker::Rules(&RuleGroup { file: "r.yml", name: "g" });
        note(&noted);
        log.open(&*runtime.disk, "").expect("nothing is opened");
        note(&noted);
        let written = runtime.disk.read_to_string(Path::new("/q.log")).expect("it is there");
        let lines: Vec<&str> = written.lines().collect();
        let begin = r#"{"time":"2020-09-13T12:26:40.123Z","level":"INFO","msg":"promql query logged","params":{"end":"2020-02-08T15:00:00.000Z","query":"up == \"0\"","start":"2020-02-08T14:59:54.038Z","step":5},"#;
        let end = r#""httpRequest":{"clientIP":"127.0.0.1","method":"GET","path":"/api/v1/query_range"}}"#;
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with(begin) && lines[0].ends_with(end), "{}", lines[0]);
        assert!(lines[1].contains(r#""error":"no","stats":{"#), "{}", lines[1]);
        let end = r#","ruleGroup":{"file":"r.yml","name":"g"}}"#;
        assert!(lines[2].ends_with(end), "{}", lines[2]);
        for line in lines {
            let read: Value = serde_json::from_str(line).expect("it is JSON");
            assert_eq!(read["stats"]["samples"]["samplesRead"], 2);
        }
    }
}
