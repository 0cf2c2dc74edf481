//! The log is replayed while samples come in.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use model::{Labels, TimeRange, Timestamp};
use runtime::{Disk, Runtime, Simulation, disk::SimulatedDisk};
use storage::{Appendable as _, Exemplar, ExemplarQueryable as _, SeriesRef};
use wal::record;

use super::world::{DIRECTORY, append, dump, labels, open_with};
use crate::{Database, Options, ReadsDuringReplay, Replay};

const MINUTE: i64 = 60_000;

/// Segments of a page, so that there are many.
fn options() -> Options {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    Options {
        retention: minutes(100_000),
        chunk_range: minutes(60),
        samples_per_chunk: 8,
        log: wal::Options {
            segment_bytes: wal::PAGE_BYTES as u64,
            compression: wal::Compression::None,
        },
        reads_during_replay: ReadsDuringReplay::Partial,
        ..Options::default()
    }
}

fn begin(simulation: &Simulation) -> (Database, Replay) {
    let runtime = simulation.runtime();
    Database::begin(&runtime, Path::new(DIRECTORY), options()).expect("it opens")
}

/// A world with the disk as it is after a kill.
fn killed(simulation: &Simulation) -> Runtime {
    on_disk(simulation, simulation.disk.after_kill())
}

fn on_disk(simulation: &Simulation, disk: SimulatedDisk) -> Runtime {
    Runtime { disk: Arc::new(disk), ..simulation.runtime() }
}

/// Labels of some size: the log is to fill several pages.
fn name(number: usize) -> String {
    format!("n={number} padding={}", "x".repeat(300))
}

/// Commits a sample of each of these series.
fn fill(database: &Database, series: std::ops::Range<usize>, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        let line = |number: usize| format!("{} @{} {minute}", name(number), minute * MINUTE);
        let lines: Vec<String> = series.clone().map(line).collect();
        assert!(append(database, &lines.join("\n")).starts_with("ok"));
    }
}

/// The minutes of each series.
fn minutes(database: &Database) -> BTreeMap<usize, Vec<i64>> {
    let dumped = dump(database);
    let line = |line: &str| {
        let (series, samples) = line.split_once("} ").expect("{labels} samples");
        let number = series.split('"').nth(1).expect("n=\"1\"").parse().expect("a number");
        let minute = |sample: &str| {
            let (_, time) = sample.split_once('@').expect("value@time");
            time.parse::<i64>().expect("a time") / MINUTE
        };
        (number, samples.split_whitespace().map(minute).collect())
    };
    dumped.lines().map(line).collect()
}

#[test]
fn samples_are_taken_before_the_log_is_replayed() {
    let simulation = Simulation::new(1);
    fill(&open_with(&simulation, options()), 0..300, 0..30);
    let (database, replay) = begin(&simulation);
    assert!(!database.is_replayed());
    fill(&database, 200..400, 31..33);
    assert_eq!(minutes(&database), (200..400).map(|n| (n, vec![31, 32])).collect());
    assert_eq!(database.maintain().expect("it does nothing"), None);
    replay.run().expect("the log is good");
    let both = |number: usize| match number {
        0..200 => (0..30).collect(),
        200..300 => (0..30).chain(31..33).collect(),
        _ => vec![31, 32],
    };
    let expected: BTreeMap<usize, Vec<i64>> = (0..400).map(|n| (n, both(n))).collect();
    assert_eq!(minutes(&database), expected);
    fill(&database, 0..400, 33..35);
    let after = minutes(&database);
    assert!(after.values().all(|minutes| minutes.ends_with(&[33, 34])));
    drop(database);
    let database = open_with(&simulation, options());
    assert_eq!(minutes(&database), after);
    // Nothing of it is in the way of upkeep.
    fill(&database, 0..400, 35..150);
    database.maintain().expect("the disk is good");
    assert_eq!(database.blocks().len(), 1);
    let expected = after.into_iter().map(|(n, m)| (n, m.into_iter().chain(35..150).collect()));
    assert_eq!(minutes(&database), expected.collect());
}

