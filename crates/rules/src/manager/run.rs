use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use model::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Recovery, Sources};
use crate::{Definition, Group, GroupStatus, MadeUp, Settings, World};

/// What the task of one group works with.
pub(super) struct Runner {
    pub(super) world: World,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) status: Arc<ArcSwap<GroupStatus>>,
    pub(super) stop: CancellationToken,
    /// Cancelled once all groups that run now are known.
    pub(super) is_complete: CancellationToken,
    pub(super) recovery: Arc<ArcSwap<Recovery>>,
    pub(super) sources: Arc<ArcSwap<Sources>>,
    /// The last slot that was evaluated or made up for.
    pub(super) done: watch::Sender<Duration>,
    /// Whether the server has just started.
    pub(super) is_first: bool,
}

/// What to make up for.
enum Missed {
    /// These slots, of which nothing is there.
    All(Vec<Timestamp>),
    /// Those of these slots that came after the end of the process before this one.
    SinceRestart(Vec<Timestamp>),
}

impl Runner {
    /// Evaluates `group` slot by slot until told to stop; gives it back, unless it panicked.
    pub(super) async fn run(self, mut group: Group) -> Option<Group> {
        tokio::select! {
            () = self.is_complete.cancelled() => {}
            () = self.stop.cancelled() => return Some(group),
        }
        let definition = group.definition().clone();
        let key = definition.key();
        let last = definition.slot_before(self.world.clock.now());
        if self.is_first {
            group = self.resume(group, last).await?;
        }
        self.done.send_replace(last);
        let mut slot = last + definition.interval;
        let mut n_evaluations = 0;
        loop {
            if !self.wait_until(slot).await {
                return Some(group);
            }
            let late = self.world.clock.now().saturating_sub(slot);
            let woke_late = late >= definition.interval;
            // After a pause all wake at once: what this group reads of that moment may not be
            // there yet.
            let patience = late.max(definition.interval / 10).min(definition.interval / 2);
            self.wait_for_sources(&key, slot, patience).await;
            let restores = n_evaluations == 1 && group.is_unrestored();
            let (usual, evaluated) = self.evaluate(group, slot, restores).await?;
            group = evaluated;
            self.done.send_replace(slot);
            n_evaluations += 1;
            let next = self.next_slot(&definition, slot);
            if next > slot + definition.interval {
                // Who is always slow would become slower by doing more.
                if woke_late || usual < definition.interval / 2 {
                    group = self.recover(group, (slot, next), woke_late).await?;
                }
                self.done.send_replace(next - definition.interval);
            }
            slot = next;
        }
    }

