//! Random choices that depend on a seed alone.

use runtime::{Random as _, random::SeededRandom};

pub(crate) struct Dice(SeededRandom);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(SeededRandom::new(seed))
    }

    /// One of 0 to `n` - 1.
    pub(crate) fn below(&self, n: usize) -> usize {
        (self.0.u64() % n.max(1) as u64) as usize
    }

    /// One of `low` to `high`.
    pub(crate) fn within(&self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as usize) as i64
    }

    pub(crate) fn percent(&self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
