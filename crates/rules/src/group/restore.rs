//! What a group knew before the server was restarted, taken up again.

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, Timestamp};

use super::{Group, RuleState, Settings, Turn, World};
use crate::{alerting::Past, file};

/// Looking for the moment since when an alert is only kept firing ends after so many evaluations.
const STEPS_BACK_MAX: u32 = 240;

impl Group {
    /// Whether [`Group::restore`] is still to come.
    pub fn is_unrestored(&self) -> bool {
        self.rules.iter().any(|state| !state.restored)
    }

    /// Takes up since when alerts were active, and which were kept firing, before the server was
    /// restarted.
    pub fn restore(&mut self, world: &World, settings: &Settings, now: Timestamp) {
        let offset = self.definition.query_offset.unwrap_or(settings.query_offset);
        let turn =
            |at| Turn { world, settings, definition: &self.definition, key: &self.key, at, offset };
        for state in self.rules.iter_mut().filter(|state| !state.restored) {
            let rule = state.rule.clone();
            if let file::Kind::Alerting(alerting) = &rule.kind {
                let past = settings.restore.past(now, &rule.name, &*world.history);
                match past {
                    Ok(past) => state.alerts.restore(now, alerting, settings.restore, past),
                    // There is no second chance: the alert starts anew rather than never.
                    Err(error) => {
                        tracing::error!(alertname = rule.name, %error, "Failed to restore 'for' state");
                    }
                }
                revive(state, alerting, now, self.definition.interval, turn);
            }
            state.restored = true;
        }
    }

    /// Nothing that vanishes before `until` is over, if it was active at `since`: it may only not
    /// have been scraped again yet.
    pub fn doubt(&mut self, since: Timestamp, until: Timestamp) {
        for state in &mut self.rules {
            state.alerts.doubt(since, until);
        }
    }
}

/// Alerts that were firing and are not active now go on as kept firing, if their rule wishes so.
/// Upstream forgets them. The outage doesn't count, as it doesn't for `for`.
fn revive<'a>(
    state: &mut RuleState,
    alerting: &file::Alerting,
    now: Timestamp,
    interval: Duration,
    turn: impl Fn(Timestamp) -> Turn<'a>,
) {
    if alerting.keep_firing_for.is_zero() {
        return;
    }
    let was_firing = |past: &Past| past.down_at.since(past.active_at) >= alerting.hold;
    let past = state.alerts.past().filter(|(_, past)| was_firing(past));
    let mut missing: BTreeMap<Labels, Past> =
        past.map(|(labels, past)| (labels.clone(), *past)).collect();
    let Some(down_at) = missing.values().map(|past| past.down_at).max() else { return };
    // The last evaluation at which the expression was true says what the alert looked like.
    let mut since = now;
    for step in 0..STEPS_BACK_MAX {
        let ago = interval * step;
        if missing.is_empty() || ago > alerting.keep_firing_for {
            return;
        }
        let turn = turn(down_at - ago + turn(now).offset);
        let Ok(results) = turn.ask(&state.rule.expr) else { return };
        let Ok(instances) = turn.instances(&state.rule, alerting, results) else { return };
        for instance in instances {
            if let Some(past) = missing.remove(&instance.labels) {
                state.alerts.revive(instance, past, alerting, since);
            }
        }
        since = now - ago;
    }
}
