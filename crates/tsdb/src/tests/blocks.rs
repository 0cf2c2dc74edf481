//! From the head to blocks, and what happens to those.

use std::{path::Path, time::Duration};

use model::{Labels, Matcher, TimeRange, Timestamp};
use runtime::Simulation;
use storage::{Appendable as _, Queryable as _, SeriesRef};

use super::world::{DIRECTORY, dump, open_with, print};
use crate::{Database, FloatEncoding, Options};

const MINUTE: i64 = 60_000;

/// Blocks of ten minutes at least.
fn options() -> Options {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    Options {
        retention: minutes(100_000),
        chunk_range: minutes(10),
        samples_per_chunk: 4,
        block_range_max: Some(minutes(90)),
        ..Options::default()
    }
}

/// One sample of each of three series a minute, upkeep after each.
fn fill(database: &Database, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        append(database, minute);
        database.maintain().expect("the disk is good");
    }
}

fn append(database: &Database, minute: i64) {
    let mut appender = database.appender();
    for name in ["a", "b", "c"] {
        let labels = Labels::from_pairs([("__name__", name), ("common", "yes")]);
        let time = Timestamp::from_millis(minute * MINUTE);
        appender.append(SeriesRef::UNKNOWN, &labels, time, minute as f64).expect("it is taken");
    }
    appender.commit().expect("it is written");
}

/// What [`fill`] has appended.
fn expected(minutes: std::ops::Range<i64>) -> String {
    let line = |name: &str| {
        let samples: Vec<String> =
            minutes.clone().map(|minute| format!("{minute}@{}", minute * MINUTE)).collect();
        format!("{{__name__=\"{name}\", common=\"yes\"}} {}", samples.join(" "))
    };
    ["a", "b", "c"].map(line).join("\n")
}

/// The blocks as `level: first–end minute`.
fn blocks(database: &Database) -> String {
    let blocks = database.blocks();
    let print = |block: &blocks::Block| {
        let meta = block.meta();
        let (start, end) = (meta.min_time / MINUTE, meta.max_time / MINUTE);
        format!("{}: {start}-{end}", meta.compaction.level)
    };
    blocks.iter().map(print).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_head_becomes_blocks_and_these_become_longer_ones() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..16);
    assert_eq!(blocks(&database), "");
    fill(&database, 16..17);
    assert_eq!(blocks(&database), "1: 0-10");
    assert_eq!(dump(&database), expected(0..17));
    fill(&database, 17..47);
    assert_eq!(blocks(&database), "2: 0-30, 1: 30-40");
    assert_eq!(dump(&database), expected(0..47));
    fill(&database, 47..120);
    assert_eq!(blocks(&database), "3: 0-90, 1: 90-100, 1: 100-110");
    assert_eq!(dump(&database), expected(0..120));
    let counters = database.counters();
    assert_eq!((counters.compactions, counters.compactions_failed), (15, 0));
    assert_eq!(counters.series, 3);
}

#[test]
fn a_restart_finds_blocks_and_log_and_nothing_twice() {
    let simulation = Simulation::new(1);
    for (from, to) in [(0, 17), (17, 50), (50, 51), (51, 95)] {
        let database = open_with(&simulation, options());
        assert_eq!(dump(&database), if from == 0 { String::new() } else { expected(0..from) });
        fill(&database, from..to);
        assert_eq!(dump(&database), expected(0..to));
    }
}

#[test]
fn who_reads_while_the_head_becomes_a_block_misses_nothing() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..16);
    let querier = database.querier(TimeRange::ALL).expect("it answers");
    fill(&database, 16..30);
    assert_eq!(blocks(&database), "1: 0-10");
    assert_eq!(print(&*querier, TimeRange::ALL, &[]), expected(0..16));
    assert_eq!(dump(&database), expected(0..30));
    drop(querier);
    fill(&database, 30..31);
    assert_eq!(blocks(&database), "1: 0-10, 1: 10-20");
    assert_eq!(dump(&database), expected(0..31));
}

#[test]
fn an_appender_of_old_samples_is_waited_for() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..10);
    let mut appender = database.appender();
    let labels = Labels::from_pairs([("__name__", "late")]);
    let time = Timestamp::from_millis(5 * MINUTE);
    appender.append(SeriesRef::UNKNOWN, &labels, time, 1.0).expect("it is taken");
    fill(&database, 10..20);
    assert_eq!(blocks(&database), "");
    appender.commit().expect("it is written");
    fill(&database, 20..21);
    assert_eq!(blocks(&database), "1: 0-10");
    assert!(dump(&database).contains("{__name__=\"late\"} 1@300000"));
}

