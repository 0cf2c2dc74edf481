//! No room on the disk: nothing is stored, nothing is lost, and it ends by itself.

use std::{path::Path, sync::Arc, time::Duration};

use runtime::{Runtime, Simulation};

use super::world::{DIRECTORY, append, dump, open, open_with};
use crate::{Database, Health, Options, Retention};

const FULL: &str = "write data/wal/00000000: no storage space";

/// What the next process finds.
fn after_restart(simulation: &Simulation, options: Options) -> String {
    let disk = Arc::new(simulation.disk.after_kill());
    let runtime = Runtime { disk, ..simulation.runtime() };
    dump(&Database::open(&runtime, Path::new(DIRECTORY), options).expect("it opens"))
}

#[test]
fn writes_fail_reads_go_on_and_it_ends_by_itself() {
    let simulation = Simulation::new(1);
    let database = open(&simulation);
    assert_eq!(append(&database, "a=1 @1000 1"), "ok");
    simulation.disk.fill_up_after(10);
    for time in [2000, 3000] {
        let said = append(&database, &format!("a=1 @{time} 1\na=2 @{time} 1"));
        assert_eq!(said, format!("ok, ok; commit: {FULL}"));
        assert_eq!(dump(&database), r#"{a="1"} 1@1000"#);
        assert_eq!(database.health(), Health::Failing(FULL.to_owned()));
        assert_eq!(after_restart(&simulation, Options::default()), r#"{a="1"} 1@1000"#);
    }
    simulation.disk.fill_up_after(u64::MAX);
    assert_eq!(append(&database, "a=1 @3000 2\na=2 @3000 2"), "ok, ok");
    assert_eq!(database.health(), Health::Good);
    let expected = "{a=\"1\"} 1@1000 2@3000\n{a=\"2\"} 2@3000";
    assert_eq!(dump(&database), expected);
    assert_eq!(after_restart(&simulation, Options::default()), expected);
}

/// A new series and a late sample: there are two logs, and the second may be the one without room.
#[test]
fn a_commit_is_in_both_logs_or_in_none_however_much_room_there_is() {
    let options =
        || Options { out_of_order_window: Duration::from_secs(600), ..Options::default() };
    for room in 0..200 {
        let simulation = Simulation::new(1);
        let database = open_with(&simulation, options());
        append(&database, "a=1 @100000 1");
        simulation.disk.fill_up_after(room);
        let said = append(&database, "a=1 @110000 2\na=1 @50000 3\na=2 @110000 4");
        simulation.disk.fill_up_after(u64::MAX);
        let before = r#"{a="1"} 1@100000"#;
        let with_commit = "{a=\"1\"} 3@50000 1@100000 2@110000\n{a=\"2\"} 4@110000";
        let expected = if said == "ok, ok, ok" { with_commit } else { before };
        assert_eq!(dump(&database), expected, "with room for {room} bytes: {said}");
        assert_eq!(after_restart(&simulation, options()), expected, "with room for {room} bytes");
        let said = append(&database, "a=1 @110000 2\na=1 @50000 3\na=2 @110000 4");
        assert_eq!(said, "ok, ok, ok", "with room for {room} bytes");
        assert_eq!(dump(&database), with_commit, "with room for {room} bytes");
        assert_eq!(
            after_restart(&simulation, options()),
            with_commit,
            "with room for {room} bytes"
        );
    }
}

/// Blocks and checkpoints may lack room anywhere; what they were to take up stays where it is.
#[test]
fn upkeep_without_room_loses_nothing_and_is_made_up_for() {
    let options = || Options { chunk_range: Duration::from_secs(240), ..Options::default() };
    let fill = |database: &Database, n: std::ops::Range<i64>| {
        for minute in n {
            assert_eq!(append(database, &format!("a=1 @{} {minute}", minute * 60_000)), "ok");
        }
    };
    for room in (0..1500).step_by(53) {
        let simulation = Simulation::new(1);
        let database = open_with(&simulation, options());
        fill(&database, 0..20);
        let expected = dump(&database);
        simulation.disk.fill_up_after(room);
        let outcome = database.maintain();
        assert!(outcome.is_err() || room > 500, "with room for {room} bytes");
        assert_eq!(dump(&database), expected, "with room for {room} bytes");
        assert_eq!(after_restart(&simulation, options()), expected, "with room for {room} bytes");
        let is_temporary = |entry: &runtime::disk::Entry| entry.name.contains(".tmp");
        let entries = runtime::Disk::list(&simulation.disk, Path::new(DIRECTORY)).expect("it is");
        assert!(!entries.iter().any(|e| is_temporary(e) && e.is_directory), "{entries:?}");
        simulation.disk.fill_up_after(u64::MAX);
        database.maintain().expect("there is room again");
        database.maintain().expect("there is room again");
        assert!(!database.blocks().is_empty(), "with room for {room} bytes");
        assert_eq!(dump(&database), expected, "with room for {room} bytes");
        assert_eq!(after_restart(&simulation, options()), expected, "with room for {room} bytes");
    }
}

/// Otherwise nothing would ever become smaller.
#[test]
fn old_blocks_go_although_there_is_no_room_for_new_ones() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let options = || Options { chunk_range: minutes(4), ..Options::default() };
    let retention =
        || Retention { time: minutes(600), bytes: 1, percentage: 0.0, classes: Vec::new() };
    // Names that take much room in a block and little in the log, which is compressed.
    let name = |series: usize| format!("{series}{}", "x".repeat(1000));
    for room in (0..120_000).step_by(7919) {
        let simulation = Simulation::new(1);
        let database = open_with(&simulation, options());
        let fill = |n: std::ops::Range<i64>| {
            for minute in n {
                let line = |series| format!("a={} @{} {minute}", name(series), minute * 60_000);
                append(&database, &(0..80).map(line).collect::<Vec<_>>().join("\n"));
            }
        };
        fill(0..12);
        database.maintain().expect("there is room");
        let n_before = database.blocks().len();
        fill(12..20);
        database.set_retention(retention());
        simulation.disk.fill_up_after(room);
        let outcome = database.maintain();
        assert!(outcome.is_err() || room > 60_000, "with room for {room} bytes");
        let n_after = database.blocks().len();
        assert!(n_after < n_before || room < 40_000, "{n_before} blocks before, {n_after} after");
        // What no block could take up is in the log as well as in the head.
        let expected = dump(&database);
        simulation.disk.fill_up_after(u64::MAX);
        let found = after_restart(&simulation, options());
        assert!(found == expected, "with room for {room} bytes");
    }
}
