//! Samples that come out of order.

use std::{path::Path, time::Duration};

use model::{Labels, Matcher, TimeRange, Timestamp};
use runtime::Simulation;
use storage::{AppendError, Appendable as _, Columns, Queryable as _, SelectHints, SeriesRef};

use super::world::{append, dump, labels, open_with};
use crate::{Database, Options};

const MINUTE: i64 = 60_000;

fn options() -> Options {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    Options {
        retention: minutes(100_000),
        chunk_range: minutes(10),
        out_of_order_window: minutes(30),
        ..Options::default()
    }
}

/// Commits samples of `a=1` at these minutes, each in a commit of its own.
fn append_minutes(database: &Database, minutes: impl IntoIterator<Item = i64>) -> String {
    let said = minutes.into_iter().map(|minute| {
        let (time, value) = (minute * MINUTE, minute);
        append(database, &format!("a=1 @{time} {value}"))
    });
    said.collect::<Vec<_>>().join(", ")
}

/// The minutes of all samples, whose values are those, too.
fn minutes(database: &Database) -> Vec<i64> {
    let dumped = dump(database);
    let samples = dumped.split_once(' ').map_or("", |(_, samples)| samples);
    let minute = |sample: &str| -> i64 {
        let (value, time) = sample.split_once('@').expect("value@time");
        let minute = time.parse::<i64>().expect("a time") / MINUTE;
        assert_eq!(value, minute.to_string());
        minute
    };
    samples.split_whitespace().map(minute).collect()
}

#[test]
fn late_samples_are_read_in_order_of_time() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    assert_eq!(append_minutes(&database, [40, 20, 30, 10, 41, 11]), ["ok"; 6].join(", "));
    assert_eq!(minutes(&database), [10, 11, 20, 30, 40, 41]);
    assert_eq!(append_minutes(&database, [10]), "too old sample");
    let counters = database.counters();
    assert_eq!((counters.late_floats_appended, counters.too_old), (4, 1));
    let lateness = counters.lateness;
    assert_eq!(lateness.buckets[..3], [(600.0, 1), (1800.0, 4), (3600.0, 5)]);
    assert_eq!(
        (lateness.count, lateness.sum),
        (5, Duration::from_secs((20 + 10 + 30 + 30 + 31) * 60))
    );
    // More than a chunk of them, backwards.
    let database = open_with(&Simulation::new(1), options());
    append_minutes(&database, [1000]);
    append_minutes(&database, (0..30).rev().map(|n| 971 + n));
    append_minutes(&database, (0..30).map(|n| 970 + n));
    assert_eq!(minutes(&database), (970..=1000).collect::<Vec<_>>());
}

#[test]
fn without_a_window_late_samples_are_refused() {
    let simulation = Simulation::new(1);
    let options = Options { out_of_order_window: Duration::ZERO, ..options() };
    let database = open_with(&simulation, options);
    let said = append_minutes(&database, [40, 38, 20]);
    assert_eq!(said, "ok, out of order sample, out of bounds");
    // A reload may say otherwise.
    database.set_out_of_order_window(Duration::from_secs(30 * 60));
    assert_eq!(append_minutes(&database, [38, 20, 5]), "ok, ok, too old sample");
    assert_eq!(minutes(&database), [20, 38, 40]);
}

#[test]
fn of_two_samples_for_one_time_the_first_stays() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append_minutes(&database, [40, 41, 30]);
    let again = format!("a=1 @{} 7\na=1 @{} 7", 30 * MINUTE, 40 * MINUTE);
    assert_eq!(append(&database, &again), "ok, ok");
    assert_eq!(minutes(&database), [30, 40, 41]);
    let newest = format!("a=1 @{} 7", 41 * MINUTE);
    assert_eq!(append(&database, &newest), "duplicate sample for timestamp");
}

#[test]
fn a_batch_may_be_in_any_order() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let line = |minute: i64| format!("a=1 @{} {minute}", minute * MINUTE);
    append(&database, &[30, 40, 35, 36, 20].map(line).join("\n"));
    assert_eq!(minutes(&database), [20, 30, 35, 36, 40]);
    append(&database, &[38, 41, 37].map(line).join("\n"));
    assert_eq!(minutes(&database), [20, 30, 35, 36, 37, 38, 40, 41]);
}

#[test]
fn late_samples_outlive_a_restart() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append_minutes(&database, [40, 20, 30]);
    append(&database, &format!("only=late @{} 25", 25 * MINUTE));
    drop(database);
    let database = open_with(&simulation, options());
    let expected = "{a=\"1\"} 20@1200000 30@1800000 40@2400000\n{only=\"late\"} 25@1500000";
    assert_eq!(dump(&database), expected);
    append_minutes(&database, [21]);
    drop(database);
    // Who takes no more of them still has those.
    let options = Options { out_of_order_window: Duration::ZERO, ..options() };
    let database = open_with(&simulation, options);
    assert!(dump(&database).contains("20@1200000 21@1260000 30@1800000 40@2400000"));
}

fn segments(simulation: &Simulation) -> Vec<u32> {
    let disk = simulation.disk.after_kill();
    let layout = wal::Layout::read(&disk, Path::new("data/wbl")).expect("it is there");
    layout.segments.iter().map(|segment| segment.number).collect()
}

