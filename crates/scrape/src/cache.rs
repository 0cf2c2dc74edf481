//! From the raw bytes of a series to its handle, for one target.
//!
//! A million series have a million entries here, so an entry is 32 bytes: neither text nor labels,
//! but a hash of the text under a secret seed, and the storage's handle. Targets print their series
//! in the same order time and again, so entries lie in that order: the next one is at hand, and only
//! what is not where it was is looked for by its hash.

use hashbrown::{HashTable, hash_table};
use storage::SeriesRef;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// The hash of a series as written, with its length in the upper 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

impl Entry {
    /// In the place of one that was forgotten.
    const NONE: Entry =
        Entry { key: Key::NONE, series: SeriesRef::UNKNOWN, seen: 0, live_since: 0 };
}

pub(crate) struct Cache {
    /// In the order in which they are printed, as far as it is known.
    entries: Vec<Entry>,
    /// Where entries are, by the hashes of their keys.
    table: HashTable<u32>,
    /// Where the next series is expected.
    next: usize,
    /// The key of the next series, if it is the one that was expected.
    guessed: Option<Key>,
    /// How many were elsewhere in this scrape.
    n_misplaced: usize,
    /// Entries in the order in which this scrape sees them, if they are to be put into it.
    order: Option<Vec<u32>>,
    /// The next scrape that may note the order, and how many are left out after it.
    next_order: (u32, u32),
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

/// A target that never prints the same order twice is asked for it less and less often.
const ORDER_GAP_MAX: u32 = 1 << 10;

impl Cache {
    /// `seed` keeps those who choose the texts from choosing their hashes.
    pub(crate) fn new(seed: u64) -> Cache {
        Cache {
            entries: Vec::new(),
            table: HashTable::new(),
            next: 0,
            guessed: None,
            n_misplaced: 0,
            order: None,
            next_order: (0, 1),
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
        self.order = self.wants_order().then(|| Vec::with_capacity(self.entries.len()));
        (self.next, self.n_misplaced, self.guessed) = (0, 0, None);
    }

    /// Whether the scrape before found too many where it did not look first.
    fn wants_order(&mut self) -> bool {
        let (scrape, gap) = self.next_order;
        if self.n_misplaced <= self.entries.len() / 16 + 1 {
            self.next_order.1 = 1;
            return false;
        }
        let is_due = self.scrape >= scrape;
        if is_due {
            let gap = (gap * 2).min(ORDER_GAP_MAX);
            self.next_order = (self.scrape.saturating_add(gap), gap);
        }
        is_due
    }

    /// The length of the series at the beginning of `rest`, if it is the one that is expected.
    pub(crate) fn guess(&mut self, rest: &[u8]) -> Option<usize> {
        self.guessed = None;
        let expected = self.entries.get(self.next)?.key;
        let raw = rest.get(..expected.text_len()?)?;
        // A name without labels may go on behind what is known.
        if raw.last() != Some(&b'}') {
            return None;
        }
        self.guessed = Some(self.key(raw, 0)).filter(|key| *key == expected);
        self.guessed.map(|_| raw.len())
    }

    /// The key of the series whose length was just guessed.
    pub(crate) fn take_guessed(&mut self) -> Option<Key> {
        self.guessed.take()
    }

    /// `salt` is what the labels depend on beside the text.
    pub(crate) fn key(&self, raw: &[u8], salt: u64) -> Key {
        let len = raw.len().min(usize::from(u16::MAX)) as u128;
        Key(len << 112 | xxh3_128_with_seed(raw, self.seed ^ salt) >> 16)
    }

    /// Looks a series up and notes that it was seen; `is_tracked` says whether it must get a
    /// staleness marker when it vanishes.
    pub(crate) fn see(&mut self, key: Key, is_tracked: bool) -> Found {
        let scrape = self.scrape;
        let Some(idx) = self.find(key) else { return Found::New };
        self.next = idx + 1;
        let entry = &mut self.entries[idx];
        let is_repeated = entry.seen == scrape;
        if !is_repeated {
            entry.seen = scrape;
            self.n_seen += 1;
            if entry.live_since != 0 {
                self.n_kept += 1;
            }
            if let Some(order) = &mut self.order {
                order.push(idx as u32);
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

    /// Where the entry is, most likely where it is expected.
    fn find(&mut self, key: Key) -> Option<usize> {
        if self.entries.get(self.next).is_some_and(|entry| entry.key == key) {
            return Some(self.next);
        }
        let entries = &self.entries;
        let is_it = |idx: &u32| entries[*idx as usize].key == key;
        let idx = *self.table.find(key.table_hash(), is_it)? as usize;
        self.n_misplaced += 1;
        Some(idx)
    }

    pub(crate) fn add_dropped(&mut self, key: Key) {
        self.add(key, SeriesRef::UNKNOWN, false);
    }

    /// Adds a series that was just appended.
    pub(crate) fn add(&mut self, key: Key, series: SeriesRef, is_tracked: bool) {
        let live_since = if is_tracked { self.scrape } else { 0 };
        let entry = Entry { key, series, seen: self.scrape, live_since };
        let entries = &self.entries;
        let (is_it, hash_of) = (
            |idx: &u32| entries[*idx as usize].key == key,
            |idx: &u32| entries[*idx as usize].key.table_hash(),
        );
        match self.table.entry(key.table_hash(), is_it, hash_of) {
            hash_table::Entry::Occupied(known) => self.entries[*known.get() as usize] = entry,
            hash_table::Entry::Vacant(vacant) => {
                let idx = self.entries.len();
                vacant.insert(idx as u32);
                self.entries.push(entry);
                // In the first scrape each is behind the one before.
                if self.next == idx {
                    self.next += 1;
                } else {
                    self.n_misplaced += 1;
                }
                if let Some(order) = &mut self.order {
                    order.push(idx as u32);
                }
                self.n_seen += 1;
                self.n_new += usize::from(is_tracked);
            }
        }
    }

    /// Replaces a handle that the storage has forgotten.
    pub(crate) fn replace(&mut self, key: Key, series: SeriesRef) {
        let entries = &self.entries;
        let is_it = |idx: &u32| entries[*idx as usize].key == key;
        if let Some(idx) = self.table.find(key.table_hash(), is_it) {
            self.entries[*idx as usize].series = series;
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
        for entry in &mut self.entries {
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
        for entry in self.entries.iter().filter(|entry| entry.seen == self.scrape) {
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
        for entry in &mut self.entries {
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
                self.forget_unseen();
            }
            let n_gone = self.entries.len() - self.table.len();
            match self.order.take() {
                Some(order) if has_succeeded => self.rebuild(order),
                _ if n_gone > self.table.len() / 4 => {
                    self.rebuild((0..self.entries.len() as u32).collect());
                }
                _ => {}
            }
            if self.entries.capacity() > self.entries.len() / 4 * 5 + 16 {
                self.entries.shrink_to_fit();
            }
            self.n_successful = self.table.len();
        }
        is_forced
    }

    fn forget_unseen(&mut self) {
        let scrape = self.scrape;
        for (idx, entry) in self.entries.iter_mut().enumerate() {
            if entry.seen != scrape && entry.key != Key::NONE {
                let hash = entry.key.table_hash();
                if let Ok(found) = self.table.find_entry(hash, |place| *place as usize == idx) {
                    found.remove();
                }
                *entry = Entry::NONE;
            }
        }
    }

    /// Puts what is known into another order.
    fn rebuild(&mut self, order: Vec<u32>) {
        let mut entries = Vec::with_capacity(self.table.len());
        let known = order.iter().map(|idx| self.entries[*idx as usize]);
        entries.extend(known.filter(|entry| entry.key != Key::NONE));
        self.set(entries);
    }

    fn set(&mut self, entries: Vec<Entry>) {
        self.table = HashTable::with_capacity(entries.len());
        for (idx, entry) in entries.iter().enumerate() {
            let hash_of = |idx: &u32| entries[*idx as usize].key.table_hash();
            self.table.insert_unique(entry.key.table_hash(), idx as u32, hash_of);
        }
        self.entries = entries;
    }

    /// Forgets what series mean, because relabelling has changed, but not that they are live.
    pub(crate) fn forget_meanings(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| entry.live_since != 0);
        for (idx, entry) in entries.iter_mut().enumerate() {
            // A key that no text has.
            entry.key = Key(idx as u128);
        }
        self.set(entries);
    }
}

impl Key {
    /// No text has it: those that are so long have another hash.
    const NONE: Key = Key(u128::MAX);

    fn table_hash(self) -> u64 {
        self.0 as u64
    }

    /// How long the text is, unless it is very long.
    fn text_len(self) -> Option<usize> {
        let len = (self.0 >> 112) as u16;
        (len != 0 && len != u16::MAX).then_some(usize::from(len))
    }
}
