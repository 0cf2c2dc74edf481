use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use runtime::{Clock as _, clock::SimulatedClock};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
};

/// Time that goes on at the moment when nobody has anything to do.
pub(super) struct Pace {
    clock: Arc<SimulatedClock>,
    /// So far time may go; `None` is as far as whoever waits needs it to. Nothing else is locked
    /// while this is held.
    end: Mutex<Option<Duration>>,
    reached: Notify,
}

impl Pace {
    pub(super) fn new(clock: Arc<SimulatedClock>) -> Arc<Pace> {
        Arc::new(Pace { clock, end: Mutex::default(), reached: Notify::new() })
    }

    /// Where tasks run by this time.
    pub(super) fn runtime(self: &Arc<Pace>) -> Runtime {
        let pace = self.clone();
        let mut builder = Builder::new_current_thread();
        builder.on_thread_park(move || pace.go_on()).build().expect("it needs no I/O")
    }

    pub(super) async fn run_until(&self, end: Duration) {
        *self.end.lock() = Some(end);
        while self.end.lock().is_some() {
            self.reached.notified().await;
        }
        self.clock.advance(end.saturating_sub(self.clock.monotonic()));
    }

    fn go_on(&self) {
        let end = *self.end.lock();
        if !self.clock.wake_next(end.unwrap_or(Duration::MAX)) && end.is_some() {
            *self.end.lock() = None;
            self.reached.notify_one();
        }
    }
}
