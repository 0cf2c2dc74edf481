//! Series that change between floats and histograms within a commit.

use std::{path::Path, time::Duration};

use model::{FloatHistogram, TimeRange, Timestamp, histogram::Histogram};
use runtime::Simulation;
use storage::{Appendable as _, Columns, Queryable as _, SelectHints, SeriesRef};
use wal::record::{self, Kind};

use super::world::{append, labels, open_with};
use crate::{Database, Options};

/// Commits samples as `minute kind`, where the kind is `float`, `integer`, `histogram` or `custom`.
fn commit(database: &Database, samples: &str) {
    let mut appender = database.appender();
    for line in samples.split(", ") {
        let (minute, kind) = line.split_once(' ').expect("minute kind");
        let minute: i64 = minute.parse().expect("a number");
        let (time, labels) = (Timestamp::from_millis(minute * 60_000), labels("a=1"));
        let count = minute as f64;
        let taken = match kind {
            "float" => appender.append(SeriesRef::UNKNOWN, &labels, time, count),
            "integer" => {
                let histogram = Histogram {
                    zero_count: minute as u64,
                    count: minute as u64,
                    ..Default::default()
                };
                appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, histogram.into())
            }
            "histogram" => {
                let histogram = FloatHistogram { zero_count: count, count, ..Default::default() };
                appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, histogram.into())
            }
            _ => {
                let schema = model::histogram::CUSTOM_BUCKETS_SCHEMA;
                let histogram = Histogram { schema, ..Default::default() };
                appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, histogram.into())
            }
        };
        taken.expect("it is taken");
    }
    appender.commit().expect("it is written");
}

/// The minutes of floats, then of histograms.
fn minutes(database: &Database) -> (Vec<i64>, Vec<i64>) {
    let querier = database.querier(TimeRange::ALL).expect("it answers");
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &[]).expect("it selects");
    let mut columns = Columns::default();
    for series in set.series {
        series.read(TimeRange::ALL, &mut columns).expect("it reads");
    }
    let minutes = |times: &[i64]| times.iter().map(|time| time / 60_000).collect();
    (minutes(&columns.times), minutes(&columns.histogram_times))
}

fn check(window: u64, commits: &[&str], floats: &[i64], histograms: &[i64]) {
    let simulation = Simulation::new(1);
    let out_of_order_window = Duration::from_secs(window * 60);
    let options = || Options { out_of_order_window, ..Options::default() };
    let database = open_with(&simulation, options());
    commits.iter().for_each(|samples| commit(&database, samples));
    let expected = (floats.to_vec(), histograms.to_vec());
    assert_eq!(minutes(&database), expected);
    drop(database);
    assert_eq!(minutes(&open_with(&simulation, options())), expected, "after a restart");
}

#[test]
fn floats_and_histograms_of_a_commit_stay_in_order() {
    check(0, &["0 float, 1 integer, 2 float"], &[0, 2], &[1]);
    check(0, &["0 integer, 1 float, 2 integer, 3 float"], &[1, 3], &[0, 2]);
    check(0, &["1 integer, 2 histogram, 3 integer, 4 custom, 5 integer"], &[], &[1, 2, 3, 4, 5]);
}

#[test]
fn they_do_so_when_some_are_late() {
    check(60, &["10 float", "5 integer, 11 histogram, 6 float, 12 float"], &[6, 10, 12], &[5, 11]);
    check(60, &["10 integer, 9 float, 11 float, 8 integer"], &[9, 11], &[8, 10]);
}

#[test]
fn late_samples_are_in_the_log_for_those_who_send_it_on() {
    let simulation = Simulation::new(1);
    let out_of_order_window = Duration::from_secs(3600);
    let database = open_with(&simulation, Options { out_of_order_window, ..Options::default() });
    append(&database, "a=1 @60000 1");
    append(&database, "a=1 @1000 2");
    let disk = simulation.disk.after_kill();
    let mut logged = Vec::new();
    wal::tail::read_before(&disk, Path::new("data/wal"), u32::MAX, &mut |record, _| {
        if Kind::of(record) == Some(Kind::Samples) {
            record::decode_samples(record, &mut logged).expect("it is whole");
        }
    })
    .expect("it is there");
    let logged: Vec<(i64, f64)> = logged.iter().map(|sample| (sample.time, sample.value)).collect();
    assert_eq!(logged, [(60000, 1.0), (1000, 2.0)]);
}
