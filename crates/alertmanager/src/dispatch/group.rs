use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use model::Labels;

use super::GroupId;
use crate::{
    alert::{self, Alert, Fingerprint},
    event::GroupInfo,
    route::Route,
    time::Time,
    view::AlertStatus,
};

/// Alerts of one route with the same group labels.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) route: Arc<Route>,
    pub(crate) labels: Labels,
    pub(crate) key: Arc<str>,
    alerts: HashMap<Fingerprint, Member>,
    /// The time intervals that kept the last flush quiet.
    pub(crate) muted_by: Vec<String>,
    /// When it wants to flush.
    pub(super) timer: Option<Duration>,
    pub(super) is_flushing: bool,
    /// When the timer went off during a flush.
    pub(super) missed_tick: Option<Time>,
}

#[derive(Debug)]
struct Member {
    alert: Arc<Alert>,
    /// What the last flush found out.
    status: AlertStatus,
}

/// A group that wants to tell somebody.
#[derive(Debug, Clone)]
pub(crate) struct Flush {
    pub(crate) id: GroupId,
    pub(crate) route: Arc<Route>,
    pub(crate) labels: Labels,
    pub(crate) key: Arc<str>,
    /// The moment that the notification is about.
    pub(crate) now: Time,
    /// Sorted; firing ones have no end, so that they stay firing however long sending takes.
    pub(crate) alerts: Vec<(Fingerprint, Arc<Alert>)>,
}

impl Group {
    pub(super) fn new(route: Arc<Route>, labels: Labels) -> Group {
        let key = Arc::from(route.group_key(&labels));
        Group {
            route,
            labels,
            key,
            alerts: HashMap::new(),
            muted_by: Vec::new(),
            timer: None,
            is_flushing: false,
            missed_tick: None,
        }
    }

    /// Says whether the alert is new here.
    pub(super) fn insert(&mut self, id: Fingerprint, alert: Arc<Alert>) -> bool {
        match self.alerts.entry(id) {
            Entry::Occupied(mut entry) => {
                entry.get_mut().alert = alert;
                false
            }
            Entry::Vacant(entry) => {
                entry.insert(Member { alert, status: AlertStatus::default() });
                true
            }
        }
    }

    pub(super) fn start_flush(&mut self, id: GroupId, now: Time) -> Flush {
        self.is_flushing = true;
        Flush {
            id,
            route: self.route.clone(),
            labels: self.labels.clone(),
            key: self.key.clone(),
            now,
            alerts: self.alerts.iter().map(|(id, it)| (*id, it.alert.clone())).collect(),
        }
    }

    /// Forgets what `flush` has told as resolved and nobody has changed since; says what it was.
    pub(super) fn remove_resolved(&mut self, flush: &Flush) -> Vec<Arc<Alert>> {
        let mut removed = Vec::new();
        for (id, told) in &flush.alerts {
            if !told.is_resolved_at(flush.now) {
                continue;
            }
            if let Entry::Occupied(entry) = self.alerts.entry(*id)
                && entry.get().alert.updated_at == told.updated_at
            {
                removed.push(entry.remove().alert);
            }
        }
        removed
    }

    pub(super) fn info(&self) -> GroupInfo {
        GroupInfo {
            key: self.key.to_string(),
            labels: self.labels.clone(),
            receiver: self.route.options.receiver.clone(),
            matchers: self.route.matchers.clone(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    pub(crate) fn set_status(&mut self, id: Fingerprint, status: AlertStatus) {
        if let Some(member) = self.alerts.get_mut(&id) {
            member.status = status;
        }
    }

    /// The alerts, and what the last flush found out about each.
    pub(crate) fn alerts(&self) -> impl Iterator<Item = (Fingerprint, &Arc<Alert>, &AlertStatus)> {
        self.alerts.iter().map(|(id, member)| (*id, &member.alert, &member.status))
    }
}

impl Flush {
    /// Puts the alerts in the order of notifications and takes the end from those that fire.
    /// Apart from the group, since it is work that nobody needs to wait for.
    pub(crate) fn prepare(&mut self) {
        for (_, alert) in &mut self.alerts {
            if alert.ends_at.is_some() && !alert.is_resolved_at(self.now) {
                Arc::make_mut(alert).ends_at = None;
            }
        }
        self.alerts.sort_by(|(_, a), (_, b)| alert::compare(&a.labels, &b.labels));
    }

    /// How long all attempts together may take, our place in line aside.
    pub(crate) fn time_limit(&self) -> Duration {
        self.route.options.group_interval.max(Duration::from_secs(10))
    }
}
