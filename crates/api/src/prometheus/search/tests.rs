use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::http::Method;
use model::{Metadata, MetricType, TimeRange};
use serde_json::{Value, json};
use storage::{MemoryStorage, Querier, Queryable};

use super::{
    Search,
    filter::{Filter, Likeness},
    score,
};
use crate::prometheus::{
    State,
    targets::{Pool, Target},
    tests::{Answer, ask, fakes, load::load, state, tables::status::query},
};

fn is_near(got: f64, expected: f64, tolerance: f64) -> Result<(), String> {
    if (got - expected).abs() <= tolerance { Ok(()) } else { Err(format!("{got}, not {expected}")) }
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} is a text in {case}"))
}

#[test]
fn scores_of_subsequences() {
    let Some(table) = conformance::cases("prometheus/strutil/subsequence_score.json") else {
        return;
    };
    let mut score = conformance::Score::new("strutil/subsequence_score");
    for case in &table.cases {
        let (pattern, value) = (text(case, "pattern"), text(case, "text"));
        let expected = case["score"].as_f64().expect("a number");
        let got = score::subsequence(pattern, value);
        score.add(format!("{pattern} in {value}"), is_near(got, expected, 1e-9));
    }
    score.finish(&[]);
}

#[test]
fn scores_of_jaro_and_winkler() {
    let Some(table) = conformance::cases("prometheus/strutil/jaro_winkler.json") else { return };
    let mut score = conformance::Score::new("strutil/jaro_winkler");
    for case in &table.cases {
        let (a, b) = (text(case, "a"), text(case, "b"));
        let range = case["min"].as_f64().expect("a number")..=case["max"].as_f64().expect("one");
        let (there, back) = (score::jaro_winkler(a, b), score::jaro_winkler(b, a));
        let outcome = match range.contains(&there) {
            true => is_near(back, there, 1e-10),
            false => Err(format!("{there} is not in {range:?}")),
        };
        score.add(format!("{a} {b}"), outcome);
    }
    score.finish(&[]);
}

/// The score of `value`, if the filter of a case accepts it.
fn filter(case: &Value) -> Option<f64> {
    let (term, value) = (text(case, "query"), text(case, "value"));
    let threshold = case["threshold"].as_f64().unwrap_or_default();
    match text(case, "filter") {
        "substring" => score::substring(term, value),
        "fuzzy" => Some(score::jaro_winkler(term, value)).filter(|score| *score >= threshold),
        "subsequence" => {
            Filter::new(&[term], Likeness::Subsequence { threshold }, true).score(value)
        }
        _ => {
            let threshold = case["fuzz_threshold"].as_f64().expect("a number") / 100.0;
            let is_sensitive = case["case_sensitive"] == true;
            Filter::new(&[term], Likeness::JaroWinkler { threshold }, is_sensitive).score(value)
        }
    }
}

#[test]
fn filters() {
    let Some(table) = conformance::cases("prometheus/api/search_filters.json") else { return };
    let mut score = conformance::Score::new("api/search_filters");
    for (idx, case) in table.cases.iter().enumerate() {
        let got = filter(case);
        let is_accepted = case["accepted"] == got.is_some();
        let expected = case["score"].as_f64();
        let mut outcome = if is_accepted { Ok(()) } else { Err(format!("{got:?}")) };
        if let (Some(got), Some(expected)) = (got, expected) {
            outcome = outcome.and(is_near(got, expected, 0.01));
        }
        if let (Some(got), Some(min)) = (got, case["min_score"].as_f64()) {
            outcome = outcome.and(if got >= min { Ok(()) } else { Err(format!("{got} < {min}")) });
        }
        score.add(format!("{idx} {}", text(case, "filter")), outcome);
    }
    score.finish(&[]);
}

/// Is not there yet.
struct NotReady;

impl Queryable for NotReady {
    fn querier(&self, _: TimeRange) -> storage::Result<Box<dyn Querier>> {
        Err(storage::Error::NotReady)
    }
}

