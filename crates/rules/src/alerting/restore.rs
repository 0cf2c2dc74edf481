//! Since when alerts were active before a restart, as `ALERTS_FOR_STATE` remembers it.

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, LabelsBuilder, METRIC_NAME, Matcher, TimeRange, Timestamp, float};
use storage::{Columns, Queryable, SelectHints};

use super::{ALERT_NAME, ALERTS_FOR_STATE, Alert, Alerts, Instance, State};
use crate::file;

/// How to take up the state from before a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restore {
    /// An outage longer than this starts every alert anew.
    pub outage_tolerance: Duration,
    /// At least so long passes between a restart and firing, unless `for` itself is shorter.
    pub grace_period: Duration,
}

/// What is known of an alert before the restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// When it was evaluated last.
    pub down_at: Timestamp,
    pub active_at: Timestamp,
}

/// Alerts from before a restart that are not active again yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    past: BTreeMap<Labels, Past>,
    restore: Restore,
}

impl Remembered {
    /// Since when the alert counts as active that is active at `now`; the last time it is asked.
    pub(super) fn take(
        &mut self,
        labels: &Labels,
        now: Timestamp,
        hold: Duration,
    ) -> Option<Timestamp> {
        let past = self.past.remove(labels)?;
        Some(self.restore.active_at(now, hold, past))
    }
}

impl Restore {
    /// What `storage` knows of alert `name`.
    pub fn past(
        &self,
        now: Timestamp,
        name: &str,
        storage: &dyn Queryable,
    ) -> storage::Result<BTreeMap<Labels, Past>> {
        let range = TimeRange { start: now - self.outage_tolerance, end: now };
        let matchers =
            [Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE), Matcher::equal(ALERT_NAME, name)];
        let set = storage.querier(range)?.select(false, &SelectHints::new(range), &matchers)?;
        let mut past = BTreeMap::new();
        for series in set.series {
            let mut columns = Columns::default();
            series.read(range, &mut columns)?;
            let (Some(time), Some(value)) = (columns.times.last(), columns.values.last()) else {
                continue;
            };
            if float::is_stale(*value) {
                continue;
            }
            let mut labels = LabelsBuilder::new(&series.labels());
            labels.remove(METRIC_NAME);
            let active_at = Timestamp::from_millis((*value as i64).saturating_mul(1000));
            let down_at = Timestamp::from_millis(*time);
            past.insert(labels.build(), Past { down_at, active_at });
        }
        Ok(past)
    }

    /// Since when an alert counts as active at `now`.
    fn active_at(&self, now: Timestamp, hold: Duration, past: Past) -> Timestamp {
        // Upstream counts in whole seconds.
        let down_at = past.down_at.as_millis().div_euclid(1000).saturating_mul(1000);
        let down_at = Timestamp::from_millis(down_at);
        let remaining = hold.saturating_sub(down_at.since(past.active_at));
        if remaining.is_zero() {
            // It was firing, and fires again at once if its expression is still true.
            past.active_at
        } else if remaining < self.grace_period && self.grace_period <= hold {
            now + self.grace_period - hold
        } else {
            // The outage doesn't count. Upstream restarts rules with a `for` below the grace
            // period instead.
            past.active_at + now.since(down_at)
        }
    }
}

impl Alerts {
    /// Corrects since when alerts are active; what is not active now is remembered for a while.
    pub fn restore(
        &mut self,
        now: Timestamp,
        alerting: &file::Alerting,
        restore: Restore,
        past: BTreeMap<Labels, Past>,
    ) {
        self.remembered = Remembered { past, restore };
        for alert in self.active.values_mut() {
            if let Some(active_at) = self.remembered.take(&alert.labels, now, alerting.hold) {
                alert.active_at = active_at;
            }
        }
    }

    /// The alerts from before a restart that are not active.
    pub fn past(&self) -> impl Iterator<Item = (&Labels, &Past)> {
        self.remembered.past.iter()
    }

    /// Goes on with an alert that was firing before the restart and is kept firing `since` then.
    pub fn revive(
        &mut self,
        instance: Instance,
        past: Past,
        alerting: &file::Alerting,
        since: Timestamp,
    ) {
        let Instance { labels, annotations, value } = instance;
        self.remembered.past.remove(&labels);
        let alert = Alert {
            state: State::Firing,
            labels: labels.clone(),
            annotations,
            value,
            active_at: past.active_at,
            fired_at: Some(past.active_at + alerting.hold),
            resolved_at: None,
            keep_firing_since: Some(since),
            last_sent_at: None,
        };
        self.active.insert(labels, alert);
    }
}
