//! Bytes that a query holds at a time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{Error, Result};

/// What a query holds, on all its threads. Counted is what may become large: series, columns,
/// groups, and whatever has room for each step.
pub(crate) struct Memory {
    max: u64,
    used: AtomicU64,
    peak: AtomicU64,
}

/// Bytes that are held until this is dropped.
pub(crate) struct Held {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Memory {
    /// Zero means no limit.
    pub(crate) fn new(max: u64) -> Arc<Memory> {
        let max = if max == 0 { u64::MAX } else { max };
        Arc::new(Memory { max, used: AtomicU64::new(0), peak: AtomicU64::new(0) })
    }

    pub(crate) fn hold(self: &Arc<Memory>, bytes: u64) -> Result<Held> {
        let mut held = Held { memory: self.clone(), bytes: 0 };
        held.grow(bytes)?;
        Ok(held)
    }

    /// The most that was held at one time.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Held {
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<()> {
        let memory = &self.memory;
        let before = memory.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_add(bytes);
        let used = before.saturating_add(bytes);
        memory.peak.fetch_max(used, Ordering::Relaxed);
        if used > memory.max { Err(Error::TooMuchMemory(memory.max)) } else { Ok(()) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
