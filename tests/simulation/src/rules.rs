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
};

pub use plan::{Fault, Kind, Plan};

use crate::seeds;

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

impl seeds::Plan for Plan {
    const PART: &str = "rules";
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
