//! The database is crashed at every write and sync of a thousand histories, and asked all day.

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

/// Series of the day; more with `SIMULATION_SERIES`.
const N_SERIES: u32 = 2000;

#[test]
fn a_day_is_asked_for_while_it_is_compacted_deleted_and_dropped() {
    let n_series = std::env::var("SIMULATION_SERIES").ok().and_then(|n| n.parse().ok());
    let day = storage::day::run(n_series.unwrap_or(N_SERIES), 24);
    let day = day.unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("{day:?}");
    assert!(day.queries > 0 && day.deletions > 0, "{day:?}");
    assert!(day.blocks_written > 0 && day.blocks_dropped > 0, "{day:?}");
}
