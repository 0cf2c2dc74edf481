//! Does upstream read what we write? Asks the real `promtool`, where it is installed.

#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

use std::{path::Path, process::Command, time::Duration};

use model::{Labels, TimeRange, Timestamp};
use runtime::Runtime;
use storage::{Appendable as _, Columns, Queryable as _, SelectHints, SeriesRef};
use tsdb::{Database, Options};

const START: i64 = 1_700_000_000_000;
const STEP_MS: i64 = 15_000;

/// What `promtool tsdb dump` prints for a data directory, in order; `None` if it is not here.
fn upstream(directory: &Path) -> Option<Vec<String>> {
    let output = match Command::new("promtool").args(["tsdb", "dump"]).arg(directory).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("SKIPPED: promtool: {error}");
            return None;
        }
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mut lines: Vec<String> =
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    Some(lines)
}

fn ours(database: &Database) -> Vec<String> {
    let querier = database.querier(TimeRange::ALL).expect("the head always answers");
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &[]).expect("it selects");
    let mut lines = Vec::new();
    for series in &set.series {
        let mut columns = Columns::default();
        series.read(TimeRange::ALL, &mut columns).expect("it reads");
        for (time, value) in columns.times.iter().zip(&columns.values) {
            lines.push(format!("{} {value} {time}", series.labels()));
        }
    }
    lines.sort();
    lines
}

fn fill(database: &Database, n_series: u32, n_commits: i64) {
    for commit in 0..n_commits {
        let mut appender = database.appender();
        for number in 0..n_series {
            let labels = Labels::from_pairs([
                ("__name__", "requests_total"),
                ("path", &format!("/{number}/\u{e9}\"\\\n")),
                ("job", if number % 2 == 0 { "even" } else { "odd" }),
            ]);
            let time = Timestamp::from_millis(START + commit * STEP_MS);
            let value = f64::from(number) * 0.5 + (commit * commit % 97) as f64;
            appender.append(SeriesRef::UNKNOWN, &labels, time, value).expect("it is taken");
        }
        appender.commit().expect("it is written");
    }
}

fn check(log: wal::Options) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = Options { log, ..Options::default() };
    let database =
        Database::open(&Runtime::real(), directory.path(), options.clone()).expect("it opens");
    fill(&database, 50, 130);
    let expected = ours(&database);
    assert_eq!(expected.len(), 50 * 130);
    drop(database);
    let Some(found) = upstream(directory.path()) else { return };
    assert_eq!(found, expected);

    let database = Database::open(&Runtime::real(), directory.path(), options).expect("it opens");
    assert_eq!(ours(&database), expected, "after upstream was there");
}

#[test]
fn upstream_reads_a_checkpoint() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let log = wal::Options { segment_bytes: wal::PAGE_BYTES as u64, ..wal::Options::default() };
    let (retention, chunk_range) = (minutes(20), minutes(4));
    let options = Options { log, retention, chunk_range, ..Options::default() };
    let database = Database::open(&Runtime::real(), directory.path(), options).expect("it opens");
    fill(&database, 300, 130);
    let truncation = database.maintain().expect("it is written").expect("there is enough");
    assert!(truncation.checkpoint.is_some(), "{truncation:?}");
    let Some(found) = upstream(directory.path()) else { return };
    // Both also show samples from before the horizon: the head whole chunks, the log segments.
    let horizon = START + 129 * STEP_MS - retention.as_millis() as i64;
    let is_wanted = |line: &&String| {
        let time = line.rsplit(' ').next().and_then(|time| time.parse().ok());
        time.is_some_and(|time: i64| time >= horizon)
    };
    let expected = ours(&database);
    let wanted: Vec<_> = expected.iter().filter(is_wanted).collect();
    assert_eq!(wanted.len(), 300 * 81);
    let missing: Vec<_> = wanted.iter().filter(|line| found.binary_search(line).is_err()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(found.len() < 300 * 130, "the checkpoint has left something out");
}

#[test]
fn upstream_reads_a_log_without_compression() {
    check(wal::Options { compression: wal::Compression::None, ..wal::Options::default() });
}

#[test]
fn upstream_reads_a_log_compressed_with_snappy() {
    check(wal::Options::default());
}

#[test]
fn upstream_reads_a_log_of_many_segments() {
    check(wal::Options { segment_bytes: wal::PAGE_BYTES as u64, ..wal::Options::default() });
}

/// Every seventh commit again, between the others.
fn fill_late(database: &Database, n_series: u32, n_commits: i64) {
    for commit in (0..n_commits).rev().filter(|commit| commit % 7 == 0) {
        let mut appender = database.appender();
        for number in 0..n_series {
            let name = if number % 10 == 0 { "only_late" } else { "late_total" };
            let labels = Labels::from_pairs([("__name__", name), ("n", &number.to_string())]);
            let time = |offset_ms| Timestamp::from_millis(START + commit * STEP_MS + offset_ms);
            if name == "late_total" && commit == n_commits - n_commits % 7 {
                let said = appender.append(SeriesRef::UNKNOWN, &labels, time(0), 1.0);
                said.expect("it is taken");
                continue;
            }
            let said = appender.append(SeriesRef::UNKNOWN, &labels, time(-5), f64::from(number));
            said.expect("it is taken");
        }
        appender.commit().expect("it is written");
    }
}

#[test]
fn upstream_reads_late_samples() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let options = Options {
        retention: minutes(100_000),
        out_of_order_window: minutes(300),
        ..Options::default()
    };
    let database =
        Database::open(&Runtime::real(), directory.path(), options.clone()).expect("it opens");
    fill(&database, 20, 300);
    fill_late(&database, 50, 300);
    let expected = ours(&database);
    assert_eq!(expected.len(), 20 * 300 + 50 * 43);
    drop(database);
    let Some(found) = upstream(directory.path()) else { return };
    assert_eq!(found, expected);

    // The same in blocks.
    let database = Database::open(&Runtime::real(), directory.path(), options).expect("it opens");
    assert_eq!(ours(&database), expected, "after upstream was there");
    fill(&database, 20, 1000);
    let expected = ours(&database);
    for _ in 0..3 {
        database.maintain().expect("it compacts");
    }
    assert!(database.counters().blocks_loaded > 0);
    assert_eq!(ours(&database), expected);
    drop(database);
    assert_eq!(upstream(directory.path()).expect("it was there"), expected);
}
