//! Choices that depend on a seed alone.

use runtime::{Random as _, random::SeededRandom};

pub struct Dice(SeededRandom);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(SeededRandom::new(seed))
    }

    /// A number below `end`, which is not zero.
    pub fn below(&self, end: u64) -> u64 {
        self.0.u64() % end
    }

    /// Yes once in `n` times.
    pub fn once_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// Mixes numbers into one that says nothing of them.
pub fn hash(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0x243f_6a88_85a3_08d3, |state, number| {
        SeededRandom::new(state ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).u64()
    })
}
