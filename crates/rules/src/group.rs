//! One evaluation of a group: its rules in order, their samples stored, their alerts handed on.

mod series;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use model::{Labels, Timestamp};
use runtime::Clock;
use storage::{Appendable, Queryable};

use crate::{
    Metrics, Notify, Query, Sample, SampleValue,
    alerting::{self, Alerts, Restore},
    file, recording,
    status::{GroupStatus, Health, RuleStatus},
    template::{AlertData, Context, Expander, table_link},
};
use series::Written;

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
            orphans: Vec::new(),
            evaluation_time: Duration::ZERO,
            last_evaluation: None,
        }
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
            }
        }
        for old in old_rules.into_iter().flatten() {
            self.orphans.extend(old.written.into_labels());
        }
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
        let (mut n_samples, mut rule_seconds) = (0, Duration::ZERO);
        for rule in &mut self.rules {
            n_samples += turn.evaluate(rule);
            rule_seconds += rule.evaluation_time;
        }
        if !self.orphans.is_empty() && series::end(&*world.storage, &self.orphans, at - offset) {
            self.orphans.clear();
        }
        self.evaluation_time = world.clock.monotonic().saturating_sub(started);
        self.last_evaluation = Some(began_at);
        let metrics = &world.metrics;
        metrics.iterations.with([&self.key]).increment();
        metrics.group_samples.with([&self.key]).set(n_samples as f64);
        metrics.group_duration.observe_duration(self.evaluation_time);
        metrics.group_last_duration.with([&self.key]).set(self.evaluation_time.as_secs_f64());
        metrics.group_last_evaluation.with([&self.key]).set(began_at.as_secs_f64());
        metrics.group_last_rule_duration_sum.with([&self.key]).set(rule_seconds.as_secs_f64());
    }

    /// Takes up since when alerts were active before the server was restarted.
    pub fn restore(&mut self, world: &World, settings: &Settings, now: Timestamp) {
        for state in &mut self.rules {
            if let file::Kind::Alerting(alerting) = &state.rule.kind {
                let (rule, alerts) = (&state.rule, &mut state.alerts);
                let restored = settings.restore.apply(now, rule, alerting, alerts, &*world.history);
                if let Err(error) = restored {
                    // There is no second chance: the alert starts anew rather than never.
                    tracing::error!(alertname = rule.name, %error, "Failed to restore 'for' state");
                }
            }
            state.restored = true;
        }
    }

    /// Ends all series that this group writes: it is no longer configured.
    pub fn end_series(self, world: &World, settings: &Settings, at: Timestamp) {
        let offset = self.definition.query_offset.unwrap_or(settings.query_offset);
        let mut labels = self.orphans;
        labels.extend(self.rules.into_iter().flat_map(|rule| rule.written.into_labels()));
        series::end(&*world.storage, &labels, at - offset);
    }

    pub fn status(&self) -> GroupStatus {
        let Definition { file, name, interval, query_offset, limit, .. } = self.definition.clone();
        let rules = self.rules.iter().map(|state| RuleStatus {
            rule: state.rule.clone(),
            health: state.health,
            last_error: state.last_error.clone(),
            evaluation_time: state.evaluation_time,
            last_evaluation: state.last_evaluation,
            alerts: state.alerts.active().cloned().collect(),
        });
        GroupStatus {
            name,
            file,
            interval,
            query_offset,
            limit,
            rules: rules.collect(),
            evaluation_time: self.evaluation_time,
            last_evaluation: self.last_evaluation,
        }
    }
}

fn is_alerting(rule: &file::Rule) -> bool {
    matches!(rule.kind, file::Kind::Alerting(_))
}

/// One evaluation of one group.
struct Turn<'a> {
    world: &'a World,
    settings: &'a Settings,
    definition: &'a Definition,
    key: &'a str,
    at: Timestamp,
    offset: Duration,
}

