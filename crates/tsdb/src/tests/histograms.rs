//! Native histograms through head, log and blocks.

use std::time::Duration;

use model::{
    FloatHistogram, Labels, Matcher, TimeRange, Timestamp,
    float::STALE,
    histogram::{CounterResetHint, Histogram, Span},
};
use runtime::Simulation;
use storage::{Appendable as _, Columns, HistogramValue, Queryable as _, SelectHints, SeriesRef};

use super::world::open_with;
use crate::{Database, Options};

const MINUTE: i64 = 60_000;

fn options() -> Options {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    Options { retention: minutes(100_000), chunk_range: minutes(10), ..Options::default() }
}

/// Counts in the buckets from index `first` on.
fn histogram(first: i32, counts: &[i64]) -> Histogram {
    let mut last = 0;
    let deltas = counts.iter().map(|count| count - std::mem::replace(&mut last, *count));
    Histogram {
        schema: 1,
        zero_threshold: 0.001,
        count: counts.iter().sum::<i64>() as u64,
        sum: counts.iter().sum::<i64>() as f64 * 1.5,
        positive_spans: vec![Span { offset: first, length: counts.len() as u32 }],
        positive_buckets: deltas.collect(),
        ..Histogram::default()
    }
}

fn append(database: &Database, name: &str, minute: i64, value: HistogramValue) {
    let mut appender = database.appender();
    let labels = Labels::from_pairs([("__name__", name)]);
    let time = Timestamp::from_millis(minute * MINUTE);
    appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, value).expect("it is taken");
    appender.commit().expect("it is written");
}

fn integer(value: Histogram) -> HistogramValue {
    HistogramValue::Integer(Box::new(value))
}

fn float(value: &Histogram) -> HistogramValue {
    HistogramValue::Float(Box::new(value.to_float()))
}

fn read(database: &Database, name: &str) -> Vec<(i64, FloatHistogram)> {
    let querier = database.querier(TimeRange::ALL).expect("it answers");
    let matchers = [Matcher::equal("__name__", name)];
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &matchers);
    let mut columns = Columns::default();
    for series in set.expect("it selects").series {
        series.read(TimeRange::ALL, &mut columns).expect("it reads");
    }
    assert!(columns.times.is_empty(), "there are no floats");
    let histograms = columns.histograms.iter().map(|histogram| (**histogram).clone());
    columns.histogram_times.iter().map(|time| time / MINUTE).zip(histograms).collect()
}

/// The sums by minute: what tells these histograms apart.
fn sums(database: &Database, name: &str) -> String {
    let print = |(minute, histogram): &(i64, FloatHistogram)| {
        let hint = match histogram.counter_reset_hint {
            CounterResetHint::Unknown => "?",
            CounterResetHint::Reset => "!",
            CounterResetHint::NotReset => "",
            CounterResetHint::Gauge => "g",
        };
        format!("{minute}:{}{hint}", histogram.sum)
    };
    read(database, name).iter().map(print).collect::<Vec<_>>().join(" ")
}

#[test]
fn histograms_come_back_with_new_buckets_and_resets() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let counts: [(i32, &[i64]); 6] =
        [(0, &[1, 2]), (0, &[2, 2, 1]), (-3, &[1, 0, 0, 2, 2, 4]), (0, &[1]), (0, &[2]), (0, &[3])];
    for (minute, (first, counts)) in counts.iter().enumerate() {
        append(&database, "i", minute as i64, integer(histogram(*first, counts)));
        append(&database, "f", minute as i64, float(&histogram(*first, counts)));
    }
    // The second rewrites the chunk, the fourth is a reset and begins another.
    let expected = "0:4.5? 1:7.5 2:13.5 3:1.5? 4:3 5:4.5";
    let check = |database: &Database| {
        for name in ["i", "f"] {
            assert_eq!(sums(database, name), expected);
            let samples = read(database, name);
            for ((_, found), (first, counts)) in samples.iter().zip(&counts) {
                let hint = found.counter_reset_hint;
                let expected = histogram(*first, counts).to_float();
                let expected = FloatHistogram { counter_reset_hint: hint, ..expected };
                let (mut found, mut expected) = (found.clone(), expected);
                found.compact(0);
                expected.compact(0);
                assert_eq!(found, expected);
            }
        }
    };
    check(&database);
    assert_eq!(database.counters().chunks, 4);
    drop(database);
    check(&open_with(&simulation, options()));
}

#[test]
fn gauges_and_stale_markers() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let gauge = |counts: &[i64]| Histogram {
        counter_reset_hint: CounterResetHint::Gauge,
        ..histogram(0, counts)
    };
    let stale = || Histogram { sum: STALE, ..Histogram::default() };
    append(&database, "h", 0, integer(gauge(&[5])));
    append(&database, "h", 1, integer(gauge(&[2])));
    append(&database, "h", 2, integer(stale()));
    append(&database, "h", 3, integer(gauge(&[1])));
    assert_eq!(sums(&database, "h"), "0:7.5g 1:3g 2:NaNg 3:1.5g");
    assert!(read(&database, "h")[2].1.sum.to_bits() == STALE.to_bits());
}

