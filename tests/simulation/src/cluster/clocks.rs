//! Clocks that are not quite right.

use std::time::Duration;

use cluster::Moment;

/// When histories begin, by right clocks, in milliseconds since the epoch.
pub(super) const START: u64 = 1_767_225_600_000;

/// A machine's clocks, as functions of the true time in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocks {
    /// How fast they run, in parts per thousand.
    pub(super) rate: u64,
    /// What the monotonic one said at the beginning.
    pub(super) base: u64,
    /// How far the wall clock is ahead.
    pub(super) ahead: i64,
}

impl Clocks {
    pub(super) fn monotonic(&self, now: u64) -> Duration {
        Duration::from_micros(self.base * 1000 + now * self.rate)
    }

    pub(super) fn moment(&self, now: u64) -> Moment {
        // Wall clocks are kept right by others, but for steps.
        let wall = (START + now).saturating_add_signed(self.ahead);
        Moment { monotonic: self.monotonic(now), wall: Duration::from_millis(wall) }
    }
}
