//! What members and Thanos read of us beside series.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api::prometheus::{rules as shown, targets::Health};
use model::Labels;
use proto::{
    Timestamp,
    thanos::{
        ActiveTarget, Alert, AlertInstance, DroppedTarget, LabelSet, RecordingRule, Rule,
        RuleGroup, TargetDiscovery, rule,
    },
};
use storeapi::wire;

use crate::server::{
    Server,
    surface::{RulesAdapter, TargetsAdapter},
};

/// Where a server's own series, rules and targets are found: what it has of others is left out.
pub(in crate::server) fn sources(server: &Server) -> storeapi::Sources {
    let targets = Arc::new(TargetsAdapter {
        scrape: server.components.scrape.clone(),
        shown: server.shown.clone(),
    });
    let (shown, storage) = (server.shown.clone(), server.storage.clone());
    storeapi::Sources {
        series: Arc::new(server.storage.clone()),
        exemplars: server.components.queries.clone(),
        rules: Arc::new(StoreRules(RulesAdapter(server.components.rule_statuses()))),
        targets: Arc::new(StoreTargets(targets.clone())),
        metadata: Arc::new(StoreMetadata(targets)),
        external_labels: Arc::new(move || shown.external_labels()),
        oldest: Arc::new(move || Some(storage.get()?.time_range()?.start)),
    }
}

/// Rule groups, as the StoreAPI says them.
struct StoreRules(RulesAdapter);

impl storeapi::Rules for StoreRules {
    fn groups(&self) -> Vec<RuleGroup> {
        shown::Rules::groups(&self.0).into_iter().map(group).collect()
    }
}

/// Targets, as the StoreAPI says them.
struct StoreTargets(Arc<TargetsAdapter>);

impl storeapi::Targets for StoreTargets {
    fn targets(&self) -> TargetDiscovery {
        let mut found = TargetDiscovery::default();
        for pool in api::prometheus::targets::Targets::pools(&*self.0) {
            found.active_targets.extend(pool.active.into_iter().map(|target| ActiveTarget {
                discovered_labels: Some(set(&target.discovered_labels)),
                labels: Some(set(&target.labels)),
                scrape_pool: pool.name.clone(),
                scrape_url: target.url.clone(),
                global_url: target.url,
                last_error: target.last_error,
                last_scrape: target.last_scrape.map(timestamp),
                last_scrape_duration: target.last_scrape_duration.as_secs_f64(),
                // Thanos' numbers: down, up, unknown.
                health: match target.health {
                    Health::Down => 0,
                    Health::Up => 1,
                    Health::Unknown => 2,
                },
            }));
            found.dropped_targets.extend(
                pool.dropped
                    .iter()
                    .map(|labels| DroppedTarget { discovered_labels: Some(set(labels)) }),
            );
        }
        found
    }
}

/// What targets say of their metrics.
struct StoreMetadata(Arc<TargetsAdapter>);

impl storeapi::Metadata for StoreMetadata {
    fn metadata(&self, metric: &str) -> Vec<(String, Vec<model::Metadata>)> {
        let mut found = BTreeMap::<String, Vec<model::Metadata>>::new();
        let pools = api::prometheus::targets::Targets::pools(&*self.0);
        for target in pools.iter().flat_map(|pool| &pool.active) {
            for (name, metadata) in target.metadata.iter() {
                if !metric.is_empty() && name != metric {
                    continue;
                }
                let said = found.entry(name.clone()).or_default();
                if !said.contains(metadata) {
                    said.push(metadata.clone());
                }
            }
        }
        found.into_iter().collect()
    }
}

fn group(group: shown::Group) -> RuleGroup {
    RuleGroup {
        name: group.name,
        file: group.file,
        rules: group.rules.into_iter().map(|rule| Rule { result: Some(to_rule(rule)) }).collect(),
        interval: group.interval.as_secs_f64(),
        evaluation_duration_seconds: group.evaluation.took.as_secs_f64(),
        last_evaluation: group.evaluation.last.map(timestamp),
        limit: i64::try_from(group.limit).unwrap_or_default(),
        ..RuleGroup::default()
    }
}

fn to_rule(rule: shown::Rule) -> rule::Result {
    let health = match rule.health {
        shown::Health::Unknown => "unknown",
        shown::Health::Ok => "ok",
        shown::Health::Err => "err",
    };
    let (health, labels) = (health.to_owned(), Some(set(&rule.labels)));
    let evaluation_duration_seconds = rule.evaluation.took.as_secs_f64();
    let last_evaluation = rule.evaluation.last.map(timestamp);
    let Some(alerting) = rule.alerting else {
        return rule::Result::Recording(RecordingRule {
            name: rule.name,
            query: rule.query,
            labels,
            health,
            last_error: rule.last_error,
            evaluation_duration_seconds,
            last_evaluation,
        });
    };
    rule::Result::Alert(Alert {
        state: state(alerting.state),
        name: rule.name,
        query: rule.query,
        duration_seconds: alerting.hold_duration.as_secs_f64(),
        labels,
        annotations: Some(set(&alerting.annotations)),
        alerts: alerting.alerts.iter().map(instance).collect(),
        health,
        last_error: rule.last_error,
        evaluation_duration_seconds,
        last_evaluation,
        keep_firing_for_seconds: alerting.keep_firing_for.as_secs_f64(),
    })
}

fn instance(alert: &shown::Alert) -> AlertInstance {
    let mut value = String::new();
    model::float::write_json(alert.value, &mut value);
    AlertInstance {
        labels: Some(set(&alert.labels)),
        annotations: Some(set(&alert.annotations)),
        state: state(alert.state),
        active_at: alert.active_at.map(timestamp),
        value,
        ..AlertInstance::default()
    }
}

/// Thanos' numbers.
fn state(state: shown::AlertState) -> i32 {
    match state {
        shown::AlertState::Inactive => 0,
        shown::AlertState::Pending => 1,
        shown::AlertState::Firing => 2,
        shown::AlertState::Unknown => 3,
    }
}

fn set(labels: &Labels) -> LabelSet {
    LabelSet { labels: wire::labels(labels) }
}

fn timestamp(since_epoch: Duration) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(since_epoch.as_secs()).unwrap_or_default(),
        nanos: i32::try_from(since_epoch.subsec_nanos()).unwrap_or_default(),
    }
}
