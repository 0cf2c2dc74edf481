use std::time::Duration;

/// One more than the worst score.
const SCORES: u32 = 8;

/// How much this node doubts itself: who misses answers, or is accused, asks more slowly, so that a
/// node in trouble does not accuse all others. From Lifeguard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    score: u32,
}

impl Health {
    /// 0 is well.
    pub fn score(self) -> u32 {
        self.score
    }

    pub fn change(&mut self, by: i32) {
        self.score = self.score.saturating_add_signed(by).min(SCORES - 1);
    }

    pub fn stretch(self, duration: Duration) -> Duration {
        duration * (self.score + 1)
    }
}
