//! The lease in another service, which can replace a record only if it is still the one that was
//! read.
//!
//! The holder renews its record; others look whether it changes. The holder counts from before its
//! last renewal was sent, the others from after they have seen it, and the holder counts faster: so
//! it has stopped before another one may begin, whatever the clocks say.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use runtime::{BoxFuture, Runtime, clock::timeout};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tracing::warn;

use super::{
    View,
    gossip::{EPOCH_MAX, Rank, Word},
};
use crate::MemberId;

/// What the service holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Nobody's if it is empty; else a member's identity.
    pub holder: String,
    /// Differs from start to start of the same member.
    pub run: String,
    /// What people are shown.
    pub name: String,
    pub epoch: u64,
    /// Counts renewals, so that no two records are the same.
    pub renewals: u64,
    pub duration_millis: u64,
}

/// Which record it is, in the service's own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// A service that keeps one record.
pub trait Store: Send + Sync {
    fn read(&self) -> BoxFuture<'_, Result<Option<(Record, Version)>, String>>;

    /// Replaces the record of this version, or makes the first one; nothing if another record is
    /// there by now.
    fn write_if<'a>(
        &'a self,
        record: &'a Record,
        version: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Option<Version>, String>>;
}

/// Who this member is, and how long the lease lasts.
#[derive(Debug, Clone)]
pub struct Settings {
    pub own: MemberId,
    pub name: String,
    pub duration: Duration,
}

/// What this member wants of the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Another member has said something new of it.
    Look,
    Healthy(bool),
    /// For good if this member leaves.
    Release {
        leaves: bool,
    },
}

/// What is to be done with the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Read,
    Write { record: Record, version: Option<Version> },
}

/// One member's part. Pure.
pub struct StoreLease {
    settings: Settings,
    run: String,
    seen: Option<(Record, Version)>,
    /// Since when it is the same.
    seen_since: Duration,
    /// Whether what is seen may be out of date in a way that only reading tells.
    must_read: bool,
    /// What is being written, and since when.
    writing: Option<(Record, Duration)>,
    is_busy: bool,
    valid_until: Option<Duration>,
    next: Duration,
    must_release: bool,
    is_leaving: bool,
    is_unhealthy: bool,
    yields_until: Duration,
    error: Option<String>,
}

impl StoreLease {
    /// `run` is this process', and nobody else's.
    pub fn new(settings: Settings, run: String, now: Duration) -> StoreLease {
        StoreLease {
            settings,
            run,
            seen: None,
            seen_since: now,
            must_read: true,
            writing: None,
            is_busy: false,
            valid_until: None,
            next: now,
            must_release: false,
            is_leaving: false,
            is_unhealthy: false,
            yields_until: Duration::ZERO,
            error: None,
        }
    }

    /// Until when the lease is ours.
    pub fn valid_until(&self) -> Option<Duration> {
        self.valid_until
    }

    /// The epoch of the record that was seen last.
    pub fn held_epoch(&self) -> u64 {
        self.epoch()
    }

    /// When [`StoreLease::next`] should be asked again.
    pub fn wakes_at(&self) -> Duration {
        self.next
    }

    pub fn want(&mut self, now: Duration, want: Want) {
        match want {
            Want::Look => {
                self.must_read |= !self.is_mine();
                self.next = now;
            }
            Want::Healthy(is_healthy) => self.is_unhealthy = !is_healthy,
            Want::Release { leaves } => {
                self.is_leaving |= leaves;
                self.must_release = true;
                self.valid_until = None;
                self.yields_until = now + 10 * self.settings.duration;
                self.next = now;
            }
        }
    }

    /// What to do now, if anything; its result is waited for.
    pub fn next(&mut self, now: Duration) -> Option<Action> {
        if self.is_busy || now < self.next {
            return None;
        }
        let action = if self.must_read {
            Action::Read
        } else if self.is_mine() {
            let record = match self.must_release {
                true => self.record(String::new(), self.epoch()),
                false => self.record(self.settings.own.to_string(), self.epoch()),
            };
            self.write(record, now)
        } else if self.may_take(now) {
            let epoch = (self.epoch() + 1).min(EPOCH_MAX);
            let record = self.record(self.settings.own.to_string(), epoch);
            self.write(record, now)
        } else {
            Action::Read
        };
        self.is_busy = true;
        Some(action)
    }

    fn write(&mut self, record: Record, now: Duration) -> Action {
        self.writing = Some((record.clone(), now));
        Action::Write { record, version: self.seen.as_ref().map(|(_, version)| version.clone()) }
    }

    pub fn was_read(&mut self, now: Duration, result: Result<Option<(Record, Version)>, String>) {
        self.is_busy = false;
        match result {
            Err(error) => self.failed(now, error),
            Ok(read) => {
                self.error = None;
                self.must_read = false;
                let version = |seen: &Option<(Record, Version)>| {
                    seen.as_ref().map(|(_, version)| version.clone())
                };
                if version(&read) != version(&self.seen) {
                    self.seen_since = now;
                }
                self.seen = read;
                if !self.is_mine() {
                    self.valid_until = None;
                    self.must_release = false;
                }
                let is_due = self.is_mine() || self.may_take(now);
                self.next = if is_due { now } else { now + self.settings.duration / 6 };
            }
        }
    }

