//! Dice, real or seeded.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::Rng as _;

pub trait Random: Send + Sync {
    fn u64(&self) -> u64;

    /// Uniform in `0.0..1.0`.
    fn fraction(&self) -> f64 {
        (self.u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.u64().to_ne_bytes()[..chunk.len()]);
        }
    }
}

/// The operating system's randomness.
pub struct RealRandom;

impl Random for RealRandom {
    fn u64(&self) -> u64 {
        rand::rng().next_u64()
    }
}

/// A sequence that depends on the seed alone (SplitMix64).
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    pub fn new(seed: u64) -> SeededRandom {
        SeededRandom(AtomicU64::new(seed))
    }
}

impl Random for SeededRandom {
    fn u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
