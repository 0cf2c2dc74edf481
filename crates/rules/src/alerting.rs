//! The life of alerts: results of an expression and the moment in, states out. Pure.

mod restore;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp};

use restore::Remembered;
pub use restore::{Past, Restore};

use crate::{Sample, SampleValue, file};

/// The metric that says which alerts are pending or firing.
pub const ALERTS: &str = "ALERTS";
/// The metric that says since when an alert is active; a restart reads it.
pub const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
pub(crate) const ALERT_NAME: &str = "alertname";
const ALERT_STATE: &str = "alertstate";

/// How long a resolved alert is remembered, so that Alertmanagers hear of it again.
const RESOLVED_RETENTION: Duration = Duration::from_secs(15 * 60);

/// Ordered by how bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It was firing and is over.
    Inactive,
    Pending,
    Firing,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Inactive => "inactive",
            State::Pending => "pending",
            State::Firing => "firing",
        }
    }
}

/// One instance of an alerting rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub state: State,
    pub labels: Labels,
    pub annotations: Labels,
    /// What the expression said last.
    pub value: SampleValue,
    pub active_at: Timestamp,
    pub fired_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    /// Since when only `keep_firing_for` keeps it firing.
    pub keep_firing_since: Option<Timestamp>,
    last_sent_at: Option<Timestamp>,
}

/// The alerts of one rule.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    active: BTreeMap<Labels, Alert>,
    /// From before a restart, of those that have not become active again.
    remembered: Remembered,
    doubt: Option<Doubt>,
}

/// A time after a pause or a start when what is not there may only not have been scraped yet.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// When the pause began: what became active later is not doubted.
    since: Timestamp,
    until: Timestamp,
}

/// What the expression says of one alert at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    pub labels: Labels,
    pub annotations: Labels,
    pub value: SampleValue,
}

/// A rule that cannot be evaluated; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("vector contains metrics with the same labelset after applying alert labels")]
    DuplicateLabels,
    #[error("exceeded limit of {limit} with {count} alerts")]
    LimitExceeded { limit: usize, count: usize },
}

/// A sample that a rule yields, without its time.
pub type Output = (Labels, f64);

/// What `samples` mean for `rule`: labels and annotations expanded.
pub fn instances(
    rule: &file::Rule,
    alerting: &file::Alerting,
    samples: Vec<Sample>,
    expand: impl Fn(&str, &Sample) -> String,
) -> Result<Vec<Instance>, Error> {
    let mut instances: BTreeMap<Labels, Instance> = BTreeMap::new();
    for sample in samples {
        let mut labels = LabelsBuilder::new(&sample.labels);
        labels.remove(METRIC_NAME);
        for (name, text) in &rule.labels {
            labels.set(name, &expand(text, &sample));
        }
        labels.set(ALERT_NAME, &rule.name);
        let annotations = alerting.annotations.iter();
        let annotations =
            Labels::from_pairs(annotations.map(|(name, text)| (name, expand(text, &sample))));
        let instance = Instance { labels: labels.build(), annotations, value: sample.value };
        match instances.entry(instance.labels.clone()) {
            Entry::Occupied(_) => return Err(Error::DuplicateLabels),
            Entry::Vacant(entry) => entry.insert(instance),
        };
    }
    Ok(instances.into_values().collect())
}

impl Alerts {
    /// Moves all alerts on to `now`, at which `instances` are active.
    pub fn advance(
        &mut self,
        now: Timestamp,
        alerting: &file::Alerting,
        limit: Option<usize>,
        instances: Vec<Instance>,
    ) -> Result<(), Error> {
        let mut gone: Vec<Labels> = Vec::new();
        let mut seen = BTreeMap::new();
        if self.doubt.is_none_or(|doubt| doubt.until <= now) {
            self.doubt = None;
            self.remembered = Remembered::default();
        }
        for instance in instances {
            let labels = instance.labels.clone();
            self.note(now, alerting.hold, instance);
            seen.insert(labels, ());
        }
        let mut count = 0;
        for (labels, alert) in &mut self.active {
            let stays = if seen.contains_key(labels) {
                alert.keep_firing_since = None;
                true
            } else if alert.is_doubted(self.doubt) {
                // Neither over nor any closer to firing.
                count += 1;
                continue;
            } else {
                if alert.may_be_forgotten(now) {
                    gone.push(labels.clone());
                }
                alert.vanish(now, alerting.keep_firing_for)
            };
            if stays {
                count += 1;
                alert.ripen(now, alerting.hold);
            }
        }
        for labels in gone {
            self.active.remove(&labels);
        }
        match limit {
            Some(limit) if count > limit => {
                self.active.clear();
                Err(Error::LimitExceeded { limit, count })
            }
            _ => Ok(()),
        }
    }

