//! Clusters of Alertmanagers under faults: is every alert told, and how often more than once?
//!
//! A seed makes a [`Plan`]: nodes, alerts, and what goes wrong when. [`run`] plays it with real
//! Alertmanagers, on one simulated clock, over [`net`], which behaves as gossip does: messages get
//! lost or come late, whole states are exchanged now and then, and the dead are noticed after a
//! while. The same plan runs with our rule, a claim before each notification, and with upstream's.

mod net;
mod plan;
mod world;

use std::ops::AddAssign;

pub use plan::{Fault, Kind, Plan};
pub use world::run;

/// By which rule nodes agree who notifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Ours: nodes claim what they are about to send, and keep alerts over a restart.
    Claims,
    /// A node waits for its place in line, and that is all.
    Upstream,
}

/// What came of some plans.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Alerts that began and ended, each to be told twice: once firing, once over.
    pub alerts: usize,
    /// Beginnings and ends that were told more often than once, counted each time.
    pub doubles: usize,
    /// Beginnings and ends that nobody was told.
    pub untold: Vec<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.alerts += other.alerts;
        self.doubles += other.doubles;
        self.untold.extend(other.untold);
    }
}

impl Tally {
    /// Doubles of a thousand notifications.
    pub fn doubles_per_thousand(&self) -> f64 {
        1000.0 * self.doubles as f64 / (2 * self.alerts).max(1) as f64
    }
}
