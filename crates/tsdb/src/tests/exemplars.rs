//! Exemplars through appender and log.

use model::{Labels, Matcher, TimeRange, Timestamp};
use runtime::Simulation;
use storage::{Appendable as _, Exemplar, ExemplarError, ExemplarQueryable as _, SeriesRef};

use super::world::{labels, open_with};
use crate::{Database, Options};

fn options() -> Options {
    Options { max_exemplars: 3, ..Options::default() }
}

fn exemplar(trace: &str, time: i64) -> Exemplar {
    let labels = Labels::from_pairs([("trace", trace)]);
    Exemplar { labels, value: 1.0, time: Timestamp::from_millis(time) }
}

/// Commits a sample with an exemplar of the same time.
fn append(database: &Database, series: &str, time: i64) -> Result<(), ExemplarError> {
    let mut appender = database.appender();
    let sample_time = Timestamp::from_millis(time);
    let found = appender.append(SeriesRef::UNKNOWN, &labels(series), sample_time, 1.0);
    let found = found.unwrap_or(SeriesRef(1));
    let outcome = appender.append_exemplar(found, &exemplar(series, time));
    appender.commit().expect("it is written");
    outcome
}

fn stored(database: &Database) -> String {
    let selectors = [vec![Matcher::equal("a", "1")], vec![Matcher::equal("a", "2")]];
    let found = database.exemplars(TimeRange::ALL, &selectors).expect("it answers");
    let mut lines = Vec::new();
    for series in found {
        let times = series.exemplars.iter().map(|e| e.time.as_millis().to_string());
        lines.push(format!("{} {}", series.labels, times.collect::<Vec<_>>().join(" ")));
    }
    lines.join("\n")
}

#[test]
fn exemplars_outlive_a_restart() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    for (series, time) in [("a=1", 1), ("a=2", 2), ("a=1", 3), ("a=1", 4)] {
        append(&database, series, time).expect("it is taken");
    }
    let expected = "{a=\"1\"} 3 4\n{a=\"2\"} 2";
    assert_eq!(stored(&database), expected);
    drop(database);
    let database = open_with(&simulation, options());
    assert_eq!(stored(&database), expected);
    let counters = database.counters().exemplars;
    assert_eq!((counters.max, counters.stored, counters.series), (3, 3, 2));
    // Who does not want them has none, and loses none.
    drop(database);
    let database = open_with(&simulation, Options::default());
    assert_eq!(append(&database, "a=1", 5), Ok(()));
    assert_eq!(stored(&database), "");
    drop(database);
    assert_eq!(stored(&open_with(&simulation, options())), expected);
}

#[test]
fn older_exemplars_are_refused() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    append(&database, "a=1", 10).expect("it is taken");
    append(&database, "a=1", 10).expect("it is there already");
    assert_eq!(append(&database, "a=1", 9), Err(ExemplarError::OutOfOrder));
    assert_eq!(stored(&database), "{a=\"1\"} 10");
    assert_eq!(database.counters().exemplars.out_of_order, 1);
}
