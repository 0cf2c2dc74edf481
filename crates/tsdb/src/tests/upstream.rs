//! Upstream's tables.

use std::collections::BTreeSet;

use conformance::Score;
use model::{Labels, MatchKind, Matcher, TimeRange, Timestamp};
use runtime::Simulation;
use serde_json::Value;
use storage::{
    Appendable as _, Queryable as _, SelectHints, SeriesRef,
    postings::{intersect, intersects, subtract, union},
};

use super::world::{label_names, label_values, open};
use crate::{
    Database,
    head::{
        SeriesId,
        series::{end_of_range, predict_cut},
    },
};

fn labels_of(value: &Value) -> Labels {
    let pairs = value.as_object().expect("labels are an object");
    Labels::from_pairs(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str().expect("a value"))))
}

fn matchers_of(value: &Value) -> Vec<Matcher> {
    let matcher = |matcher: &Value| {
        let text = |key: &str| matcher[key].as_str().unwrap_or_else(|| panic!("{key}: {matcher}"));
        let kind = match text("type") {
            "=" => MatchKind::Equal,
            "!=" => MatchKind::NotEqual,
            "=~" => MatchKind::Regex,
            "!~" => MatchKind::NotRegex,
            other => panic!("no kind of matcher: {other}"),
        };
        Matcher::new(kind, text("name"), text("value")).expect("the pattern is right")
    };
    value.as_array().into_iter().flatten().map(matcher).collect()
}

/// One sample at zero in each series.
fn fill(database: &Database, series: &[Value]) {
    let mut appender = database.appender();
    for labels in series.iter().map(labels_of) {
        let time = Timestamp::from_millis(0);
        appender.append(SeriesRef::UNKNOWN, &labels, time, 0.0).expect("it is taken");
    }
    appender.commit().expect("it is written");
}

fn selected(database: &Database, matchers: &[Matcher]) -> BTreeSet<Labels> {
    let querier = database.querier(TimeRange::ALL).expect("the head always answers");
    let set = querier.select(false, &SelectHints::new(TimeRange::ALL), matchers);
    set.expect("it selects").series.iter().map(|series| series.labels()).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn series_for_matchers() {
    let table = "prometheus/tsdb/series_for_matchers.json";
    let Some(data) = conformance::cases(table) else { return };
    let simulation = Simulation::new(1);
    let database = open(&simulation);
    fill(&database, list(&data.whole["series"]));
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let matchers = matchers_of(&case["matchers"]);
        let expected: BTreeSet<Labels> = list(&case["series"]).iter().map(labels_of).collect();
        score.add(format!("{idx} {matchers:?}"), same(selected(&database, &matchers), expected));
    }
    score.finish(&[]);
}

#[test]
fn label_values_and_names_of_matching_series() {
    let table = "prometheus/tsdb/label_values_and_names.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let simulation = Simulation::new(1);
        let database = open(&simulation);
        fill(&database, list(&data.whole["data"][case["data"].as_str().expect("a name")]));
        let matchers = matchers_of(&case["matchers"]);
        let (found, expected) = match case["label"].as_str() {
            Some(label) => (label_values(&database, label, &matchers), texts(&case["values"])),
            None => (label_names(&database, &matchers), texts(&case["names"])),
        };
        score.add(case["name"].as_str().expect("a name"), same(found, expected));
    }
    score.finish(&[]);
}

#[test]
fn postings() {
    let table = "prometheus/tsdb/postings.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let operation = case["operation"].as_str().expect("an operation");
        score.add(format!("{idx} {operation}"), run_postings(operation, case));
    }
    score.finish(&[]);
}

fn run_postings(operation: &str, case: &Value) -> Result<(), String> {
    let ids = |value: &Value| -> Vec<SeriesId> {
        list(value).iter().map(|id| SeriesId(id.as_u64().expect("a number") as u32)).collect()
    };
    let inputs: Vec<Vec<SeriesId>> = list(&case["inputs"]).iter().map(ids).collect();
    let first = || inputs.first().cloned().unwrap_or_default();
    let mut found = match operation {
        "intersect" => {
            let mut found = first();
            inputs.iter().skip(1).for_each(|other| intersect(&mut found, &other[..]));
            found
        }
        "without" => {
            let mut found = first();
            subtract(&mut found, inputs.get(1).map_or(&[][..], Vec::as_slice));
            found
        }
        "merge" => union(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        "find intersecting" => {
            let candidates = list(&case["candidates"]).iter().map(ids).enumerate();
            let shares =
                |(_, candidate): &(usize, Vec<_>)| intersects(&candidate[..], &inputs[0][..]);
            candidates.filter(shares).map(|(idx, _)| SeriesId(idx as u32)).collect()
        }
        other => return Err(format!("no such operation: {other}")),
    };
    if let Some(seek) = case["seek"].as_u64() {
        found.retain(|id| u64::from(id.0) >= seek);
        same(!found.is_empty(), case["found"].as_bool().unwrap_or(true))?;
    }
    same(found, ids(&case["result"]))
}

#[test]
fn ends_of_chunks() {
    let table = "prometheus/tsdb/chunk_end_time.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let number = |key: &str| case[key].as_i64().expect("a number");
        let ratio = conformance::float(&case["ratio_to_full"]);
        let found = predict_cut(number("start"), number("current"), number("max"), ratio);
        score.add(case["name"].as_str().expect("a name"), same(found, number("end")));
    }
    score.finish(&[]);
}

#[test]
fn ends_of_ranges() {
    let table = "prometheus/tsdb/range_for_timestamp.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let number = |key: &str| case[key].as_i64().expect("a number");
        let found = end_of_range(number("timestamp"), number("width"));
        score.add(number("timestamp").to_string(), same(found, number("end_of_range")));
    }
    score.finish(&[]);
}
