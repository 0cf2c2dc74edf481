//! Clusters of 3, 5 and 9 Alertmanagers, many seeds each. `SEEDS=1000` runs more of them,
//! `SEED=17` one.

#![expect(clippy::print_stderr, reason = "the rates are what it is about")]

use simulation::alertmanager::{Plan, Rule, Tally, run};

const SEEDS: u64 = 30;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn check(n_nodes: usize) {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let (mut calm, mut ours, mut theirs) = (Tally::default(), Tally::default(), Tally::default());
    for seed in seeds.clone() {
        let plan = Plan::new(seed, n_nodes);
        let tally = run(&plan, Rule::Claims);
        if plan.is_calm() {
            assert_eq!(tally.doubles, 0, "without a fault something was told twice: {plan:?}");
            calm += tally;
        } else {
            ours += tally;
            theirs += run(&plan, Rule::Upstream);
        }
    }
    eprintln!(
        "{n_nodes} nodes, {} seeds: no faults: {} alerts, {} doubles; faults: {} alerts, {} doubles \
         ({:.1} per thousand notifications), upstream's rule {} ({:.1}), and {} untold there",
        seeds.count(),
        calm.alerts,
        calm.doubles,
        ours.alerts,
        ours.doubles,
        ours.doubles_per_thousand(),
        theirs.doubles,
        theirs.doubles_per_thousand(),
        theirs.untold.len(),
    );
    let untold: Vec<String> = calm.untold.into_iter().chain(ours.untold).collect();
    assert!(untold.is_empty(), "untold: {untold:#?}");
    assert!(ours.doubles <= theirs.doubles, "claims make it worse");
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
