//! Samples that come from elsewhere.

use std::time::Duration;

use model::{FloatHistogram, Matcher, TimeRange};
use runtime::Simulation;
use storage::{Columns, Queryable as _, SelectHints};

use super::world::{DIRECTORY, append, dump, labels, open_with};
use crate::{Backfilled, Database, History, Options};

const MINUTE: i64 = 60_000;

fn options() -> Options {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let block_range_max = Some(minutes(90));
    Options {
        retention: minutes(100_000),
        chunk_range: minutes(10),
        block_range_max,
        ..Options::default()
    }
}

/// Histories as `labels: minute=value …`, one a line.
fn histories(text: &str) -> Vec<History> {
    let history = |line: &str| {
        let (series, samples) = line.trim().split_once(": ").expect("labels: samples");
        let mut columns = Columns::default();
        for sample in samples.split_whitespace() {
            let (minute, value) = sample.split_once('=').expect("minute=value");
            let minute: i64 = minute.parse().expect("a minute");
            columns.push(minute * MINUTE, value.parse().expect("a value"));
        }
        History { labels: labels(series), samples: columns }
    };
    text.trim().lines().map(history).collect()
}

/// A sample a minute of `a=1`, whose value is the minute.
fn fill(database: &Database, minutes: impl IntoIterator<Item = i64>) {
    for minute in minutes {
        append(database, &format!("a=1 @{} {minute}", minute * MINUTE));
        database.maintain().expect("the disk is good");
    }
}

/// All samples as `labels: minute=value …`.
fn stored(database: &Database) -> String {
    let line = |line: &str| {
        let (series, samples) = line.split_once("} ").expect("{labels} samples");
        let samples = samples.split_whitespace().map(|sample| {
            let (value, time) = sample.split_once('@').expect("value@time");
            format!("{}={value}", time.parse::<i64>().expect("a time") / MINUTE)
        });
        let series = series.trim_start_matches('{');
        format!("{series}: {}", samples.collect::<Vec<_>>().join(" "))
    };
    dump(database).lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The same through upkeep and a restart.
fn check(simulation: &Simulation, database: Database, expected: &str) -> Database {
    assert_eq!(stored(&database), expected);
    database.maintain().expect("the disk is good");
    assert_eq!(stored(&database), expected, "after upkeep");
    drop(database);
    let database = open_with(simulation, options());
    assert_eq!(stored(&database), expected, "after a restart");
    database
}

#[test]
fn what_is_missing_is_filled_in_wherever_it_is() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    // Blocks up to 20, the head from there.
    fill(&database, [3, 4, 12, 13, 25, 28, 31]);
    let given = "a=1: 1=1 3=9 5=5 13=9 14=14 26=26 28=9 29=29 40=40\nb=1: 2=2 27=27";
    let backfilled = database.backfill(histories(given)).expect("the disk is good");
    assert_eq!(backfilled, Backfilled { added: 8, replaced: 0, known: 3, blocks: 4 });
    let expected = "a=\"1\": 1=1 3=3 4=4 5=5 12=12 13=13 14=14 25=25 26=26 28=28 29=29 31=31 40=40\n\
                    b=\"1\": 2=2 27=27";
    let database = check(&simulation, database, expected);
    let again = database.backfill(histories(given)).expect("the disk is good");
    assert_eq!(again, Backfilled { known: 11, ..Backfilled::default() });
    // Life goes on where the head was, and overlapping blocks become one.
    fill(&database, [32, 33, 45, 50, 60, 70]);
    let expected = "a=\"1\": 1=1 3=3 4=4 5=5 12=12 13=13 14=14 25=25 26=26 28=28 29=29 31=31 32=32 \
                    33=33 40=40 45=45 50=50 60=60 70=70\n\
                    b=\"1\": 2=2 27=27";
    let database = check(&simulation, database, expected);
    let blocks = database.blocks();
    let mut ends = blocks.windows(2).map(|pair| (pair[0].meta().max_time, pair[1].meta().min_time));
    assert!(ends.all(|(end, start)| end <= start), "overlapping blocks are merged");
}

#[test]
fn a_database_without_samples_takes_them_too() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    let given = "a=1: 1=1 2=2 11=11 35=35 61=61";
    database.backfill(histories(given)).expect("the disk is good");
    let database = check(&simulation, database, "a=\"1\": 1=1 2=2 11=11 35=35 61=61");
    // What the head takes is no concern of the blocks.
    fill(&database, [36, 37, 55, 62]);
    check(&simulation, database, "a=\"1\": 1=1 2=2 11=11 35=35 36=36 37=37 55=55 61=61 62=62");
}

