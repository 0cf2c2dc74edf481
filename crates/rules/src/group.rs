//! One evaluation of a group: its rules in order, their samples stored, their alerts handed on.

mod catch_up;
mod helpers;
mod restore;
mod series;
#[cfg(test)]
mod tests;
mod turn;

use std::{sync::Arc, time::Duration};

use model::{Labels, Timestamp};
use runtime::Clock;
use storage::{Appendable, Queryable};

use crate::{
    Metrics, Notify, Query,
    alerting::{Alerts, Restore},
    dependencies::{Batch, Dependencies},
    file,
    status::{GroupStatus, Health, RuleStatus},
};
use series::Written;
use turn::Turn;

pub use catch_up::MadeUp;
pub use helpers::Helpers;

/// What groups are evaluated with. Settings can change between two evaluations.
#[derive(Clone)]
pub struct World {
    pub query: Arc<dyn Query>,
    pub storage: Arc<dyn Appendable>,
    /// Where the state from before a restart is read.
    pub history: Arc<dyn Queryable>,
    pub notify: Arc<dyn Notify>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
}

/// Settings of the server that evaluation depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Interval of groups that have none.
    pub interval: Duration,
    /// Offset of groups that have none.
    pub query_offset: Duration,
    /// Firing alerts are repeated to Alertmanagers so often at most.
    pub resend_delay: Duration,
    pub restore: Restore,
    pub external_labels: Labels,
    /// Where users reach this server, without a slash at the end; may be empty.
    pub external_url: String,
}

/// What a group is configured as; equal groups keep their state over a reload.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub file: String,
    pub name: String,
    pub interval: Duration,
    pub query_offset: Option<Duration>,
    pub limit: Option<usize>,
    pub rules: Vec<Arc<file::Rule>>,
}

/// A group with its state.
pub struct Group {
    definition: Definition,
    key: String,
    rules: Vec<RuleState>,
    /// Who evaluates rules side by side, and which may be.
    helpers: Option<(Helpers, Vec<Batch>)>,
    /// Series of rules that a reload has removed; the next evaluation ends them.
    orphans: Vec<Labels>,
    evaluation_time: Duration,
    last_evaluation: Option<Timestamp>,
}

struct RuleState {
    rule: Arc<file::Rule>,
    alerts: Alerts,
    /// Alerts are written only once the state from before a restart is known.
    restored: bool,
    written: Written,
    health: Health,
    last_error: Option<String>,
    evaluation_time: Duration,
    last_evaluation: Option<Timestamp>,
}

impl Definition {
    /// As metrics name a group.
    pub fn key(&self) -> String {
        format!("{};{}", self.file, self.name)
    }

    /// How far this group's evaluations lie behind multiples of its interval, in nanoseconds.
    fn slot_offset(&self) -> u64 {
        let labels = Labels::from_pairs([("name", &self.name), ("file", &self.file)]);
        labels.hash64() % (self.interval.as_nanos() as u64).max(1)
    }

    /// The last moment for evaluation that is not after `now`; both since the epoch.
    pub fn slot_before(&self, now: Duration) -> Duration {
        let interval = self.interval.as_nanos().max(1);
        let offset = u128::from(self.slot_offset());
        let since_offset = now.as_nanos().saturating_sub(offset);
        let slot = since_offset - since_offset % interval + offset;
        Duration::from_nanos(u64::try_from(slot).unwrap_or(u64::MAX))
    }
}

impl Group {
    /// A group that has never run. If not `restored`, [`Group::restore`] has to come before its
    /// alerts are written.
    pub fn new(definition: Definition, restored: bool) -> Group {
        let new_rule = |rule: &Arc<file::Rule>| RuleState {
            rule: rule.clone(),
            alerts: Alerts::default(),
            restored,
            written: Written::default(),
            health: Health::Unknown,
            last_error: None,
            evaluation_time: Duration::ZERO,
            last_evaluation: None,
        };
        Group {
            key: definition.key(),
            rules: definition.rules.iter().map(new_rule).collect(),
            definition,
            helpers: None,
            orphans: Vec::new(),
            evaluation_time: Duration::ZERO,
            last_evaluation: None,
        }
    }

    /// Evaluates rules that don't depend on each other side by side, as far as `helpers` are free.
    pub fn with_helpers(mut self, helpers: Helpers) -> Group {
        let batches = Dependencies::of(&self.definition.rules).batches(self.rules.len());
        self.helpers = Some((helpers, batches));
        self
    }