    /// Begins an alert, or updates it if it is going on.
    fn note(&mut self, now: Timestamp, hold: Duration, instance: Instance) {
        let Instance { labels, annotations, value } = instance;
        let remembered = self.remembered.take(&labels, now, hold);
        match self.active.get_mut(&labels) {
            Some(alert) if alert.state != State::Inactive => {
                alert.value = value;
                alert.annotations = annotations;
            }
            _ => {
                let alert = Alert {
                    state: State::Pending,
                    labels: labels.clone(),
                    annotations,
                    value,
                    active_at: remembered.unwrap_or(now),
                    fired_at: None,
                    resolved_at: None,
                    keep_firing_since: None,
                    last_sent_at: None,
                };
                self.active.insert(labels, alert);
            }
        }
    }

    /// The samples of `ALERTS` and `ALERTS_FOR_STATE` for all that is pending or firing.
    pub fn samples(&self) -> Vec<Output> {
        let mut samples = Vec::new();
        for alert in self.active.values().filter(|alert| alert.state != State::Inactive) {
            let mut labels = LabelsBuilder::new(&alert.labels);
            labels.set(METRIC_NAME, ALERTS_FOR_STATE);
            let active_since = alert.active_at.as_millis().div_euclid(1000) as f64;
            samples.push((labels.build(), active_since));
            labels.set(METRIC_NAME, ALERTS).set(ALERT_STATE, alert.state.as_str());
            samples.push((labels.build(), 1.0));
        }
        samples
    }

    /// The alerts that Alertmanagers are to hear of after the evaluation for `now`, which happens
    /// at `sent_at`; they count as sent.
    pub fn take_due(
        &mut self,
        (now, sent_at): (Timestamp, Timestamp),
        resend_delay: Duration,
        interval: Duration,
        generator_url: &str,
    ) -> Vec<model::Alert> {
        // Room for three evaluations or sends that fail.
        // A late evaluation, after a pause, must not send what looks over already.
        let valid_until = now.max(sent_at) + resend_delay.max(interval) * 4;
        let due = self.active.values_mut().filter(|alert| alert.is_due(now, resend_delay));
        due.map(|alert| {
            alert.last_sent_at = Some(now);
            model::Alert {
                labels: alert.labels.clone(),
                annotations: alert.annotations.clone(),
                starts_at: alert.fired_at.unwrap_or(alert.active_at),
                ends_at: alert.resolved_at.unwrap_or(valid_until),
                generator_url: generator_url.to_owned(),
            }
        })
        .collect()
    }

    /// Until `until`, what was active before `since` and vanishes is not over.
    pub fn doubt(&mut self, since: Timestamp, until: Timestamp) {
        self.doubt = Some(Doubt { since, until });
    }

    /// Pending and firing alerts, sorted by labels.
    pub fn active(&self) -> impl Iterator<Item = &Alert> {
        self.active.values().filter(|alert| alert.resolved_at.is_none())
    }

    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }
}

impl Alert {
    /// Whether nobody needs to hear of it any more, now that its expression is false.
    fn may_be_forgotten(&self, now: Timestamp) -> bool {
        let is_old = |resolved: Timestamp| now.since(resolved) > RESOLVED_RETENTION;
        self.state == State::Pending || self.resolved_at.is_some_and(is_old)
    }

    fn is_doubted(&self, doubt: Option<Doubt>) -> bool {
        let is_active = self.state != State::Inactive;
        is_active && doubt.is_some_and(|doubt| self.active_at <= doubt.since)
    }

    /// Its expression is false; says whether it goes on firing nevertheless.
    fn vanish(&mut self, now: Timestamp, keep_firing_for: Duration) -> bool {
        if self.state == State::Firing && !keep_firing_for.is_zero() {
            let since = *self.keep_firing_since.get_or_insert(now);
            if now.since(since) < keep_firing_for {
                return true;
            }
        }
        if self.state != State::Inactive {
            self.state = State::Inactive;
            self.resolved_at = Some(now);
        }
        false
    }

    /// Its expression is true: fires once it was so for long enough.
    fn ripen(&mut self, now: Timestamp, hold: Duration) {
        let held = now.since(self.active_at) >= hold;
        match self.state {
            State::Pending if held => {
                self.state = State::Firing;
                self.fired_at = Some(now);
            }
            // A reload has made `for` longer.
            State::Firing if !held => {
                self.state = State::Pending;
                self.fired_at = None;
            }
            _ => {}
        }
    }

    fn is_due(&self, now: Timestamp, resend_delay: Duration) -> bool {
        if self.state == State::Pending {
            return false;
        }
        match (self.last_sent_at, self.resolved_at) {
            (None, _) => true,
            (Some(sent), Some(resolved)) if resolved > sent => true,
            (Some(sent), _) => sent + resend_delay < now,
        }
    }
}
