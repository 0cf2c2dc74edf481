use super::{Count, Range, Reading, Sample, count, differences};
use crate::truth::{Key, Truth};

const TRUTH: Truth = Truth { epoch_ms: 0, interval_ms: 1000, n_targets: 1, n_series: 1 };
const KEY: Key = Key::Raw { target: 0, series: 0 };
const RANGE: Range = Range { from_ms: 10_000, to_ms: 15_000 };

/// Samples at these milliseconds, with the true value of their time.
fn reading(times: &[i64]) -> Reading {
    let sample = |at_ms: &i64| {
        let value = TRUTH.value(KEY, TRUTH.slot(*at_ms)) as f64;
        Sample { at_ms: *at_ms, value }
    };
    Reading::from([(KEY, times.iter().map(sample).collect())])
}

fn check(times: &[i64], expected: u64, lost: u64, doubled: u64) -> Count {
    let count = count(&TRUTH, &[KEY], RANGE, &reading(times));
    assert_eq!((count.expected, count.lost, count.doubled), (expected, lost, doubled), "{times:?}");
    count
}

#[test]
fn a_slot_without_a_sample_is_lost_and_one_with_two_is_doubled() {
    check(&[10_300, 11_300, 12_300, 13_300, 14_300], 5, 0, 0);
    check(&[9_300, 10_300, 11_300, 12_300, 13_300, 14_300, 15_300], 5, 0, 0);
    check(&[10_300, 11_300, 13_300, 14_300], 5, 1, 0);
    check(&[10_300, 11_300, 12_300, 12_600, 13_300, 14_300], 5, 0, 1);
    check(&[], 5, 5, 0);
}

#[test]
fn a_range_that_begins_in_a_slot_owes_only_the_slots_within() {
    check(&[10_000, 11_000, 12_000, 13_000, 14_000], 5, 0, 0);
    check(&[10_999, 11_999, 12_999, 13_999, 14_999], 5, 0, 0);
}

#[test]
fn times_may_shift_a_little() {
    check(&[10_300, 11_302, 12_298, 13_301, 14_300], 5, 0, 0);
}

#[test]
fn gaps_say_where() {
    let gaps = check(&[10_300, 13_300], 5, 3, 0).gaps;
    let ranges =
        [Range { from_ms: 11_300, to_ms: 13_300 }, Range { from_ms: 14_300, to_ms: 15_300 }];
    assert_eq!(gaps, ranges.map(|range| (0, range)));
}

#[test]
fn a_value_that_no_target_said_is_wrong() {
    let mut reading = reading(&[10_300, 11_300, 12_300, 13_300, 14_300]);
    reading.get_mut(&KEY).unwrap()[2].value = 17.0;
    assert_eq!(count(&TRUTH, &[KEY], RANGE, &reading).wrong, 1);
}

#[test]
fn members_differ_by_time_and_by_value() {
    let a = reading(&[10_300, 11_300, 12_300]);
    assert_eq!(differences(RANGE, &[a.clone(), a.clone()]), 0);
    assert_eq!(differences(RANGE, &[a.clone(), reading(&[10_300, 12_300])]), 1);
    assert_eq!(differences(RANGE, &[a.clone(), reading(&[10_301, 11_300, 12_300])]), 2);
    let mut other = a.clone();
    other.get_mut(&KEY).unwrap()[0].value += 1.0;
    assert_eq!(differences(RANGE, &[a, other]), 1);
}
