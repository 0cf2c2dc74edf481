//! Which ways are open? Each link between two parties can be cut in each direction.

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::watch;

/// Who has an end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    Member(usize),
    Remote,
}

type Cuts = BTreeSet<(Party, Party)>;

/// All links of a topology; clones are the same links.
#[derive(Clone)]
pub(crate) struct Links(Arc<watch::Sender<Cuts>>);

/// Waits for a way to be open.
pub(crate) struct Watch(watch::Receiver<Cuts>);

impl Links {
    pub(crate) fn new() -> Links {
        Links(Arc::new(watch::Sender::new(Cuts::new())))
    }

    pub(crate) fn cut(&self, from: Party, to: Party) {
        self.0.send_modify(|cuts| {
            cuts.insert((from, to));
        });
    }

    pub(crate) fn mend(&self, from: Party, to: Party) {
        self.0.send_modify(|cuts| {
            cuts.remove(&(from, to));
        });
    }

    pub(crate) fn is_open(&self, from: Party, to: Party) -> bool {
        !self.0.borrow().contains(&(from, to))
    }

    pub(crate) fn watch(&self) -> Watch {
        Watch(self.0.subscribe())
    }
}

impl Watch {
    pub(crate) async fn open(&mut self, from: Party, to: Party) {
        // The links live as long as their world; once they are gone nothing is cut any more.
        drop(self.0.wait_for(|cuts| !cuts.contains(&(from, to))).await);
    }
}
