//! Since when alerts were active before a restart, as `ALERTS_FOR_STATE` remembers it.

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, LabelsBuilder, METRIC_NAME, Matcher, TimeRange, Timestamp, float};
use storage::{Columns, Queryable, SelectHints};

use super::{ALERT_NAME, ALERTS_FOR_STATE, Alerts};
use crate::file;

/// How to take up the state from before a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// An outage longer than this starts every alert anew.
    pub outage_tolerance: Duration,
    /// At least so long passes between a restart and firing; rules with a shorter `for` are not
    /// restored.
    pub grace_period: Duration,
}

impl Restore {
    /// Corrects since when the alerts of `rule` are active.
    pub fn apply(
        &self,
        now: Timestamp,
        rule: &file::Rule,
        alerting: &file::Alerting,
        alerts: &mut Alerts,
        storage: &dyn Queryable,
    ) -> storage::Result<()> {
        if alerting.hold < self.grace_period || alerts.is_empty() {
            return Ok(());
        }
        let range = TimeRange { start: now - self.outage_tolerance, end: now };
        let remembered = remembered(&rule.name, range, storage)?;
        for alert in alerts.active.values_mut() {
            let Some((down_at, active_at)) = remembered.get(&alert.labels) else { continue };
            alert.active_at =
                restored_active_at(now, *down_at, *active_at, alerting.hold, self.grace_period);
        }
        Ok(())
    }
}

/// The last samples of alert `name`: when they were written and what they say, in whole seconds.
fn remembered(
    name: &str,
    range: TimeRange,
    storage: &dyn Queryable,
) -> storage::Result<BTreeMap<Labels, (Timestamp, Timestamp)>> {
    let matchers =
        [Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE), Matcher::equal(ALERT_NAME, name)];
    let set = storage.querier(range)?.select(false, &SelectHints::new(range), &matchers)?;
    let mut remembered = BTreeMap::new();
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
        let down_at = Timestamp::from_millis(time.div_euclid(1000).saturating_mul(1000));
        let active_at = Timestamp::from_millis((*value as i64).saturating_mul(1000));
        remembered.insert(labels.build(), (down_at, active_at));
    }
    Ok(remembered)
}

/// Since when an alert counts as active at `now` that was active since `active_at` when the server
/// went down at `down_at`.
pub fn restored_active_at(
    now: Timestamp,
    down_at: Timestamp,
    active_at: Timestamp,
    hold: Duration,
    grace_period: Duration,
) -> Timestamp {
    let remaining = hold.saturating_sub(down_at.since(active_at));
    if remaining.is_zero() {
        // It was firing, and fires again at once if its expression is still true.
        active_at
    } else if remaining < grace_period {
        now + grace_period - hold
    } else {
        // The outage doesn't count.
        active_at + now.since(down_at)
    }
}
