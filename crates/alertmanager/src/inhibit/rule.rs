use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
};

use model::Labels;

use super::InhibitRule;
use crate::{
    alert::{Alert, Fingerprint},
    matcher,
    time::Time,
};

/// The values of the `equal` labels, each followed by a byte that no text has.
type EqualKey = Vec<u8>;

/// The end of an alert; one that has none ends after all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    At(Time),
    Never,
}

/// A rule with the alerts that are its sources.
#[derive(Debug)]
pub(super) struct RuleState {
    rule: InhibitRule,
    by_key: HashMap<EqualKey, Sources>,
    sources: HashMap<Fingerprint, Source>,
}

#[derive(Debug)]
struct Source {
    key: EqualKey,
    end: End,
    is_target: bool,
}

/// The sources of one key, by their end.
#[derive(Debug, Default)]
struct Sources {
    plain: BTreeSet<(End, Fingerprint)>,
    /// Those that match the target side too: they don't inhibit their like.
    also_targets: BTreeSet<(End, Fingerprint)>,
}

impl RuleState {
    pub(super) fn new(rule: InhibitRule) -> RuleState {
        RuleState { rule, by_key: HashMap::new(), sources: HashMap::new() }
    }

    pub(super) fn rule(&self) -> &InhibitRule {
        &self.rule
    }

    pub(super) fn observe(&mut self, fingerprint: Fingerprint, alert: &Arc<Alert>) {
        if !matcher::all_match(&self.rule.source, &alert.labels) {
            return;
        }
        let end = alert.ends_at.map_or(End::Never, End::At);
        match self.sources.entry(fingerprint) {
            Entry::Occupied(mut entry) => {
                let source = entry.get_mut();
                let Some(sources) = self.by_key.get_mut(&source.key) else { return };
                let set = sources.set(source.is_target);
                set.remove(&(source.end, fingerprint));
                set.insert((end, fingerprint));
                source.end = end;
            }
            Entry::Vacant(entry) => {
                let key = equal_key(&self.rule.equal, &alert.labels);
                let is_target = matcher::all_match(&self.rule.target, &alert.labels);
                let sources = self.by_key.entry(key.clone()).or_default();
                sources.set(is_target).insert((end, fingerprint));
                entry.insert(Source { key, end, is_target });
            }
        }
    }

    pub(super) fn forget(&mut self, fingerprint: Fingerprint) {
        let Some(source) = self.sources.remove(&fingerprint) else { return };
        let Entry::Occupied(mut entry) = self.by_key.entry(source.key) else { return };
        entry.get_mut().set(source.is_target).remove(&(source.end, fingerprint));
        if entry.get().plain.is_empty() && entry.get().also_targets.is_empty() {
            entry.remove();
        }
    }

    pub(super) fn mutes(&self, labels: &Labels, now: Time) -> Option<Fingerprint> {
        if self.sources.is_empty() || !matcher::all_match(&self.rule.target, labels) {
            return None;
        }
        let sources = self.by_key.get(&equal_key(&self.rule.equal, labels))?;
        let plain = last_firing(&sources.plain, now);
        let also_target = last_firing(&sources.also_targets, now);
        let by_either = plain.max(also_target);
        if by_either == plain {
            return plain.map(|(_, fingerprint)| fingerprint);
        }
        // Who is on both sides, as this label set may be, doesn't inhibit who is on both sides.
        let is_source = matcher::all_match(&self.rule.source, labels);
        let by = if is_source { plain } else { by_either };
        by.map(|(_, fingerprint)| fingerprint)
    }
}

impl Sources {
    fn set(&mut self, is_target: bool) -> &mut BTreeSet<(End, Fingerprint)> {
        if is_target { &mut self.also_targets } else { &mut self.plain }
    }
}

/// The source that ends last, if it has not ended.
fn last_firing(sources: &BTreeSet<(End, Fingerprint)>, now: Time) -> Option<(End, Fingerprint)> {
    sources.last().copied().filter(|(end, _)| *end > End::At(now))
}

pub(super) fn equal_key(equal: &[String], labels: &Labels) -> EqualKey {
    let mut key = Vec::with_capacity(equal.len() * 16);
    for name in equal {
        key.extend_from_slice(labels.value(name).as_bytes());
        key.push(0xff);
    }
    key
}
