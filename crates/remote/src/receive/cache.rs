//! From the raw bytes of a series to the storage's handle, for all senders.
//!
//! A million series have a million entries here, so an entry is 32 bytes: neither text nor labels,
//! but a 128-bit hash of the text under a secret seed, and the handle.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::{HashTable, hash_table};
use parking_lot::RwLock;
use storage::SeriesRef;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::batch::Item;

/// Who was not written for this long, or twice that, is forgotten.
const EPOCH_MS: i64 = 10 * 60 * 1000;

/// The hash of a series as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u64; 2]);

struct Known {
    key: Key,
    series: SeriesRef,
    /// The epoch in which it was written last.
    seen: AtomicU32,
}

pub(super) struct Cache {
    seed: u64,
    /// Held once a chunk of a request. No other lock is taken under it.
    table: RwLock<HashTable<Known>>,
    /// The epoch in which the table was last swept.
    swept: AtomicU32,
}

impl Key {
    fn table_hash(self) -> u64 {
        self.0[0]
    }
}

impl Cache {
    /// `seed` keeps those who choose the texts from choosing their hashes.
    pub(super) fn new(seed: u64) -> Cache {
        Cache { seed, table: RwLock::default(), swept: AtomicU32::new(0) }
    }

    /// `salt` tells apart in what way `raw` says what series it is.
    pub(super) fn key(&self, raw: &[u8], salt: u64) -> Key {
        let hash = xxh3_128_with_seed(raw, self.seed ^ salt);
        Key([hash as u64, (hash >> 64) as u64])
    }

    /// Fills in the handles of the series that are known.
    pub(super) fn look_up(&self, items: &mut [Item<'_>], now: i64) {
        let epoch = epoch(now);
        let table = self.table.read();
        for item in items {
            let found = table.find(item.key.table_hash(), |known| known.key == item.key);
            if let Some(known) = found {
                item.handle = known.series;
                // Mostly it is the same; then nobody else's copy of the line gets invalid.
                if known.seen.load(Ordering::Relaxed) != epoch {
                    known.seen.store(epoch, Ordering::Relaxed);
                }
            }
        }
    }

    /// Adds series, or other handles of known ones; from time to time forgets those that are not
    /// written any more.
    pub(super) fn learn(&self, learned: &[(Key, SeriesRef)], now: i64) {
        let epoch = epoch(now);
        let is_swept = self.swept.swap(epoch, Ordering::Relaxed) == epoch;
        if learned.is_empty() && is_swept {
            return;
        }
        let mut table = self.table.write();
        if !is_swept {
            table.retain(|known| *known.seen.get_mut() >= epoch.saturating_sub(1));
            if table.capacity() > table.len() * 4 {
                table.shrink_to_fit(|known| known.key.table_hash());
            }
        }
        for (key, series) in learned {
            let known = Known { key: *key, series: *series, seen: AtomicU32::new(epoch) };
            let is_same = |other: &Known| other.key == *key;
            match table.entry(key.table_hash(), is_same, |other| other.key.table_hash()) {
                hash_table::Entry::Occupied(mut place) => *place.get_mut() = known,
                hash_table::Entry::Vacant(place) => {
                    place.insert(known);
                }
            }
        }
    }
}

fn epoch(now: i64) -> u32 {
    u32::try_from(now / EPOCH_MS).unwrap_or_default()
}