#[test]
fn late_samples_become_blocks() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append_minutes(&database, [40, 12, 18, 33, 41]);
    append(&database, &format!("only=late @{} 25", 25 * MINUTE));
    let before = dump(&database);
    // Someone reads meanwhile.
    let reader = database.querier(TimeRange::ALL).expect("it answers");
    append_minutes(&database, [60]);
    database.maintain().expect("it compacts");
    let late: Vec<(i64, i64)> = database
        .blocks()
        .iter()
        .map(|block| block.meta())
        .filter(|meta| meta.is_from_out_of_order())
        .map(|meta| (meta.min_time / MINUTE, meta.max_time / MINUTE))
        .collect();
    // The first two were merged at once.
    assert_eq!(late, [(10, 30), (30, 40)]);
    assert_eq!(super::world::print(&*reader, TimeRange::from_millis(0, 59 * MINUTE), &[]), before);
    assert_eq!(segments(&simulation), [0, 1]);
    drop(reader);
    let everything = dump(&database);
    assert!(everything.contains("12@720000 18@1080000 33@1980000 40@2400000 41@2460000"));
    database.maintain().expect("it drops what is in blocks");
    assert_eq!(segments(&simulation), [1]);
    assert_eq!(dump(&database), everything);
    assert_eq!(database.counters().series, 1, "the series with late samples only is gone");
    // And there is more.
    append_minutes(&database, [35]);
    drop(database);
    let database = open_with(&simulation, options());
    assert!(dump(&database).contains("33@1980000 35@2100000 40@2400000"), "{}", dump(&database));
    append_minutes(&database, [80, 100]);
    for _ in 0..3 {
        database.maintain().expect("it compacts");
    }
    let merged = ["12@720000 18@1080000 33@1980000 35@2100000 40@2400000 41@2460000 60@3600000"];
    assert!(dump(&database).contains(merged[0]), "{}", dump(&database));
    let blocks = database.blocks();
    let mut ends = blocks.windows(2).map(|pair| (pair[0].meta().max_time, pair[1].meta().min_time));
    assert!(ends.all(|(end, start)| end <= start), "overlapping blocks are merged");
}

#[test]
fn deleted_late_samples_stay_deleted() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append_minutes(&database, [40, 12, 18, 33]);
    let range = TimeRange::from_millis(15 * MINUTE, 35 * MINUTE);
    database.delete(range, &[Matcher::equal("a", "1")]).expect("it deletes");
    assert_eq!(minutes(&database), [12, 40]);
    append_minutes(&database, [60]);
    for _ in 0..3 {
        database.maintain().expect("it compacts");
        assert_eq!(minutes(&database), [12, 40, 60]);
    }
    drop(database);
    assert_eq!(minutes(&open_with(&simulation, options())), [12, 40, 60]);
}

#[test]
fn markers_are_never_late() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append_minutes(&database, [40]);
    let mut appender = database.appender();
    appender.set_discards_out_of_order(true);
    let time = Timestamp::from_millis(39 * MINUTE);
    let said = appender.append(SeriesRef::UNKNOWN, &labels("a=1"), time, 1.0);
    assert_eq!(said, Err(AppendError::OutOfOrder));
    appender.set_discards_out_of_order(false);
    assert!(appender.append(SeriesRef::UNKNOWN, &labels("a=1"), time, 1.0).is_ok());
}

#[test]
fn histograms_may_be_late() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let append = |minute: i64, count: f64| {
        let mut appender = database.appender();
        let histogram = model::FloatHistogram { count, sum: count, ..Default::default() };
        let time = Timestamp::from_millis(minute * MINUTE);
        let labels = Labels::from_pairs([("h", "1")]);
        let said = appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, histogram.into());
        said.expect("it is taken");
        appender.commit().expect("it is written");
    };
    for (minute, count) in [(40, 4.0), (41, 5.0), (20, 2.0), (30, 9.0)] {
        append(minute, count);
    }
    let expected = vec![(20, 2.0), (30, 9.0), (40, 4.0), (41, 5.0)];
    assert_eq!(read_histograms(&database), expected);
    assert_eq!(database.counters().late_histograms_appended, 2);
    drop(database);
    let database = open_with(&simulation, options());
    assert_eq!(read_histograms(&database), expected);
    append_minutes(&database, [60]);
    for _ in 0..3 {
        database.maintain().expect("it compacts");
        assert_eq!(read_histograms(&database), expected);
    }
}

/// Minutes and counts; what is between them nobody knows.
fn read_histograms(database: &Database) -> Vec<(i64, f64)> {
    let querier = database.querier(TimeRange::ALL).expect("it answers");
    let matchers = [Matcher::equal("h", "1")];
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &matchers);
    let mut columns = Columns::default();
    for series in set.expect("it selects").series {
        series.read(TimeRange::ALL, &mut columns).expect("it reads");
    }
    let times = columns.histogram_times.iter().map(|time| time / MINUTE);
    times.zip(columns.histograms.iter().map(|histogram| histogram.count)).collect()
}
