use std::time::Duration;

use conformance::{Score, float};
use model::{Labels, Matcher, TimeRange, Timestamp, float as floats};
use serde_json::Value as Json;
use storage::{Columns, MemoryStorage, Querier, SelectHints};

use super::world;
use crate::{Health, Settings};

fn time(json: &Json) -> Timestamp {
    Timestamp::from_millis(json.as_i64().expect("a time"))
}

fn millis(json: &Json) -> Duration {
    Duration::from_millis(json.as_u64().unwrap_or_default())
}

fn limit(json: &Json) -> Option<usize> {
    json.as_u64().map(|limit| limit as usize).filter(|limit| *limit > 0)
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn samples(json: &Json) -> Vec<String> {
    let samples = json.as_array().into_iter().flatten();
    let mut lines: Vec<String> = samples
        .map(|sample| format!("{} {}", world::labels(&sample["labels"]), float(&sample["value"])))
        .collect();
    lines.sort();
    lines
}

fn compare<T: PartialEq + std::fmt::Debug>(what: &str, wanted: T, found: T) -> Result<(), String> {
    if wanted == found { Ok(()) } else { Err(format!("{what}: want {wanted:?}, got {found:?}")) }
}

#[test]
fn alerts_live_as_upstream_has_it() {
    let table = "prometheus/rules/alerting.json";
    let Some(table_cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in table_cases.cases.iter().enumerate() {
        score.add(format!("{idx} {}", text(&case["name"])), alerting_case(case));
    }
    score.finish(&[]);
}

fn alerting_case(case: &Json) -> Result<(), String> {
    let storage = world::load(case["load"].as_str().expect("a load block"));
    let (world, ..) = world::world(&storage);
    let settings = Settings {
        query_offset: millis(&case["query_offset_ms"]),
        external_labels: world::labels(&case["external_labels"]),
        external_url: text(&case["external_url"]),
        ..world::settings()
    };
    let mut group = world::group(world::rule(&case["rule"]), limit(&case["limit"]), true);
    for evaluation in case["evaluations"].as_array().expect("evaluations") {
        let at = time(&evaluation["time_ms"]);
        group.evaluate(&world, &settings, at);
        let written_at = at - settings.query_offset;
        if evaluation.get("alerts").is_some() {
            let found = world::written(&storage, "ALERTS", written_at);
            compare("ALERTS", samples(&evaluation["alerts"]), found)?;
        }
        if evaluation.get("for_state").is_some() {
            let found = world::written(&storage, "ALERTS_FOR_STATE", written_at);
            compare("ALERTS_FOR_STATE", samples(&evaluation["for_state"]), found)?;
        }
        let error = group.status().rules[0].last_error.clone();
        compare("error", evaluation["error"].as_str().map(str::to_owned), error)?;
    }
    Ok(())
}

#[test]
fn recording_rules_yield_what_upstream_yields() {
    let table = "prometheus/rules/recording.json";
    let Some(table_cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &table_cases.cases {
        score.add(text(&case["name"]), recording_case(case));
    }
    score.finish(&[]);
}

fn recording_case(case: &Json) -> Result<(), String> {
    let storage = world::load(case["load"].as_str().expect("a load block"));
    let (world, ..) = world::world(&storage);
    let rule = world::rule(&case["rule"]);
    let name = rule.name.clone();
    let mut group = world::group(rule, limit(&case["limit"]), true);
    let at = time(&case["time_ms"]);
    group.evaluate(&world, &world::settings(), at);
    let rule = &group.status().rules[0];
    if case.get("result").is_some() {
        compare("result", samples(&case["result"]), world::written(&storage, &name, at))?;
    }
    let wanted = case["error"].as_str().map(str::to_owned);
    compare("health", wanted.is_none(), rule.health == Health::Good)?;
    compare("error", wanted, rule.last_error.clone())
}

#[test]
fn vanished_series_are_ended() {
    let table = "prometheus/rules/staleness.json";
    let Some(table_cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in table_cases.cases.iter().enumerate() {
        score.add(idx.to_string(), staleness_case(case));
    }
    score.finish(&[]);
}

fn staleness_case(case: &Json) -> Result<(), String> {
    let storage = world::series(&case["series"]);
    let (world, ..) = world::world(&storage);
    let query_offset = millis(&case["query_offset_ms"]);
    let settings = Settings { query_offset, ..world::settings() };
    let mut group = world::group(world::rule(&case["rule"]), None, true);
    for at in case["evaluations_ms"].as_array().expect("times") {
        group.evaluate(&world, &settings, time(at));
    }
    for wanted in case["written"].as_array().expect("series") {
        let samples = wanted["samples"].as_array().expect("samples");
        let samples = samples.iter().map(|sample| (sample[0].as_i64(), float(&sample[1])));
        let wanted_samples: Vec<String> = samples.map(|s| format!("{s:?}")).collect();
        let found = columns(&storage, &world::labels(&wanted["labels"]));
        let found = found.times.iter().zip(&found.values);
        let found = found.map(|(time, value)| format!("{:?}", (Some(*time), *value))).collect();
        compare("written", wanted_samples, found)?;
    }
    Ok(())
}

fn columns(storage: &MemoryStorage, labels: &Labels) -> Columns {
    let matchers: Vec<_> = labels.iter().map(|(n, v)| Matcher::equal(n, v)).collect();
    let hints = SelectHints::new(TimeRange::ALL);
    let set = storage.select(true, &hints, &matchers).expect("memory answers");
    let mut columns = Columns::default();
    for series in set.series {
        series.read(TimeRange::ALL, &mut columns).expect("memory answers");
    }
    assert!(columns.values.last().is_none_or(|v| !v.is_nan() || floats::is_stale(*v)));
    columns
}

#[test]
fn alerts_remember_since_when_over_a_restart() {
    let table = "prometheus/rules/for_state_restore.json";
    let Some(table_cases) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &table_cases.cases {
        let name = format!("{} {}", text(&case["name"]), case["query_offset_ms"]);
        score.add(name, restore_case(case));
    }
    score.finish(&[]);
}

fn restore_case(case: &Json) -> Result<(), String> {
    let storage = world::load(case["load"].as_str().expect("a load block"));
    let (world, ..) = world::world(&storage);
    let mut settings = world::settings();
    settings.restore.outage_tolerance = millis(&case["outage_tolerance_ms"]);
    settings.restore.grace_period = millis(&case["for_grace_period_ms"]);
    let mut before = world::group(world::rule(&case["rule"]), None, true);
    for at in case["evaluations_before_restart_ms"].as_array().expect("times") {
        before.evaluate(&world, &settings, time(at));
    }
    settings.query_offset = millis(&case["query_offset_ms"]);
    let mut after = world::group(world::rule(&case["rule"]), None, false);
    let now = time(&case["restore_at_ms"]);
    after.evaluate(&world, &settings, now);
    after.restore(&world, &settings, now);

    let status = after.status();
    let active = &status.rules[0].alerts;
    if let Some(count) = case["active_alert_count"].as_u64() {
        compare("count", count as usize, active.len())?;
    }
    if let Some(wanted) = case["every_active_at_ms"].as_i64() {
        for alert in active {
            compare("active at", wanted, alert.active_at.as_millis())?;
        }
    }
    if let Some(wanted) = case["active_alerts"].as_array() {
        let wanted = wanted.iter().map(|alert| {
            (world::labels(&alert["labels"]).to_string(), alert["active_at_ms"].as_i64())
        });
        let found = active.iter();
        let found = found.map(|a| (a.labels.to_string(), Some(a.active_at.as_millis())));
        compare("alerts", wanted.collect::<Vec<_>>(), found.collect())?;
    }
    Ok(())
}
