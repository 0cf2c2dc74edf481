//! Clusters of servers under faults: is anything lost, and does one write at a time?
//!
//! A seed makes a [`Plan`]: members, targets, and what goes wrong when. [`world`] plays it with the
//! pure cores of `cluster`, each on its own clocks, which run fast or slow and are set at times,
//! over links that behave as TCP does: in order, late, cut in one or both directions. Members
//! share scrapes of targets, keep what they got, and write it to a remote end as long as they hold
//! the lease. What must come of it stands in [`verdict`].

mod clocks;
mod member;
mod net;
mod plan;
mod verdict;
mod world;

use std::{
    fmt,
    ops::{AddAssign, Range},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
pub use plan::{Fault, Keeper, Kind, Plan};

/// What came of some plans.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    pub histories: usize,
    pub faults: usize,
    /// Slots of targets, for each member that had a turn.
    pub turns: usize,
    /// How often targets were asked.
    pub fetches: usize,
    /// Samples that members took from each other later.
    pub repaired: usize,
    /// Samples at the remote end, and how many came more than once.
    pub written: usize,
    pub doubled: usize,
    /// How often another member became the writer.
    pub hand_overs: usize,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.histories += other.histories;
        self.faults += other.faults;
        self.turns += other.turns;
        self.fetches += other.fetches;
        self.repaired += other.repaired;
        self.written += other.written;
        self.doubled += other.doubled;
        self.hand_overs += other.hand_overs;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} histories, {} faults: {} turns with {} fetches, {} samples repaired; \
             {} samples written, {} of them twice, {} hand-overs; nothing lost, one writer at a time",
            self.histories,
            self.faults,
            self.turns,
            self.fetches,
            self.repaired,
            self.written,
            self.doubled,
            self.hand_overs
        )
    }
}

/// Lives through the histories of these seeds, on all cores; the error is the story of the first
/// that fails.
pub fn run(seeds: Range<u64>) -> Result<Totals, String> {
    let next = AtomicU64::new(seeds.start);
    let totals = Mutex::new(Totals::default());
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
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
            });
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
    let faults: Vec<String> = plan.faults.iter().map(|fault| format!("  {fault}")).collect();
    format!("seed {seed}: {plan}\n{}\n{reason}", faults.join("\n"))
}
