//! The head is written when the server stops, and read when it starts.

use std::{path::Path, time::Duration};

use model::{Matcher, TimeRange, Timestamp, histogram::Histogram};
use runtime::{Disk, Simulation};
use storage::{
    Appendable as _, Columns, Exemplar, ExemplarQueryable as _, Queryable as _, SelectHints,
    SeriesRef,
};

use super::world::{DIRECTORY, append, dump, labels, open_with};
use crate::{Database, Options};

const MINUTE: i64 = 60_000;

fn options() -> Options {
    Options {
        retention: Duration::from_secs(100_000 * 60),
        samples_per_chunk: 8,
        max_exemplars: 10,
        chunk_snapshot: true,
        log: wal::Options {
            segment_bytes: wal::PAGE_BYTES as u64,
            compression: wal::Compression::None,
        },
        ..Options::default()
    }
}

/// Series with full chunks and without, floats and histograms, some deleted.
fn fill(database: &Database, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        let line =
            |n: usize| format!("n={n} padding={} @{} {minute}", "x".repeat(300), minute * MINUTE);
        append(database, &(0..60).map(line).collect::<Vec<_>>().join("\n"));
        let mut appender = database.appender();
        let time = Timestamp::from_millis(minute * MINUTE);
        let count = minute as u64;
        let histogram = Histogram { zero_count: count, count, ..Default::default() };
        let series = SeriesRef::UNKNOWN;
        let taken = appender.append_histogram(series, &labels("h=1"), time, histogram.into());
        let exemplar = Exemplar { labels: labels("trace=1"), value: minute as f64, time };
        appender.append_exemplar(taken.expect("it is taken"), &exemplar).expect("it is taken");
        appender.commit().expect("it is written");
    }
}

/// All that can be asked.
fn everything(database: &Database) -> String {
    let querier = database.querier(TimeRange::ALL).expect("it answers");
    let matchers = [Matcher::equal("h", "1")];
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &matchers);
    let mut columns = Columns::default();
    for series in set.expect("it selects").series {
        series.read(TimeRange::ALL, &mut columns).expect("it reads");
    }
    let counts: Vec<f64> = columns.histograms.iter().map(|histogram| histogram.count).collect();
    let exemplars = database.exemplars(TimeRange::ALL, &[Vec::new()]).expect("they are read");
    format!("{}\n{:?} {counts:?}\n{exemplars:?}", dump(database), columns.histogram_times)
}

/// Breaks a segment of the log that only a replay of all of it would read.
fn break_log(simulation: &Simulation) {
    let wal = Path::new(DIRECTORY).join("wal");
    let segments = wal::Layout::read(&simulation.disk, &wal).expect("it is there").segments;
    assert!(segments.len() > 5);
    let disk: &dyn Disk = &simulation.disk;
    let path = &segments[2].path;
    let mut bytes = disk.read(path).expect("it is there");
    bytes[5000] ^= 1;
    disk.write_atomically(path, &bytes).expect("the disk is good");
}

fn snapshots(simulation: &Simulation) -> Vec<String> {
    let entries = simulation.disk.list(Path::new(DIRECTORY)).expect("it is there");
    let names = entries.into_iter().map(|entry| entry.name);
    names.filter(|name| name.starts_with("chunk_snapshot.")).collect()
}

#[test]
fn the_log_up_to_a_snapshot_is_not_needed() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..300);
    let range = TimeRange::from_millis(30 * MINUTE, 40 * MINUTE);
    database.delete(range, &[Matcher::equal("n", "7")]).expect("the disk is good");
    let before = everything(&database);
    database.write_chunk_snapshot().expect("the disk is good");
    drop(database);
    assert_eq!(snapshots(&simulation).len(), 1);
    break_log(&simulation);
    let database = open_with(&simulation, options());
    assert_eq!(everything(&database), before);
    assert_eq!(database.counters().log_corruptions, 0);
    // What comes behind it is in the log.
    fill(&database, 300..320);
    let after = everything(&database);
    drop(database);
    let database = open_with(&simulation, options());
    assert_eq!(everything(&database), after);
    database.write_chunk_snapshot().expect("the disk is good");
    drop(database);
    assert_eq!(snapshots(&simulation).len(), 1, "one is enough");
    assert_eq!(everything(&open_with(&simulation, options())), after);
}

#[test]
fn a_snapshot_that_is_broken_is_left_alone() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..70);
    let before = everything(&database);
    database.write_chunk_snapshot().expect("the disk is good");
    drop(database);
    let disk: &dyn Disk = &simulation.disk;
    let folder = Path::new(DIRECTORY).join(&snapshots(&simulation)[0]);
    for path in [folder.join("00000000"), Path::new(DIRECTORY).join("chunks_head/000001")] {
        let good = disk.read(&path).expect("it is there");
        for offset in [0, good.len() / 2, good.len() - 1] {
            let mut bytes = good.clone();
            bytes[offset] ^= 1;
            disk.write_atomically(&path, &bytes).expect("the disk is good");
            assert_eq!(everything(&open_with(&simulation, options())), before, "{path:?} {offset}");
        }
        disk.write_atomically(&path, &good).expect("the disk is good");
    }
}

#[test]
fn a_crash_while_a_snapshot_is_written_loses_nothing() {
    let prepare = || {
        let simulation = Simulation::new(1);
        let database = open_with(&simulation, options());
        fill(&database, 0..20);
        database.write_chunk_snapshot().expect("the disk is good");
        drop(database);
        let database = open_with(&simulation, options());
        fill(&database, 20..25);
        database.sync().expect("the disk is good");
        (simulation, database)
    };
    let (whole, database) = prepare();
    let expected = everything(&database);
    let before = whole.disk.operations();
    database.write_chunk_snapshot().expect("the disk is good");
    for stop in before..=whole.disk.operations() {
        let (simulation, database) = prepare();
        simulation.disk.stop_after(stop);
        database.write_chunk_snapshot().ok();
        drop(database);
        for image in [simulation.disk.after_kill(), simulation.disk.after_power_loss(stop)] {
            let disk = std::sync::Arc::new(image);
            let runtime = runtime::Runtime { disk, ..simulation.runtime() };
            let opened = Database::open(&runtime, Path::new(DIRECTORY), options());
            let database = opened.expect("a crash never blocks");
            assert_eq!(everything(&database), expected, "stopped after {stop}");
        }
    }
}
