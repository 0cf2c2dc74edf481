use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

/// Who still needs the log, and from which segment on. Cloning gives another handle.
#[derive(Debug, Clone, Default)]
pub struct Readers(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    next_id: u64,
    segments: BTreeMap<u64, u32>,
}

/// Keeps a segment and those behind it, until it moves on or is dropped.
pub struct Hold {
    readers: Readers,
    id: u64,
}

impl Readers {
    pub fn hold(&self, segment: u32) -> Hold {
        let mut held = self.0.lock();
        let id = held.next_id;
        held.next_id += 1;
        held.segments.insert(id, segment);
        drop(held);
        Hold { readers: self.clone(), id }
    }

    /// The oldest segment that somebody needs.
    pub fn oldest(&self) -> Option<u32> {
        self.0.lock().segments.values().min().copied()
    }
}

impl Hold {
    /// Needs `segment` and what follows, and nothing before.
    pub fn advance(&self, segment: u32) {
        self.readers.0.lock().segments.insert(self.id, segment);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.readers.0.lock().segments.remove(&self.id);
    }
}
