//! The database is crashed at every write and sync of a thousand histories.

#![expect(clippy::print_stdout, reason = "the totals are what one wants to see")]

use simulation::storage;

/// Seeds of a run; more with `SIMULATION_SEEDS`.
const N_SEEDS: u64 = 1000;

#[test]
fn no_crash_loses_invents_or_doubles_a_sample() {
    let n_seeds = std::env::var("SIMULATION_SEEDS").ok().and_then(|n| n.parse().ok());
    let n_seeds = n_seeds.unwrap_or(N_SEEDS);
    match storage::run(0..n_seeds) {
        Ok(totals) => {
            println!("{totals}");
            let crash_points = totals.crash_points();
            assert!(n_seeds < N_SEEDS || crash_points >= 100_000, "{crash_points} crash points");
        }
        Err(story) => panic!("{story}"),
    }
}
