//! Mechanisms that ask somebody now and then.

use std::{collections::BTreeMap, time::Duration};

use model::TargetGroup;
use runtime::{BoxFuture, Runtime};
use tracing::error;

use crate::{Discoverer, Updates, metrics::RefreshMetrics};

/// Settings of a mechanism that asks now and then.
pub(crate) trait Polled {
    type Lookup: Lookup;

    /// The error says why it cannot work at all.
    fn lookup(&self, runtime: &Runtime) -> Result<Self::Lookup, String>;
}

/// Finds all targets that there are now.
pub(crate) trait Lookup: Send + 'static {
    fn look(&mut self) -> impl Future<Output = Result<Vec<TargetGroup>, String>> + Send;
}

/// Looks at once and then at each interval. After a failure what was found before stays true.
pub(crate) struct Refresh<L> {
    pub(crate) lookup: L,
    pub(crate) interval: Duration,
    pub(crate) runtime: Runtime,
    pub(crate) metrics: RefreshMetrics,
    pub(crate) mechanism: &'static str,
    pub(crate) set: String,
}

impl<L: Lookup> Discoverer for Refresh<L> {
    fn run(mut self: Box<Self>, updates: Updates) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let clock = self.runtime.clock.clone();
            let mut last = None;
            loop {
                let began = clock.monotonic();
                let found = self.lookup.look().await;
                self.metrics.observe(clock.monotonic() - began);
                match found {
                    Ok(groups) => {
                        let changes = changes(&mut last, groups);
                        if let Some(changes) = changes {
                            updates.send(changes);
                        }
                    }
                    Err(err) => {
                        self.metrics.failures.increment();
                        let (discovery, config) = (self.mechanism, &self.set);
                        error!(discovery, config, err, "Unable to refresh target groups");
                    }
                }
                let spent = clock.monotonic() - began;
                clock.sleep(self.interval.saturating_sub(spent)).await;
            }
        })
    }
}

/// What is different from `last` time, which becomes this time; nothing if nothing is. That there
/// are no targets is also worth saying, once.
pub(crate) fn changes(
    last: &mut Option<BTreeMap<String, TargetGroup>>,
    groups: Vec<TargetGroup>,
) -> Option<Vec<TargetGroup>> {
    let now: BTreeMap<String, TargetGroup> =
        groups.into_iter().map(|group| (group.source.clone(), group)).collect();
    let is_first = last.is_none();
    let before = last.take().unwrap_or_default();
    let mut changes: Vec<TargetGroup> = now
        .iter()
        .filter(|(source, group)| before.get(*source) != Some(*group))
        .map(|(_, group)| group.clone())
        .collect();
    let gone = before.into_keys().filter(|source| !now.contains_key(source));
    changes.extend(gone.map(|source| TargetGroup { source, ..TargetGroup::default() }));
    *last = Some(now);
    (is_first || !changes.is_empty()).then_some(changes)
}