    /// False if told to stop.
    async fn wait_until(&self, slot: Duration) -> bool {
        let wait = slot.saturating_sub(self.world.clock.now());
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = self.world.clock.sleep(wait) => true,
        }
    }

    /// One evaluation, off the async threads; how long the one before it took, too.
    async fn evaluate(
        &self,
        mut group: Group,
        slot: Duration,
        restores: bool,
    ) -> Option<(Duration, Group)> {
        let (world, settings) = (self.world.clone(), self.settings.load_full());
        let status = self.status.clone();
        let work = move || {
            let before = group.evaluation_time();
            group.evaluate(&world, &settings, timestamp(slot));
            if restores {
                // Only now: what the rules depend on may not have been scraped any earlier.
                let started = world.clock.monotonic();
                group.restore(&world, &settings, timestamp(world.clock.now()));
                let seconds = world.clock.monotonic().saturating_sub(started).as_secs_f64();
                let key = group.definition().key();
                world.metrics.group_last_restore_duration.with([&key]).set(seconds);
            }
            status.store(Arc::new(group.status()));
            (before, group)
        };
        off_the_async_threads(work).await
    }

    /// Goes on where the process before this one ended; `last` is the newest slot that has passed.
    async fn resume(&self, mut group: Group, last: Duration) -> Option<Group> {
        let Recovery { catch_up, settle } = **self.recovery.load();
        let now = timestamp(self.world.clock.now());
        group.doubt(now, now + settle);
        let interval = group.definition().interval;
        let reach = catch_up.min(last);
        let n_slots = (reach.as_nanos() / interval.as_nanos().max(1)) as u32;
        let slots = (0..n_slots).rev().map(|ago| timestamp(last - interval * ago)).collect();
        self.make_up(group, Missed::SinceRestart(slots), last).await
    }

    /// Nothing was evaluated between two slots.
    async fn recover(
        &self,
        mut group: Group,
        (slot, next): (Duration, Duration),
        woke_late: bool,
    ) -> Option<Group> {
        let Recovery { catch_up, settle } = **self.recovery.load();
        if woke_late || next - slot >= settle {
            let now = timestamp(self.world.clock.now());
            group.doubt(timestamp(slot), now + settle);
        }
        let interval = group.definition().interval;
        let n_missed = ((next - slot).as_nanos() / interval.as_nanos().max(1)) as u32;
        let missed = (1..n_missed).map(|nth| slot + interval * nth);
        let recent = missed.filter(|missed| *missed + catch_up >= next).map(timestamp);
        self.make_up(group, Missed::All(recent.collect()), next - interval).await
    }

    /// Makes up for what was missed up to `last`, after the groups that record what this one reads.
    async fn make_up(&self, mut group: Group, missed: Missed, last: Duration) -> Option<Group> {
        let (Missed::All(slots) | Missed::SinceRestart(slots)) = &missed;
        if slots.is_empty() {
            return Some(group);
        }
        // The slots to come must not wait for long.
        let budget = group.definition().interval / 2;
        let key = group.definition().key();
        self.wait_for_sources(&key, last, budget).await;
        let (world, settings) = (self.world.clone(), self.settings.load_full());
        let work = move || {
            let made_up = match missed {
                Missed::All(slots) => group.catch_up(&world, &settings, slots, budget),
                Missed::SinceRestart(slots) => group.resume(&world, &settings, slots, budget),
            };
            (made_up, group)
        };
        let (made_up, group) = off_the_async_threads(work).await?;
        let MadeUp { evaluations, left_out } = made_up;
        if evaluations > 0 {
            tracing::info!(group = key, evaluations, left_out, "Missed evaluations made up for");
        }
        Some(group)
    }

    async fn wait_for_sources(&self, key: &str, until: Duration, limit: Duration) {
        let sources = self.sources.load();
        let sources = sources.get(key).into_iter().flatten();
        let behind: Vec<_> = sources.filter(|source| !source.has_reached(until)).cloned().collect();
        if behind.is_empty() {
            return;
        }
        let all = async {
            for mut source in behind {
                source.reach(until).await;
            }
        };
        tokio::select! {
            () = all => {}
            () = self.stop.cancelled() => {}
            () = self.world.clock.sleep(limit) => {}
        }
    }

    /// The slot after `slot`, beyond those that have passed meanwhile; these are counted.
    fn next_slot(&self, definition: &Definition, slot: Duration) -> Duration {
        let elapsed = self.world.clock.now().saturating_sub(slot);
        let interval = definition.interval.as_nanos().max(1);
        let n_slots = u32::try_from((elapsed.as_nanos() / interval).max(1)).unwrap_or(u32::MAX);
        let missed = n_slots - 1;
        if missed > 0 {
            let (key, missed) = (definition.key(), f64::from(missed));
            self.world.metrics.iterations_missed.with([&key]).add(missed);
            self.world.metrics.iterations.with([&key]).add(missed);
        }
        slot + definition.interval * n_slots
    }
}

/// What `work` gives, unless it panics.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Some(result),
        Err(error) => {
            tracing::error!(%error, "rule group ended badly");
            None
        }
    }
}

fn timestamp(since_epoch: Duration) -> Timestamp {
    Timestamp::from_millis(since_epoch.as_millis() as i64)
}
