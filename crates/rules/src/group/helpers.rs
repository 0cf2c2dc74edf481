//! Rules side by side: threads that take the next rule of a batch until there is none.

use std::{
    iter,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::sync::Semaphore;

use crate::dependencies::Batch;

/// How many rules are evaluated beside those whose turn it is, over all groups. Cloning shares it.
#[derive(Clone)]
pub struct Helpers(Arc<Semaphore>);

impl Helpers {
    pub fn new(count: usize) -> Helpers {
        Helpers(Arc::new(Semaphore::new(count)))
    }

    /// Does `work` for all of `items`, batch by batch; the sum of what it gives.
    pub(super) fn run<T: Send>(
        &self,
        batches: &[Batch],
        items: &mut [T],
        work: impl Fn(&mut T) -> usize + Sync,
    ) -> usize {
        let mut items: Vec<Option<&mut T>> = items.iter_mut().map(Some).collect();
        let mut sum = 0;
        for batch in batches {
            let wanted = batch.rules().iter();
            let batch_items: Vec<&mut T> =
                wanted.filter_map(|idx| items.get_mut(*idx).and_then(Option::take)).collect();
            sum += match batch {
                Batch::InOrder(_) => batch_items.into_iter().map(&work).sum::<usize>(),
                Batch::SideBySide(_) => self.side_by_side(batch_items, &work),
            };
        }
        sum
    }

    fn side_by_side<T: Send>(
        &self,
        items: Vec<&mut T>,
        work: &(impl Fn(&mut T) -> usize + Sync),
    ) -> usize {
        let n_others = items.len().saturating_sub(1);
        // Held for the moment that it takes to step forward.
        let rest = Mutex::new(items.into_iter());
        let take_turns = || {
            let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
            iter::from_fn(next).map(work).sum::<usize>()
        };
        let permits = iter::from_fn(|| self.0.try_acquire().ok()).take(n_others);
        let permits: Vec<_> = permits.collect();
        thread::scope(|scope| {
            // Without a thread the others do its part.
            let helpers = permits.iter().filter_map(|_| {
                thread::Builder::new().name("rules".to_owned()).spawn_scoped(scope, take_turns).ok()
            });
            let helpers: Vec<_> = helpers.collect();
            let own = take_turns();
            own + helpers.into_iter().filter_map(|helper| helper.join().ok()).sum::<usize>()
        })
    }
}
