use std::collections::BTreeSet;

use model::{TimeRange, Timestamp};
use proptest::{collection::vec, prelude::*};

use super::Holes;

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::from_millis(start, end)
}

fn show(holes: &Holes) -> String {
    let stretches = holes.iter().map(|s| format!("{}-{}", s.start, s.end));
    stretches.collect::<Vec<_>>().join(" ")
}

#[test]
fn stretches_that_touch_become_one() {
    let mut holes = Holes::default();
    holes.add(range(10, 20));
    holes.add(range(30, 40));
    assert_eq!(show(&holes), "10-20 30-40");
    holes.add(range(21, 29));
    assert_eq!(show(&holes), "10-40");
    holes.cover(range(15, 16));
    assert_eq!(show(&holes), "10-14 17-40");
    holes.cover(TimeRange::ALL);
    assert!(holes.is_empty());
    holes.add(TimeRange::ALL);
    holes.cover(range(5, 5));
    assert_eq!(show(&holes), format!("{}-4 6-{}", i64::MIN, i64::MAX));
}

#[test]
fn the_newest_comes_first_in_aligned_pieces() {
    let mut holes = Holes::default();
    holes.add(range(5, 25));
    holes.add(range(90, 200));
    let mut pieces = Vec::new();
    while let Some(piece) = holes.next(Timestamp::from_millis(95), 10) {
        pieces.push(format!("{}-{}", piece.start, piece.end));
        holes.cover(piece);
    }
    assert_eq!(pieces, ["90-95", "20-25", "10-19", "5-9"]);
    assert_eq!(show(&holes), "96-200");
}

/// Adds (true) or covers a range.
fn steps() -> impl Strategy<Value = Vec<(bool, i64, i64)>> {
    vec((any::<bool>(), 0..40i64, -2..12i64), 0..30)
}

proptest! {
    #[test]
    fn they_are_a_set_of_milliseconds(steps in steps(), start in 0..40i64, len in 0..20i64) {
        let (mut holes, mut model) = (Holes::default(), BTreeSet::new());
        for (adds, start, len) in steps {
            let range = range(start, start + len);
            if adds {
                holes.add(range);
                model.extend(start..=start + len);
            } else {
                holes.cover(range);
                model.retain(|time| !(start..=start + len).contains(time));
            }
            let stretches: Vec<_> = holes.iter().collect();
            prop_assert!(stretches.iter().all(|s| s.start <= s.end));
            let apart = |pair: &[TimeRange]| pair[0].end.as_millis() + 1 < pair[1].start.as_millis();
            prop_assert!(stretches.windows(2).all(apart));
        }
        let flat = |stretches: &mut dyn Iterator<Item = TimeRange>| -> Vec<i64> {
            stretches.flat_map(|s| s.start.as_millis()..=s.end.as_millis()).collect()
        };
        let all: Vec<i64> = model.iter().copied().collect();
        prop_assert_eq!(flat(&mut holes.iter()), all);
        prop_assert_eq!(holes.millis(), model.len() as i64);
        let asked = range(start, start + len);
        let expected: Vec<i64> = model.range(start..=start + len).copied().collect();
        prop_assert_eq!(holes.overlaps(asked), !expected.is_empty());
        prop_assert_eq!(flat(&mut holes.within(asked).into_iter()), expected);
    }
}
