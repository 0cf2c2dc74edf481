//! What was read from the log and is not acknowledged yet.

use std::collections::VecDeque;

use wal::Position;

/// Knows up to where everything was acknowledged, in whatever order that happens.
pub(super) struct Ledger {
    /// Number of the first record in `open`.
    first: u64,
    /// Records in order, with the samples of each that are still on their way.
    open: VecDeque<(Position, u32)>,
    acknowledged: Position,
}

impl Ledger {
    pub(super) fn new(acknowledged: Position) -> Ledger {
        Ledger { first: 0, open: VecDeque::new(), acknowledged }
    }

    /// Adds a record that ends at `end`; says its number.
    pub(super) fn open(&mut self, end: Position, n_samples: u32) -> u64 {
        let number = self.first + self.open.len() as u64;
        self.open.push_back((end, n_samples));
        self.settle();
        number
    }

    /// Samples of a record have arrived, or will never be sent.
    pub(super) fn done(&mut self, record: u64, n_samples: u32) {
        let idx = record.checked_sub(self.first).map(|idx| idx as usize);
        let Some((_, open)) = idx.and_then(|idx| self.open.get_mut(idx)) else { return };
        *open = open.saturating_sub(n_samples);
        self.settle();
    }

    /// Up to here nothing is needed any more.
    pub(super) fn acknowledged(&self) -> Position {
        self.acknowledged
    }

    fn settle(&mut self) {
        while let Some((end, 0)) = self.open.front() {
            self.acknowledged = *end;
            self.open.pop_front();
            self.first += 1;
        }
    }
}
