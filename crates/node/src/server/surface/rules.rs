use std::time::Duration;

use api::prometheus::rules::{Alert, AlertState, Alerting, Evaluation, Group, Health, Rule, Rules};
use model::{Labels, Timestamp};
use rules::{GroupStatus, RuleStatus, SampleValue, State, Statuses, file::Kind};

/// Rule groups as they were after their last evaluation.
pub(in crate::server) struct RulesAdapter(pub(in crate::server) Statuses);

impl Rules for RulesAdapter {
    fn groups(&self) -> Vec<Group> {
        self.0.groups().iter().map(|status| group(status)).collect()
    }
}

fn group(status: &GroupStatus) -> Group {
    Group {
        name: status.name.clone(),
        file: status.file.clone(),
        interval: status.interval,
        limit: status.limit.unwrap_or_default() as u64,
        rules: status.rules.iter().map(rule).collect(),
        evaluation: evaluation(status.evaluation_time, status.last_evaluation),
    }
}

fn rule(status: &RuleStatus) -> Rule {
    let rule = &*status.rule;
    let alerting = match &rule.kind {
        Kind::Recording => None,
        Kind::Alerting(alerting) => Some(Alerting {
            hold_duration: alerting.hold,
            keep_firing_for: alerting.keep_firing_for,
            annotations: Labels::from_pairs(alerting.annotations.iter()),
            state: state(status.state()),
            alerts: status.alerts.iter().map(alert).collect(),
        }),
    };
    Rule {
        name: rule.name.clone(),
        query: rule.expr.clone(),
        labels: Labels::from_pairs(rule.labels.iter()),
        health: match status.health {
            ::rules::Health::Unknown => Health::Unknown,
            ::rules::Health::Good => Health::Ok,
            ::rules::Health::Bad => Health::Err,
        },
        last_error: status.last_error.clone().unwrap_or_default(),
        evaluation: evaluation(status.evaluation_time, status.last_evaluation),
        alerting,
    }
}

fn alert(alert: &::rules::Alert) -> Alert {
    Alert {
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        state: state(alert.state),
        active_at: Some(since_epoch(alert.active_at)),
        keep_firing_since: alert.keep_firing_since.map(since_epoch),
        value: match &alert.value {
            SampleValue::Float(value) => *value,
            // Upstream shows the float of a sample, which a histogram leaves at zero.
            SampleValue::Histogram(_) => 0.0,
        },
    }
}

fn state(state: State) -> AlertState {
    match state {
        State::Inactive => AlertState::Inactive,
        State::Pending => AlertState::Pending,
        State::Firing => AlertState::Firing,
    }
}

fn evaluation(took: Duration, last: Option<Timestamp>) -> Evaluation {
    Evaluation { took, last: last.map(since_epoch) }
}

fn since_epoch(time: Timestamp) -> Duration {
    Duration::from_millis(time.as_millis().max(0).unsigned_abs())
}
