//! Who writes? At most one member at a time.

pub mod backend;
mod bucket;
mod etcd;
mod folder;
pub mod gossip;
mod http;
mod kubernetes;
pub mod store;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use runtime::Clock;
use tokio::sync::watch;

pub use self::backend::Backend;
use crate::MemberId;

/// This member's view of the lease, for whoever wants to write.
pub struct Lease {
    own: MemberId,
    clock: Arc<dyn Clock>,
    /// By the monotonic clock, in microseconds; zero if the lease is not ours.
    valid_until: AtomicU64,
    /// Nothing else is locked while this is held.
    known: Mutex<Known>,
    version: watch::Sender<u64>,
}

struct Known {
    backend: &'static str,
    epoch: u64,
    holder: Option<MemberId>,
    is_mine: bool,
    error: Option<String>,
    unhealthy: Option<String>,
}

/// What decides and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// `gossip`, `etcd`, `kubernetes`, `object-store`.
    pub backend: &'static str,
    /// The shown name of the member that writes.
    pub holder: Option<String>,
    pub holder_id: Option<MemberId>,
    pub epoch: u64,
    pub is_mine: bool,
    /// If nothing happens; known to the holder only.
    pub expires_in: Option<Duration>,
    /// Why the service cannot be asked, or why this member would rather not write.
    pub error: Option<String>,
}

/// What is known at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct View {
    /// Until when it is ours, by the monotonic clock.
    pub(crate) valid_until: Option<Duration>,
    pub(crate) holder: Option<(u64, MemberId)>,
    pub(crate) error: Option<String>,
}

/// Somebody else writes, or nobody.
pub(crate) struct Change {
    pub(crate) epoch: u64,
    pub(crate) holder: Option<MemberId>,
    pub(crate) is_mine: bool,
}

impl Lease {
    pub(crate) fn new(backend: &'static str, own: MemberId, clock: Arc<dyn Clock>) -> Lease {
        let known =
            Known { backend, epoch: 0, holder: None, is_mine: false, error: None, unhealthy: None };
        Lease {
            own,
            clock,
            valid_until: AtomicU64::new(0),
            known: Mutex::new(known),
            version: watch::Sender::new(0),
        }
    }

    /// Whether this member is the one that writes, at this moment. Ask before each request: a
    /// process may be stopped at any time, for any time.
    pub fn may_write(&self) -> bool {
        let valid_until = self.valid_until.load(Ordering::Acquire);
        valid_until > 0 && self.clock.monotonic().as_micros() < u128::from(valid_until)
    }

    pub fn status(&self) -> Status {
        let is_mine = self.may_write();
        let left = Duration::from_micros(self.valid_until.load(Ordering::Acquire))
            .saturating_sub(self.clock.monotonic());
        let known = self.known.lock();
        // An own claim that is over, or not yet acknowledged, is nobody's.
        let holder_id = known.holder.filter(|holder| *holder != self.own || is_mine);
        Status {
            backend: known.backend,
            holder: holder_id.map(|holder| holder.to_string()),
            holder_id,
            epoch: known.epoch,
            is_mine,
            expires_in: is_mine.then_some(left),
            error: known.error.clone().or_else(|| known.unhealthy.clone()),
        }
    }

    /// Changes when somebody else writes, or nobody.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// It is not ours from now on, whatever was said before.
    pub(crate) fn lose(&self) {
        self.valid_until.store(0, Ordering::Release);
        self.version.send_modify(|version| *version += 1);
    }

    /// Says whether that is news.
    pub(crate) fn set_unhealthy(&self, reason: Option<&str>) -> bool {
        let mut known = self.known.lock();
        let was = std::mem::replace(&mut known.unhealthy, reason.map(str::to_owned));
        was.is_some() != reason.is_some()
    }

    pub(crate) fn update(&self, view: &View, now: Duration) -> Option<Change> {
        let valid_until = view.valid_until.filter(|until| *until > now);
        let micros = valid_until.map_or(0, |until| until.as_micros() as u64);
        self.valid_until.store(micros, Ordering::Release);
        let is_mine = valid_until.is_some();
        let holder = view.holder.map(|(_, holder)| holder);
        let holder = holder.filter(|holder| *holder != self.own || is_mine);
        let epoch = view.holder.map_or(0, |(epoch, _)| epoch);
        let mut known = self.known.lock();
        known.error.clone_from(&view.error);
        let is_news = (known.holder, known.is_mine) != (holder, is_mine)
            || holder.is_some() && known.epoch != epoch;
        (known.holder, known.is_mine) = (holder, is_mine);
        known.epoch = known.epoch.max(epoch);
        drop(known);
        if !is_news {
            return None;
        }
        self.version.send_modify(|version| *version += 1);
        Some(Change { epoch, holder, is_mine })
    }
}
