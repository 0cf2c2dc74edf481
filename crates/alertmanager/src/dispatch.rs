//! Which alerts are told together, and when: groups with a timer each.
//!
//! Pure: alerts and moments go in, flushes come out. Time is monotonic, so that a clock that is
//! set does not hold notifications back.

mod group;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use model::Labels;

use crate::{
    alert::{Alert, Fingerprint, fingerprint},
    event::{Event, Events},
    route::Route,
    time::Time,
};

pub(crate) use group::{Flush, Group};

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) time: Time,
    pub(crate) monotonic: Duration,
}

/// Tells groups apart, also from earlier ones with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupId(u64);

/// The groups of one configuration.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    root: Arc<Route>,
    groups: HashMap<GroupId, Group>,
    /// By route and labels.
    ids: HashMap<(usize, Fingerprint), GroupId>,
    /// When groups want to flush; those that are flushing are not there.
    timers: BTreeSet<(Duration, GroupId)>,
    /// Nobody flushes before.
    starts_at: Duration,
    groups_max: Option<usize>,
    n_groups_ever: u64,
    /// How many groups there was no room for.
    pub(crate) n_refused: u64,
    pub(crate) events: Events,
}

impl Dispatcher {
    pub(crate) fn new(
        root: Arc<Route>,
        starts_at: Duration,
        groups_max: Option<usize>,
    ) -> Dispatcher {
        Dispatcher {
            root,
            groups: HashMap::new(),
            ids: HashMap::new(),
            timers: BTreeSet::new(),
            starts_at,
            groups_max,
            n_groups_ever: 0,
            n_refused: 0,
            events: Events::default(),
        }
    }

    /// Adds an alert, or what has changed of it, to the groups that its labels take it to.
    pub(crate) fn insert(&mut self, alert_id: Fingerprint, alert: &Arc<Alert>, now: Now) {
        for route in self.root.find(&alert.labels) {
            let labels = route.group_labels(&alert.labels);
            let key = (route.idx, fingerprint(&labels));
            match self.ids.get(&key).and_then(|id| self.groups.get_mut(id)) {
                Some(group) => {
                    if group.insert(alert_id, alert.clone()) {
                        self.events.record(|| Event::AlertGrouped(alert.clone(), group.info()));
                    }
                }
                None => self.create(key, route, labels, alert_id, alert, now),
            }
        }
    }

    fn create(
        &mut self,
        key: (usize, Fingerprint),
        route: Arc<Route>,
        labels: Labels,
        alert_id: Fingerprint,
        alert: &Arc<Alert>,
        now: Now,
    ) {
        if let Some(limit) = self.groups_max
            && self.groups.len() >= limit
        {
            self.n_refused += 1;
            tracing::error!(
                alert = alert.name(),
                groups = self.groups.len(),
                limit,
                "Too many aggregation groups, cannot create new group for alert"
            );
            return;
        }
        let id = GroupId(self.n_groups_ever);
        self.n_groups_ever += 1;
        let wait = route.options.group_wait;
        // Who has waited for long enough elsewhere, such as before a restart, waits no more.
        let is_late = alert.starts_at + wait < now.time;
        let deadline = if is_late { now.monotonic } else { now.monotonic + wait };
        let mut group = Group::new(route, labels);
        group.insert(alert_id, alert.clone());
        self.events.record(|| Event::AlertGrouped(alert.clone(), group.info()));
        group.timer = Some(deadline);
        self.timers.insert((deadline, id));
        self.ids.insert(key, id);
        self.groups.insert(id, group);
    }

    /// When [`Dispatcher::tick`] has something to do, by the monotonic clock.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let (deadline, _) = self.timers.first()?;
        Some((*deadline).max(self.starts_at))
    }

    /// Starts the flushes whose time has come. Each must end in [`Dispatcher::finish`].
    pub(crate) fn tick(&mut self, now: Now) -> Vec<Flush> {
        let mut flushes = Vec::new();
        if now.monotonic < self.starts_at {
            return flushes;
        }
        while let Some(&(deadline, id)) = self.timers.first() {
            if deadline > now.monotonic {
                break;
            }
            self.timers.pop_first();
            let Some(group) = self.groups.get_mut(&id) else { continue };
            let interval = group.route.options.group_interval;
            if group.is_flushing {
                // As a timer of Go, which keeps one tick for whoever asks next.
                group.timer = None;
                group.missed_tick = Some(now.time);
                continue;
            }
            let next = now.monotonic + interval;
            group.timer = Some(next);
            self.timers.insert((next, id));
            flushes.push(group.start_flush(id, now.time));
        }
        flushes
    }

    /// Ends a flush. After a success the alerts that it told as resolved are forgotten, and with
    /// the last of them the group. Gives the flush that has been waiting for this one.
    pub(crate) fn finish(&mut self, flush: &Flush, is_success: bool, now: Now) -> Option<Flush> {
        let group = self.groups.get_mut(&flush.id)?;
        group.is_flushing = false;
        if is_success {
            for alert in group.remove_resolved(flush) {
                self.events.record(|| Event::AlertResolved(alert, group.info()));
            }
        }
        if group.is_empty() {
            self.remove(flush.id);
            return None;
        }
        let tick = group.missed_tick.take()?;
        let next = now.monotonic + group.route.options.group_interval;
        group.timer = Some(next);
        self.timers.insert((next, flush.id));
        Some(group.start_flush(flush.id, tick))
    }

    fn remove(&mut self, id: GroupId) {
        let Some(group) = self.groups.remove(&id) else { return };
        if let Some(timer) = group.timer {
            self.timers.remove(&(timer, id));
        }
        self.ids.remove(&(group.route.idx, fingerprint(&group.labels)));
    }

    pub(crate) fn group_mut(&mut self, id: GroupId) -> Option<&mut Group> {
        self.groups.get_mut(&id)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }
}