    pub fn was_written(&mut self, now: Duration, result: Result<Option<Version>, String>) {
        self.is_busy = false;
        let Some((record, started)) = self.writing.take() else { return };
        match result {
            Err(error) => {
                // It may be written, or be written later.
                self.must_read = true;
                self.failed(now, error);
            }
            Ok(None) => {
                self.error = None;
                self.valid_until = None;
                self.must_read = true;
                self.next = now;
            }
            Ok(Some(version)) => {
                self.error = None;
                self.seen = Some((record, version));
                self.seen_since = now;
                if self.is_mine() && !self.must_release {
                    // Clocks may run a little faster or slower than each other.
                    self.valid_until = Some(started + self.settings.duration * 9 / 10);
                    self.next = started + self.settings.duration / 3;
                } else {
                    self.must_release = self.is_mine();
                    self.next =
                        if self.must_release { now } else { now + self.settings.duration / 6 };
                }
            }
        }
    }

    fn failed(&mut self, now: Duration, error: String) {
        self.error = Some(error);
        self.next = now + self.settings.duration / 10;
    }

    fn is_mine(&self) -> bool {
        let own = self.settings.own.to_string();
        self.seen.as_ref().is_some_and(|(record, _)| record.holder == own && record.run == self.run)
    }

    fn epoch(&self) -> u64 {
        self.seen.as_ref().map_or(0, |(record, _)| record.epoch)
    }

    fn record(&self, holder: String, epoch: u64) -> Record {
        let renewals = self.seen.as_ref().map_or(0, |(record, _)| record.renewals);
        Record {
            holder,
            run: self.run.clone(),
            name: self.settings.name.clone(),
            epoch,
            renewals: renewals.wrapping_add(1),
            duration_millis: u64::try_from(self.settings.duration.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Whether nobody holds it, and it is our turn.
    fn may_take(&self, now: Duration) -> bool {
        let duration = self.settings.duration;
        let patience = match self.rank(now) {
            Rank::Willing => Duration::ZERO,
            // Others first.
            Rank::Released | Rank::Unhealthy => 2 * duration,
            Rank::Leaving => return false,
        };
        let unchanged = now.saturating_sub(self.seen_since);
        match &self.seen {
            None => unchanged >= patience,
            Some((record, _)) if record.holder.is_empty() => unchanged >= patience,
            // Another one may have been set to last longer.
            Some((record, _)) => {
                let theirs = Duration::from_millis(record.duration_millis).min(20 * duration);
                unchanged >= duration.max(theirs) + patience
            }
        }
    }

    fn rank(&self, now: Duration) -> Rank {
        match (self.is_leaving, self.is_unhealthy) {
            (true, _) => Rank::Leaving,
            (_, true) => Rank::Unhealthy,
            _ if self.yields_until > now => Rank::Released,
            _ => Rank::Willing,
        }
    }

    /// What heartbeats say of it.
    pub fn word(&self, now: Duration) -> Word {
        let holds = self.valid_until.is_some_and(|until| until > now);
        Word {
            claim: holds.then(|| self.epoch()).filter(|epoch| *epoch > 0),
            is_holding: holds,
            promise: self.holder(),
            epoch: self.epoch(),
            rank: self.rank(now),
        }
    }

    fn holder(&self) -> Option<(u64, MemberId)> {
        let (record, _) = self.seen.as_ref()?;
        Some((record.epoch.min(EPOCH_MAX), record.holder.parse().ok()?))
    }

    fn view(&self) -> View {
        View { valid_until: self.valid_until, holder: self.holder(), error: self.error.clone() }
    }
}

/// Deals with a service for as long as the member runs.
pub(crate) async fn keep(
    settings: Settings,
    store: Arc<dyn Store>,
    runtime: Runtime,
    mut wanted: mpsc::Receiver<Want>,
    mut report: impl FnMut(&View, Word) + Send,
) {
    let clock = &*runtime.clock;
    let limit = settings.duration / 2;
    let run = format!("{:016x}", runtime.random.u64());
    let mut lease = StoreLease::new(settings, run, clock.monotonic());
    let mut last_error = None;
    loop {
        let now = clock.monotonic();
        report(&lease.view(), lease.word(now));
        if lease.error != last_error {
            if let Some(error) = &lease.error {
                warn!(component = "cluster", error, "The lease's service cannot be asked");
            }
            last_error.clone_from(&lease.error);
        }
        let Some(action) = lease.next(now) else {
            let pause = lease.wakes_at().saturating_sub(now);
            tokio::select! {
                biased;
                want = wanted.recv() => match want {
                    Some(want) => lease.want(clock.monotonic(), want),
                    None => return,
                },
                () = clock.sleep(pause) => {}
            }
            continue;
        };
        let mut doing = Box::pin(timeout(clock, limit, perform(&*store, &action)));
        // What is wanted meanwhile counts at once.
        let done = loop {
            tokio::select! {
                biased;
                Some(want) = wanted.recv() => {
                    lease.want(clock.monotonic(), want);
                    report(&lease.view(), lease.word(clock.monotonic()));
                }
                done = &mut doing => break done,
            }
        };
        let now = clock.monotonic();
        let late = || "no answer in time".to_owned();
        match (&action, done) {
            (_, Some(Done::Read(result))) => lease.was_read(now, result),
            (_, Some(Done::Written(result))) => lease.was_written(now, result),
            (Action::Read, None) => lease.was_read(now, Err(late())),
            (Action::Write { .. }, None) => lease.was_written(now, Err(late())),
        }
    }
}

enum Done {
    Read(Result<Option<(Record, Version)>, String>),
    Written(Result<Option<Version>, String>),
}

async fn perform(store: &dyn Store, action: &Action) -> Done {
    match action {
        Action::Read => Done::Read(store.read().await),
        Action::Write { record, version } => {
            Done::Written(store.write_if(record, version.as_ref()).await)
        }
    }
}
