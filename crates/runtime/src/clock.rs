//! What time is it, and wake me then.

mod real;
mod simulated;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use real::RealClock;
pub use simulated::SimulatedClock;

use crate::BoxFuture;

pub trait Clock: Send + Sync {
    /// Wall-clock time since the Unix epoch. May jump.
    fn now(&self) -> Duration;

    /// Time since an arbitrary moment. Never goes back; measure durations with it.
    fn monotonic(&self) -> Duration;

    /// Completes once [`Clock::monotonic`] has advanced by `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Milliseconds since the Unix epoch.
    fn now_millis(&self) -> i64 {
        self.now().as_millis() as i64
    }
}

/// `future`, or nothing if it takes longer than `limit`.
pub async fn timeout<T>(
    clock: &dyn Clock,
    limit: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = clock.sleep(limit) => None,
    }
}
