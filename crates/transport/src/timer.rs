//! hyper's timer, on `runtime::Clock`.

#![expect(
    clippy::disallowed_methods,
    reason = "hyper counts in `Instant`s; only their differences are used"
)]

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use runtime::{BoxFuture, Clock};

#[derive(Clone)]
pub(crate) struct ClockTimer {
    clock: Arc<dyn Clock>,
    /// An instant, and what the clock said then.
    anchor: (Instant, Duration),
}

impl ClockTimer {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> ClockTimer {
        let anchor = (Instant::now(), clock.monotonic());
        ClockTimer { clock, anchor }
    }
}

impl hyper::rt::Timer for ClockTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(ClockSleep(Mutex::new(self.clock.sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }

    fn now(&self) -> Instant {
        let (instant, then) = self.anchor;
        instant + self.clock.monotonic().saturating_sub(then)
    }
}

/// The mutex is never contended: it makes the future `Sync`, which hyper wants.
struct ClockSleep(Mutex<BoxFuture<'static, ()>>);

impl hyper::rt::Sleep for ClockSleep {}

impl Future for ClockSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.get_mut().as_mut().poll(cx)
    }
}
