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
};

pub use plan::{Fault, Keeper, Kind, Plan};

use crate::seeds;

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

impl seeds::Plan for Plan {
    const PART: &str = "cluster";
    type Fault = Fault;
    type Totals = Totals;

    fn of(seed: u64) -> Plan {
        Plan::new(seed)
    }

    fn live(&self) -> Result<Totals, String> {
        world::live(self)
    }

    fn faults(&mut self) -> &mut Vec<Fault> {
        &mut self.faults
    }
}

/// Lives through the histories of these seeds, on all cores; the error is the story of one that
/// fails.
pub fn run(seeds: Range<u64>) -> Result<Totals, String> {
    seeds::run::<Plan>(seeds)
}
