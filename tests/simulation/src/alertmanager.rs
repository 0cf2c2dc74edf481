//! Clusters of Alertmanagers under faults: is every alert told, and how often more than once?
//!
//! A seed makes a [`Plan`]: nodes, alerts, and what goes wrong when. [`run`] plays it with real
//! Alertmanagers and their real gossip, packets and streams, on one simulated clock and network.
//! The same plan runs with our rule, a claim before each notification, and with upstream's.

mod pace;
mod peers;
mod plan;
mod wire;
mod world;

use std::{
    convert::Infallible,
    fmt,
    ops::{AddAssign, Range},
};

pub use plan::{Fault, Kind, Plan};

use crate::seeds;

/// How large the clusters are.
pub const SIZES: [usize; 3] = [3, 5, 9];

/// By which rule nodes agree who notifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Ours: nodes claim what they are about to send, say things more often, and keep alerts over a
    /// restart.
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
    /// Which these were.
    pub doubled: Vec<String>,
    /// Beginnings and ends that nobody was told.
    pub untold: Vec<String>,
}

/// What came of the plans for clusters of one size.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    pub n_nodes: usize,
    pub plans: usize,
    /// Where nothing went wrong.
    pub calm: Tally,
    /// Where something did, by our rule.
    pub ours: Tally,
    /// The same by upstream's.
    pub theirs: Tally,
}

/// Plays the plans of these seeds for clusters of one size, on all cores. The error says what was
/// not told, or was told twice for no reason.
pub fn run(n_nodes: usize, seeds: Range<u64>) -> Result<Totals, String> {
    let start = Totals { n_nodes, ..Totals::default() };
    let live = |seed| Ok::<_, Infallible>(play(&Plan::new(seed, n_nodes)));
    match seeds::on_all_cores(seeds, start, live) {
        Ok(totals) => totals.check(),
        Err((_, never)) => match never {},
    }
}

/// The same for all sizes, as text.
pub fn report(seeds: Range<u64>) -> Result<String, String> {
    let lines = SIZES.map(|n_nodes| run(n_nodes, seeds.clone()).map(|totals| totals.to_string()));
    Ok(lines.into_iter().collect::<Result<Vec<String>, String>>()?.join("\n"))
}

fn play(plan: &Plan) -> Totals {
    let ours = world::live(plan, Rule::Claims);
    let totals = Totals { n_nodes: plan.n_nodes(), plans: 1, ..Totals::default() };
    match plan.is_calm() {
        true => Totals { calm: ours, ..totals },
        false => Totals { ours, theirs: world::live(plan, Rule::Upstream), ..totals },
    }
}

impl Totals {
    fn check(self) -> Result<Totals, String> {
        let untold = [self.calm.untold.clone(), self.ours.untold.clone()].concat();
        if !untold.is_empty() {
            return Err(format!("{self}\nuntold:\n{}", untold.join("\n")));
        }
        if self.calm.doubles > 0 {
            let doubled = self.calm.doubled.join("\n");
            return Err(format!("{self}\nwithout a fault something was told twice:\n{doubled}"));
        }
        if self.ours.doubles > self.theirs.doubles {
            return Err(format!("{self}\nclaims make it worse"));
        }
        Ok(self)
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { n_nodes, plans, calm, ours, theirs } = self;
        write!(
            f,
            "{n_nodes} nodes, {plans} seeds: no faults: {} alerts, {} doubles; faults: {} alerts, \
             {} doubles ({:.1} per thousand notifications) and {} untold, by upstream's rule {} \
             ({:.1}) and {} untold",
            calm.alerts,
            calm.doubles,
            ours.alerts,
            ours.doubles,
            ours.doubles_per_thousand(),
            ours.untold.len(),
            theirs.doubles,
            theirs.doubles_per_thousand(),
            theirs.untold.len(),
        )
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.plans += other.plans;
        self.calm += other.calm;
        self.ours += other.ours;
        self.theirs += other.theirs;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.alerts += other.alerts;
        self.doubles += other.doubles;
        self.doubled.extend(other.doubled);
        self.untold.extend(other.untold);
    }
}

impl Tally {
    /// Doubles of a thousand notifications.
    pub fn doubles_per_thousand(&self) -> f64 {
        1000.0 * self.doubles as f64 / (2 * self.alerts).max(1) as f64
    }
}
