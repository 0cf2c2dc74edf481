use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Unfinished,
    context::{Context, Ended},
    dedup::{self, Hashes},
    retry::{self, Sent},
    wait_for_peers,
};
use crate::{
    alert::Alert,
    cluster::StateKey,
    event::{Event, GroupInfo, Notified},
    history::{Outcome, Told},
    integration::{Integration, Notification, Reason, Store},
    nflog::{Entry, ReceiverKey},
    shared::{RESTORED_GRACE, Shared},
    time::Time,
};

/// A claim is renewed so many times before it would end.
const RENEWALS: u32 = 3;
/// Of those who wait for the same claim to end each waits so much longer than the one before.
const STAGGER: Duration = Duration::from_millis(500);
/// Who has tried in vain lets so many others go first.
const STAGGERS_PER_ROUND: u32 = 10;
/// A node whose attempt goes on and on keeps the others waiting for so many peer time-outs.
const TIMEOUTS_MAX: u32 = 4;

/// One node's turn at telling one integration of a group.
///
/// While several nodes could tell, one says that it is about to, and the others wait: a slow or
/// repeated attempt is not one more notification. Who claims and does not get through lets go after
/// a peer time-out, and is the last to try again; a claim that nobody renews ends by itself. So
/// nothing stays untold.
pub(super) struct Turn<'a> {
    pub(super) shared: &'a Shared,
    pub(super) context: &'a Context,
    pub(super) integration: &'a dyn Integration,
    notification: &'a Notification,
    key: ReceiverKey,
    alerts: Vec<Arc<Alert>>,
    hashes: Hashes,
    claimed_at: Option<Duration>,
    failed_at: Option<Duration>,
    is_held: bool,
    /// How often we have let go.
    n_rounds: u32,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        context: &'a Context,
        integration: &'a dyn Integration,
        notification: &'a Notification,
    ) -> Turn<'a> {
        let key = ReceiverKey {
            group_name: notification.receiver.clone(),
            integration: integration.name().to_owned(),
            idx: integration.idx() as u32,
        };
        Turn {
            shared,
            context,
            integration,
            notification,
            key,
            alerts: Vec::new(),
            hashes: Hashes::default(),
            claimed_at: None,
            failed_at: None,
            is_held: false,
            n_rounds: 0,
        }
    }

    /// Tells the integration, unless it has been told, perhaps by another node.
    pub(super) async fn take(mut self) -> Result<(), Unfinished> {
        let told_before = self.last_told();
        self.context.sleep(wait_for_peers(self.shared)).await?;
        self.wait_for_others().await?;
        let told = self.last_told();
        // The moment of the flush may be earlier, and clocks of nodes may differ.
        let is_told_since = told != told_before || told > Some(self.notification.now);
        if is_told_since && self.is_old_news() {
            return Err(Unfinished::Postponed);
        }
        let Some((reason, store)) = self.deduplicate()? else { return Ok(()) };
        let sent = self.to_send(reason, store);
        let metrics = self.shared.metrics.notifications.of(self.integration.name(), &sent.receiver);
        metrics.notifications.increment();
        let start = self.shared.runtime.clock.monotonic();
        let mut n_attempts = 0;
        if !sent.alerts.is_empty() {
            match retry::send(&mut self, &metrics, &sent).await {
                Ok(Sent::Here { attempts }) => n_attempts = attempts,
                Ok(Sent::Elsewhere) => {
                    self.let_go();
                    return Ok(());
                }
                Err(error) => {
                    self.let_go();
                    let failed = &self.shared.metrics.notifications;
                    failed
                        .failed(self.integration.name(), &sent.receiver, error.reason)
                        .increment();
                    let outcome = Outcome::Failed(error.message.clone());
                    self.note(&sent, outcome, error.attempts, start);
                    return Err(Unfinished::Failed(error.message));
                }
            }
        }
        self.write_log(&sent);
        if n_attempts > 0 {
            self.note(&sent, Outcome::Sent, n_attempts, start);
            self.record(&sent);
        }
        Ok(())
    }

    /// When the group was last told, by whoever did it.
    fn last_told(&self) -> Option<Time> {
        let state = self.shared.state.lock();
        state.log.get(self.notification.group_key.as_bytes(), &self.key)?.timestamp
    }

    /// Whether alerts have begun or ended since the flush. If somebody has told the group meanwhile,
    /// then it was told of that, perhaps, and what we have to say would take it back.
    fn is_old_news(&self) -> bool {
        let (told, now) = (self.notification, self.shared.now().time);
        let state = self.shared.state.lock();
        told.alerts.iter().any(|alert| {
            let current = state.alerts.get(alert.fingerprint());
            current.is_some_and(|it| it.is_resolved_at(now) != alert.is_resolved_at(told.now))
        })
    }

    /// Why to notify and what the integration remembers; `None` if there is nothing to say.
    fn deduplicate(&mut self) -> Result<Option<(Reason, Store)>, Unfinished> {
        let shared = self.shared;
        let told = self.notification;
        let start = shared.runtime.clock.monotonic();
        let is_fresh = start - shared.started.monotonic < RESTORED_GRACE;
        let mut has_restored = false;
        let (reason, data) = {
            let state = shared.state.lock();
            let entry = state.log.get(told.group_key.as_bytes(), &self.key);
            self.alerts = told.alerts.clone();
            if is_fresh && !state.restored.is_empty() {
                has_restored =
                    told.alerts.iter().any(|it| state.restored.contains_key(&it.fingerprint()));
                self.alerts.retain(|alert| {
                    alert.is_resolved_at(told.now)
                        || entry.is_none_or(|entry| !state.is_outdated(alert, entry))
                });
            }
            self.hashes = Hashes::of(self.alerts.iter().map(|alert| &**alert), told.now);
            let reason = self.reason(entry);
            // A new story begins without the memories of the last one.
            let data = match entry {
                Some(entry) if reason != Reason::FirstNotification => entry.receiver_data.clone(),
                _ => BTreeMap::new(),
            };
            (reason, data)
        };
        shared.metrics.log.queries.increment();
        let duration = shared.runtime.clock.monotonic() - start;
        shared.metrics.log.query_duration.observe_duration(duration);
        match reason {
            Reason::None => Ok(None),
            // Others may know of alerts of this group that have begun while we were away.
            Reason::AllAlertsResolved | Reason::SomeAlertsResolved if has_restored => {
                Err(Unfinished::Postponed)
            }
            reason => Ok(Some((reason, Store::new(data)))),
        }
    }

    fn reason(&self, entry: Option<&Entry>) -> Reason {
        dedup::reason_to_notify(
            entry,
            &self.hashes,
            self.integration.send_resolved(),
            self.notification.repeat_interval,
            self.notification.now,
        )
    }

    fn to_send(&self, reason: Reason, store: Store) -> Notification {
        let told = self.notification;
        let mut alerts = self.alerts.clone();
        if !self.integration.send_resolved() {
            alerts.retain(|alert| !alert.is_resolved_at(told.now));
        }
        Notification {
            group_key: told.group_key.clone(),
            group_labels: told.group_labels.clone(),
            receiver: told.receiver.clone(),
            alerts,
            now: told.now,
            repeat_interval: told.repeat_interval,
            reason,
            route_labels: told.route_labels.clone(),
            store,
        }
    }

    /// Waits while another node says that it is at it. If several wait, they don't go all at once.
    async fn wait_for_others(&self) -> Result<(), Ended> {
        let mut has_waited = self.n_rounds > 0;
        let mut is_first = true;
        while self.claims() {
            let changed = self.shared.log_changed.notified();
            let now = self.shared.runtime.clock.monotonic();
            let Some(held_until) = self.held_by_another(now) else {
                if !std::mem::take(&mut has_waited) {
                    break;
                }
                let position = u32::try_from(self.shared.cluster.position()).unwrap_or(u32::MAX);
                let n_before = position.saturating_add(self.n_rounds * STAGGERS_PER_ROUND);
                self.context.sleep(STAGGER.saturating_mul(n_before)).await?;
                continue;
            };
            has_waited = true;
            if std::mem::take(&mut is_first) {
                self.shared.metrics.claim_waits.increment();
            }
            let pause = self.shared.runtime.clock.sleep(held_until - now);
            self.context
                .run(async {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = pause => {}
                    }
                })
                .await?;
        }
        Ok(())
    }

    fn held_by_another(&self, now: Duration) -> Option<Duration> {
        let group_key = self.notification.group_key.as_bytes();
        let state = self.shared.state.lock();
        state.claims.held_by_another(group_key, &self.key, &self.shared.owner, now)
    }

    /// Before another attempt: waits for our turn; says whether nobody else has got through.
    pub(super) async fn comes_again(&mut self) -> Result<bool, Ended> {
        let now = self.shared.runtime.clock.monotonic();
        let timeout = self.shared.options.peer_timeout;
        if self.failed_at.is_some_and(|failed_at| now - failed_at >= timeout) && self.claims() {
            self.let_go();
            (self.claimed_at, self.failed_at) = (None, None);
            self.n_rounds += 1;
        }
        if !self.is_held {
            self.wait_for_others().await?;
        }
        let state = self.shared.state.lock();
        let entry = state.log.get(self.notification.group_key.as_bytes(), &self.key);
        Ok(self.reason(entry) != Reason::None)
    }

    fn claims(&self) -> bool {
        self.shared.options.claims && self.shared.cluster.has_others()
    }

    /// Says that an attempt begins.
    pub(super) fn claim(&mut self) {
        if self.claims() {
            self.claimed_at.get_or_insert(self.shared.runtime.clock.monotonic());
            self.hold_for(self.shared.options.peer_timeout);
        }
    }

    /// `work`, during which the claim is renewed.
    pub(super) async fn holding<T>(&mut self, work: impl Future<Output = T>) -> T {
        let timeout = self.shared.options.peer_timeout;
        tokio::pin!(work);
        loop {
            if !self.is_held {
                return work.await;
            }
            tokio::select! {
                biased;
                value = &mut work => return value,
                () = self.shared.runtime.clock.sleep(timeout / RENEWALS) => self.hold_for(timeout),
            }
        }
    }

    /// Between attempts the others wait only until we have had enough of them.
    pub(super) fn note_failure(&mut self) {
        let now = self.shared.runtime.clock.monotonic();
        let failed_at = *self.failed_at.get_or_insert(now);
        if self.is_held {
            self.hold_for((failed_at + self.shared.options.peer_timeout).saturating_sub(now));
        }
    }

    /// Claims or renews, but not for longer than anybody should wait.
    fn hold_for(&mut self, lease: Duration) {
        let now = self.shared.runtime.clock.monotonic();
        let timeout = self.shared.options.peer_timeout;
        let end = self.claimed_at.unwrap_or(now) + timeout.saturating_mul(TIMEOUTS_MAX);
        let lease = lease.min(end.saturating_sub(now));
        self.is_held = !lease.is_zero();
        let claim = self.write_claim(lease);
        self.shared.cluster.broadcast(StateKey::Log, claim);
    }

    fn let_go(&mut self) {
        if self.is_held {
            self.hold_for(Duration::ZERO);
        }
    }

    fn write_claim(&self, lease: Duration) -> Vec<u8> {
        let now = self.shared.now();
        let group_key = self.notification.group_key.as_bytes();
        self.shared.state.lock().claims.write(group_key, &self.key, &self.shared.owner, lease, now)
    }

    /// Notes for us and the other nodes what has been sent.
    fn write_log(&mut self, sent: &Notification) {
        let hashes = std::mem::take(&mut self.hashes);
        let entry = Entry {
            group_key: sent.group_key.clone().into_bytes(),
            receiver: self.key.clone(),
            firing_alerts: hashes.firing,
            resolved_alerts: hashes.resolved,
            receiver_data: sent.store.snapshot(),
            ..Entry::default()
        };
        let now = self.shared.now().time;
        let forget_after = Some(sent.repeat_interval * 2);
        let message = self.shared.state.lock().log.write(entry, forget_after, now);
        let Some(mut message) = message else { return self.let_go() };
        if std::mem::take(&mut self.is_held) {
            message.extend(self.write_claim(Duration::ZERO));
        }
        self.shared.cluster.broadcast(StateKey::Log, message);
    }

    fn record(&self, sent: &Notification) {
        self.shared.options.events.record(|| {
            Event::Notification(Box::new(Notified {
                group: GroupInfo {
                    key: sent.group_key.clone(),
                    labels: sent.group_labels.clone(),
                    receiver: sent.receiver.clone(),
                    matchers: self.context.route.matchers.clone(),
                },
                alerts: sent.alerts.clone(),
                now: sent.now,
                repeat_interval: sent.repeat_interval,
                reason: sent.reason,
                integration: self.integration.name().to_owned(),
                idx: self.integration.idx(),
            }))
        });
    }

    fn note(&self, sent: &Notification, outcome: Outcome, n_attempts: u32, start: Duration) {
        let n_resolved = sent.alerts.iter().filter(|it| it.is_resolved_at(sent.now)).count();
        let now = self.shared.now();
        self.shared.state.lock().history.push(Told {
            at: now.time,
            group_key: sent.group_key.clone(),
            group_labels: sent.group_labels.clone(),
            receiver: self.key.clone(),
            reason: sent.reason,
            n_firing: sent.alerts.len() - n_resolved,
            n_resolved,
            outcome,
            n_attempts,
            took: now.monotonic - start,
        });
    }
}
