use std::sync::Arc;

use model::{Labels, MatchKind};
use proptest::prelude::*;
use serde_json::Value;

use super::{InhibitRule, Inhibitor, rule::equal_key};
use crate::{
    alert::{Alert, fingerprint},
    matcher::Matcher,
    testing::{alert, base, expect, labels, matchers, run_table, text, texts},
};

fn rule(node: &Value) -> InhibitRule {
    InhibitRule {
        name: text(&node["name"]).to_owned(),
        source: matchers(node, "source_match", "source_match_re", "source_matchers"),
        target: matchers(node, "target_match", "target_match_re", "target_matchers"),
        equal: texts(&node["equal"]),
    }
}

fn observe(inhibitor: &mut Inhibitor, alert: Alert) {
    inhibitor.observe(alert.fingerprint(), &Arc::new(alert));
}

#[test]
fn alerts_inhibit_as_upstream() {
    run_table("inhibit/mutes", &[], |_, case| {
        let rules: Vec<_> =
            case["inhibit_rules"].as_array().expect("a list").iter().map(rule).collect();
        let mut inhibitor = Inhibitor::new(&rules);
        for node in case["alerts"].as_array().expect("a list") {
            observe(&mut inhibitor, alert(node));
        }
        for query in case["queries"].as_array().expect("a list") {
            let by = inhibitor.mutes(&labels(&query["labels"]), base());
            expect(by.is_some(), query["muted"] == true).map_err(|e| format!("{query}: {e}"))?;
        }
        Ok(())
    });
}

#[test]
fn sources_with_equal_labels_are_found_as_upstream() {
    run_table("inhibit/has_equal", &[], |_, case| {
        let rule = InhibitRule { equal: texts(&case["equal"]), ..InhibitRule::default() };
        // The sources of the table are chosen already: give them a mark of their own.
        let source = vec![Matcher::equal("is_source", "yes")];
        let target = vec![Matcher::equal("is_source", "")];
        let mut inhibitor = Inhibitor::new(&[InhibitRule { source, target, ..rule }]);
        for node in case["source_alerts"].as_array().expect("a list") {
            let mut alert = alert(node);
            let mark = [("is_source", "yes")];
            alert.labels = model::Labels::from_pairs(alert.labels.iter().chain(mark));
            observe(&mut inhibitor, alert);
        }
        let found = inhibitor.mutes(&labels(&case["target_labels"]), base()).is_some();
        expect(found, case["has_source"] == true)
    });
}

#[test]
fn rules_are_upstreams() {
    run_table("inhibit/rule_facts", &[], |_, case| {
        if let Some(is_same) = case["same_equal_key"].as_bool() {
            let equal = texts(&case["equal"]);
            let key = |key: &str| equal_key(&equal, &labels(&case[key]));
            return expect(key("labels") == key("other"), is_same);
        }
        expect(rule(&case["rule"]).name, text(&case["rule_name"]))
    });
}

#[test]
fn a_source_that_is_over_leaves_it_to_the_others() {
    let rules = [InhibitRule {
        source: vec![Matcher::equal("severity", "critical")],
        target: vec![Matcher::equal("severity", "warning")],
        equal: vec!["cluster".to_owned()],
        ..InhibitRule::default()
    }];
    let mut inhibitor = Inhibitor::new(&rules);
    let source = |instance: &str, end: i64| {
        let labels = serde_json::json!({"severity": "critical", "instance": instance});
        alert(&serde_json::json!({"labels": labels, "starts_at": -60, "ends_at": end}))
    };
    let target = labels(&serde_json::json!({"severity": "warning"}));
    observe(&mut inhibitor, source("a", 100));
    observe(&mut inhibitor, source("b", 50));
    let a = source("a", 0).fingerprint();
    let b = source("b", 0).fingerprint();
    assert_eq!(inhibitor.mutes(&target, base()), Some(a));
    observe(&mut inhibitor, source("a", -1));
    assert_eq!(inhibitor.mutes(&target, base()), Some(b), "upstream forgets b here");
    inhibitor.forget(&[b]);
    assert_eq!(inhibitor.mutes(&target, base()), None);
    inhibitor.forget(&[a, fingerprint(&target)]);
    assert_eq!(inhibitor.mutes(&target, base()), None);
}

fn any_matchers() -> impl Strategy<Value = Vec<Matcher>> {
    const KINDS: &[MatchKind] =
        &[MatchKind::Equal, MatchKind::Equal, MatchKind::NotEqual, MatchKind::Regex];
    let matcher = (prop::sample::select(KINDS), "[ab]", "[xy]?")
        .prop_map(|(kind, name, value)| Matcher::new(kind, name, value).expect("a regex"));
    prop::collection::vec(matcher, 0..3)
}

fn any_rule() -> impl Strategy<Value = InhibitRule> {
    (any_matchers(), any_matchers(), prop::collection::vec("[ac]", 0..2)).prop_map(
        |(source, target, equal)| InhibitRule { source, target, equal, ..InhibitRule::default() },
    )
}

fn any_alert() -> impl Strategy<Value = Alert> {
    let labels = prop::collection::btree_map("[abc]", "[xy]", 0..4).prop_map(Labels::from_pairs);
    (labels, -2..3i64).prop_map(|(labels, end)| Alert {
        labels,
        ..alert(&serde_json::json!({"starts_at": -60, "ends_at": end}))
    })
}

/// Every alert against every rule and every other alert.
fn is_inhibited(rules: &[InhibitRule], alerts: &[Alert], target: &Labels) -> bool {
    let matches = |matchers: &[Matcher], labels| crate::matcher::all_match(matchers, labels);
    rules.iter().any(|rule| {
        let is_source = matches(&rule.source, target);
        matches(&rule.target, target)
            && alerts.iter().any(|alert| {
                !alert.is_resolved_at(base())
                    && matches(&rule.source, &alert.labels)
                    && rule.equal.iter().all(|it| alert.labels.value(it) == target.value(it))
                    && !(is_source && matches(&rule.target, &alert.labels))
            })
    })
}

proptest! {
    #[test]
    fn indexes_find_what_a_search_finds(
        rules in prop::collection::vec(any_rule(), 0..5),
        mut alerts in prop::collection::vec(any_alert(), 0..8),
    ) {
        let mut inhibitor = Inhibitor::new(&rules);
        for alert in &alerts {
            observe(&mut inhibitor, alert.clone());
        }
        // Of reports of one alert the last holds.
        alerts.reverse();
        let mut known = std::collections::HashSet::new();
        alerts.retain(|alert| known.insert(alert.fingerprint()));
        for alert in &alerts {
            let found = inhibitor.mutes(&alert.labels, base()).is_some();
            prop_assert_eq!(found, is_inhibited(&rules, &alerts, &alert.labels));
        }
        let gone: Vec<_> = alerts.drain(..alerts.len() / 2).map(|it| it.fingerprint()).collect();
        inhibitor.forget(&gone);
        for alert in &alerts {
            let found = inhibitor.mutes(&alert.labels, base()).is_some();
            prop_assert_eq!(found, is_inhibited(&rules, &alerts, &alert.labels));
        }
    }
}
