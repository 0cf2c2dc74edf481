use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use model::{Labels, Timestamp};

use super::{Definition, RuleState, Settings, World, series::Known};
use crate::{
    RuleGroup, Sample, SampleValue,
    alerting::{self, Alerts},
    file, recording,
    status::Health,
    template::{AlertData, Context, Expander, table_link},
};

/// One evaluation of one group.
pub(super) struct Turn<'a> {
    pub(super) world: &'a World,
    pub(super) settings: &'a Settings,
    pub(super) definition: &'a Definition,
    pub(super) key: &'a str,
    pub(super) at: Timestamp,
    pub(super) offset: Duration,
}

impl Turn<'_> {
    /// What queries are asked for and samples are stored at.
    pub(super) fn time(&self) -> Timestamp {
        self.at - self.offset
    }

    /// Evaluates a rule and stores what it yields; the number of samples.
    pub(super) fn evaluate(&self, state: &mut RuleState) -> usize {
        let World { clock, metrics, .. } = self.world;
        let started = clock.monotonic();
        state.last_evaluation = Some(Timestamp::from_millis(clock.now_millis()));
        // A panic in a query ends this rule's turn only.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.samples(state)))
            .unwrap_or_else(|_| Err("evaluation panicked".to_owned()))
            .and_then(|(found, samples)| {
                let n_samples = samples.len();
                let storage = &*self.world.storage;
                state.written.replace(storage, (found, samples), self.time(), |_| false)?;
                Ok(n_samples)
            });
        state.evaluation_time = clock.monotonic().saturating_sub(started);
        metrics.evaluation_duration.observe_duration(state.evaluation_time);
        metrics.evaluation_duration_histogram.observe_duration(state.evaluation_time);
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

    /// What the rule yields, with the series of each sample; alerts that are due are handed on.
    fn samples(&self, state: &mut RuleState) -> Result<(Vec<Known>, Vec<Sample>), String> {
        let rule = state.rule.clone();
        let limit = self.definition.limit;
        let results = self.ask(&rule.expr)?;
        let file::Kind::Alerting(alerting) = &rule.kind else {
            let found = self.record(state, &results).map_err(|error| error.to_string())?;
            return Ok((found, results));
        };
        let instances = self.instances(&rule, alerting, results)?;
        let alerts = &mut state.alerts;
        alerts.advance(self.at, alerting, limit, instances).map_err(|error| error.to_string())?;
        self.notify(&rule, alerts);
        // What is written before the old state is known would hide it.
        if !state.restored {
            return Ok((Vec::new(), Vec::new()));
        }
        let float = |(labels, value)| Sample { labels, value: SampleValue::Float(value) };
        let samples: Vec<Sample> = alerts.samples().into_iter().map(float).collect();
        let found = state.written.find(&samples, Labels::clone);
        Ok((found.map_err(|error| error.to_string())?, samples))
    }

    pub(super) fn ask(&self, expr: &str) -> Result<Vec<Sample>, String> {
        let Definition { file, name, .. } = self.definition;
        self.world.query.instant_for(&RuleGroup { file, name }, expr, self.time())
    }

    /// What a recording rule's results are recorded as.
    pub(super) fn record(
        &self,
        state: &RuleState,
        results: &[Sample],
    ) -> Result<Vec<Known>, recording::Error> {
        let rule = &state.rule;
        let found = state.written.find(results, |result| recording::labels(rule, result))?;
        recording::check_limit(self.definition.limit, found.len())?;
        Ok(found)
    }

    pub(super) fn instances(
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
        if alerts.is_empty() {
            return;
        }
        let Settings { resend_delay, external_url, .. } = self.settings;
        let generator_url = format!("{external_url}{}", table_link(&rule.expr));
        let interval = self.definition.interval;
        let now = Timestamp::from_millis(self.world.clock.now_millis());
        let due = alerts.take_due((self.at, now), *resend_delay, interval, &generator_url);
        if !due.is_empty() {
            self.world.notify.send(due);
        }
    }
}
