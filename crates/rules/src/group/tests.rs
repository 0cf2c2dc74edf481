use std::{sync::Arc, time::Duration};

use model::{Labels, Timestamp};
use serde_json::json;

use super::{Definition, Group};
use crate::{
    Settings,
    file::{Kind, Rule},
    tests::world,
};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000)
}

fn alert_rule(labels: serde_json::Value, annotation: &str) -> Rule {
    let rule = json!({"alert": "A", "expr": "metric > 1", "for": "0s", "labels": labels});
    let mut rule = world::rule(&rule);
    if let Kind::Alerting(alerting) = &mut rule.kind {
        alerting.annotations.insert("summary".to_owned(), annotation.to_owned());
    }
    rule
}

/// The one alert that a rule with `annotation` sends for `metric{a="b"} 2.5`.
fn sent(annotation: &str) -> model::Alert {
    let storage = world::load("load 1m\n  metric{a=\"b\"} 2.5x5\n");
    let (world, _, outbox) = world::world(&storage);
    let settings = Settings {
        external_url: "http://ext/p".to_owned(),
        external_labels: Labels::from_pairs([("dc", "x")]),
        ..world::settings()
    };
    let mut group =
        world::group(alert_rule(json!({"team": "{{ .Labels.a }}s"}), annotation), None, true);
    group.evaluate(&world, &settings, at(1));
    let alerts = outbox.0.lock().expect("no sender panics");
    assert_eq!(alerts.len(), 1);
    alerts[0].clone()
}

