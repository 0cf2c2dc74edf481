use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};

use crate::{Error, Result};

/// Closed until the log has been replayed.
#[derive(Default)]
pub(crate) struct Gate {
    is_open: AtomicBool,
    /// Why it will never open. No other lock is taken under it.
    failure: Mutex<Option<String>>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    pub(super) fn open(&self) {
        let _failure = self.failure.lock();
        self.is_open.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    pub(super) fn fail(&self, reason: String) {
        self.failure.lock().get_or_insert(reason);
        self.changed.notify_all();
    }

    /// Returns once the gate is open.
    pub(crate) fn wait(&self) -> Result<()> {
        if self.is_open() {
            return Ok(());
        }
        let mut failure = self.failure.lock();
        loop {
            if let Some(reason) = &*failure {
                return Err(Error::NotReplayed(reason.clone()));
            }
            if self.is_open() {
                return Ok(());
            }
            self.changed.wait(&mut failure);
        }
    }
}
