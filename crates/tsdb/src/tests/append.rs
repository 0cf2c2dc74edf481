use model::TimeRange;
use runtime::Simulation;
use storage::Queryable as _;

use super::world::{append, dump, dump_range, open, print};

/// Commits each batch; compares what was said and what is there then, also after a restart.
fn check(batches: &[(&str, &str)], expected: &str) {
    let simulation = Simulation::new(1);
    let database = open(&simulation);
    for (batch, said) in batches {
        assert_eq!(append(&database, batch), *said);
    }
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(dump(&database), expected.join("\n"));
    drop(database);
    assert_eq!(dump(&open(&simulation)), expected.join("\n"), "after a restart");
}

#[test]
fn samples_come_back() {
    check(
        &[
            ("__name__=up job=a @1000 1\n__name__=up job=b @1000 0", "ok, ok"),
            ("__name__=up job=a @2000 1\n__name__=up job=b @2000 1", "ok, ok"),
        ],
        r#"{__name__="up", job="a"} 1@1000 1@2000
           {__name__="up", job="b"} 0@1000 1@2000"#,
    );
}

#[test]
fn a_repetition_is_fine_and_a_contradiction_is_not() {
    check(
        &[
            ("a=1 @1000 1", "ok"),
            ("a=1 @1000 1", "ok"),
            ("a=1 @1000 2", "duplicate sample for timestamp"),
            ("a=1 @999 1", "out of order sample"),
        ],
        r#"{a="1"} 1@1000"#,
    );
}

#[test]
fn samples_may_be_late_by_half_a_chunk_range() {
    check(
        &[("a=1 @10000000 1", "ok"), ("a=2 @6400000 2\na=3 @6399999 3", "ok, out of bounds")],
        r#"{a="1"} 1@10000000
           {a="2"} 2@6400000"#,
    );
}

#[test]
fn of_a_batch_the_first_sample_of_a_time_counts() {
    check(
        &[("a=1 @2000 1\na=1 @2000 2\na=1 @1000 3\na=1 @3000 4", "ok, ok, ok, ok")],
        r#"{a="1"} 1@2000 4@3000"#,
    );
}

#[test]
fn a_series_has_labels() {
    check(&[(" @1000 1", "invalid labels: empty labelset")], "");
}

#[test]
fn long_series_are_cut_in_chunks_and_read_in_part() {
    let simulation = Simulation::new(1);
    let database = open(&simulation);
    for minute in 0..600 {
        append(&database, &format!("a=1 @{} {minute}", minute * 60_000));
    }
    assert_eq!(database.stats(10).n_chunks, 5, "120 samples each, for they fill two hours");
    let range = TimeRange::from_millis(7_140_000, 7_260_000);
    assert_eq!(dump_range(&database, range, &[]), r#"{a="1"} 119@7140000 120@7200000 121@7260000"#);
}

#[test]
fn a_reader_sees_no_part_of_a_later_commit() {
    let simulation = Simulation::new(1);
    let database = open(&simulation);
    append(&database, "a=1 @1000 1\na=2 @1000 1");
    let before = database.querier(TimeRange::ALL).expect("it opens");
    append(&database, "a=1 @2000 2\na=2 @2000 2\na=3 @2000 2");
    let between = database.querier(TimeRange::ALL).expect("it opens");
    append(&database, "a=1 @3000 3\na=3 @3000 3");

    assert_eq!(print(&*before, TimeRange::ALL, &[]), "{a=\"1\"} 1@1000\n{a=\"2\"} 1@1000");
    assert_eq!(
        print(&*between, TimeRange::ALL, &[]),
        "{a=\"1\"} 1@1000 2@2000\n{a=\"2\"} 1@1000 2@2000\n{a=\"3\"} 2@2000"
    );
    drop((before, between));
    append(&database, "a=1 @4000 4");
    assert_eq!(
        dump(&database),
        "{a=\"1\"} 1@1000 2@2000 3@3000 4@4000\n{a=\"2\"} 1@1000 2@2000\n{a=\"3\"} 2@2000 3@3000"
    );
}
