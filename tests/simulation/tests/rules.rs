//! A server is restarted, killed and paused while alerts are pending, firing and kept firing.

#![expect(clippy::print_stdout, reason = "the totals are what one wants to see")]

use simulation::rules;

/// Seeds of a run; more with `SIMULATION_SEEDS`.
const N_SEEDS: u64 = 60;

#[test]
fn no_alert_waits_again_or_ends_wrongly_and_no_recorded_sample_is_missing() {
    let n_seeds = std::env::var("SIMULATION_SEEDS").ok().and_then(|n| n.parse().ok());
    match rules::run(0..n_seeds.unwrap_or(N_SEEDS)) {
        Ok(totals) => println!("{totals}"),
        Err(story) => panic!("{story}"),
    }
}
