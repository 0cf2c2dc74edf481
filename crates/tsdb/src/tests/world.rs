//! A database on a simulated disk, and what to ask it.

use std::path::Path;

use model::{Labels, Matcher, TimeRange, Timestamp};
use runtime::Simulation;
use storage::{
    AppendError, Appendable as _, Columns, LabelHints, Querier, Queryable as _, SelectHints,
    SeriesRef,
};

use crate::{Database, Options};

pub(super) const DIRECTORY: &str = "data";

pub(super) fn open(simulation: &Simulation) -> Database {
    open_with(simulation, Options::default())
}

pub(super) fn open_with(simulation: &Simulation, options: Options) -> Database {
    Database::open(&simulation.runtime(), Path::new(DIRECTORY), options).expect("it opens")
}

/// `{a="1", b="2"}` from `a=1 b=2`.
pub(super) fn labels(text: &str) -> Labels {
    Labels::from_pairs(text.split_whitespace().map(|pair| pair.split_once('=').expect("a=b")))
}

/// Commits samples as `labels @time value`, one a line; prints what each append said.
pub(super) fn append(database: &Database, samples: &str) -> String {
    let mut appender = database.appender();
    let mut said = Vec::new();
    for line in samples.trim().lines() {
        let (series, sample) = line.split_once('@').expect("labels @time value");
        let (time, value) = sample.split_once(' ').expect("time value");
        let time = Timestamp::from_millis(time.parse().expect("a time"));
        let value = value.parse().expect("a value");
        said.push(match appender.append(SeriesRef::UNKNOWN, &labels(series), time, value) {
            Ok(_) => "ok".to_owned(),
            Err(AppendError::Storage(error)) => format!("storage: {error}"),
            Err(error) => error.to_string(),
        });
    }
    match appender.commit() {
        Ok(()) => said.join(", "),
        Err(error) => format!("{}; commit: {error}", said.join(", ")),
    }
}

/// All samples, as `{labels} value@time …`, sorted by labels.
pub(super) fn dump(database: &Database) -> String {
    dump_range(database, TimeRange::ALL, &[])
}

pub(super) fn dump_range(database: &Database, range: TimeRange, matchers: &[Matcher]) -> String {
    let querier = database.querier(range).expect("the head always answers");
    print(&*querier, range, matchers)
}

pub(super) fn print(querier: &dyn Querier, range: TimeRange, matchers: &[Matcher]) -> String {
    let set = querier.select(true, &SelectHints::new(range), matchers).expect("it selects");
    let mut lines = Vec::new();
    for series in &set.series {
        let mut columns = Columns::default();
        series.read(range, &mut columns).expect("it reads");
        let samples = columns.times.iter().zip(&columns.values);
        let samples: Vec<String> = samples.map(|(time, value)| format!("{value}@{time}")).collect();
        if !samples.is_empty() {
            lines.push(format!("{} {}", series.labels(), samples.join(" ")));
        }
    }
    lines.join("\n")
}

pub(super) fn label_values(database: &Database, name: &str, matchers: &[Matcher]) -> Vec<String> {
    let querier = database.querier(TimeRange::ALL).expect("the head always answers");
    querier.label_values(name, &LabelHints::default(), matchers).expect("it answers").values
}

pub(super) fn label_names(database: &Database, matchers: &[Matcher]) -> Vec<String> {
    let querier = database.querier(TimeRange::ALL).expect("the head always answers");
    querier.label_names(&LabelHints::default(), matchers).expect("it answers").values
}