#[test]
fn a_repetition_is_fine_and_a_contradiction_is_not() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append(&database, "h", 5, integer(histogram(0, &[1])));
    append(&database, "h", 5, integer(histogram(0, &[1])));
    let mut appender = database.appender();
    let labels = Labels::from_pairs([("__name__", "h")]);
    let mut say = |minute: i64, value: HistogramValue| {
        let time = Timestamp::from_millis(minute * MINUTE);
        let taken = appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, value);
        taken.map_or_else(|error| error.to_string(), |_| "ok".to_owned())
    };
    assert_eq!(say(5, integer(histogram(0, &[2]))), "duplicate sample for timestamp");
    assert_eq!(say(4, integer(histogram(0, &[1]))), "out of order sample");
    assert_eq!(say(6, float(&histogram(0, &[1]))), "ok");
}

#[test]
fn they_go_into_blocks_and_can_be_deleted() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    for minute in 0..35 {
        append(&database, "i", minute, integer(histogram(0, &[minute, 1])));
        append(&database, "f", minute, float(&histogram(0, &[minute, 1])));
        database.maintain().expect("the disk is good");
    }
    assert_eq!(database.blocks().len(), 2);
    let stats = database.blocks()[0].meta().stats;
    assert_eq!((stats.num_samples, stats.num_histogram_samples), (20, 20));
    let sum = |minute: i64| (minute + 1) as f64 * 1.5;
    let check = |database: &Database, minutes: &[i64]| {
        for name in ["i", "f"] {
            let found: Vec<(i64, f64)> =
                read(database, name).iter().map(|(minute, value)| (*minute, value.sum)).collect();
            let expected: Vec<(i64, f64)> =
                minutes.iter().map(|minute| (*minute, sum(*minute))).collect();
            assert_eq!(found, expected);
        }
    };
    check(&database, &(0..35).collect::<Vec<_>>());
    let range = TimeRange::from_millis(5 * MINUTE, 24 * MINUTE);
    database.delete(range, &[]).expect("the disk is good");
    let left: Vec<i64> = (0..5).chain(25..35).collect();
    check(&database, &left);
    database.clean_tombstones().expect("the disk is good");
    check(&database, &left);
    drop(database);
    check(&open_with(&simulation, options()), &left);
}

#[test]
fn a_series_may_change_between_floats_and_histograms() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let labels = Labels::from_pairs([("__name__", "mixed")]);
    for minute in 0..30 {
        if minute % 3 == 0 {
            append(&database, "mixed", minute, integer(histogram(0, &[minute])));
        } else {
            let mut appender = database.appender();
            let time = Timestamp::from_millis(minute * MINUTE);
            appender.append(SeriesRef::UNKNOWN, &labels, time, 1.0).expect("it is taken");
            appender.commit().expect("it is written");
        }
        database.maintain().expect("the disk is good");
    }
    let count = |database: &Database| {
        let querier = database.querier(TimeRange::ALL).expect("it answers");
        let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &[]).expect("it selects");
        let mut columns = Columns::default();
        set.series[0].read(TimeRange::ALL, &mut columns).expect("it reads");
        assert!(columns.times.is_sorted() && columns.histogram_times.is_sorted());
        (columns.times.len(), columns.histogram_times.len())
    };
    assert_eq!(count(&database), (20, 10));
    drop(database);
    assert_eq!(count(&open_with(&simulation, options())), (20, 10));
}

#[test]
fn a_float_marker_ends_a_series_of_histograms() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append(&database, "a", 1, integer(histogram(0, &[1, 2])));
    append(&database, "b", 1, float(&histogram(0, &[1, 2])));
    let mut appender = database.appender();
    for name in ["a", "b"] {
        let labels = Labels::from_pairs([("__name__", name)]);
        let time = Timestamp::from_millis(2 * MINUTE);
        appender.append(SeriesRef::UNKNOWN, &labels, time, STALE).expect("it is taken");
    }
    appender.commit().expect("it is written");
    for name in ["a", "b"] {
        let stored = read(&database, name);
        assert!(model::float::is_stale(stored[1].1.sum), "{stored:?}");
    }
}

#[test]
fn histograms_of_reserved_schemas_are_made_coarser() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append(&database, "a", 1, integer(Histogram { schema: 9, ..histogram(1, &[1, 2]) }));
    let stored = read(&database, "a").remove(0).1;
    assert_eq!((stored.schema, stored.positive_buckets.as_slice()), (8, [3.0].as_slice()));
}

#[test]
fn histograms_without_sense_are_refused() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let mut appender = database.appender();
    let labels = Labels::from_pairs([("__name__", "a")]);
    let value = integer(Histogram { count: 7, ..histogram(0, &[1, 2]) });
    let refused =
        appender.append_histogram(SeriesRef::UNKNOWN, &labels, Timestamp::from_millis(1), value);
    let reason = refused.expect_err("the counts do not add up").to_string();
    assert!(reason.starts_with("3 observations found in buckets, but the Count field is 7"));
}
