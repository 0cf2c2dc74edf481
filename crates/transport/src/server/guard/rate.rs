//! A bucket of permissions that fills by itself.

use std::time::Duration;

use super::Rate;

#[derive(Default)]
pub(super) struct Bucket {
    /// When it was full, or would have been.
    full_at: Duration,
}

impl Bucket {
    /// Takes a permission, if there is one at `now`.
    pub(super) fn take(&mut self, rate: &Rate, now: Duration) -> bool {
        let burst = u32::try_from(rate.burst.max(1)).unwrap_or(u32::MAX);
        let full_at = self.full_at.max(now) + rate.interval;
        let is_allowed = full_at <= now + rate.interval.saturating_mul(burst);
        if is_allowed {
            self.full_at = full_at;
        }
        is_allowed
    }
}
