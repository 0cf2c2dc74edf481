//! How long what is kept.

use std::{collections::BTreeSet, path::Path, time::Duration};

use model::{MatchKind, Matcher, TimeRange};
use runtime::Simulation;
use storage::Queryable as _;

use super::world::{DIRECTORY, append, dump, dump_range, labels, open_with};
use crate::{Database, History, Options, Retention, RetentionClass};

const MINUTE: i64 = 60_000;

fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// Blocks of ten minutes at least; everything is kept for a long time.
fn options() -> Options {
    Options {
        retention: minutes(100_000),
        chunk_range: minutes(10),
        block_range_max: Some(minutes(90)),
        ..Options::default()
    }
}

/// What nginx and gRPC say is kept for an hour.
fn classes() -> Vec<RetentionClass> {
    let job = Matcher::new(MatchKind::Equal, "job", "nginx").expect("it is one");
    let name = Matcher::new(MatchKind::Regex, "__name__", "grpc_.*").expect("it is one");
    let selectors = vec![vec![job], vec![name]];
    vec![RetentionClass { name: "business".to_owned(), selectors, time: minutes(60) }]
}

fn options_with_classes() -> Options {
    Options { retention_classes: classes(), ..options() }
}

const SYSTEM: &str = "__name__=node_load1 job=node";
const BUSINESS: [&str; 2] = ["__name__=nginx_requests job=nginx", "__name__=grpc_handled job=shop"];

/// A sample a minute of each series, upkeep after each.
fn fill(database: &Database, range: std::ops::Range<i64>) {
    for minute in range {
        let line = |series: &str| format!("{series} @{} {minute}", minute * MINUTE);
        let lines = [SYSTEM, BUSINESS[0], BUSINESS[1]].map(line);
        assert_eq!(append(database, &lines.join("\n")), "ok, ok, ok");
        database.maintain().expect("the disk is good");
    }
}

/// The first and the last minute of a job's series, and how many there are.
fn kept(database: &Database, job: &str) -> (i64, i64, usize) {
    let matchers = [Matcher::equal("job", job)];
    let dumped = dump_range(database, TimeRange::ALL, &matchers);
    let samples: Vec<i64> = dumped
        .split_whitespace()
        .filter_map(|sample| sample.split_once('@')?.1.parse::<i64>().ok())
        .map(|time| time / MINUTE)
        .collect();
    let (first, last) = (samples.first().copied(), samples.last().copied());
    (first.unwrap_or(-1), last.unwrap_or(-1), samples.len())
}

/// The jobs of each block.
fn jobs(database: &Database) -> Vec<BTreeSet<String>> {
    let job = |series: blocks::BlockSeries| {
        series.labels().expect("the block is good").value("job").to_owned()
    };
    let blocks = database.blocks();
    blocks.iter().map(|block| block.series().expect("it is good").map(job).collect()).collect()
}

fn assert_apart(database: &Database) {
    for jobs in jobs(database) {
        assert!(jobs.len() == 1 || !jobs.contains("node"), "{jobs:?}");
    }
}

#[test]
fn system_metrics_stay_when_business_metrics_go() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options_with_classes());
    fill(&database, 0..300);
    assert_eq!(kept(&database, "node"), (0, 299, 300));
    for job in ["nginx", "shop"] {
        let (first, last, n_samples) = kept(&database, job);
        assert!((200..240).contains(&first), "{job} from {first}");
        assert_eq!((last, n_samples as i64), (299, 300 - first));
    }
    assert_apart(&database);
    let symbols = |block: &blocks::Block| block.symbols().any(|symbol| symbol == "nginx");
    assert!(database.blocks().iter().any(|block| !symbols(block)), "also not in the symbols");
    // Each class is compacted by itself.
    assert!(database.blocks().iter().any(|block| block.meta().compaction.level > 2));
    let dumped = dump(&database);
    drop(database);
    let database = open_with(&simulation, options_with_classes());
    assert_eq!(dump(&database), dumped);
    drop(database);
    // Who knows nothing of classes reads the same.
    let database = open_with(&simulation, options());
    assert_eq!(dump(&database), dumped);
    fill(&database, 300..330);
    assert_eq!(kept(&database, "node"), (0, 329, 330));
}

