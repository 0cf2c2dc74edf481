//! Everything that a node knows: the pure core that the shell keeps behind one lock.

use std::{collections::HashMap, sync::Arc, time::Duration};

use model::Labels;

use crate::{
    alert::{self, Alert, Fingerprint},
    dispatch::{Dispatcher, Flush, Now},
    event::{Event, Events, MutedAlert},
    history::{History, Outcome, Told},
    inhibit::{InhibitRule, Inhibitor},
    integration::Reason,
    nflog::{self, Claims, Entry, Log},
    route::Route,
    silence::Silences,
    snapshot,
    time::Time,
    view::AlertStatus,
};

pub(crate) struct State {
    pub(crate) alerts: alert::Store,
    pub(crate) silences: Silences,
    pub(crate) log: Log,
    pub(crate) claims: Claims,
    pub(crate) history: History,
    /// Alerts of before the start that nobody has repeated since, and when they were last heard of.
    pub(crate) restored: HashMap<Fingerprint, Time>,
    pub(crate) inhibitor: Inhibitor,
    /// `None` before the first configuration and after the last.
    pub(crate) dispatcher: Option<Dispatcher>,
    pub(crate) events: Events,
}

/// What kept the alerts of a flush quiet, and how many.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suppressed {
    pub(crate) by_inhibition: usize,
    pub(crate) by_silence: usize,
}

impl State {
    /// Takes a valid alert in; `false` if its name has as many alerts as it may have.
    pub(crate) fn put(&mut self, alert: Alert, now: Now) -> bool {
        let is_new = self.events.are_recorded() && self.alerts.get(alert.fingerprint()).is_none();
        let Some((id, alert)) = self.alerts.put(alert, now.time) else { return false };
        if is_new {
            self.events.record(|| Event::AlertCreated(alert.clone()));
        }
        self.restored.remove(&id);
        self.inhibitor.observe(id, &alert);
        if let Some(dispatcher) = &mut self.dispatcher {
            dispatcher.insert(id, &alert, now);
        }
        true
    }

    /// Starts all groups anew, with the alerts that are known.
    pub(crate) fn configure(
        &mut self,
        rules: &[InhibitRule],
        root: Arc<Route>,
        starts_at: Duration,
        groups_max: Option<usize>,
        now: Now,
    ) {
        self.inhibitor = Inhibitor::new(rules);
        let mut dispatcher = Dispatcher::new(root, starts_at, groups_max);
        dispatcher.events = self.events.clone();
        // All sources are known before the first group flushes.
        for (id, alert) in self.alerts.iter() {
            self.inhibitor.observe(id, alert);
            dispatcher.insert(id, alert, now);
        }
        self.dispatcher = Some(dispatcher);
    }

    /// Forgets the alerts that are over, with all that is remembered about them.
    pub(crate) fn collect_garbage(&mut self, now: Time) -> usize {
        let gone = self.alerts.collect_garbage(now);
        self.inhibitor.forget(&gone);
        self.silences.forget(&gone);
        for id in &gone {
            self.restored.remove(id);
        }
        self.claims.collect_garbage(now);
        gone.len()
    }

    /// Takes in what a peer says of notifications; says whether there was news.
    pub(crate) fn merge_log(&mut self, bytes: &[u8], now: Now) -> Result<bool, snapshot::Error> {
        let mut is_news = false;
        for entry in nflog::decode(bytes)? {
            if entry.is_claim() {
                is_news |= self.claims.merge(&entry, now);
                continue;
            }
            let told = told_by_peer(&entry);
            if self.log.merge_entry(entry, now.time) {
                is_news = true;
                self.history.push(told);
            }
        }
        Ok(is_news)
    }

    /// Whether the log knows better than an alert that was kept over a restart: since it was last
    /// heard of, the group was told without it.
    pub(crate) fn is_outdated(&self, alert: &Alert, entry: &Entry) -> bool {
        let heard_at = self.restored.get(&alert.fingerprint());
        heard_at.is_some_and(|heard_at| entry.timestamp > Some(*heard_at))
            && !entry.is_firing_subset(&[alert::log_hash(&alert.labels)])
    }

    /// What keeps an alert quiet, time intervals aside.
    pub(crate) fn status(&mut self, id: Fingerprint, labels: &Labels, now: Time) -> AlertStatus {
        let inhibited_by = self.inhibitor.mutes(labels, now);
        let silenced_by = self.silences.mutes(id, labels, now);
        AlertStatus::new(silenced_by, inhibited_by.into_iter().collect())
    }

    /// Leaves out those `alerts` of a flush that are inhibited or silenced now.
    pub(crate) fn mute(
        &mut self,
        flush: &Flush,
        alerts: &[(Fingerprint, Arc<Alert>)],
        now: Time,
        passed: &mut Vec<Arc<Alert>>,
    ) -> Suppressed {
        let mut suppressed = Suppressed::default();
        for (id, alert) in alerts {
            let status = self.status(*id, &alert.labels, now);
            // Inhibition comes first and takes the credit.
            if !status.inhibited_by.is_empty() {
                suppressed.by_inhibition += 1;
            } else if !status.silenced_by.is_empty() {
                suppressed.by_silence += 1;
            } else {
                passed.push(alert.clone());
            }
            if self.events.are_recorded() {
                self.record_muted(*id, alert, &status, now);
            }
            let dispatcher = self.dispatcher.as_mut();
            if let Some(group) = dispatcher.and_then(|it| it.group_mut(flush.id)) {
                group.set_status(*id, status);
            }
        }
        suppressed
    }

    /// For the record: what keeps an alert quiet. As above, inhibition takes the credit.
    fn record_muted(&self, id: Fingerprint, alert: &Alert, status: &AlertStatus, now: Time) {
        let muted = || MutedAlert { labels: alert.labels.clone(), fingerprint: id };
        if !status.inhibited_by.is_empty() {
            if let Some((rule, by)) = self.inhibitor.rule_that_mutes(&alert.labels, now) {
                let rule = rule.clone();
                self.events.record(|| Event::InhibitionMutedAlert { rule, alert: muted(), by });
            }
            return;
        }
        for silence in status.silenced_by.iter().filter_map(|id| self.silences.get(id)) {
            self.events.record(|| Event::SilenceMutedAlert(silence.clone(), muted()));
        }
    }
}

fn told_by_peer(entry: &Entry) -> Told {
    Told {
        at: entry.timestamp.unwrap_or(Time::UNIX_EPOCH),
        group_key: String::from_utf8_lossy(&entry.group_key).into_owned(),
        group_labels: Labels::default(),
        receiver: entry.receiver.clone(),
        reason: Reason::Unknown,
        n_firing: entry.firing_alerts.len(),
        n_resolved: entry.resolved_alerts.len(),
        outcome: Outcome::ByPeer,
        n_attempts: 0,
        took: Duration::ZERO,
    }
}
