use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{BoxFuture, Clock};

/// Woken tasks get so many turns before time goes on in [`SimulatedClock::run_for`].
const TURNS: usize = 64;

/// Time that moves only when a test says so.
pub struct SimulatedClock(Mutex<State>);

struct State {
    /// Wall-clock time at the moment zero of `monotonic`.
    start: Duration,
    monotonic: Duration,
    /// By deadline, then in the order in which they went to sleep.
    sleepers: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
    n_sleeps: u64,
}

impl Default for SimulatedClock {
    /// Starts at the Unix epoch.
    fn default() -> SimulatedClock {
        SimulatedClock::starting_at(Duration::ZERO)
    }
}

impl SimulatedClock {
    /// `start` is the time since the Unix epoch.
    pub fn starting_at(start: Duration) -> SimulatedClock {
        SimulatedClock(Mutex::new(State {
            start,
            monotonic: Duration::ZERO,
            sleepers: BTreeMap::new(),
            n_sleeps: 0,
        }))
    }

    /// Moves time forward and wakes everybody whose time has come, earliest first.
    pub fn advance(&self, duration: Duration) {
        let end = self.monotonic() + duration;
        while self.wake_next(end) {}
        self.0.lock().monotonic = end;
    }

    /// Moves time forward from one deadline to the next; between two, the tasks that were woken
    /// run and may go to sleep again. For tests on one thread; work on blocking threads is not
    /// waited for.
    pub async fn run_for(&self, duration: Duration) {
        let end = self.monotonic() + duration;
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            if !self.wake_next(end) {
                break;
            }
        }
        self.0.lock().monotonic = end;
    }

    /// Sets the wall clock, as an administrator or NTP does; the monotonic time does not move.
    pub fn set_now(&self, now: Duration) {
        let mut state = self.0.lock();
        state.start = now.saturating_sub(state.monotonic);
    }

    /// Moves time to the next deadline up to `end` for which somebody waits, and wakes them; says
    /// whether there was one. For whoever knows that all tasks rest; see
    /// [`SimulatedClock::run_for`] otherwise.
    pub fn wake_next(&self, end: Duration) -> bool {
        loop {
            let mut state = self.0.lock();
            let Some(earliest) = state.sleepers.first_entry() else { return false };
            let (deadline, _) = *earliest.key();
            if deadline > end {
                return false;
            }
            let sleeper = earliest.remove();
            state.monotonic = state.monotonic.max(deadline);
            drop(state);
            // Who no longer waits need not be woken.
            if sleeper.send(()).is_ok() {
                return true;
            }
        }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Duration {
        let state = self.0.lock();
        state.start + state.monotonic
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().monotonic
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if duration.is_zero() {
            return Box::pin(std::future::ready(()));
        }
        let mut state = self.0.lock();
        let (sender, receiver) = oneshot::channel();
        let key = (state.monotonic.saturating_add(duration), state.n_sleeps);
        state.n_sleeps += 1;
        state.sleepers.insert(key, sender);
        Box::pin(async move {
            if receiver.await.is_err() {
                // The clock is gone, so this moment never comes.
                std::future::pending::<()>().await;
            }
        })
    }
}
