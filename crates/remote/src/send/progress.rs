//! How far a queue has come.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;
use tracing::error;
use wal::{Hold, Position};

use super::{batch::Item, ledger::Ledger, position::PositionFile};

/// Shared by the reader and the shards of a queue.
pub(super) struct Progress {
    /// The place's lock is taken under it.
    ledger: Mutex<Ledger>,
    place: Mutex<Place>,
    sent: AtomicU64,
    dropped: AtomicU64,
    sending_ns: AtomicU64,
    newest_sent: AtomicI64,
    /// When something was acknowledged last.
    success_ns: AtomicU64,
    /// Until when failures count as recent.
    failing_until_ns: AtomicU64,
}

/// Where the position is kept, and what keeps the log.
struct Place {
    file: PositionFile,
    hold: Hold,
}

/// What happened since somebody asked last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Happened {
    pub(super) sent: u64,
    pub(super) dropped: u64,
    pub(super) sending: Duration,
}

impl Progress {
    pub(super) fn new(from: Position, file: PositionFile, hold: Hold) -> Progress {
        Progress {
            ledger: Mutex::new(Ledger::new(from)),
            place: Mutex::new(Place { file, hold }),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            sending_ns: AtomicU64::new(0),
            newest_sent: AtomicI64::new(0),
            success_ns: AtomicU64::new(0),
            failing_until_ns: AtomicU64::new(0),
        }
    }

    /// Notes a record that was read; says its number.
    pub(super) fn open(&self, end: Position, n_samples: u32) -> u64 {
        self.ledger.lock().open(end, n_samples)
    }

    /// Takes samples off their records, and keeps the position that this gives.
    pub(super) fn acknowledge(&self, items: &[Item], now: Duration) {
        self.success_ns.fetch_max(now.as_nanos() as u64, Relaxed);
        let mut ledger = self.ledger.lock();
        for of_record in items.chunk_by(|a, b| a.record == b.record) {
            ledger.done(of_record[0].record, of_record.len() as u32);
        }
        drop(ledger);
        self.keep();
    }

    /// Up to here everything was acknowledged.
    pub(super) fn acknowledged(&self) -> Position {
        self.ledger.lock().acknowledged()
    }

    /// Writes down how far everything was acknowledged.
    pub(super) fn keep(&self) {
        let ledger = self.ledger.lock();
        let position = ledger.acknowledged();
        let mut place = self.place.lock();
        drop(ledger);
        place.hold.advance(position.segment);
        if let Err(err) = runtime::blocking(|| place.file.note(position)) {
            // Sending goes on; after a restart more than the last batch may be sent again.
            error!(%err, "Failed to keep the position of remote write");
        }
    }

    pub(super) fn note_sent(&self, n_samples: u64, newest: i64) {
        self.sent.fetch_add(n_samples, Relaxed);
        self.newest_sent.fetch_max(newest, Relaxed);
    }

    pub(super) fn note_dropped(&self, n_samples: u64) {
        self.dropped.fetch_add(n_samples, Relaxed);
    }

    pub(super) fn note_sending(&self, took: Duration) {
        self.sending_ns.fetch_add(took.as_nanos() as u64, Relaxed);
    }

    pub(super) fn note_failure(&self, recent_until: Duration) {
        self.failing_until_ns.fetch_max(recent_until.as_nanos() as u64, Relaxed);
    }

    pub(super) fn newest_sent(&self) -> i64 {
        self.newest_sent.load(Relaxed)
    }

    pub(super) fn take_happened(&self) -> Happened {
        Happened {
            sent: self.sent.swap(0, Relaxed),
            dropped: self.dropped.swap(0, Relaxed),
            sending: Duration::from_nanos(self.sending_ns.swap(0, Relaxed)),
        }
    }

    /// Whether requests succeed lately.
    pub(super) fn is_healthy(&self, now: Duration, within: Duration) -> bool {
        let success = Duration::from_nanos(self.success_ns.load(Relaxed));
        let failing_until = Duration::from_nanos(self.failing_until_ns.load(Relaxed));
        now.saturating_sub(success) <= within && failing_until <= now
    }
}
