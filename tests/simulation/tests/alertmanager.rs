//! Clusters of 3, 5 and 9 Alertmanagers, many seeds each. `SEEDS=1000` runs more of them,
//! `SEED=17` one.

#![expect(clippy::print_stderr, reason = "the rates are what it is about")]

use simulation::alertmanager::run;

const SEEDS: u64 = 15;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn check(n_nodes: usize) {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    match run(n_nodes, seeds) {
        Ok(totals) => eprintln!("{totals}"),
        Err(story) => panic!("{story}"),
    }
}

#[test]
fn three_nodes_tell_everything_and_hardly_anything_twice() {
    check(3);
}

#[test]
fn five_nodes_tell_everything_and_hardly_anything_twice() {
    check(5);
}

#[test]
fn nine_nodes_tell_everything_and_hardly_anything_twice() {
    check(9);
}