#[test]
fn a_kill_during_replay_loses_nothing() {
    let simulation = Simulation::new(1);
    fill(&open_with(&simulation, options()), 0..50, 0..20);
    // Again and again, with an end that a crash has torn, too.
    for start in 0..5 {
        let (database, replay) = begin(&simulation);
        fill(&database, 10 * start as usize..10 * start as usize + 60, 21 + start..22 + start);
        drop((database, replay));
        let layout = wal::Layout::read(&simulation.disk, &Path::new(DIRECTORY).join("wal"));
        let last = layout.expect("it is there").segments.pop().expect("there is one");
        let torn = [1, 0, 100, 1, 2, 3, 4, 5, 6, 7];
        let disk: &dyn Disk = &simulation.disk;
        let mut file = disk.append(&last.path).expect("it is there");
        file.write_all(&torn).expect("the disk is good");
    }
    let database = open_with(&simulation, options());
    let mut expected: BTreeMap<usize, Vec<i64>> =
        (0..50).map(|number| (number, (0..20).collect())).collect();
    for start in 0..5 {
        for number in 10 * start as usize..10 * start as usize + 60 {
            expected.entry(number).or_default().push(21 + start);
        }
    }
    assert_eq!(minutes(&database), expected);
}

#[test]
fn a_crash_after_any_operation_of_a_start_loses_nothing() {
    let run = |simulation: &Simulation| -> Option<usize> {
        let begun = Database::begin(&simulation.runtime(), Path::new(DIRECTORY), options());
        let (database, replay) = begun.ok()?;
        let mut n_committed = 0;
        let mut commit = |minute: i64| {
            let mut appender = database.appender();
            for number in [1, 4, 40] {
                let time = Timestamp::from_millis(minute * MINUTE);
                let taken = appender.append(SeriesRef::UNKNOWN, &labels(&name(number)), time, 0.0);
                taken.ok()?;
            }
            appender.commit().ok()?;
            n_committed += 1;
            Some(())
        };
        // While the disk works each minute is there, then none.
        for minute in 20..24 {
            commit(minute);
        }
        if replay.run().is_ok() {
            commit(24);
        }
        Some(n_committed)
    };
    let prepare = || {
        let simulation = Simulation::new(1);
        fill(&open_with(&simulation, options()), 0..30, 0..20);
        simulation
    };
    let whole = prepare();
    let before = whole.disk.operations();
    run(&whole);
    for stop in before..=whole.disk.operations() {
        let simulation = prepare();
        simulation.disk.stop_after(stop);
        let n_committed = run(&simulation).unwrap_or_default();
        let database = Database::open(&killed(&simulation), Path::new(DIRECTORY), options());
        let found = minutes(&database.expect("a crash never blocks"));
        for number in 0..30 {
            assert_eq!(found[&number][..20], (0..20).collect::<Vec<_>>(), "stopped after {stop}");
        }
        for number in [1, 4, 40] {
            let later: Vec<i64> = found.get(&number).into_iter().flatten().copied().collect();
            let later = later.into_iter().filter(|minute| *minute >= 20);
            assert!(later.count() >= n_committed, "stopped after {stop}");
        }
    }
}

#[test]
fn readers_wait_for_the_log() {
    let simulation = Simulation::new(1);
    let options = || Options { reads_during_replay: ReadsDuringReplay::Wait, ..options() };
    fill(&open_with(&simulation, options()), 0..3, 0..3);
    let begun = Database::begin(&simulation.runtime(), Path::new(DIRECTORY), options());
    let (database, replay) = begun.expect("it opens");
    fill(&database, 0..3, 3..4);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| minutes(&database));
        replay.run().expect("the log is good");
        let all = (0..3).map(|number| (number, vec![0, 1, 2, 3])).collect();
        assert_eq!(reader.join().expect("it reads"), all);
    });
    // Who gives up says so.
    drop(database);
    let begun = Database::begin(&simulation.runtime(), Path::new(DIRECTORY), options());
    let (database, replay) = begun.expect("it opens");
    drop(replay);
    let error = database.delete(TimeRange::ALL, &[]).expect_err("the log was not read");
    assert_eq!(error.to_string(), "replay the write-ahead log: it was given up");
}

#[test]
fn what_the_log_knows_better_is_late_or_known() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append(&database, "a=1 @1000 1\na=1 @3000 3\na=1 @5000 5");
    drop(database);
    let (database, replay) = begin(&simulation);
    // Somebody sends the same again, something in between, and goes on.
    let said = append(&database, "a=1 @3000 3\na=1 @4000 4\na=1 @5000 5\na=1 @6000 6");
    assert_eq!(said, "ok, ok, ok, ok");
    replay.run().expect("the log is good");
    let expected = r#"{a="1"} 1@1000 3@3000 4@4000 5@5000 6@6000"#;
    assert_eq!(dump(&database), expected);
    assert_eq!(append(&database, "a=1 @7000 7"), "ok");
    drop(database);
    let database = open_with(&simulation, options());
    assert_eq!(dump(&database), format!("{expected} 7@7000"));
}

