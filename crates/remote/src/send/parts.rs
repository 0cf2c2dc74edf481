//! A batch in parts: where a receiver refuses a whole request because of one sample, the others are
//! sent without it.

use super::batch::Item;

/// Requests of one batch that may be refused.
const REFUSALS_MAX: usize = 256;
/// A receiver that has refused so many and taken none will not take any.
const HOPELESS: usize = 16;

/// What is still to be sent of a batch, in order.
pub(super) struct Parts {
    /// The first one is the last.
    parts: Vec<Vec<Item>>,
    n_refused: usize,
    n_taken: usize,
}

impl Parts {
    pub(super) fn new(batch: Vec<Item>) -> Parts {
        Parts { parts: vec![batch], n_refused: 0, n_taken: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Vec<Item>> {
        self.parts.pop()
    }

    pub(super) fn taken(&mut self) {
        self.n_taken += 1;
    }

    /// Comes again in two halves; or comes back, if none of it will ever be taken.
    pub(super) fn refused(&mut self, mut part: Vec<Item>) -> Option<Vec<Item>> {
        self.n_refused += 1;
        let is_hopeless = self.n_taken == 0 && self.n_refused >= HOPELESS;
        if part.len() <= 1 || is_hopeless || self.n_refused >= REFUSALS_MAX {
            return Some(part);
        }
        let rest = part.split_off(part.len() / 2);
        self.parts.extend([rest, part]);
        None
    }

    /// What nobody has tried yet, behind `first`.
    pub(super) fn rest(mut self, mut first: Vec<Item>) -> Vec<Item> {
        while let Some(part) = self.parts.pop() {
            first.extend(part);
        }
        first
    }
}
