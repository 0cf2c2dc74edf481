use std::{cmp::Ordering, sync::Arc};

use model::{
    FloatHistogram,
    float::STALE,
    histogram::{CounterResetHint, Span},
};
use proptest::{collection::vec, prelude::*};

use super::Sample;
use crate::Columns;

/// What a replica has at one time, as a test writes it.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Float(f64),
    Histogram { count: f64, gap: i32, hint: CounterResetHint },
    StaleHistogram,
}

fn histogram(count: f64, gap: i32, hint: CounterResetHint) -> FloatHistogram {
    // With a gap the same bucket stands behind an empty one.
    let (offset, length) = (3 - gap, 1 + gap as u32);
    let mut positive_buckets = vec![0.0; gap as usize];
    positive_buckets.push(count);
    FloatHistogram {
        counter_reset_hint: hint,
        count,
        positive_spans: vec![Span { offset, length }],
        positive_buckets,
        ..FloatHistogram::default()
    }
}

impl Kind {
    fn push(self, time: i64, columns: &mut Columns) {
        let histogram = match self {
            Kind::Float(value) => return columns.push(time, value),
            Kind::Histogram { count, gap, hint } => histogram(count, gap, hint),
            Kind::StaleHistogram => FloatHistogram { sum: STALE, ..FloatHistogram::default() },
        };
        columns.histogram_times.push(time);
        columns.histograms.push(Arc::new(histogram));
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    let hints = prop_oneof![
        Just(CounterResetHint::Unknown),
        Just(CounterResetHint::NotReset),
        Just(CounterResetHint::Gauge)
    ];
    prop_oneof![
        4 => (0..4i32).prop_map(|value| Kind::Float(f64::from(value))),
        1 => Just(Kind::Float(STALE)),
        1 => Just(Kind::Float(-0.0)),
        1 => Just(Kind::Float(f64::NAN)),
        2 => (0..3i32, 0..3i32, hints)
            .prop_map(|(count, gap, hint)| Kind::Histogram { count: f64::from(count), gap, hint }),
        1 => Just(Kind::StaleHistogram),
    ]
}

/// A replica of one series; some times are missing.
fn replicas() -> impl Strategy<Value = Columns> {
    vec(proptest::option::of(kinds()), 0..12).prop_map(|kinds| {
        let mut columns = Columns::default();
        for (time, kind) in kinds.into_iter().enumerate() {
            if let Some(kind) = kind {
                kind.push(time as i64, &mut columns);
            }
        }
        columns
    })
}

fn merged(parts: &[&Columns]) -> Columns {
    let mut merged = Columns::default();
    let begin = merged.mark();
    for part in parts {
        let split = merged.mark();
        merged.times.extend(&part.times);
        merged.values.extend(&part.values);
        merged.histogram_times.extend(&part.histogram_times);
        merged.histograms.extend(part.histograms.iter().cloned());
        merged.merge_replicas(begin, split);
    }
    merged
}

/// All that matters of columns: equal where contents are.
fn content(columns: &Columns) -> Vec<(i64, bool, u64)> {
    let floats = columns.times.iter().zip(&columns.values);
    let floats = floats.map(|(time, value)| (*time, false, Sample::Float(*value).digest()));
    let histograms = columns.histogram_times.iter().zip(&columns.histograms);
    let histograms =
        histograms.map(|(time, value)| (*time, true, Sample::Histogram(value).digest()));
    floats.chain(histograms).collect()
}

proptest! {
    #[test]
    fn merging_does_not_depend_on_order_or_number(
        a in replicas(),
        b in replicas(),
        c in replicas(),
    ) {
        let expected = content(&merged(&[&a, &b, &c]));
        prop_assert_eq!(&content(&merged(&[&c, &b, &a])), &expected);
        prop_assert_eq!(&content(&merged(&[&b, &merged(&[&c, &a])])), &expected);
        prop_assert_eq!(&content(&merged(&[&merged(&[&a, &b]), &merged(&[&b, &c])])), &expected);
        prop_assert_eq!(content(&merged(&[&a, &a])), content(&a));
    }

    #[test]
    fn a_time_has_one_sample_and_every_time_that_any_has(a in replicas(), b in replicas()) {
        let merged = merged(&[&a, &b]);
        let times = |columns: &Columns| {
            let mut times = [&columns.times[..], &columns.histogram_times[..]].concat();
            times.sort();
            times
        };
        let mut expected = [times(&a), times(&b)].concat();
        expected.sort();
        expected.dedup();
        prop_assert_eq!(times(&merged), expected);
    }
}

#[track_caller]
fn check(winner: Kind, loser: Kind) {
    let columns = |kind: Kind| {
        let mut columns = Columns::default();
        kind.push(1, &mut columns);
        columns
    };
    let (winner, loser) = (columns(winner), columns(loser));
    assert_eq!(content(&merged(&[&winner, &loser])), content(&winner));
    assert_eq!(content(&merged(&[&loser, &winner])), content(&winner));
}

#[test]
fn values_beat_markers_and_histograms_beat_floats() {
    let histogram = |count| Kind::Histogram { count, gap: 0, hint: CounterResetHint::Unknown };
    check(Kind::Float(1.0), Kind::Float(STALE));
    check(Kind::Float(-f64::INFINITY), Kind::StaleHistogram);
    check(histogram(1.0), Kind::Float(STALE));
    check(histogram(1.0), Kind::Float(7.0));
    check(Kind::StaleHistogram, Kind::Float(STALE));
    check(Kind::Float(2.0), Kind::Float(1.0));
    check(Kind::Float(0.0), Kind::Float(-0.0));
    check(Kind::Float(f64::NAN), Kind::Float(f64::INFINITY));
    check(histogram(2.0), histogram(1.0));
}

#[test]
fn the_layout_of_a_histogram_does_not_matter() {
    let (a, b) = (
        histogram(2.0, 0, CounterResetHint::Unknown),
        histogram(2.0, 2, CounterResetHint::NotReset),
    );
    assert_eq!(Sample::Histogram(&a).rank(Sample::Histogram(&b)), Ordering::Equal);
    assert_eq!(Sample::Histogram(&a).digest(), Sample::Histogram(&b).digest());
    let gauge = histogram(2.0, 0, CounterResetHint::Gauge);
    assert_ne!(Sample::Histogram(&a).rank(Sample::Histogram(&gauge)), Ordering::Equal);
}

#[test]
fn what_was_known_of_resets_is_forgotten_where_samples_meet() {
    let mut columns = Columns::default();
    for time in [1, 3] {
        Kind::Histogram { count: 1.0, gap: 0, hint: CounterResetHint::NotReset }
            .push(time, &mut columns);
    }
    let mut other = Columns::default();
    Kind::Histogram { count: 9.0, gap: 0, hint: CounterResetHint::Unknown }.push(2, &mut other);
    let hints = merged(&[&columns, &other]).histograms;
    assert!(hints.iter().all(|h| h.counter_reset_hint == CounterResetHint::Unknown));
    let hints = merged(&[&columns, &Columns::default()]).histograms;
    assert!(hints.iter().all(|h| h.counter_reset_hint == CounterResetHint::NotReset));
}
