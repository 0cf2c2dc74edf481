use std::{cmp::Ordering, collections::HashMap, time::Duration};

use super::{Entry, ReceiverKey, codec};
use crate::{snapshot, time::Time};

/// Why entries can't be forgotten; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("unexpected zero expiration timestamp")]
    ZeroExpiry,
}

/// The last notifications of all groups.
#[derive(Debug)]
pub struct Log {
    /// By group key and receiver.
    entries: HashMap<(Vec<u8>, ReceiverKey), Entry>,
    retention: Duration,
}

impl Log {
    pub fn new(retention: Duration) -> Log {
        Log { entries: HashMap::new(), retention }
    }

    pub fn get(&self, group_key: &[u8], receiver: &ReceiverKey) -> Option<&Entry> {
        // One short-lived copy of the key instead of a second map.
        self.entries.get(&(group_key.to_owned(), receiver.clone()))
    }

    /// Notes a notification for `forget_after`, or as long as anything is kept; gives the message
    /// for the peers. Nothing happens if one is noted that is later than `now`.
    pub fn write(
        &mut self,
        mut entry: Entry,
        forget_after: Option<Duration>,
        now: Time,
    ) -> Option<Vec<u8>> {
        let known = self.get(&entry.group_key, &entry.receiver);
        if known.is_some_and(|known| known.timestamp > Some(now)) {
            return None;
        }
        let kept = forget_after.map_or(self.retention, |after| after.min(self.retention));
        entry.timestamp = Some(now);
        entry.expires_at = Some(now + kept);
        let message = codec::encode([&entry]);
        self.merge_entry(entry, now);
        Some(message)
    }

    /// Takes in what a peer says; says whether there was news.
    pub fn merge(&mut self, bytes: &[u8], now: Time) -> Result<bool, snapshot::Error> {
        let mut is_news = false;
        for entry in codec::decode(bytes)? {
            is_news |= self.merge_entry(entry, now);
        }
        Ok(is_news)
    }

    /// Of two entries of a group and receiver the later one stays.
    pub fn merge_entry(&mut self, entry: Entry, now: Time) -> bool {
        if entry.expires_at < Some(now) {
            return false;
        }
        self.insert(entry)
    }

    /// Takes in a snapshot file, also what has expired since it was written.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), snapshot::Error> {
        for entry in codec::decode(bytes)? {
            self.insert(entry);
        }
        Ok(())
    }

    /// Everything, as snapshot files and peers read it.
    pub fn encode(&self) -> Vec<u8> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_unstable_by_key(|entry| {
            let receiver = &entry.receiver;
            (&entry.group_key, &receiver.group_name, &receiver.integration, receiver.idx)
        });
        codec::encode(entries)
    }

    /// Forgets what has expired; says how much.
    pub fn collect_garbage(&mut self, now: Time) -> Result<usize, Error> {
        if self.entries.values().any(|entry| entry.expires_at.is_none()) {
            return Err(Error::ZeroExpiry);
        }
        let before = self.entries.len();
        self.entries.retain(|_, entry| entry.expires_at > Some(now));
        Ok(before - self.entries.len())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn insert(&mut self, entry: Entry) -> bool {
        // One of our claims that an upstream node has kept, or written to the file.
        if entry.is_claim() {
            return false;
        }
        let key = (entry.group_key.clone(), entry.receiver.clone());
        if self.entries.get(&key).is_some_and(|known| !supersedes(&entry, known)) {
            return false;
        }
        self.entries.insert(key, entry);
        true
    }
}

/// Whether `new` replaces `old`: the later one does. Of two at the same moment the greater bytes do,
/// so that all peers keep the same one, in whatever order they hear of them.
fn supersedes(new: &Entry, old: &Entry) -> bool {
    match new.timestamp.cmp(&old.timestamp) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => new != old && codec::encode([new]) > codec::encode([old]),
    }
}