#[test]
fn blocks_without_a_class_are_taken_apart() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..70);
    let dumped = dump(&database);
    assert!(jobs(&database).iter().any(|jobs| jobs.len() == 3));
    // A reload may bring classes, and change them.
    let retention = Retention { time: minutes(100_000), ..Retention::default() };
    let mut changed = classes();
    changed[0].selectors.pop();
    changed[0].time = Duration::ZERO;
    for (classes, expected) in [(classes(), 1), (changed, 2)] {
        database.set_retention(Retention { classes, ..retention.clone() });
        for _ in 0..20 {
            database.maintain().expect("the disk is good");
        }
        let mixed = jobs(&database).into_iter().filter(|jobs| jobs.contains("node"));
        assert!(mixed.clone().count() > 0);
        assert!(
            mixed.clone().all(|jobs| jobs.len() == expected),
            "{:?}",
            mixed.collect::<Vec<_>>()
        );
        assert_eq!(dump(&database), dumped);
    }
    drop(database);
    assert_eq!(dump(&open_with(&simulation, options_with_classes())), dumped);
}

#[test]
fn late_samples_and_those_from_elsewhere_have_classes_too() {
    let simulation = Simulation::new(1);
    let with_window = || Options { out_of_order_window: minutes(30), ..options_with_classes() };
    let database = open_with(&simulation, with_window());
    fill(&database, 20..40);
    let late = |series: &str, minute: i64| format!("{series} @{} {minute}", minute * MINUTE + 1);
    append(&database, &[late(SYSTEM, 15), late(BUSINESS[0], 16)].join("\n"));
    let history = |series: &str| {
        let mut samples = storage::Columns::default();
        samples.push(3 * MINUTE, 3.0);
        History { labels: labels(series), samples }
    };
    let given = [history(SYSTEM), history(BUSINESS[0]), history(BUSINESS[1])];
    let backfilled = database.backfill(given).expect("the disk is good");
    assert_eq!((backfilled.added, backfilled.blocks), (3, 2));
    fill(&database, 40..60);
    assert_apart(&database);
    assert_eq!(kept(&database, "node"), (3, 59, 42));
    assert_eq!(kept(&database, "nginx"), (3, 59, 42));
    fill(&database, 60..120);
    assert_eq!(kept(&database, "node"), (3, 119, 102));
    assert!(kept(&database, "nginx").0 >= 20);
    assert_apart(&database);
}

#[test]
fn a_share_of_the_disk_may_be_taken() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..70);
    let n_blocks = database.blocks().len();
    let bytes = database.counters().block_bytes + 1_000_000;
    simulation.disk.set_total_bytes(10 * bytes);
    let share = |percentage: f64| Retention {
        time: minutes(100_000),
        percentage,
        bytes: 1,
        ..Retention::default()
    };
    database.set_retention(share(10.0));
    database.maintain().expect("the disk is good");
    assert_eq!(database.blocks().len(), n_blocks, "bytes do not count beside a share");
    database.set_retention(share(0.0001));
    database.maintain().expect("the disk is good");
    assert_eq!(database.blocks().len(), 0);
    assert!(database.counters().size_retentions > 0);
}

/// A server with a limit of size only lost what was not in blocks yet.
#[test]
fn without_a_limit_of_time_nothing_is_too_old() {
    let simulation = Simulation::new(1);
    let options = || Options { retention: Duration::ZERO, ..options() };
    let database = open_with(&simulation, options());
    fill(&database, 0..100);
    assert_eq!(kept(&database, "node"), (0, 99, 100));
    drop(database);
    let database = open_with(&simulation, options());
    assert_eq!(kept(&database, "node"), (0, 99, 100));
    let disk = simulation.disk.after_kill();
    assert!(wal::Layout::read(&disk, &Path::new(DIRECTORY).join("wal")).is_ok());
}

/// Retention took a sample from the head before it was in a block: a deletion found it nowhere, and
/// the next start in the log.
#[test]
fn what_was_too_old_for_the_head_and_then_deleted_stays_away() {
    let options =
        || Options { retention: minutes(10), chunk_range: minutes(4), ..Options::default() };
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let add = |series: &str, second: i64| {
        assert_eq!(append(&database, &format!("{series} @{} 1", second * 1000)), "ok");
    };
    add("a=1", 60);
    add("b=1", 480);
    add("a=1", 960);
    // The head must not let go of what is in the first block: it gets no further.
    let reader = database.querier(TimeRange::ALL).expect("the head always answers");
    add("a=1", 1110);
    database.maintain().expect("the disk is good");
    database.delete(TimeRange::ALL, &[Matcher::equal("b", "1")]).expect("the disk is good");
    drop(reader);
    let before = dump(&database);
    assert!(!before.contains('b'), "{before}");
    drop(database);
    assert_eq!(dump(&open_with(&simulation, options())), before);
}
