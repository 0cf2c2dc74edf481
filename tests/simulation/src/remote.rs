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
};

pub use plan::{Fault, Kind, Plan};

use crate::seeds;

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

impl seeds::Plan for Plan {
    const PART: &str = "remote";
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
