//! Crash after every write, reopen, compare with a model.

use std::{collections::BTreeMap, path::Path, time::Duration};

use model::{MatchKind, Matcher, TimeRange, Timestamp};
use proptest::prelude::*;
use runtime::{Runtime, Simulation, disk::SimulatedDisk};
use storage::{Appendable as _, SeriesRef};

use super::world::{DIRECTORY, dump, labels};
use crate::{Database, Health, Options, RetentionClass};

/// Samples of a commit: number of the series and value; the time is that of the commit.
type Batch = Vec<(u8, i32)>;

/// What must be there: samples by series and time.
type Model = BTreeMap<String, BTreeMap<i64, f64>>;

const STEP_MS: i64 = 30_000;

fn options() -> Options {
    // Small segments and chunks, so that a few commits fill several.
    let log = wal::Options { segment_bytes: wal::PAGE_BYTES as u64, ..wal::Options::default() };
    Options { log, samples_per_chunk: 8, ..Options::default() }
}

/// Short retention, so that a few commits exceed it.
fn forgetful_options() -> Options {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    Options { retention: minutes(10), chunk_range: minutes(4), ..options() }
}

/// The same with samples that come too late for their series' chunks.
fn late_options() -> Options {
    Options { out_of_order_window: Duration::from_secs(5 * 60), ..forgetful_options() }
}

/// The same with series that are kept apart.
fn options_with_classes() -> Options {
    let odd = Matcher::new(MatchKind::Regex, "__name__", "series_.*[13579]").expect("it is one");
    let retention_classes = vec![RetentionClass {
        name: "odd".to_owned(),
        selectors: vec![vec![odd]],
        time: Duration::from_secs(10 * 60),
    }];
    Options { retention_classes, ..forgetful_options() }
}

fn runtime(simulation: &Simulation, disk: &SimulatedDisk) -> Runtime {
    Runtime { disk: std::sync::Arc::new(disk.clone()), ..simulation.runtime() }
}

/// Labels of some size: the log is to fill several pages.
fn series(number: u8) -> String {
    format!("__name__=series_{number} padding={}", "x".repeat(200 + usize::from(number)))
}

fn time_of(commit: usize) -> i64 {
    commit as i64 * STEP_MS
}

/// Every third commit is minutes late.
fn late_time_of(commit: usize) -> i64 {
    if commit % 3 == 2 { time_of(commit - 2) - 3 * STEP_MS + 1 } else { time_of(commit) }
}

/// What must be there, and what may be there besides, after a crash.
#[derive(Default)]
struct Outcome {
    committed: Model,
    /// With the samples of the last commit.
    attempted: Model,
    /// Without those of them that were late: they are in another log.
    without_late: Model,
}

/// Commits the batches until one fails.
fn run(database: &Database, batches: &[Batch], options: &Options) -> Outcome {
    let takes_late = !options.out_of_order_window.is_zero();
    let mut committed = Model::new();
    for (idx, batch) in batches.iter().enumerate() {
        let time = if takes_late { late_time_of(idx) } else { time_of(idx) };
        let mut appender = database.appender();
        let mut attempted = committed.clone();
        let mut without_late = committed.clone();
        for (number, value) in batch {
            let (name, value) = (series(*number), f64::from(*value));
            let taken = appender.append(
                SeriesRef::UNKNOWN,
                &labels(&name),
                Timestamp::from_millis(time),
                value,
            );
            if taken.is_ok() {
                // Of two samples for one time the first counts.
                let known = attempted.entry(name.clone()).or_default();
                known.entry(time).or_insert(value);
                if known.range(time + 1..).next().is_none() {
                    without_late.entry(name).or_default().entry(time).or_insert(value);
                }
            }
        }
        if appender.commit().is_err() {
            return Outcome { committed, attempted, without_late };
        }
        committed = attempted;
        if database.maintain().is_err() {
            break;
        }
    }
    let (attempted, without_late) = (committed.clone(), committed.clone());
    Outcome { committed, attempted, without_late }
}

fn print(model: &Model, from: i64) -> String {
    let mut lines = Vec::new();
    for (name, samples) in model {
        let samples = samples.range(from..);
        let samples: Vec<String> = samples.map(|(time, value)| format!("{value}@{time}")).collect();
        if !samples.is_empty() {
            lines.push(format!("{} {}", labels(name), samples.join(" ")));
        }
    }
    lines.sort();
    lines.join("\n")
}

fn dump_from(database: &Database, from: i64) -> String {
    let range = TimeRange::from_millis(from, i64::MAX);
    let mut lines: Vec<String> =
        super::world::dump_range(database, range, &[]).lines().map(str::to_owned).collect();
    lines.sort();
    lines.join("\n")
}

