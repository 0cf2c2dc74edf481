//! Rules through restarts, kills and pauses: does an alert wait again, end wrongly, or is a recorded
//! sample missing?
//!
//! A seed makes a [`Plan`]: instances whose level rises and falls, alerts with `for` and
//! `keep_firing_for`, groups that record what other groups read, and what goes wrong when. `world`
//! plays it with real rules over the real engine and database, on a simulated clock and disk, and
//! whoever is sent alerts believes them as an Alertmanager would. What must come of it at every
//! moment stands in `verdict`, of recorded samples in `recorded`.

mod plan;
mod recorded;
mod server;
mod verdict;
mod world;

use std::{
    fmt,
    ops::{AddAssign, Range},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

pub use plan::{Fault, Kind, Plan};

/// What came of some plans.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    pub histories: usize,
    pub restarts: usize,
    pub kills: usize,
    pub pauses: usize,
    /// Alerts looked at, each at one moment.
    pub looks: usize,
    /// Alerts that were sent, counted each time.
    pub sent: usize,
    /// Recorded samples, of which so many are of moments when nothing ran.
    pub recorded: usize,
    pub made_up: usize,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.histories += other.histories;
        self.restarts += other.restarts;
        self.kills += other.kills;
        self.pauses += other.pauses;
        self.looks += other.looks;
        self.sent += other.sent;
        self.recorded += other.recorded;
        self.made_up += other.made_up;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} histories with {} restarts, {} kills and {} pauses: {} looks at alerts, {} sent; \
             {} samples recorded, {} of them later; none waits again, ends wrongly or is missing",
            self.histories,
            self.restarts,
            self.kills,
            self.pauses,
            self.looks,
            self.sent,
            self.recorded,
            self.made_up
        )
    }
}

/// Lives through the histories of these seeds, on all cores; the error is the story of one that
/// fails.
pub fn run(seeds: Range<u64>) -> Result<Totals, String> {
    let next = AtomicU64::new(seeds.start);
    let totals = Mutex::new(Totals::default());
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || failed.lock().is_some() {
                return;
            }
            match world::live(&Plan::new(seed)) {
                Ok(outcome) => *totals.lock() += outcome,
                Err(_) => {
                    let mut failed = failed.lock();
                    *failed = Some(failed.map_or(seed, |other| other.min(seed)));
                }
            }
        }
    };
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(work);
        }
    });
    match failed.into_inner() {
        Some(seed) => Err(tell(seed)),
        None => Ok(totals.into_inner()),
    }
}

/// One seed again.
pub fn replay(seed: u64) -> Result<Totals, String> {
    world::live(&Plan::new(seed)).map_err(|_| tell(seed))
}

/// The story of a seed that fails: with as few faults as still make it fail.
fn tell(seed: u64) -> String {
    let mut plan = Plan::new(seed);
    let mut reason = world::live(&plan).err().unwrap_or_default();
    let mut idx = 0;
    while idx < plan.faults.len() {
        let mut shorter = plan.clone();
        shorter.faults.remove(idx);
        match world::live(&shorter) {
            Err(other) => (plan, reason) = (shorter, other),
            Ok(_) => idx += 1,
        }
    }
    format!(
        "seed {seed}: {plan}\n{reason}\n\nagain: cargo run -p simulation -- rules --seed {seed}\n"
    )
}
