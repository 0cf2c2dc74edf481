//! Figures for metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What an agent has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AgentCounters {
    pub active_series: u64,
    /// Forgotten, but still named in the log.
    pub deleted_series: u64,
    pub floats_appended: u64,
    pub histograms_appended: u64,
    pub exemplars_appended: u64,
    pub out_of_order: u64,
    pub corruptions: u64,
    pub checkpoints: u64,
    pub checkpoints_failed: u64,
    pub checkpoint_deletions: u64,
    pub checkpoint_deletions_failed: u64,
    pub truncations: u64,
    /// All together.
    pub truncation_time: Duration,
    pub replay_time: Duration,
}

#[derive(Default)]
pub(super) struct AtomicAgentCounters {
    pub(super) floats_appended: Count,
    pub(super) histograms_appended: Count,
    pub(super) exemplars_appended: Count,
    pub(super) out_of_order: Count,
    pub(super) corruptions: Count,
    pub(super) checkpoints: Count,
    pub(super) checkpoints_failed: Count,
    pub(super) checkpoint_deletions: Count,
    pub(super) checkpoint_deletions_failed: Count,
    pub(super) truncations: Count,
    pub(super) truncation_time: Count,
    pub(super) replay_time: Count,
}

#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(super) fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl AtomicAgentCounters {
    pub(super) fn read(&self, active_series: usize, deleted_series: usize) -> AgentCounters {
        AgentCounters {
            active_series: active_series as u64,
            deleted_series: deleted_series as u64,
            floats_appended: self.floats_appended.get(),
            histograms_appended: self.histograms_appended.get(),
            exemplars_appended: self.exemplars_appended.get(),
            out_of_order: self.out_of_order.get(),
            corruptions: self.corruptions.get(),
            checkpoints: self.checkpoints.get(),
            checkpoints_failed: self.checkpoints_failed.get(),
            checkpoint_deletions: self.checkpoint_deletions.get(),
            checkpoint_deletions_failed: self.checkpoint_deletions_failed.get(),
            truncations: self.truncations.get(),
            truncation_time: Duration::from_nanos(self.truncation_time.get()),
            replay_time: Duration::from_nanos(self.replay_time.get()),
        }
    }
}
