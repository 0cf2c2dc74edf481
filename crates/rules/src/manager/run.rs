use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use model::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{Definition, Group, GroupStatus, Settings, World};

/// What the task of one group works with.
pub(super) struct Runner {
    pub(super) world: World,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) status: Arc<ArcSwap<GroupStatus>>,
    pub(super) stop: CancellationToken,
    pub(super) must_restore: bool,
}

impl Runner {
    /// Evaluates `group` slot by slot until told to stop; gives it back, unless it panicked.
    pub(super) async fn run(self, mut group: Group) -> Option<Group> {
        let definition = group.definition().clone();
        let mut slot = definition.slot_before(self.world.clock.now()) + definition.interval;
        let mut n_evaluations = 0;
        loop {
            if !self.wait_until(slot).await {
                return Some(group);
            }
            let restores = self.must_restore && n_evaluations == 1;
            group = self.evaluate(group, slot, restores).await?;
            n_evaluations += 1;
            slot = self.next_slot(&definition, slot);
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

    /// One evaluation, off the async threads.
    async fn evaluate(&self, mut group: Group, slot: Duration, restores: bool) -> Option<Group> {
        let (world, settings) = (self.world.clone(), self.settings.load_full());
        let status = self.status.clone();
        let evaluation = tokio::task::spawn_blocking(move || {
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
            group
        });
        match evaluation.await {
            Ok(group) => Some(group),
            Err(error) => {
                tracing::error!(%error, "rule group ended badly");
                None
            }
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

fn timestamp(since_epoch: Duration) -> Timestamp {
    Timestamp::from_millis(since_epoch.as_millis() as i64)
}