fn pools(setup: &Value) -> Vec<Pool> {
    let said = setup.as_array().expect("a list").iter().map(|metric| {
        let [help, unit] = ["help", "unit"].map(|key| text(metric, key).to_owned());
        let metadata = Metadata { kind: MetricType::Gauge, help, unit };
        (text(metric, "metric").to_owned(), metadata)
    });
    let metadata: Arc<BTreeMap<String, Metadata>> = Arc::new(said.collect());
    vec![Pool { active: vec![Target { metadata, ..Target::default() }], ..Pool::default() }]
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn check(case: &Value, answer: &Answer) -> Result<(), String> {
    let fail = |what: &str| Err(format!("{what}: {} {}", answer.status, answer.body));
    if case["status"].as_u64() != Some(u64::from(answer.status.as_u16())) {
        return fail("status");
    }
    let parts = case["body_contains"].as_array().into_iter().flatten();
    for part in parts.map(|part| part.as_str().expect("a text")) {
        if !answer.body.contains(part) {
            return fail(part);
        }
    }
    if let Some(kind) = case.get("error_type")
        && *kind != answer.json()["errorType"]
    {
        return fail("kind");
    }
    if answer.status != 200 {
        return Ok(());
    }
    let content_type = case["content_type"].as_str();
    if content_type.is_some_and(|expected| answer.header("content-type") != expected) {
        return fail("content type");
    }
    let lines = lines(answer);
    let (trailer, batches) = lines.split_last().expect("there is always one");
    for (key, expected) in case["trailer"].as_object().into_iter().flatten() {
        if trailer[key] != *expected {
            return fail("trailer");
        }
    }
    let sizes: Vec<usize> =
        batches.iter().map(|batch| batch["results"].as_array().map_or(0, Vec::len)).collect();
    if case.get("batch_sizes").is_some_and(|expected| *expected != json!(sizes)) {
        return fail("batch sizes");
    }
    match check_batch(&case["first_batch"], &lines[0]) {
        Ok(()) => Ok(()),
        Err(what) => fail(what),
    }
}

fn check_batch(expected: &Value, batch: &Value) -> Result<(), &'static str> {
    let results = batch["results"].as_array().ok_or("results")?;
    let names: Vec<&str> = results
        .iter()
        .filter_map(|result| result["name"].as_str().or(result["value"].as_str()))
        .collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    for (key, value) in expected.as_object().into_iter().flatten() {
        let count = value.as_u64().unwrap_or_default() as usize;
        let holds = match key.as_str() {
            "not_empty" => !results.is_empty(),
            "count" => results.len() == count,
            "count_at_least" => results.len() >= count,
            "count_at_most" => results.len() <= count,
            "no_duplicates" => distinct.len() == names.len(),
            "every_name_contains" => {
                names.iter().all(|name| name.contains(value.as_str().expect("a text")))
            }
            "contains" => {
                let wanted = value.as_array().expect("a list").iter();
                wanted.into_iter().all(|name| names.contains(&name.as_str().expect("a text")))
            }
            "score_present" => results.iter().all(|it| json!(it.get("score").is_some()) == *value),
            "sorted" if value == "ascending" => names.is_sorted(),
            "sorted" => names.iter().rev().is_sorted(),
            "results" => has_fields(value, results),
            other => panic!("the table has something new: {other}"),
        };
        if !holds {
            return Err("first batch");
        }
    }
    Ok(())
}

/// Of each result the table shows only what it compares.
fn has_fields(expected: &Value, results: &[Value]) -> bool {
    let expected = expected.as_array().expect("a list");
    expected.len() == results.len()
        && expected.iter().zip(results).all(|(expected, result)| {
            let mut fields = expected.as_object().expect("an object").iter();
            // Upstream leaves out what is empty.
            fields.all(|(key, value)| value == "" || result[key] == *value)
        })
}

#[test]
fn searches() {
    let Some(table) = conformance::cases("prometheus/api/search.json") else { return };
    let setup = &table.whole["setup"];
    let storage = MemoryStorage::default();
    load(&storage, text(setup, "load"));
    let mut score = conformance::Score::new("api/search");
    for (idx, case) in table.cases.iter().enumerate() {
        let storage: Arc<dyn Queryable> = match case["storage"].as_str() {
            Some(_) => Arc::new(NotReady),
            None => Arc::new(storage.clone()),
        };
        let limit_max = case["max_search_limit"].as_u64().unwrap_or(10_000) as usize;
        let simulation = runtime::Simulation::new(1);
        let now = Duration::from_millis(setup["now_ms"].as_u64().expect("a number"));
        let state = State {
            storage,
            targets: Arc::new(fakes::Targets(pools(&setup["target_metadata"]))),
            search: Some(Search { limit_max }),
            runtime: simulation.runtime(),
            ..state()
        };
        let mut query = query(&case["query"]);
        // The simulated clock shows another time than the table's.
        if !query.iter().any(|(name, _)| name == "start") {
            query.push(("start".to_owned(), (now.as_secs() - 3600).to_string()));
            query.push(("end".to_owned(), now.as_secs().to_string()));
        }
        let method = if idx % 2 == 0 { Method::GET } else { Method::POST };
        let path = text(case, "path");
        let answer = ask(state, &method, path, &query);
        score.add(format!("{idx} {path}"), check(case, &answer));
    }
    score.finish(&[]);
}

#[test]
fn searches_are_answered_only_if_enabled() {
    let answer = ask(state(), &Method::GET, "/api/v1/search/label_names", &[]);
    assert_eq!(answer.status, 500);
    let json = answer.json();
    assert_eq!(
        (&json["errorType"], &json["error"]),
        (&json!("unavailable"), &json!("search API disabled"))
    );
}
