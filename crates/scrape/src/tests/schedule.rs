use std::time::Duration;

use crate::schedule::{align, wait};

#[test]
fn turns_are_a_matter_of_wall_clock_time() {
    let interval = Duration::from_secs(10);
    let turn = |now_ms: u64, hash, seed| {
        let now = Duration::from_millis(now_ms);
        (now + wait(hash, seed, interval, now)).as_millis() as u64
    };
    // The hash is the number of nanoseconds after a multiple of the interval.
    assert_eq!(turn(100_000, 3_000_000_000, 0), 103_000);
    assert_eq!(turn(102_999, 3_000_000_000, 0), 103_000);
    assert_eq!(turn(103_001, 3_000_000_000, 0), 113_000);
    assert_ne!(turn(100_000, 3_000_000_000, 1 << 40), 103_000, "the seed makes a difference");
    for hash in [0, 1, u64::MAX] {
        assert!(wait(hash, 7, interval, Duration::from_secs(5)) <= interval);
    }
}

#[test]
fn small_delays_do_not_show_in_timestamps() {
    let check = |late_us: u64, interval_ms, expected_us| {
        let turn = Duration::from_secs(100);
        let (interval, tolerance) = (Duration::from_millis(interval_ms), Duration::from_millis(2));
        let time = align(turn + Duration::from_micros(late_us), turn, interval, tolerance);
        assert_eq!(time - turn, Duration::from_micros(expected_us));
    };
    check(1_999, 10_000, 0);
    check(2_001, 10_000, 2_001);
    // One percent of a short interval.
    check(500, 50, 0);
    check(501, 50, 501);
}
