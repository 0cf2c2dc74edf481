use std::collections::{HashMap, HashSet};

use model::Labels;

use super::{Silences, State};
use crate::{alert::Fingerprint, matcher, time::Time};

/// Which silences are about which label set, so that a known one is only compared with silences
/// that have appeared since.
#[derive(Debug, Default)]
pub(super) struct Cache(HashMap<Fingerprint, Known>);

#[derive(Debug, Default)]
struct Known {
    version: u64,
    /// Matching silences that were not over when we looked last.
    ids: Vec<String>,
}

impl Cache {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Forgets silences that are gone; another with the id of one of them may match others.
    pub(super) fn retain(&mut self, is_there: impl Fn(&String) -> bool) {
        for known in self.0.values_mut() {
            known.ids.retain(&is_there);
        }
    }
}

impl Silences {
    /// The silences that are in force and about `labels`, sorted.
    pub fn mutes(&mut self, fingerprint: Fingerprint, labels: &Labels, now: Time) -> Vec<String> {
        let known = self.cache.0.entry(fingerprint).or_default();
        if known.version == self.version && known.ids.is_empty() {
            return Vec::new();
        }
        let mut active = Vec::new();
        let stored = &self.stored;
        known.ids.retain(|id| match stored.get(id).map(|it| it.record.silence.state_inside(now)) {
            Some(State::Active) => {
                active.push(id.clone());
                true
            }
            Some(State::Pending) => true,
            Some(State::Expired) | None => false,
        });
        // Who was never asked about is compared with the silences that its labels lead to, the
        // others with those that have appeared since.
        let is_new = known.version == 0;
        let candidates = if is_new { self.index.candidates(labels) } else { Vec::new() };
        let appeared = if is_new { &[] } else { since(&self.appeared, known.version) };
        for id in candidates.iter().chain(appeared.iter().map(|(_, id)| id)) {
            let Some(silence) = stored.get(id) else { continue };
            let state = silence.record.silence.state_inside(now);
            let Some(sets) = &silence.matcher_sets else { continue };
            let is_about = state != State::Expired
                && !known.ids.contains(id)
                && sets.iter().any(|set| matcher::all_match(set, labels));
            if is_about {
                known.ids.push(id.clone());
                if state == State::Active {
                    active.push(id.clone());
                }
            }
        }
        known.version = self.version;
        active.sort_unstable();
        active
    }

    #[cfg(test)]
    pub(super) fn appeared_since(&self, version: u64) -> &[(u64, String)] {
        since(&self.appeared, version)
    }

    /// Forgets label sets that no alert has any more.
    pub fn forget(&mut self, gone: &[Fingerprint]) {
        let gone: HashSet<&Fingerprint> = gone.iter().collect();
        self.cache.0.retain(|fingerprint, _| !gone.contains(fingerprint));
    }

    /// Whether the label set was asked about and not forgotten.
    pub fn is_cached(&self, fingerprint: Fingerprint) -> bool {
        self.cache.0.contains_key(&fingerprint)
    }
}

/// What appeared after `version`.
fn since(appeared: &[(u64, String)], version: u64) -> &[(u64, String)] {
    let first_new = appeared.partition_point(|(it, _)| *it <= version);
    &appeared[first_new..]
}