#[test]
fn what_is_deleted_stays_deleted_through_restart_compaction_and_cleaning() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..17);
    let of = |name: &str| [Matcher::equal("__name__", name)];
    let range = |from: i64, to: i64| TimeRange::from_millis(from * MINUTE, to * MINUTE);
    database.delete(range(5, 12), &of("a")).expect("the disk is good");
    database.delete(TimeRange::ALL, &of("b")).expect("the disk is good");
    let line = |minutes: &mut dyn Iterator<Item = i64>| {
        minutes.map(|minute| format!(" {minute}@{}", minute * MINUTE)).collect::<String>()
    };
    let check = |database: &Database, to: i64| {
        let later = if to > 17 { line(&mut (17..to)) } else { String::new() };
        let mut expected = format!(
            "{{__name__=\"a\", common=\"yes\"}}{}{later}\n",
            line(&mut (0..5).chain(13..17))
        );
        if to > 17 {
            expected.push_str(&format!("{{__name__=\"b\", common=\"yes\"}}{later}\n"));
        }
        expected.push_str(&format!("{{__name__=\"c\", common=\"yes\"}}{}", line(&mut (0..to))));
        assert_eq!(dump(database), expected);
    };
    check(&database, 17);
    drop(database);
    let database = open_with(&simulation, options());
    check(&database, 17);
    fill(&database, 17..28);
    assert_eq!(blocks(&database), "1: 0-10, 1: 10-20");
    check(&database, 28);
    database.clean_tombstones().expect("the disk is good");
    assert_eq!(blocks(&database), "2: 0-10, 1: 10-20");
    assert!(database.blocks().iter().all(|block| block.tombstones().is_empty()));
    check(&database, 28);
    fill(&database, 28..60);
    check(&database, 60);
}

#[test]
fn a_snapshot_holds_everything() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..47);
    let folder = Path::new(DIRECTORY).join("snapshots/one");
    database.snapshot(&folder, true).expect("the disk is good");
    let copy = Database::open(&simulation.runtime(), &folder, options()).expect("it opens");
    assert_eq!(dump(&copy), expected(0..47));
}

#[test]
fn old_blocks_go() {
    let simulation = Simulation::new(1);
    let retention = Duration::from_secs(60 * 60);
    let block_range_max = Some(Duration::from_secs(30 * 60));
    let database = open_with(&simulation, Options { retention, block_range_max, ..options() });
    fill(&database, 0..147);
    // Blocks go as a whole, when they end an hour before the newest block does.
    assert_eq!(blocks(&database), "2: 60-90, 2: 90-120, 1: 120-130, 1: 130-140");
    assert_eq!(dump(&database), expected(60..147));
    assert!(database.counters().time_retentions > 0);
}

#[test]
fn blocks_go_when_there_is_no_room_for_them() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, Options { retention_bytes: 1, ..options() });
    fill(&database, 0..60);
    assert_eq!(blocks(&database), "");
    assert!(database.counters().size_retentions > 0);
    let samples = dump(&database);
    assert!(samples.ends_with("59@3540000") && !samples.contains(" 9@540000"), "{samples}");
}

#[test]
fn a_block_that_cannot_be_opened_is_left_out() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..47);
    let block = database.blocks()[0].directory().to_owned();
    drop(database);
    let disk = simulation.runtime().disk;
    disk.write_atomically(&block.join("index"), b"rubbish").expect("memory does not fail");
    let database = open_with(&simulation, options());
    assert_eq!(blocks(&database), "1: 30-40");
    assert_eq!(dump(&database), expected(30..47));
    fill(&database, 47..48);
    assert!(database.counters().reloads_failed > 0);
}

#[test]
fn a_block_from_elsewhere_is_taken_up_and_one_that_was_taken_away_is_forgotten() {
    let simulation = Simulation::new(1);
    let elsewhere = Path::new("elsewhere");
    let other = Database::open(&simulation.runtime(), elsewhere, options()).expect("it opens");
    fill(&other, 0..17);
    assert_eq!(blocks(&other), "1: 0-10");
    let block = other.blocks()[0].directory().to_owned();
    drop(other);
    let database = open_with(&simulation, options());
    append(&database, 20);
    let place = Path::new(DIRECTORY).join(block.file_name().expect("it has a name"));
    let disk = simulation.runtime().disk;
    disk.rename(&block, &place).expect("memory does not fail");
    database.maintain().expect("the disk is good");
    assert_eq!(blocks(&database), "1: 0-10");
    assert!(dump(&database).contains(" 9@540000 20@1200000"), "{}", dump(&database));
    disk.rename(&place, &block).expect("memory does not fail");
    database.maintain().expect("the disk is good");
    assert_eq!(dump(&database), expected(20..21));
}

#[test]
fn a_full_disk_postpones_blocks_and_loses_nothing() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    (0..16).for_each(|minute| append(&database, minute));
    append(&database, 16);
    simulation.disk.fill_up_after(300);
    database.maintain().expect_err("the disk is full");
    assert_eq!(dump(&database), expected(0..17));
    simulation.disk.fill_up_after(u64::MAX);
    fill(&database, 17..18);
    assert_eq!(blocks(&database), "1: 0-10");
    assert_eq!(dump(&database), expected(0..18));
}

