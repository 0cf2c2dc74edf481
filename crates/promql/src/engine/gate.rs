//! How many queries run at a time.

use std::{
    sync::{Condvar, Mutex, MutexGuard},
    time::Duration,
};

use crate::{Error, Result, budget::Guard};

/// Lets a number of queries in; the others wait as long as their time lasts.
pub(super) struct Gate {
    limit: usize,
    /// Queries inside.
    inside: Mutex<usize>,
    left: Condvar,
}

/// A place inside; dropping it lets the next one in.
pub(super) struct Slot<'a>(&'a Gate);

/// How often a waiting query looks whether its caller has gone.
const PATIENCE: Duration = Duration::from_millis(20);

impl Gate {
    pub(super) fn new(limit: usize) -> Gate {
        let limit = if limit == 0 { usize::MAX } else { limit };
        Gate { limit, inside: Mutex::new(0), left: Condvar::new() }
    }

    /// Does not wait.
    pub(super) fn try_enter(&self) -> Option<Slot<'_>> {
        let mut inside = self.lock();
        let has_room = *inside < self.limit;
        *inside += usize::from(has_room);
        has_room.then(|| Slot(self))
    }

    pub(super) fn enter(&self, guard: &Guard) -> Result<Slot<'_>> {
        let mut inside = self.lock();
        while *inside >= self.limit {
            guard.check().map_err(in_queue)?;
            let waited = self.left.wait_timeout(inside, PATIENCE);
            inside = waited.unwrap_or_else(|poison| poison.into_inner()).0;
        }
        guard.check().map_err(in_queue)?;
        *inside += 1;
        Ok(Slot(self))
    }

    /// The count is right even if a holder panicked.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.inside.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.left.notify_one();
    }
}

pub(super) fn in_queue(error: Error) -> Error {
    match error {
        Error::Timeout(_) => Error::Timeout("query queue"),
        Error::Canceled(_) => Error::Canceled("query queue"),
        other => other,
    }
}
