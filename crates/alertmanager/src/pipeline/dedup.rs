use std::time::Duration;

use crate::{
    alert::{self, Alert},
    integration::Reason,
    nflog::Entry,
    time::Time,
};

/// The alerts of a notification as the log remembers them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hashes {
    pub(crate) firing: Vec<u64>,
    pub(crate) resolved: Vec<u64>,
}

impl Hashes {
    pub(crate) fn of<'a>(alerts: impl IntoIterator<Item = &'a Alert>, now: Time) -> Hashes {
        let mut hashes = Hashes::default();
        for alert in alerts {
            let list =
                if alert.is_resolved_at(now) { &mut hashes.resolved } else { &mut hashes.firing };
            list.push(alert::log_hash(&alert.labels));
        }
        hashes
    }
}

/// Whether a group has something to say that its last notification, `entry`, did not, and what;
/// [`Reason::None`] if not.
pub(crate) fn reason_to_notify(
    entry: Option<&Entry>,
    hashes: &Hashes,
    send_resolved: bool,
    repeat_interval: Duration,
    now: Time,
) -> Reason {
    let Some(entry) = entry else {
        return if hashes.firing.is_empty() { Reason::None } else { Reason::FirstNotification };
    };
    if !entry.is_firing_subset(&hashes.firing) {
        return match entry.firing_alerts.is_empty() {
            true => Reason::FirstNotification,
            false => Reason::NewAlertsAdded,
        };
    }
    if hashes.firing.is_empty() {
        // Also where nobody wants to hear of it: the log has to learn that all is well.
        return match entry.firing_alerts.is_empty() {
            true => Reason::None,
            false => Reason::AllAlertsResolved,
        };
    }
    if send_resolved && !entry.is_resolved_subset(&hashes.resolved) {
        return Reason::SomeAlertsResolved;
    }
    if entry.timestamp < Some(now - repeat_interval) {
        return Reason::RepeatIntervalElapsed;
    }
    Reason::None
}