#[test]
fn readers_of_the_log_are_waited_for_also_when_a_deletion_is_made_good() {
    let simulation = Simulation::new(1);
    let readers = wal::Readers::default();
    let options_with_readers = || Options { log_readers: readers.clone(), ..options() };
    let database = open_with(&simulation, options_with_readers());
    let hold = readers.hold(0);
    fill(&database, 0..17);
    assert_eq!(blocks(&database), "1: 0-10");
    database.delete(TimeRange::from_millis(0, 10 * MINUTE - 1), &[]).expect("the disk is good");
    database.clean_tombstones().expect("the disk is good");
    assert_eq!(blocks(&database), "");
    let first = |simulation: &Simulation| {
        let disk = simulation.disk.after_kill();
        let layout = wal::Layout::read(&disk, &Path::new(DIRECTORY).join("wal"));
        layout.expect("it is there").first_number()
    };
    assert_eq!(first(&simulation), Some(0));
    assert_eq!(dump(&database), expected(10..17));
    drop(database);
    let database = open_with(&simulation, options_with_readers());
    assert_eq!(dump(&database), expected(10..17));
    drop(hold);
    fill(&database, 17..40);
    assert_ne!(first(&simulation), Some(0));
    assert_eq!(dump(&database), expected(10..40));
    drop(database);
    assert_eq!(dump(&open_with(&simulation, options())), expected(10..40));
}

/// An uploader wants blocks as they came out of the head.
#[test]
fn blocks_are_not_merged_before_they_are_uploaded() {
    let simulation = Simulation::new(1);
    let uploads_file = Path::new("uploads.json");
    let options = Options { uploads_file: Some(uploads_file.to_owned()), ..options() };
    let database = open_with(&simulation, options);
    let disk = simulation.runtime().disk;
    let upload = |text: &str| {
        disk.write_atomically(uploads_file, text.as_bytes()).expect("the disk is good");
    };
    // Without a list, or with one that cannot be read, nothing is uploaded.
    fill(&database, 0..47);
    assert_eq!(blocks(&database), "1: 0-10, 1: 10-20, 1: 20-30, 1: 30-40");
    upload("nonsense");
    fill(&database, 47..48);
    let ulids: Vec<String> =
        database.blocks().iter().map(|block| format!("\"{}\"", block.meta().ulid)).collect();
    upload(&format!("{{\"version\": 1, \"uploaded\": [{}]}}", ulids[..2].join(",")));
    fill(&database, 48..49);
    assert_eq!(blocks(&database), "1: 0-10, 1: 10-20, 1: 20-30, 1: 30-40");
    upload(&format!("{{\"version\": 1, \"uploaded\": [{}]}}", ulids.join(",")));
    fill(&database, 49..50);
    assert_eq!(blocks(&database), "2: 0-30, 1: 30-40");
    assert_eq!(dump(&database), expected(0..50));
}

#[test]
fn what_is_due_waits_a_while_if_it_is_to() {
    let simulation = Simulation::new(1);
    let options = Options { compaction_delay_max: Duration::from_secs(3600 * 1000), ..options() };
    let database = open_with(&simulation, options);
    fill(&database, 0..40);
    assert_eq!(blocks(&database), "");
    simulation.clock.advance(Duration::from_secs(3600 * 1000));
    fill(&database, 40..41);
    assert_eq!(blocks(&database), "1: 0-10, 1: 10-20, 1: 20-30");
    // The next one waits anew.
    fill(&database, 41..60);
    assert_eq!(blocks(&database), "1: 0-10, 1: 10-20, 1: 20-30");
    assert_eq!(dump(&database), expected(0..60));
}

#[test]
fn floats_are_written_as_xor2_if_they_are_to() {
    let simulation = Simulation::new(1);
    let options = || Options { float_encoding: FloatEncoding::Xor2, ..options() };
    let database = open_with(&simulation, options());
    fill(&database, 0..47);
    assert_eq!(blocks(&database), "2: 0-30, 1: 30-40");
    let encodings = |database: &Database| -> Vec<chunks::Encoding> {
        let blocks = database.blocks();
        let series = blocks.iter().flat_map(|block| block.series().expect("it is good"));
        let series: Vec<_> = series.collect();
        let chunks = series.iter().flat_map(|series| series.chunks().expect("it is good"));
        chunks.map(|chunk| chunk.encoding).collect()
    };
    let is_xor2 = |encoding: &chunks::Encoding| *encoding == chunks::Encoding::Xor2;
    assert!(encodings(&database).iter().all(is_xor2) && encodings(&database).len() > 20);
    assert_eq!(dump(&database), expected(0..47));
    // What is rewritten stays so, and what comes is written as is said now.
    database.set_float_encoding(FloatEncoding::Xor);
    let c = Matcher::equal("__name__", "c");
    database.delete(TimeRange::from_millis(5 * MINUTE, 35 * MINUTE), &[c]).expect("it is good");
    database.clean_tombstones().expect("the disk is good");
    assert!(encodings(&database).iter().all(is_xor2) && encodings(&database).len() > 20);
    fill(&database, 47..57);
    assert!(!encodings(&database).iter().all(is_xor2));
    let dumped = dump(&database);
    assert!(dumped.starts_with(expected(0..57).split_once("\n{__name__=\"c\"").expect("c").0));
    drop(database);
    assert_eq!(dump(&open_with(&simulation, options())), dumped);
}
