//! Clusters on a network that loses, delays and cuts, and what a real node was asked.

mod probes;
mod tables;
mod world;

use std::time::Duration;

use self::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// Each of these many clusters has a story of its own.
const SEEDS: [(usize, u64); 3] = [(3, 30), (5, 20), (9, 10)];

fn for_all(check: impl Fn(&mut World)) {
    for (n_nodes, n_seeds) in SEEDS {
        for seed in 0..n_seeds {
            let mut world = World::new(n_nodes, seed);
            world.join_all();
            world.run_for(20 * SECOND);
            world.expect_all_know_all("after the start");
            check(&mut world);
        }
    }
}

#[test]
fn a_message_reaches_everybody() {
    for_all(|world| {
        world.loss = 0.2;
        let from = world.any_node();
        world.broadcast(from, "hello");
        world.run_for(30 * SECOND);
        world.expect_all_heard("hello");
    });
}

#[test]
fn the_dead_are_found_and_come_back() {
    for_all(|world| {
        let victim = world.any_node();
        world.kill(victim);
        // Half a minute of suspicion at most, and a round of questions.
        world.run_for(60 * SECOND);
        world.expect_all_know_all("after a death");
        world.broadcast_from_others(victim, "missed");
        world.restart(victim);
        world.run_for(30 * SECOND);
        world.expect_all_know_all("after the return");
        world.expect_all_heard("missed");
    });
}

#[test]
fn who_says_goodbye_has_left() {
    for_all(|world| {
        let leaver = world.any_node();
        world.leave(leaver);
        // Who misses it finds out by asking.
        world.run_for(40 * SECOND);
        world.expect_all_know_all("after a goodbye");
    });
}

#[test]
fn two_halves_become_one_again() {
    for_all(|world| {
        world.cut_in_two();
        world.run_for(90 * SECOND);
        let from = world.any_node();
        world.broadcast(from, "news");
        world.heal();
        world.run_for(60 * SECOND);
        world.expect_all_know_all("after the halves met");
        world.expect_all_heard("news");
    });
}

#[test]
fn a_lossy_network_kills_nobody() {
    for_all(|world| {
        world.loss = 0.25;
        world.run_for(120 * SECOND);
        world.expect_all_know_all("on a bad network");
        assert_eq!(world.n_deaths(), 0, "seed {}", world.seed);
    });
}