    /// Takes over the state of rules that `old` had too, by name and labels, in order.
    pub fn adopt(&mut self, old: Group) {
        self.evaluation_time = old.evaluation_time;
        self.last_evaluation = old.last_evaluation;
        self.orphans = old.orphans;
        let mut old_rules: Vec<Option<RuleState>> = old.rules.into_iter().map(Some).collect();
        for new in &mut self.rules {
            let same = |old: &&mut Option<RuleState>| {
                old.as_ref().is_some_and(|old| {
                    old.rule.name == new.rule.name && old.rule.labels == new.rule.labels
                })
            };
            let Some(old) = old_rules.iter_mut().find(same).and_then(Option::take) else {
                continue;
            };
            new.written = old.written;
            if is_alerting(&old.rule) && is_alerting(&new.rule) {
                new.alerts = old.alerts;
                new.restored = old.restored;
            }
            if is_alerting(&old.rule) != is_alerting(&new.rule) {
                new.written.forget_results();
            }
        }
        for old in old_rules.into_iter().flatten() {
            self.orphans.extend(old.written.into_labels());
        }
    }

    /// How long the last evaluation took.
    pub fn evaluation_time(&self) -> Duration {
        self.evaluation_time
    }

    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Evaluates all rules for the moment `at`. Blocks as long as its queries take.
    pub fn evaluate(&mut self, world: &World, settings: &Settings, at: Timestamp) {
        let started = world.clock.monotonic();
        let began_at = Timestamp::from_millis(world.clock.now_millis());
        let offset = self.definition.query_offset.unwrap_or(settings.query_offset);
        let turn =
            Turn { world, settings, definition: &self.definition, key: &self.key, at, offset };
        let evaluate = |rule: &mut RuleState| turn.evaluate(rule);
        let n_samples: usize = match &self.helpers {
            Some((helpers, batches)) => helpers.run(batches, &mut self.rules, evaluate),
            None => self.rules.iter_mut().map(evaluate).sum(),
        };
        let rule_time: Duration = self.rules.iter().map(|rule| rule.evaluation_time).sum();
        if !self.orphans.is_empty() && series::end(&*world.storage, &self.orphans, at - offset) {
            self.orphans.clear();
        }
        self.evaluation_time = world.clock.monotonic().saturating_sub(started);
        self.last_evaluation = Some(began_at);
        let metrics = &world.metrics;
        metrics.evaluations.with([&self.key]).add(self.rules.len() as f64);
        metrics.iterations.with([&self.key]).increment();
        metrics.group_samples.with([&self.key]).set(n_samples as f64);
        metrics.group_duration.observe_duration(self.evaluation_time);
        metrics.group_duration_histogram.observe_duration(self.evaluation_time);
        metrics.group_last_duration.with([&self.key]).set(self.evaluation_time.as_secs_f64());
        metrics.group_last_evaluation.with([&self.key]).set(began_at.as_secs_f64());
        metrics.group_last_rule_duration_sum.with([&self.key]).set(rule_time.as_secs_f64());
    }

    /// Ends all series that this group writes: it is no longer configured.
    pub fn end_series(self, world: &World, settings: &Settings, at: Timestamp) {
        let offset = self.definition.query_offset.unwrap_or(settings.query_offset);
        let mut labels = self.orphans;
        labels.extend(self.rules.into_iter().flat_map(|rule| rule.written.into_labels()));
        series::end(&*world.storage, &labels, at - offset);
    }

    pub fn status(&self) -> GroupStatus {
        let Definition { file, name, interval, query_offset, limit, .. } = &self.definition;
        let rules = self.rules.iter().map(|state| RuleStatus {
            rule: state.rule.clone(),
            health: state.health,
            last_error: state.last_error.clone(),
            evaluation_time: state.evaluation_time,
            last_evaluation: state.last_evaluation,
            alerts: state.alerts.active().cloned().collect(),
        });
        GroupStatus {
            name: name.clone(),
            file: file.clone(),
            interval: *interval,
            query_offset: *query_offset,
            limit: *limit,
            rules: rules.collect(),
            evaluation_time: self.evaluation_time,
            last_evaluation: self.last_evaluation,
        }
    }
}

fn is_alerting(rule: &file::Rule) -> bool {
    matches!(rule.kind, file::Kind::Alerting(_))
}
