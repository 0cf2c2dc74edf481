//! Owns the tasks of a connection.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::task::JoinSet;

/// Dropping it ends the tasks.
#[derive(Default)]
pub(crate) struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    pub(crate) fn executor(&self) -> Executor {
        Executor(Arc::downgrade(&self.0))
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(future);
    }
}

/// Weak, because the tasks themselves hold executors.
#[derive(Clone)]
pub(crate) struct Executor(Weak<Mutex<JoinSet<()>>>);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        let Some(tasks) = self.0.upgrade() else { return };
        Tasks(tasks).spawn(async move {
            future.await;
        });
    }
}
