//! From the raw bytes of a series to its handle, for one target.
//!
//! A million series have a million entries here, so an entry is 32 bytes: neither text nor labels,
//! but a 128-bit hash of the text under a secret seed, and the storage's handle.

use hashbrown::{HashTable, hash_table};
use storage::SeriesRef;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// The hash of a series as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u128);

/// What is known of a series as written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    key: Key,
    /// Nothing if relabelling drops the series.
    series: SeriesRef,
    /// The scrape that saw it last.
    seen: u32,
    /// The scrape from which on it must get a staleness marker when it vanishes; 0 if it need not.
    live_since: u32,
}

pub(crate) struct Cache {
    table: HashTable<Entry>,
    seed: u64,
    /// The number of the scrape; the first one is 1.
    scrape: u32,
    /// Entries seen in this scrape.
    n_seen: usize,
    /// Entries that were live when this scrape began.
    n_live: usize,
    /// Of those, the ones that it saw.
    n_kept: usize,
    /// Entries that became live in this scrape.
    n_new: usize,
    /// Entries after the last scrape that succeeded.
    n_successful: usize,
}

/// What a look-up says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    New,
    Dropped,
    Known { series: SeriesRef, is_repeated: bool },
}

impl Cache {
    /// `seed` keeps those who choose the texts from choosing their hashes.
    pub(crate) fn new(seed: u64) -> Cache {
        Cache {
            table: HashTable::new(),
            seed,
            scrape: 0,
            n_seen: 0,
            n_live: 0,
            n_kept: 0,
            n_new: 0,
            n_successful: 0,
        }
    }

    /// Begins a scrape.
    pub(crate) fn begin(&mut self) {
        self.scrape = self.scrape.wrapping_add(1).max(1);
        (self.n_seen, self.n_kept, self.n_new) = (0, 0, 0);
    }

    /// `salt` is what the labels depend on beside the text.
    pub(crate) fn key(&self, raw: &[u8], salt: u64) -> Key {
        Key(xxh3_128_with_seed(raw, self.seed ^ salt))
    }

    /// Looks a series up and notes that it was seen; `is_tracked` says whether it must get a
    /// staleness marker when it vanishes.
    pub(crate) fn see(&mut self, key: Key, is_tracked: bool) -> Found {
        let scrape = self.scrape;
        let Some(entry) = self.table.find_mut(key.table_hash(), |entry| entry.key == key) else {
            return Found::New;
        };
        let is_repeated = entry.seen == scrape;
        if !is_repeated {
            entry.seen = scrape;
            self.n_seen += 1;
            if entry.live_since != 0 {
                self.n_kept += 1;
            }
        }
        if entry.series == SeriesRef::UNKNOWN {
            return Found::Dropped;
        }
        if is_tracked && entry.live_since == 0 {
            entry.live_since = scrape;
            self.n_new += 1;
        }
        Found::Known { series: entry.series, is_repeated }
    }

    pub(crate) fn add_dropped(&mut self, key: Key) {
        self.add(key, SeriesRef::UNKNOWN, false);
    }

    /// Adds a series that was just appended.
    pub(crate) fn add(&mut self, key: Key, series: SeriesRef, is_tracked: bool) {
        let live_since = if is_tracked { self.scrape } else { 0 };
        let entry = Entry { key, series, seen: self.scrape, live_since };
        match self.table.entry(key.table_hash(), |e| e.key == key, |e| e.key.table_hash()) {
            hash_table::Entry::Occupied(mut known) => *known.get_mut() = entry,
            hash_table::Entry::Vacant(vacant) => {
                vacant.insert(entry);
                self.n_seen += 1;
                self.n_new += usize::from(is_tracked);
            }
        }
    }

    /// Replaces a handle that the storage has forgotten.
    pub(crate) fn replace(&mut self, key: Key, series: SeriesRef) {
        if let Some(entry) = self.table.find_mut(key.table_hash(), |entry| entry.key == key) {
            entry.series = series;
        }
    }

    /// Ends a scrape that succeeded: the handles of the series that vanished.
    pub(crate) fn vanished(&mut self) -> Vec<SeriesRef> {
        if self.n_kept == self.n_live {
            self.n_live += self.n_new;
            return Vec::new();
        }
        let scrape = self.scrape;
        let mut vanished = Vec::new();
        for entry in self.table.iter_mut() {
            if entry.live_since != 0 && entry.seen != scrape {
                vanished.push(entry.series);
                entry.live_since = 0;
            }
        }
        self.n_live = self.n_kept + self.n_new;
        self.without_seen(vanished)
    }

    /// A series that is only written differently has not vanished.
    fn without_seen(&self, mut vanished: Vec<SeriesRef>) -> Vec<SeriesRef> {
        vanished.sort_unstable();
        vanished.dedup();
        let mut lives = vec![false; vanished.len()];
        for entry in self.table.iter().filter(|entry| entry.seen == self.scrape) {
            if let Ok(idx) = vanished.binary_search(&entry.series) {
                lives[idx] = true;
            }
        }
        let mut lives = lives.into_iter();
        vanished.retain(|_| !lives.next().unwrap_or_default());
        vanished
    }

    /// Ends a scrape that failed or was not answered: the handles of all series that were live
    /// before it.
    pub(crate) fn all_vanish(&mut self) -> Vec<SeriesRef> {
        let scrape = self.scrape;
        let mut vanished = Vec::with_capacity(self.n_live);
        for entry in self.table.iter_mut() {
            // What the failed scrape brought was rolled back with it.
            if entry.live_since != 0 && entry.live_since != scrape {
                vanished.push(entry.series);
            }
            entry.live_since = 0;
        }
        self.n_live = 0;
        vanished.sort_unstable();
        vanished.dedup();
        vanished
    }

    /// Forgets what the scrape has not seen. After a failed one only if too much has piled up; says
    /// whether that was so.
    pub(crate) fn clean(&mut self, has_succeeded: bool) -> bool {
        let is_forced = !has_succeeded && self.table.len() > self.n_successful * 2 + 1000;
        if has_succeeded || is_forced {
            if self.n_seen != self.table.len() {
                let scrape = self.scrape;
                self.table.retain(|entry| entry.seen == scrape);
                if self.table.capacity() > self.table.len() * 4 {
                    self.table.shrink_to_fit(|entry| entry.key.table_hash());
                }
            }
            self.n_successful = self.table.len();
        }
        is_forced
    }

    /// Forgets what series mean, because relabelling has changed, but not that they are live.
    pub(crate) fn forget_meanings(&mut self) {
        for (idx, entry) in self.table.iter_mut().enumerate() {
            // A key that no text has.
            entry.key = Key(idx as u128);
        }
        let entries: Vec<Entry> = self.table.drain().filter(|e| e.live_since != 0).collect();
        for entry in entries {
            self.table.insert_unique(entry.key.table_hash(), entry, |e| e.key.table_hash());
        }
    }
}

impl Key {
    fn table_hash(self) -> u64 {
        self.0 as u64
    }
}
