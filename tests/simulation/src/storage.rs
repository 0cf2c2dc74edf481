//! Every sample that was acknowledged and synced is there after a crash, whenever it comes; nothing
//! is invented, nothing doubled, and no crash prevents the next start.
//!
//! A seed gives a [`History`]: appends of floats and histograms, in and out of order, deletions,
//! compactions, clean-ups, readers that stay, restarts. It runs once, on a disk that stops at each
//! of its operations: there a copy of the disk is taken as a kill or a loss of power would leave
//! it, a database is opened on the copy, and what it holds is compared with the [`Model`]. Some of
//! the crashes come true: then the history goes on with what they left.
//!
//! Start at [`run`]. [`day`] is without crashes, but with several who work at the same time.

pub mod day;
mod disk;
mod history;
mod image;
mod life;
mod model;
mod shrink;
mod truth;

use std::ops::Range;

pub use self::{
    history::{Event, History, Setup},
    life::{Totals, Violation},
    model::Model,
};
use crate::seeds;

/// Runs the history of each seed, on all cores; gives the totals, or what was violated first.
pub fn run(seeds: Range<u64>) -> Result<Totals, String> {
    let live = |seed| match life::live(seed, &History::of(seed)) {
        (totals, None) => Ok(totals),
        (_, Some(violation)) => Err(violation),
    };
    let totals = seeds::on_all_cores(seeds, Totals::default(), live);
    totals.map_err(|(seed, violation)| tell(seed, violation))
}

/// What was violated, and the shortest history of which that is true.
fn tell(seed: u64, violation: Violation) -> String {
    let history = History::of(seed);
    let (shortest, violation) = shrink::shrink(seed, &history, violation);
    let mut story = format!("seed {seed}: {violation}\n\n");
    story += &format!("{} of {} events are enough:\n", shortest.events.len(), history.events.len());
    story += &shortest.to_string();
    story += "\nthe last operations on the disk:\n";
    for operation in &violation.operations {
        story += &format!("  {operation}\n");
    }
    story + &format!("\nagain: cargo run -p simulation -- storage --seed {seed}\n")
}
