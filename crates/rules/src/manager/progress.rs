//! How far groups have come, for those that read what they record: missed evaluations are made up
//! for in that order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use model::{MatchKind, Matcher};
use tokio::sync::watch;

use crate::{Definition, dependencies::name_matchers, file};

/// How far one group has come.
#[derive(Clone)]
pub(super) struct Progress {
    pub(super) interval: Duration,
    /// The last slot that was evaluated or made up for, since the epoch.
    pub(super) done: watch::Receiver<Duration>,
}

impl Progress {
    /// Whether the group has nothing left to do for moments up to `until`.
    pub(super) fn has_reached(&self, until: Duration) -> bool {
        *self.done.borrow() + self.interval > until
    }

    /// Completes once the group has nothing left to do for moments up to `until`, or is gone.
    pub(super) async fn reach(&mut self, until: Duration) {
        let interval = self.interval;
        // An error says that the group has ended; nobody needs to wait for it.
        drop(self.done.wait_for(|done| *done + interval > until).await);
    }
}

/// For each group, by key, the groups that record what it reads. Of two that read each other only
/// the later one waits.
pub(super) fn sources(definitions: &[Definition]) -> BTreeMap<String, BTreeSet<String>> {
    let writers = Writers::of(definitions);
    let read_by = |definition: &Definition| -> BTreeSet<usize> {
        let selectors = definition.rules.iter().flat_map(|rule| name_matchers(&rule.expr));
        selectors.flat_map(|names| writers.of_any(&names)).collect()
    };
    let reads: Vec<BTreeSet<usize>> = definitions.iter().map(read_by).collect();
    let waits_for = |idx: usize, other: usize| {
        let is_read_back = reads.get(other).is_some_and(|reads| reads.contains(&idx));
        other < idx || other > idx && !is_read_back
    };
    let sources = definitions.iter().zip(&reads).enumerate().map(|(idx, (definition, reads))| {
        let others = reads.iter().filter(|other| waits_for(idx, **other));
        let keys = others.filter_map(|other| Some(definitions.get(*other)?.key()));
        (definition.key(), keys.collect())
    });
    sources.collect()
}

/// Which groups, by index, record a metric.
struct Writers<'a>(HashMap<&'a str, BTreeSet<usize>>);

impl Writers<'_> {
    fn of(definitions: &[Definition]) -> Writers<'_> {
        let mut writers: HashMap<&str, BTreeSet<usize>> = HashMap::new();
        for (idx, definition) in definitions.iter().enumerate() {
            for rule in definition.rules.iter().filter(|rule| rule.kind == file::Kind::Recording) {
                writers.entry(&rule.name).or_default().insert(idx);
            }
        }
        Writers(writers)
    }

    /// Those of any metric whose name satisfies all matchers.
    fn of_any(&self, names: &[Matcher]) -> BTreeSet<usize> {
        let is_wanted = |name: &str| names.iter().all(|matcher| matcher.matches(name));
        match names.iter().find(|matcher| matcher.kind == MatchKind::Equal) {
            Some(exact) => self.0.get(&*exact.value).cloned().unwrap_or_default(),
            None => {
                let wanted = self.0.iter().filter(|(name, _)| is_wanted(name));
                wanted.flat_map(|(_, groups)| groups.iter().copied()).collect()
            }
        }
    }
}
