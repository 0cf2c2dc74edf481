use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{Alert, Bucket, Fingerprint};
use crate::time::Time;

/// All alerts that this node knows, one a label set.
#[derive(Debug, Default)]
pub struct Store {
    alerts: HashMap<Fingerprint, Arc<Alert>>,
    /// At most so many alerts of one name; `None` is no limit.
    per_name_max: Option<usize>,
    buckets: HashMap<String, Bucket>,
    change: Change,
}

/// How much a copy elsewhere would miss.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    #[default]
    None,
    /// Alerts go on.
    Refreshed,
    /// Something has begun, ended, or has other things said about it.
    New,
}

impl Store {
    pub fn new(per_name_max: Option<usize>) -> Store {
        Store { per_name_max, ..Store::default() }
    }

    /// Takes an alert in, merged with what is known of it if both were firing at one moment.
    /// `None` if its name has as many alerts as it may have.
    pub fn put(&mut self, alert: Alert, now: Time) -> Option<(Fingerprint, Arc<Alert>)> {
        let fingerprint = alert.fingerprint();
        let alert = match self.alerts.get(&fingerprint) {
            Some(old) if alert.overlaps(old) => old.merge(&alert, now),
            _ => alert,
        };
        if let Some(capacity) = self.per_name_max {
            let bucket = match self.buckets.get_mut(alert.name()) {
                Some(bucket) => bucket,
                None => self
                    .buckets
                    .entry(alert.name().to_owned())
                    .or_insert_with(|| Bucket::new(capacity)),
            };
            if !bucket.upsert(fingerprint, alert.ends_at, now) {
                return None;
            }
        }
        let alert = Arc::new(alert);
        let known = self.alerts.insert(fingerprint, alert.clone());
        let change = match known {
            Some(known) if is_repetition(&known, &alert, now) => Change::Refreshed,
            _ => Change::New,
        };
        self.change = self.change.max(change);
        Some((fingerprint, alert))
    }

    /// What has changed since [`Store::note_copied`].
    pub(crate) fn change(&self) -> Change {
        self.change
    }

    /// Somebody has a copy now.
    pub(crate) fn note_copied(&mut self) {
        self.change = Change::None;
    }

    /// Forgets the alerts that are over; says which.
    pub fn collect_garbage(&mut self, now: Time) -> Vec<Fingerprint> {
        let mut gone = Vec::new();
        self.alerts.retain(|fingerprint, alert| {
            let stays = !alert.is_resolved_at(now);
            if !stays {
                gone.push(*fingerprint);
            }
            stays
        });
        self.buckets.retain(|_, bucket| !bucket.is_stale(now));
        gone
    }

    /// Forgets an alert, unless it has been updated since `copy` was made.
    pub fn remove_if_unmodified(&mut self, copy: &Alert) -> bool {
        match self.alerts.entry(copy.fingerprint()) {
            Entry::Occupied(entry) if entry.get().updated_at == copy.updated_at => {
                entry.remove();
                true
            }
            _ => false,
        }
    }

    pub fn get(&self, fingerprint: Fingerprint) -> Option<&Arc<Alert>> {
        self.alerts.get(&fingerprint)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Fingerprint, &Arc<Alert>)> {
        self.alerts.iter().map(|(fingerprint, alert)| (*fingerprint, alert))
    }

    pub fn len(&self) -> usize {
        self.alerts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }
}

/// Whether an alert only says that it goes on.
fn is_repetition(old: &Alert, new: &Alert, now: Time) -> bool {
    old.starts_at == new.starts_at
        && old.annotations == new.annotations
        && old.generator_url == new.generator_url
        && !old.is_resolved_at(now)
        && !new.is_resolved_at(now)
}