#[test]
fn alerts_are_sent_with_expanded_labels_and_a_link_to_their_query() {
    let alert =
        sent("{{ $labels.a }} is {{ $value }} in {{ $externalLabels.dc }} at {{ pathPrefix }}");
    assert_eq!(alert.labels.to_string(), r#"{a="b", alertname="A", team="bs"}"#);
    assert_eq!(alert.annotations.value("summary"), "b is 2.5 in x at /p");
    assert_eq!(alert.generator_url, "http://ext/p/graph?g0.expr=metric+%3E+1&g0.tab=1");
    assert_eq!((alert.starts_at, alert.ends_at), (at(1), at(5)));
}

#[test]
fn templates_can_query_and_their_errors_become_the_text() {
    let alert = sent(r#"{{ query "metric" | first | value | humanize }}"#);
    assert_eq!(alert.annotations.value("summary"), "2.5");
    let alert = sent(r#"{{ query "nothing" | first | value }}"#);
    assert_eq!(
        alert.annotations.value("summary"),
        "<error expanding template: error executing template __alert_A: template: __alert_A:1:133: \
         executing \"__alert_A\" at <first>: error calling first: first() called on vector with no \
         elements>"
    );
}

#[test]
fn rules_that_a_reload_removes_end_their_series() {
    let storage = world::load("load 1m\n  metric{a=\"b\"} 1x9\n");
    let (world, ..) = world::world(&storage);
    let record = |name: &str| world::rule(&json!({"record": name, "expr": "metric"}));
    let settings = world::settings();
    let mut old = world::group(record("gone"), None, true);
    old.evaluate(&world, &settings, at(1));
    let mut new = world::group(record("stays"), None, true);
    new.adopt(old);
    new.evaluate(&world, &settings, at(2));
    assert_eq!(world::written(&storage, "gone", at(1)), [r#"{__name__="gone", a="b"} 1"#]);
    assert!(world::written(&storage, "gone", at(2)).is_empty());
    assert!(has_end(&storage, "gone"), "a marker ends the series");
    assert!(!has_end(&storage, "stays"));
}

/// Answers every query with one histogram.
struct OneHistogram(model::FloatHistogram);

impl crate::Query for OneHistogram {
    fn instant(&self, _: &str, _: Timestamp) -> Result<Vec<crate::Sample>, String> {
        let value = crate::SampleValue::Histogram(Arc::new(self.0.clone()));
        Ok(vec![crate::Sample { labels: Labels::from_pairs([("a", "b")]), value }])
    }
}

#[test]
fn histograms_are_recorded_unless_they_are_negative() {
    let check = |count: f64| {
        let storage = world::load("");
        let (mut world, ..) = world::world(&storage);
        let histogram = model::FloatHistogram { count, sum: 3.0, ..Default::default() };
        world.query = Arc::new(OneHistogram(histogram));
        let record = world::rule(&json!({"record": "r", "expr": "metric"}));
        let mut group = world::group(record, None, true);
        group.evaluate(&world, &world::settings(), at(1));
        (group.status().rules[0].last_error.clone(), storage)
    };
    let (error, storage) = check(2.0);
    assert_eq!(error, None);
    let stored = read(&storage, "r").histograms;
    assert_eq!(stored[0].to_string(), "{count:2, sum:3}");
    let (error, _) = check(-2.0);
    let error = error.expect("it is refused");
    assert!(error.ends_with("histogram has a bucket whose observation count is negative"));
}

fn has_end(storage: &storage::MemoryStorage, name: &str) -> bool {
    let columns = read(storage, name);
    columns.values.last().is_some_and(|value| model::float::is_stale(*value))
}

fn read(storage: &storage::MemoryStorage, name: &str) -> storage::Columns {
    use storage::{Columns, Querier as _, SelectHints};
    let range = model::TimeRange::ALL;
    let matchers = [model::Matcher::equal("__name__", name)];
    let set = storage.select(true, &SelectHints::new(range), &matchers).expect("memory answers");
    let mut columns = Columns::default();
    set.series[0].read(range, &mut columns).expect("memory answers");
    columns
}

#[test]
fn slots_are_an_interval_apart_and_differ_from_group_to_group() {
    let definition = |name: &str| Definition {
        file: "f".to_owned(),
        name: name.to_owned(),
        interval: Duration::from_secs(60),
        query_offset: None,
        limit: None,
        rules: vec![Arc::new(alert_rule(json!({}), ""))],
    };
    let now = Duration::from_secs(1_000_000);
    let slot = definition("a").slot_before(now);
    assert!(slot <= now && now < slot + Duration::from_secs(60), "{slot:?}");
    assert_eq!(definition("a").slot_before(slot), slot);
    assert_eq!(definition("a").slot_before(slot + Duration::from_secs(59)), slot);
    assert_ne!(definition("b").slot_before(now), slot);
    assert_eq!(Group::new(definition("a"), true).status().rules.len(), 1);
}

/// Answers when two have asked, so that one alone waits for ever.
struct Pairs(std::sync::Barrier);

impl crate::Query for Pairs {
    fn instant(&self, _: &str, _: Timestamp) -> Result<Vec<crate::Sample>, String> {
        self.0.wait();
        let value = crate::SampleValue::Float(1.0);
        Ok(vec![crate::Sample { labels: Labels::default(), value }])
    }
}

#[test]
fn independent_rules_are_evaluated_side_by_side() {
    let storage = world::load("");
    let (mut world, ..) = world::world(&storage);
    world.query = Arc::new(Pairs(std::sync::Barrier::new(2)));
    let rules = ["a", "b", "c", "d"].map(|record| {
        Arc::new(world::rule(&json!({"record": record, "expr": format!("of_{record}")})))
    });
    let definition = Definition {
        file: "f".to_owned(),
        name: "g".to_owned(),
        interval: Duration::from_secs(60),
        query_offset: None,
        limit: None,
        rules: rules.to_vec(),
    };
    let mut group = Group::new(definition, true).with_helpers(crate::Helpers::new(1));
    group.evaluate(&world, &world::settings(), at(1));
    for record in ["a", "b", "c", "d"] {
        assert_eq!(world::written(&storage, record, at(1)).len(), 1, "{record}");
    }
}

#[test]
fn missed_evaluations_are_made_up_for_without_doubling() {
    let storage = world::load("load 1m\n  metric{a=\"b\"} 1 2 3 4 5 6\n");
    let (world, ..) = world::world(&storage);
    let settings = world::settings();
    let record = || world::rule(&json!({"record": "r", "expr": "metric"}));
    let mut before = world::group(record(), None, true);
    before.evaluate(&world, &settings, at(1));
    let mut after = world::group(record(), None, true);
    let slots = (0..5).map(at).collect();
    let made_up = after.resume(&world, &settings, slots, Duration::from_secs(30));
    assert_eq!((made_up.evaluations, made_up.left_out), (4, 0));
    after.evaluate(&world, &settings, at(5));
    assert_eq!(read(&storage, "r").times, (1..=5).map(|m| m * 60_000).collect::<Vec<_>>());
    assert_eq!(read(&storage, "r").values, [2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn rules_that_have_never_yielded_anything_are_not_filled_in() {
    let storage = world::load("load 1m\n  metric{a=\"b\"} 1 2 3 4 5 6\n");
    let (world, ..) = world::world(&storage);
    let rule = world::rule(&json!({"record": "r", "expr": "metric"}));
    let mut group = world::group(rule, None, true);
    let slots = (0..5).map(at).collect();
    let made_up = group.resume(&world, &world::settings(), slots, Duration::from_secs(30));
    assert_eq!(made_up.evaluations, 0);
    assert!(world::written(&storage, "r", at(3)).is_empty());
}