impl Turn<'_> {
    /// Evaluates a rule and stores what it yields; the number of samples.
    fn evaluate(&self, state: &mut RuleState) -> usize {
        let World { clock, metrics, .. } = self.world;
        let started = clock.monotonic();
        state.last_evaluation = Some(Timestamp::from_millis(clock.now_millis()));
        metrics.evaluations.with([self.key]).increment();
        // A panic in a query ends this rule's turn only.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.samples(state)))
            .unwrap_or_else(|_| Err("evaluation panicked".to_owned()))
            .and_then(|samples| {
                let n_samples = samples.len();
                state.written.replace(&*self.world.storage, samples, self.at - self.offset)?;
                Ok(n_samples)
            });
        state.evaluation_time = clock.monotonic().saturating_sub(started);
        metrics.evaluation_duration.observe_duration(state.evaluation_time);
        match outcome {
            Ok(n_samples) => {
                (state.health, state.last_error) = (Health::Good, None);
                n_samples
            }
            Err(error) => {
                let Definition { file, name: group, .. } = self.definition;
                let name = &state.rule.name;
                tracing::warn!(file, group, name, err = error, "Evaluating rule failed");
                metrics.evaluation_failures.with([self.key]).increment();
                (state.health, state.last_error) = (Health::Bad, Some(error));
                0
            }
        }
    }

    /// What the rule yields; alerts that are due are handed on.
    fn samples(&self, state: &mut RuleState) -> Result<Vec<Sample>, String> {
        let rule = state.rule.clone();
        let limit = self.definition.limit;
        let results = self.world.query.instant(&rule.expr, self.at - self.offset)?;
        let file::Kind::Alerting(alerting) = &rule.kind else {
            return recording::record(&rule, limit, results).map_err(|error| error.to_string());
        };
        let instances = self.instances(&rule, alerting, results)?;
        let alerts = &mut state.alerts;
        alerts.advance(self.at, alerting, limit, instances).map_err(|error| error.to_string())?;
        self.notify(&rule, alerts);
        // What is written before the old state is known would hide it.
        if !state.restored {
            return Ok(Vec::new());
        }
        let float = |(labels, value)| Sample { labels, value: SampleValue::Float(value) };
        Ok(alerts.samples().into_iter().map(float).collect())
    }

    fn instances(
        &self,
        rule: &file::Rule,
        alerting: &file::Alerting,
        results: Vec<Sample>,
    ) -> Result<Vec<alerting::Instance>, String> {
        if results.is_empty() {
            return Ok(Vec::new());
        }
        let Settings { external_labels, external_url, .. } = self.settings;
        let context = Context {
            query: self.world.query.clone(),
            now: self.at,
            external_url: external_url.clone(),
        };
        let expander = Expander::new(context);
        alerting::instances(rule, alerting, results, |text, sample| {
            let data = AlertData::new(&sample.labels, external_labels, external_url, &sample.value);
            self.expand(&expander, rule, text, &data)
        })
        .map_err(|error| error.to_string())
    }

    /// Expands a label or annotation; a failure becomes its text, as upstream has it.
    fn expand(
        &self,
        expander: &Expander,
        rule: &file::Rule,
        text: &str,
        data: &AlertData,
    ) -> String {
        let metrics = &self.world.metrics;
        metrics.template_expansions.increment();
        expander.expand_for_alert(&rule.name, text, data).unwrap_or_else(|error| {
            metrics.template_expansion_failures.increment();
            tracing::warn!(alert = rule.name, %error, "Expanding alert template failed");
            format!("<error expanding template: {error}>")
        })
    }

    fn notify(&self, rule: &file::Rule, alerts: &mut Alerts) {
        let Settings { resend_delay, external_url, .. } = self.settings;
        let generator_url = format!("{external_url}{}", table_link(&rule.expr));
        let interval = self.definition.interval;
        let due = alerts.take_due(self.at, *resend_delay, interval, &generator_url);
        if !due.is_empty() {
            self.world.notify.send(due);
        }
    }
}
