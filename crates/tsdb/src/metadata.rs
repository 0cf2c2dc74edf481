//! What the log knows of the meaning of series, so that it is not told the same again.

use std::hash::BuildHasher as _;

use hashbrown::HashMap;
use model::Metadata;
use parking_lot::{Mutex, RwLock};
use wal::record::SeriesMetadata;

use crate::head::SeriesId;

/// Keeps no texts, only their hashes: nobody reads them but from the log.
#[derive(Default)]
pub(crate) struct KnownMetadata {
    /// No other lock is taken under it.
    hashes: RwLock<HashMap<SeriesId, u64>>,
    /// What replay has found so far. No other lock is taken under it.
    replayed: Mutex<HashMap<SeriesId, u64>>,
    hasher: foldhash::quality::RandomState,
}

impl KnownMetadata {
    pub(crate) fn is_known(&self, id: SeriesId, metadata: &Metadata) -> bool {
        self.hashes.read().get(&id) == Some(&self.hasher.hash_one(metadata))
    }

    /// The log knows these now.
    pub(crate) fn note(&self, logged: impl Iterator<Item = (SeriesId, SeriesMetadata)>) {
        let mut logged = logged.peekable();
        if logged.peek().is_none() {
            return;
        }
        let mut hashes = self.hashes.write();
        for (id, SeriesMetadata { metadata, .. }) in logged {
            hashes.insert(id, self.hasher.hash_one(&metadata));
        }
    }

    /// The log knew these; what it was told since is newer.
    pub(crate) fn note_replayed(&self, logged: Vec<(SeriesId, SeriesMetadata)>) {
        let mut replayed = self.replayed.lock();
        for (id, SeriesMetadata { metadata, .. }) in logged {
            replayed.insert(id, self.hasher.hash_one(&metadata));
        }
    }

    /// No more of the log is to come.
    pub(crate) fn end_replay(&self) {
        let replayed = std::mem::take(&mut *self.replayed.lock());
        let mut hashes = self.hashes.write();
        for (id, hash) in replayed {
            hashes.entry(id).or_insert(hash);
        }
    }

    /// Forgets series that left the head.
    pub(crate) fn forget(&self, gone: impl Iterator<Item = SeriesId>) {
        let mut hashes = self.hashes.write();
        if !hashes.is_empty() {
            gone.for_each(|id| {
                hashes.remove(&id);
            });
        }
    }
}
