use std::time::Duration;

use super::Alertmanager;
use crate::{
    alert::Alert,
    cluster::StateKey,
    event::Event,
    silence::{self, Silence},
    time::Time,
    view::{InvalidAlerts, PostableAlert},
};

/// Alerts that are taken in before the lock is let go for others.
const PUT_BATCH: usize = 64;

const RESOLVE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5 * 60);

impl Alertmanager {
    /// Takes alerts in. Valid ones are taken even if others are not.
    pub fn put_alerts(&self, alerts: Vec<PostableAlert>) -> Result<(), InvalidAlerts> {
        let shared = &self.shared;
        let now = shared.now();
        let generation = shared.generation();
        let resolve_timeout =
            generation.map_or(RESOLVE_TIMEOUT_DEFAULT, |generation| generation.resolve_timeout);
        let mut valid = Vec::with_capacity(alerts.len());
        let mut complaints = Vec::new();
        let (mut n_firing, mut n_resolved) = (0, 0);
        for posted in alerts {
            let alert = complete(posted, now.time, resolve_timeout);
            if alert.is_resolved_at(now.time) {
                n_resolved += 1;
            } else {
                n_firing += 1;
            }
            match alert.validate(shared.options.mode) {
                Ok(()) => valid.push(alert),
                Err(complaint) => complaints.push(complaint),
            }
        }
        let metrics = &shared.metrics;
        metrics.alerts_received.with(["firing", "v2"]).add(f64::from(n_firing));
        metrics.alerts_received.with(["resolved", "v2"]).add(f64::from(n_resolved));
        metrics.alerts_invalid.add(complaints.len() as f64);
        self.store(valid);
        if complaints.is_empty() { Ok(()) } else { Err(InvalidAlerts(complaints)) }
    }

    fn store(&self, mut alerts: Vec<Alert>) {
        let shared = &self.shared;
        let start = shared.runtime.clock.monotonic();
        let mut refused = Vec::new();
        while !alerts.is_empty() {
            let now = shared.now();
            let rest = alerts.split_off(alerts.len().min(PUT_BATCH));
            let mut state = shared.state.lock();
            for alert in std::mem::replace(&mut alerts, rest) {
                let name = alert.name().to_owned();
                if !state.put(alert, now) {
                    refused.push(name);
                }
            }
            if let Some(dispatcher) = &mut state.dispatcher {
                let n_refused = std::mem::take(&mut dispatcher.n_refused);
                shared.metrics.groups_refused.add(n_refused as f64);
            }
        }
        for name in &refused {
            shared.metrics.alerts_limited.increment(name);
        }
        if !refused.is_empty() {
            tracing::warn!(alerts = refused.len(), "Alerts refused, their names are at the limit");
        }
        shared.metrics.processing.observe_duration(shared.runtime.clock.monotonic() - start);
        shared.wake.notify_one();
    }

    /// Creates a silence, or changes the one whose id it has; gives the id of the one in force.
    pub fn set_silence(&self, silence: Silence) -> Result<String, silence::Error> {
        let shared = &self.shared;
        let now = self.now();
        let old_id = silence.id.clone();
        let changed = shared.state.lock().silences.set(silence, now, &*shared.runtime.random)?;
        for message in changed.spread {
            shared.cluster.broadcast(StateKey::Silences, message);
        }
        let is_update = changed.id == old_id;
        if is_update {
            self.log_silence(&changed.id, "silence updated");
        } else {
            if !old_id.is_empty() {
                self.log_silence(&old_id, "silence expired");
            }
            self.log_silence(&changed.id, "silence created");
        }
        self.record_silence(&changed.id, is_update);
        Ok(changed.id)
    }

    fn record_silence(&self, id: &str, is_update: bool) {
        let state = self.shared.state.lock();
        let Some(silence) = state.silences.get(id) else { return };
        state.events.record(|| match is_update {
            true => Event::SilenceUpdated(silence.clone()),
            false => Event::SilenceCreated(silence.clone()),
        });
    }

    pub fn expire_silence(&self, id: &str) -> Result<(), silence::Error> {
        let now = self.now();
        let message = self.shared.state.lock().silences.expire(id, now)?;
        if let Some(message) = message {
            self.shared.cluster.broadcast(StateKey::Silences, message);
            self.log_silence(id, "silence expired");
        }
        Ok(())
    }

    fn log_silence(&self, id: &str, message: &str) {
        if !self.shared.options.log_silences {
            return;
        }
        let Some(silence) = self.shared.state.lock().silences.get(id).cloned() else { return };
        tracing::info!(
            Id = id,
            CreatedBy = silence.created_by,
            Comment = silence.comment,
            StartsAt = silence.starts_at.map(Time::to_rfc3339_seconds),
            EndsAt = silence.ends_at.map(Time::to_rfc3339_seconds),
            Matchers = silence.matchers_text(),
            "{message}"
        );
    }
}

/// Fills in what the sender has left out.
fn complete(posted: PostableAlert, now: Time, resolve_timeout: Duration) -> Alert {
    let starts_at = posted.starts_at.filter(|time| !time.is_zero());
    let ends_at = posted.ends_at.filter(|time| !time.is_zero());
    Alert {
        labels: posted.labels,
        annotations: posted.annotations,
        starts_at: starts_at.or(ends_at).unwrap_or(now),
        ends_at: Some(ends_at.unwrap_or(now + resolve_timeout)),
        generator_url: posted.generator_url,
        updated_at: now,
        is_timeout: ends_at.is_none(),
    }
}
