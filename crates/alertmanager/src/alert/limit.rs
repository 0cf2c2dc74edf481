use std::collections::{BTreeSet, HashMap};

use super::Fingerprint;
use crate::time::Time;

/// Alerts of one name up to a limit; those that ended first make room first.
#[derive(Debug, Default)]
pub struct Bucket {
    capacity: usize,
    ends: HashMap<Fingerprint, Option<Time>>,
    /// The same alerts by their end. `None`, which is no end, sorts first as in upstream, where it
    /// is the year 1.
    by_end: BTreeSet<(Option<Time>, Fingerprint)>,
}

impl Bucket {
    pub fn new(capacity: usize) -> Bucket {
        Bucket { capacity, ..Bucket::default() }
    }

    /// Notes an alert and its end; says whether there was room.
    pub fn upsert(&mut self, alert: Fingerprint, end: Option<Time>, now: Time) -> bool {
        if let Some(known) = self.ends.get(&alert).copied() {
            self.by_end.remove(&(known, alert));
        } else if self.ends.len() >= self.capacity && !self.evict(now) {
            return false;
        }
        self.ends.insert(alert, end);
        self.by_end.insert((end, alert));
        true
    }

    /// Whether all of its alerts are over, so that it can be forgotten.
    pub fn is_stale(&self, now: Time) -> bool {
        self.by_end.last().is_none_or(|(end, _)| *end < Some(now))
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The ends of all alerts, earliest first.
    pub fn ends(&self) -> impl Iterator<Item = Option<Time>> {
        self.by_end.iter().map(|(end, _)| *end)
    }

    /// Takes out the alert that ended first, if it has ended.
    fn evict(&mut self, now: Time) -> bool {
        let Some(&(end, alert)) = self.by_end.first() else { return false };
        if end >= Some(now) {
            return false;
        }
        self.by_end.pop_first();
        self.ends.remove(&alert);
        true
    }
}
