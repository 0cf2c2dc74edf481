//! Remote write for an hour of scrapes, while both ends and the line between them fail: is anything
//! lost, doubled, or kept for longer than it has to be?
//!
//! A seed makes a [`Plan`]: how much is scraped, how it is sent, and what goes wrong when. `world`
//! plays it with two real databases, the real sender over the log of one and the real receiver over
//! the other, on simulated disks, over a simulated network. In the end both have the same samples,
//! and the log is let go of.

mod ends;
mod plan;
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
    pub faults: usize,
    /// Samples that were scraped and sent.
    pub samples: usize,
    /// Requests that the receiver has seen, and those of them that it took.
    pub requests: usize,
    pub taken: usize,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.histories += other.histories;
        self.faults += other.faults;
        self.samples += other.samples;
        self.requests += other.requests;
        self.taken += other.taken;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { histories, faults, samples, requests, taken } = self;
        write!(
            f,
            "{histories} histories of an hour, {faults} faults: {samples} samples are the same at \
             both ends; {requests} requests, {taken} of them taken"
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
        "seed {seed}: {plan}\n{reason}\n\nagain: cargo run -p simulation -- remote --seed {seed}\n"
    )
}