/// Runs the batches on a disk that stops after each of its operations in turn.
fn check(batches: &[Batch], options: fn() -> Options) {
    let whole = Simulation::new(1);
    let database = Database::open(&whole.runtime(), Path::new(DIRECTORY), options())
        .expect("the disk is good");
    let everything = run(&database, batches, &options()).attempted;
    assert_eq!(database.health(), Health::Good);
    let n_operations = whole.disk.operations();
    let retention = options().retention.as_millis() as i64;
    let horizon = |model: &Model| {
        let times = model.values().flat_map(BTreeMap::keys);
        times.max().map_or(i64::MIN, |newest| newest - retention)
    };
    assert_eq!(
        dump_from(&database, horizon(&everything)),
        print(&everything, horizon(&everything))
    );

    for stop in 0..=n_operations {
        let simulation = Simulation::new(1);
        simulation.disk.stop_after(stop);
        let opened = Database::open(&simulation.runtime(), Path::new(DIRECTORY), options());
        let outcome = match &opened {
            Ok(database) => run(database, batches, &options()),
            Err(_) => Outcome::default(),
        };
        // Reads go on, and see exactly what was committed.
        if let Ok(database) = &opened {
            let committed = &outcome.committed;
            let from = horizon(committed);
            assert_eq!(dump_from(database, from), print(committed, from), "stopped after {stop}");
        }
        drop(opened);
        let image = simulation.disk.after_kill();
        check_reopened(&runtime(&simulation, &image), options, &outcome, horizon, stop);
    }
}

fn check_reopened(
    runtime: &Runtime,
    options: fn() -> Options,
    outcome: &Outcome,
    horizon: impl Fn(&Model) -> i64,
    stop: u64,
) {
    let database =
        Database::open(runtime, Path::new(DIRECTORY), options()).expect("a crash never blocks");
    // A commit that failed may be in the log all the same, but only as a whole.
    let Outcome { committed, attempted, without_late } = outcome;
    let from = horizon(attempted);
    let allowed = [committed, attempted, without_late].map(|model| print(model, from));
    let found = dump_from(&database, from);
    assert!(allowed.contains(&found), "stopped after {stop}: {found}\ninstead of {}", allowed[0]);
    // Life goes on.
    let time = time_of(1000);
    let said = super::world::append(&database, &format!("after=crash @{time} 1"));
    assert_eq!(said, "ok");
    drop(database);
    let database = Database::open(runtime, Path::new(DIRECTORY), options()).expect("as before");
    assert!(dump(&database).contains(&format!("{{after=\"crash\"}} 1@{time}")));
}

fn batches(n_commits: usize) -> Vec<Batch> {
    let value = |commit: usize, number: u8| (commit as i32 * 7 + i32::from(number)) % 5;
    let batch = |commit: usize| -> Batch {
        // Series come and go.
        let first = (commit / 8) as u8;
        (first..first + 5).map(|number| (number, value(commit, number))).collect()
    };
    (0..n_commits).map(batch).collect()
}

#[test]
fn every_commit_survives_a_crash_after_any_operation() {
    check(&batches(60), options);
}

#[test]
fn nothing_that_is_retained_goes_with_what_is_old() {
    check(&batches(120), forgetful_options);
}

#[test]
fn all_classes_survive_a_crash_after_any_operation() {
    check(&batches(60), options_with_classes);
}

#[test]
fn late_samples_survive_a_crash_after_any_operation() {
    check(&batches(36), late_options);
}

#[test]
fn a_loss_of_power_never_blocks_the_next_start() {
    let batches = batches(120);
    let whole = Simulation::new(1);
    let database = Database::open(&whole.runtime(), Path::new(DIRECTORY), forgetful_options())
        .expect("the disk is good");
    run(&database, &batches, &forgetful_options());
    for stop in 0..=whole.disk.operations() {
        let simulation = Simulation::new(1);
        simulation.disk.stop_after(stop);
        let opened =
            Database::open(&simulation.runtime(), Path::new(DIRECTORY), forgetful_options());
        if let Ok(database) = &opened {
            run(database, &batches, &forgetful_options());
        }
        drop(opened);
        let image = simulation.disk.after_power_loss(stop);
        let runtime = runtime(&simulation, &image);
        let reopened = Database::open(&runtime, Path::new(DIRECTORY), forgetful_options());
        let reopened = reopened.unwrap_or_else(|error| panic!("stopped after {stop}: {error}"));
        let time = time_of(1000);
        let said = super::world::append(&reopened, &format!("after=crash @{time} 1"));
        assert_eq!(said, "ok", "stopped after {stop}");
    }
}

#[test]
fn memory_and_disk_stay_bounded() {
    let simulation = Simulation::new(1);
    let database = Database::open(&simulation.runtime(), Path::new(DIRECTORY), forgetful_options())
        .expect("the disk is good");
    run(&database, &batches(1000), &forgetful_options());
    let counters = database.counters();
    assert!(counters.log_truncations > 10, "{counters:?}");
    assert!(counters.series < 20, "{counters:?}");
    let segments = simulation.disk.after_kill();
    let layout =
        wal::Layout::read(&segments, &Path::new(DIRECTORY).join("wal")).expect("it is there");
    assert!(layout.segments.len() < 10, "{} segments", layout.segments.len());
    assert!((2..10).contains(&counters.blocks_loaded), "{counters:?}");
    assert!(super::world::label_values(&database, "__name__", &[]).len() < 40);
}

#[test]
fn one_process_at_a_time() {
    let simulation = Simulation::new(1);
    let _database = super::world::open(&simulation);
    let second =
        Database::open(&simulation.runtime(), Path::new(DIRECTORY), Options::default()).err();
    let second = second.expect("it is locked").to_string();
    assert!(second.starts_with("lock DB directory: "), "{second}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn random_commits_survive_crashes(
        batches in prop::collection::vec(prop::collection::vec((0u8..12, -3i32..3), 0..8), 1..25),
    ) {
        check(&batches, options);
    }
}