#[test]
fn the_given_sample_replaces_the_stored_one() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, [3, 4, 12, 13, 25, 28, 31]);
    append(&database, &format!("a=1 b=2 @{} 28", 28 * MINUTE));
    let given = "a=1: 3=9 4=4 5=5 28=7 31=8";
    let replaced = database.replace(histories(given)).expect("the disk is good");
    assert_eq!(replaced, Backfilled { added: 1, replaced: 3, known: 1, blocks: 3 });
    let expected = "a=\"1\": 3=9 4=4 5=5 12=12 13=13 25=25 28=7 31=8\na=\"1\", b=\"2\": 28=28";
    let database = check(&simulation, database, expected);
    let again = database.replace(histories(given)).expect("the disk is good");
    assert_eq!(again, Backfilled { known: 5, ..Backfilled::default() });
    fill(&database, [45, 50, 60, 70]);
    let expected = "a=\"1\": 3=9 4=4 5=5 12=12 13=13 25=25 28=7 31=8 45=45 50=50 60=60 70=70\n\
                    a=\"1\", b=\"2\": 28=28";
    check(&simulation, database, expected);
}

#[test]
fn a_histogram_replaces_a_float() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, [3, 4, 25]);
    let histogram = FloatHistogram { zero_count: 4.0, count: 4.0, ..Default::default() };
    let samples = Columns {
        histogram_times: vec![4 * MINUTE, 5 * MINUTE],
        histograms: vec![histogram.clone().into(), histogram.into()],
        ..Columns::default()
    };
    let history = History { labels: labels("a=1"), samples };
    let backfilled = database.backfill([history.clone()]).expect("the disk is good");
    assert_eq!((backfilled.added, backfilled.known), (1, 1));
    let replaced = database.replace([history]).expect("the disk is good");
    assert_eq!((replaced.replaced, replaced.known), (1, 1));
    for _ in 0..2 {
        let querier = database.querier(TimeRange::ALL).expect("it answers");
        let (hints, matchers) = (SelectHints::new(TimeRange::ALL), [Matcher::equal("a", "1")]);
        let set = querier.select(true, &hints, &matchers).expect("it selects");
        let mut columns = Columns::default();
        set.series[0].read(TimeRange::ALL, &mut columns).expect("it reads");
        assert_eq!(columns.times, [3 * MINUTE, 25 * MINUTE]);
        assert_eq!(columns.histogram_times, [4 * MINUTE, 5 * MINUTE]);
        database.maintain().expect("the disk is good");
    }
}

#[test]
fn a_crash_during_a_backfill_leaves_what_was_there() {
    let minutes = [3, 4, 12, 13, 25, 28, 31];
    let given = "a=1: 1=1 3=9 5=5 26=26 40=40\nb=1: 2=2";
    let whole = Simulation::new(1);
    let database = open_with(&whole, options());
    fill(&database, minutes);
    database.sync().expect("the disk is good");
    let before = whole.disk.operations();
    database.replace(histories(given)).expect("the disk is good");
    let after = whole.disk.operations();
    for stop in before..=after {
        let simulation = Simulation::new(1);
        let database = open_with(&simulation, options());
        fill(&database, minutes);
        database.sync().expect("the disk is good");
        simulation.disk.stop_after(stop);
        let outcome = database.replace(histories(given));
        assert_eq!(outcome.is_ok(), stop == after, "stopped after {stop}");
        drop(database);
        for image in [simulation.disk.after_kill(), simulation.disk.after_power_loss(stop)] {
            let disk = std::sync::Arc::new(image);
            let runtime = runtime::Runtime { disk, ..simulation.runtime() };
            let path = std::path::Path::new(DIRECTORY);
            let database = Database::open(&runtime, path, options()).expect("a crash never blocks");
            let found = stored(&database);
            assert!(found.contains(" 4=4 ") && found.contains(" 12=12 "), "{stop}: {found}");
            if outcome.is_err() {
                database.replace(histories(given)).expect("the disk is good");
            }
            let found = stored(&database);
            for sample in ["1=1", "3=9", "5=5", "26=26", "40=40", "b=\"1\": 2=2"] {
                assert!(found.contains(sample), "stopped after {stop}: {found}");
            }
        }
    }
}
