//! Names under which both evaluate a group at the same moments.
//!
//! How far a group's evaluations lie behind multiples of its interval comes of a hash of its name.
//! What is hashed changed between 2.42 and 3.14: only here and there do both fall together.

use std::time::Duration;

use rules::Definition;
use xxhash_rust::xxh64::xxh64;

use super::world::{PHASE_MS, STEP_MS};

/// Groups that read what others record must not be evaluated while those are.
const DISTANCE_MS: u64 = 20;

/// Makes names that are evaluated every `interval` each at another moment.
pub(super) struct Phases {
    interval: Duration,
    taken: Vec<u64>,
}

impl Phases {
    pub(super) fn new(interval: Duration) -> Phases {
        Phases { interval, taken: vec![(PHASE_MS % STEP_MS) as u64] }
    }

    /// `name` and a number, for a group in `file`.
    pub(super) fn name(&mut self, file: &str, name: &str) -> String {
        let mut names = (0..).map(|number| format!("{name}-{number}"));
        let named = names.find(|name| {
            let phase = theirs(file, name, self.interval);
            let is_free = self.taken.iter().all(|taken| taken.abs_diff(phase) >= DISTANCE_MS);
            is_free && phase == ours(file, name, self.interval)
        });
        let named = named.expect("there is no end of numbers");
        self.taken.push(theirs(file, &named, self.interval));
        named
    }
}

/// As 2.42 has it, in milliseconds.
fn theirs(file: &str, name: &str, interval: Duration) -> u64 {
    let mut text = Vec::new();
    for part in ["file", file, "name", name] {
        text.extend_from_slice(part.as_bytes());
        text.push(0xff);
    }
    xxh64(&text, 0) % interval.as_nanos() as u64 / 1_000_000
}

fn ours(file: &str, name: &str, interval: Duration) -> u64 {
    let (file, name) = (file.to_owned(), name.to_owned());
    let group =
        Definition { file, name, interval, query_offset: None, limit: None, rules: Vec::new() };
    // The first moment that is not before the beginning of time.
    group.slot_before(interval * 2).as_millis() as u64 % interval.as_millis() as u64
}
