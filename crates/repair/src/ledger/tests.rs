use model::{TimeRange, Timestamp};

use super::Ledger;

fn at(time: i64) -> Timestamp {
    Timestamp::from_millis(time)
}

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::from_millis(start, end)
}

fn holes(ledger: &Ledger) -> String {
    let holes = ledger.holes().iter().map(|s| format!("{}-{}", s.start, s.end));
    holes.collect::<Vec<_>>().join(" ")
}

/// Compares all that is to be compared with `live`; what was compared, in order.
fn drain(ledger: &mut Ledger, live: &[&str]) -> String {
    let mut done = Vec::new();
    while let Some((peer, range)) = ledger.next(live.iter().copied(), 1_000) {
        ledger.checked(peer, range, &[]);
        ledger.settle(live.iter().copied());
        done.push(format!("{peer}:{}-{}", range.start, range.end));
        assert!(done.len() < 100, "{done:?}");
    }
    done.join(" ")
}

#[test]
fn an_empty_member_compares_all_that_is_kept_and_the_newest_first() {
    let mut ledger = Ledger::default();
    ledger.begin(at(1_500), at(4_200));
    assert_eq!(holes(&ledger), "1500-4200");
    assert_eq!(ledger.next(["b"], 1_000), None);
    ledger.close(at(1_500), 4_000, ["b"]);
    assert_eq!(drain(&mut ledger, &["b"]), "b:3000-3999 b:2000-2999 b:1500-1999");
    // The window that is not closed yet.
    assert_eq!(holes(&ledger), "4000-4200");
    ledger.close(at(1_500), 4_300, ["b"]);
    assert_eq!(drain(&mut ledger, &["b"]), "b:4000-4200 b:4201-4299");
    assert_eq!(holes(&ledger), "");
}

#[test]
fn a_hole_ends_when_every_live_member_was_asked() {
    let mut ledger = Ledger::default();
    ledger.begin(at(0), at(999));
    ledger.close(at(0), 2_000, ["b", "c"]);
    ledger.checked("b", range(0, 999), &[]);
    assert!(!ledger.settle(["b", "c"]));
    assert!(!ledger.settle([]));
    assert_eq!(holes(&ledger), "0-999");
    ledger.checked("c", range(0, 499), &[]);
    assert!(ledger.settle(["b", "c"]));
    assert_eq!(holes(&ledger), "500-999");
    // Somebody whom we do not know yet.
    assert!(!ledger.settle(["b", "d"]));
    // c has gone.
    assert!(ledger.settle(["b"]));
    assert_eq!(holes(&ledger), "");
}

#[test]
fn after_a_restart_the_time_between_is_a_hole_and_compared_first() {
    let mut ledger = Ledger::default();
    ledger.begin(at(0), at(0));
    ledger.close(at(0), 3_000, ["b", "c"]);
    drain(&mut ledger, &["b"]);
    let mut ledger = Ledger::parse(&ledger.to_text()).expect("it was just written");
    ledger.begin(at(0), at(5_100));
    assert_eq!(holes(&ledger), "3000-5100");
    ledger.close(at(0), 6_000, ["b", "c"]);
    let done = drain(&mut ledger, &["b", "c"]);
    let expected = "c:5000-5100 b:5000-5100 c:4000-4999 b:4000-4999 c:3000-3999 b:3000-3999 \
        c:5101-5999 b:5101-5999 c:2000-2999 c:1000-1999 c:0-999";
    assert_eq!(done, expected);
}

#[test]
fn a_member_that_was_not_whole_is_compared_with_again() {
    let mut ledger = Ledger::default();
    ledger.begin(at(0), at(999));
    ledger.close(at(0), 1_000, ["b"]);
    ledger.checked("b", range(0, 999), &[range(200, 300), range(900, 5_000)]);
    ledger.settle(["b"]);
    // Nobody knows more for now.
    assert_eq!(holes(&ledger), "");
    assert_eq!(ledger.next(["b"], 1_000), None);
    assert_eq!(ledger.unchecked_millis("b"), 201);
    assert_eq!(Ledger::parse(&ledger.to_text()).map(|l| l.unchecked_millis("b")), Some(201));
    assert!(!ledger.close(at(0), 1_000, ["b"]));
    assert_eq!(ledger.next(["b"], 1_000), None);
    assert!(ledger.close(at(0), 1_100, ["b"]));
    assert_eq!(drain(&mut ledger, &["b"]), "b:1000-1099 b:900-999 b:200-300");
}

#[test]
fn what_differs_is_a_hole_until_it_is_fetched() {
    let mut ledger = Ledger::default();
    ledger.begin(at(0), at(-1));
    ledger.close(at(0), 1_000, ["b", "c"]);
    ledger.checked("c", range(0, 999), &[]);
    ledger.differs(range(100, 199));
    ledger.settle(["b", "c"]);
    assert_eq!(holes(&ledger), "100-199");
    ledger.checked("b", range(0, 999), &[]);
    ledger.settle(["b", "c"]);
    assert_eq!(holes(&ledger), "");
}

#[test]
fn what_goes_wrong_here_is_compared_again() {
    let mut ledger = Ledger::default();
    ledger.begin(at(0), at(0));
    ledger.close(at(0), 2_000, ["b"]);
    drain(&mut ledger, &["b"]);
    ledger.add_hole(range(500, 2_500));
    assert_eq!(drain(&mut ledger, &["b"]), "b:1000-1999 b:500-999");
    assert_eq!(holes(&ledger), "2000-2500");
}

#[test]
fn time_that_is_kept_no_longer_is_forgotten() {
    let mut ledger = Ledger::default();
    ledger.begin(at(0), at(999));
    ledger.close(at(0), 1_000, ["b"]);
    ledger.close(at(800), 1_000, ["b"]);
    assert_eq!((holes(&ledger), ledger.unchecked_millis("b")), ("800-999".to_owned(), 200));
}

#[test]
fn a_file_that_is_no_ledger_is_none() {
    for text in
        ["", "vesta repair 2\n", "vesta repair 1\nhole 1\n", "vesta repair 1\nunchecked 1 2\n"]
    {
        assert_eq!(Ledger::parse(text), None, "{text}");
    }
    assert_eq!(Ledger::parse("vesta repair 1\n"), Some(Ledger::default()));
}
