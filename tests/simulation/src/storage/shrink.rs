//! The shortest history that still fails.

use super::{History, Violation, life};

/// So many histories are tried.
const ATTEMPTS_MAX: usize = 300;

pub(super) fn shrink(seed: u64, history: &History, violation: Violation) -> (History, Violation) {
    let mut shortest = history.clone();
    let mut seen = violation;
    let mut n_left = ATTEMPTS_MAX;
    let mut n_events = shortest.events.len() / 2;
    // Runs of events are left out, ever shorter ones.
    while n_events > 0 {
        let mut begin = 0;
        while begin < shortest.events.len() && n_left > 0 {
            let mut shorter = shortest.clone();
            shorter.events.drain(begin..(begin + n_events).min(shortest.events.len()));
            n_left -= 1;
            match life::live(seed, &shorter).1 {
                Some(violation) => (shortest, seen) = (shorter, violation),
                None => begin += n_events,
            }
        }
        n_events /= 2;
    }
    (shortest, seen)
}
