//! An hour of remote write while both ends are stopped, killed and cut off.

#![expect(clippy::print_stdout, reason = "the totals are what one wants to see")]

use simulation::remote;

/// Seeds of a run; more with `SIMULATION_SEEDS`.
const N_SEEDS: u64 = 8;

#[test]
fn both_ends_have_the_same_after_an_hour_of_faults() {
    let n_seeds = std::env::var("SIMULATION_SEEDS").ok().and_then(|n| n.parse().ok());
    match remote::run(0..n_seeds.unwrap_or(N_SEEDS)) {
        Ok(totals) => println!("{totals}"),
        Err(story) => panic!("{story}"),
    }
}
