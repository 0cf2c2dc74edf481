//! Servers that act as one are cut off, stopped, killed and misled about the time.

#![expect(clippy::print_stdout, reason = "the totals are what one wants to see")]

use simulation::cluster;

/// Seeds of a run; more with `SIMULATION_SEEDS`, which takes a minute for 10,000 if optimised.
const N_SEEDS: u64 = 300;

#[test]
fn nothing_is_lost_and_one_writes_at_a_time() {
    let n_seeds = std::env::var("SIMULATION_SEEDS").ok().and_then(|n| n.parse().ok());
    match cluster::run(0..n_seeds.unwrap_or(N_SEEDS)) {
        Ok(totals) => println!("{totals}"),
        Err(story) => panic!("{story}"),
    }
}