#[test]
fn damage_in_the_log_does_not_touch_what_came_since() {
    let simulation = Simulation::new(1);
    fill(&open_with(&simulation, options()), 0..300, 0..60);
    let wal = Path::new(DIRECTORY).join("wal");
    let segments = wal::Layout::read(&simulation.disk, &wal).expect("it is there").segments;
    assert!(segments.len() > 4);
    let disk: &dyn Disk = &simulation.disk;
    let mut bytes = disk.read(&segments[3].path).expect("it is there");
    bytes[10_000] ^= 1;
    disk.write_atomically(&segments[3].path, &bytes).expect("the disk is good");
    let (database, replay) = begin(&simulation);
    fill(&database, 20..40, 61..62);
    replay.run().expect("damage is repaired");
    assert_eq!(database.counters().log_corruptions, 1);
    let found = minutes(&database);
    assert_eq!(found[&0], (0..found[&0].len() as i64).collect::<Vec<_>>());
    assert!((1..60).contains(&found[&0].len()), "what is before the damage is there");
    assert!((20..40).all(|number| found[&number].ends_with(&[61])));
    drop(database);
    let database = open_with(&simulation, options());
    assert_eq!(minutes(&database), found);
    assert_eq!(database.counters().log_corruptions, 0);
}

#[test]
fn numbers_of_another_writer_are_not_used_again() {
    let simulation = Simulation::new(1);
    fill(&open_with(&simulation, options()), 0..3, 0..3);
    // Upstream knows nothing of what was reserved, and counts on from what it has found.
    let disk: Arc<dyn Disk> = Arc::new(simulation.disk.clone());
    let wal = Path::new(DIRECTORY).join("wal");
    let mut log = wal::Writer::open(disk, &wal, options().log).expect("the disk is good");
    let numbers = 4..2_000_000_u64;
    let series: Vec<record::Series> = numbers
        .step_by(400_000)
        .map(|series_ref| record::Series {
            series_ref,
            labels: Labels::from_pairs([("n", series_ref.to_string()), ("x", "y".to_owned())]),
        })
        .collect();
    let mut encoded = Vec::new();
    record::encode_series(&series, &mut encoded);
    let sample = |s: &record::Series| record::Sample {
        series_ref: s.series_ref,
        time: 3 * MINUTE,
        value: 0.0,
    };
    let samples: Vec<record::Sample> = series.iter().map(sample).collect();
    let mut encoded_samples = Vec::new();
    record::encode_samples(&samples, &mut encoded_samples);
    log.append(&[&encoded, &encoded_samples]).expect("the disk is good");
    drop(log);
    let (database, replay) = begin(&simulation);
    fill(&database, 5_000_000..5_000_010, 4..5);
    replay.run().expect("the log is good");
    drop(database);
    let database = open_with(&simulation, options());
    let found = minutes(&database);
    assert!((5_000_000..5_000_010).all(|number| found[&number] == [4]));
    assert!(series.iter().all(|series| found[&(series.series_ref as usize)] == [3]));
    assert!((0..3).all(|number| found[&number] == [0, 1, 2]));
}

#[test]
fn exemplars_of_the_log_come_before_those_since() {
    let simulation = Simulation::new(1);
    let with_exemplars = || Options { max_exemplars: 10, ..options() };
    let commit = |database: &Database, second: i64| {
        let time = Timestamp::from_millis(second * 1000);
        let mut appender = database.appender();
        let series = appender.append(SeriesRef::UNKNOWN, &labels("a=1"), time, 1.0);
        let exemplar = Exemplar { labels: labels("trace=1"), value: second as f64, time };
        let series = series.expect("it is taken");
        appender.append_exemplar(series, &exemplar).expect("it is taken");
        appender.commit().expect("it is written");
    };
    let seconds = |database: &Database| -> Vec<f64> {
        let found = database.exemplars(TimeRange::ALL, &[Vec::new()]).expect("they are read");
        found[0].exemplars.iter().map(|exemplar| exemplar.value).collect()
    };
    let database = open_with(&simulation, with_exemplars());
    (0..5).for_each(|second| commit(&database, second));
    drop(database);
    let begun = Database::begin(&simulation.runtime(), Path::new(DIRECTORY), with_exemplars());
    let (database, replay) = begun.expect("it opens");
    (5..8).for_each(|second| commit(&database, second));
    replay.run().expect("the log is good");
    assert_eq!(seconds(&database), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    (8..12).for_each(|second| commit(&database, second));
    assert_eq!(seconds(&database), (2..12).map(f64::from).collect::<Vec<_>>());
}
