//! Dice, real or seeded.

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
