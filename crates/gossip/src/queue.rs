use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

/// Messages that are to be sent so many times, each time to whoever comes next.
///
/// First those that were sent least often, of these the longest that still fits, then the newest.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: BTreeMap<Rank, Entry>,
    /// The message about each subject that is the valid one.
    by_subject: HashMap<String, Rank>,
    n_queued: u64,
}

/// Times sent, length, age.
type Rank = (u32, Reverse<usize>, Reverse<u64>);

#[derive(Debug)]
struct Entry {
    message: Vec<u8>,
    subject: Option<String>,
}

/// So many times a message is sent in a cluster of so many nodes.
pub(crate) fn retransmit_limit(multiplier: u32, n_nodes: usize) -> u32 {
    multiplier * (n_nodes as f64 + 1.0).log10().ceil() as u32
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether something about `subject` is still to be sent.
    pub(crate) fn has(&self, subject: &str) -> bool {
        self.by_subject.contains_key(subject)
    }

    pub(crate) fn push(&mut self, message: Vec<u8>) {
        let rank = self.rank(&message);
        self.insert(rank, Entry { message, subject: None });
    }

    /// What was said of the same subject before is not sent any more.
    pub(crate) fn push_about(&mut self, subject: &str, message: Vec<u8>) {
        if let Some(old) = self.by_subject.remove(subject) {
            self.waiting.remove(&old);
        }
        let rank = self.rank(&message);
        self.insert(rank, Entry { message, subject: Some(subject.to_owned()) });
    }

    /// Takes messages that fit in `room` bytes, each with `overhead` more; those that have been
    /// sent `limit` times then are gone.
    pub(crate) fn take(&mut self, overhead: usize, room: usize, limit: u32) -> Vec<Vec<u8>> {
        let mut taken = Vec::new();
        let mut again = Vec::new();
        let mut n_used = 0;
        let last = self.waiting.last_key_value().map_or(0, |((n_sent, ..), _)| *n_sent);
        let mut n_sent = self.waiting.first_key_value().map_or(1, |((n_sent, ..), _)| *n_sent);
        while n_sent <= last && !self.waiting.is_empty() {
            let free = room.saturating_sub(n_used + overhead);
            if free == 0 {
                break;
            }
            let first = (n_sent, Reverse(free), Reverse(u64::MAX));
            let end = (n_sent + 1, Reverse(usize::MAX), Reverse(u64::MAX));
            let Some((rank, _)) = self.waiting.range(first..end).next() else {
                n_sent += 1;
                continue;
            };
            let rank = *rank;
            let Some(entry) = self.remove(rank) else { break };
            n_used += overhead + entry.message.len();
            taken.push(entry.message.clone());
            if n_sent + 1 < limit {
                again.push(((n_sent + 1, rank.1, rank.2), entry));
            }
        }
        // Only now, so that nothing is taken twice.
        for (rank, entry) in again {
            self.insert(rank, entry);
        }
        taken
    }

    /// Drops what was sent most often until so many are left; says how many went.
    pub(crate) fn prune(&mut self, len_max: usize) -> usize {
        let n_pruned = self.len().saturating_sub(len_max);
        while self.len() > len_max {
            let Some((rank, _)) = self.waiting.last_key_value() else { break };
            let rank = *rank;
            self.remove(rank);
        }
        n_pruned
    }

    fn rank(&mut self, message: &[u8]) -> Rank {
        self.n_queued += 1;
        (0, Reverse(message.len()), Reverse(self.n_queued))
    }

    fn insert(&mut self, rank: Rank, entry: Entry) {
        if let Some(subject) = &entry.subject {
            self.by_subject.insert(subject.clone(), rank);
        }
        self.waiting.insert(rank, entry);
    }

    fn remove(&mut self, rank: Rank) -> Option<Entry> {
        let entry = self.waiting.remove(&rank)?;
        if let Some(subject) = &entry.subject {
            self.by_subject.remove(subject);
        }
        Some(entry)
    }
}
