//! A reader sees each commit whole or not at all.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::{Mutex, MutexGuard};

/// Numbers commits, and knows how far each reader may see.
///
/// Commits are applied one after the other, under `n_commits`; whoever begins to read takes that
/// lock too, and so always stands between two commits. While there are readers, pages remember
/// which samples came with which commit; see [`super::page::Page`].
#[derive(Default)]
pub(crate) struct Isolation {
    /// How many commits were applied. `readers` and the locks of pages may be taken under it.
    n_commits: Mutex<u64>,
    readers: Arc<Mutex<Readers>>,
}

/// How many readers see the commits up to a number.
type Readers = BTreeMap<u64, usize>;

impl Isolation {
    pub(crate) fn begin_commit(&self) -> Commit<'_> {
        let n_commits = self.n_commits.lock();
        let oldest_reader = self.readers.lock().first_key_value().map(|(seen, _)| *seen);
        Commit { number: *n_commits + 1, oldest_reader, n_commits }
    }

    pub(crate) fn begin_read(&self) -> Reader {
        let n_commits = self.n_commits.lock();
        *self.readers.lock().entry(*n_commits).or_default() += 1;
        Reader { seen: *n_commits, readers: self.readers.clone() }
    }

    /// The last commit, and the last one that every reader sees.
    pub(crate) fn watermarks(&self) -> (u64, u64) {
        let high = *self.n_commits.lock();
        let low = self.readers.lock().first_key_value().map_or(high, |(seen, _)| *seen);
        (high, low)
    }
}

/// A commit that is being applied; it is done when this is dropped.
pub(crate) struct Commit<'a> {
    pub(crate) number: u64,
    /// The last commit that the oldest reader sees; no reader begins while this exists.
    pub(crate) oldest_reader: Option<u64>,
    n_commits: MutexGuard<'a, u64>,
}

impl Drop for Commit<'_> {
    fn drop(&mut self) {
        *self.n_commits = self.number;
    }
}

/// Sees the commits up to a number, until it is dropped.
pub(crate) struct Reader {
    pub(crate) seen: u64,
    readers: Arc<Mutex<Readers>>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut readers = self.readers.lock();
        if let Some(n_readers) = readers.get_mut(&self.seen) {
            *n_readers -= 1;
            if *n_readers == 0 {
                readers.remove(&self.seen);
            }
        }
    }
}
