//! How nodes are found: at the start, and again when they are lost.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tracing::{debug, info, warn};

use super::{Notice, address, shared::Shared};
use crate::Result;

/// Names are looked up again, for they may lead elsewhere by now.
const REFRESH_INTERVAL: Duration = Duration::from_secs(15);
/// Names that have no address yet are looked up again, at the start.
const LOOK_UP_INTERVAL: Duration = Duration::from_secs(2);
/// Who has been lost for long is forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Messages that nobody takes are forgotten.
const PRUNE_INTERVAL: Duration = Duration::from_secs(15 * 60);
const QUEUE_LEN_MAX: usize = 4096;

impl Shared {
    /// Tries all nodes that were named.
    pub(super) async fn join(self: Arc<Shared>) {
        let addresses = self.resolve_at_start().await;
        if self.options.peers.is_empty() {
            return;
        }
        let own = self.own_address();
        let is_local = |address: &SocketAddr| address.ip().is_loopback();
        if (is_local(&own) || own.ip().is_unspecified()) && !addresses.iter().all(is_local) {
            warn!(
                component = "cluster", address = %own,
                "The advertised address leads nowhere for nodes on other hosts; \
                 give a routable one with --cluster.advertise-address"
            );
        }
        let now = self.runtime.clock.monotonic();
        let mut n_joined = 0;
        for address in addresses.into_iter().filter(|address| *address != own) {
            match self.exchange(address, true).await {
                Ok(()) => n_joined += 1,
                Err(error) => {
                    self.lost.lock().insert(address, now);
                    debug!(component = "cluster", err = %error, "failed to join");
                }
            }
        }
        if n_joined == 0 {
            warn!(component = "cluster", "failed to join cluster");
        } else {
            debug!(component = "cluster", peers = n_joined, "joined cluster");
        }
    }

    /// Waits a while for names that have no addresses yet, as when a whole set starts at once.
    async fn resolve_at_start(&self) -> Vec<SocketAddr> {
        let deadline = self.runtime.clock.monotonic() + self.options.resolve_timeout;
        loop {
            let (addresses, is_complete) = self.resolve().await;
            let is_late = self.runtime.clock.monotonic() + LOOK_UP_INTERVAL > deadline;
            if is_complete || is_late {
                return addresses;
            }
            self.runtime.clock.sleep(LOOK_UP_INTERVAL).await;
        }
    }

    /// Where the named nodes are, as far as it is known, and whether each name led somewhere.
    async fn resolve(&self) -> (Vec<SocketAddr>, bool) {
        let mut addresses = Vec::new();
        let mut is_complete = true;
        for peer in &self.options.peers {
            match self.resolve_one(peer).await {
                Ok(found) => {
                    is_complete &= !found.is_empty();
                    addresses.extend(found);
                }
                Err(error) => {
                    warn!(component = "cluster", peer, err = %error, "Looking up a peer failed");
                }
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        (addresses, is_complete)
    }

    async fn resolve_one(&self, peer: &str) -> Result<Vec<SocketAddr>> {
        let (host, port) = address::split(peer)?;
        let found = self.runtime.network.resolve(&host).await.map_err(|source| {
            crate::Error::Io { doing: "look up", address: peer.to_owned(), source }
        })?;
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip.to_canonical(), port)).collect())
    }

    fn own_address(&self) -> SocketAddr {
        let core = self.core.lock();
        let config = core.membership.config();
        SocketAddr::new(config.address.to_canonical(), config.port)
    }

    /// Looks for nodes that are lost or have moved, for as long as this one runs.
    pub(super) async fn find_again(self: Arc<Shared>) {
        let clock = &self.runtime.clock;
        let reconnect_interval = match self.options.reconnect_interval {
            Duration::ZERO => Duration::MAX,
            interval => interval,
        };
        let started = clock.monotonic();
        let intervals = [reconnect_interval, REFRESH_INTERVAL, FORGET_INTERVAL, PRUNE_INTERVAL];
        let mut due = intervals.map(|interval| started.saturating_add(interval));
        loop {
            let next = due.into_iter().min().unwrap_or(Duration::MAX);
            clock.sleep(next.saturating_sub(clock.monotonic())).await;
            let now = clock.monotonic();
            for (idx, interval) in intervals.into_iter().enumerate() {
                if due[idx] > now {
                    continue;
                }
                due[idx] = now.saturating_add(interval);
                match idx {
                    0 => self.reconnect().await,
                    1 => self.refresh().await,
                    2 => self.forget(now),
                    _ => self.prune(),
                }
            }
        }
    }

    async fn reconnect(self: &Arc<Shared>) {
        let lost: Vec<SocketAddr> = self.lost.lock().keys().copied().collect();
        for address in lost {
            let outcome = self.exchange(address, true).await;
            let is_success = outcome.is_ok();
            self.observer.observe(&Notice::Reconnected { is_success });
            match outcome {
                Ok(()) => {
                    // It may be a node that never was a member, such as one of another name.
                    self.lost.lock().remove(&address);
                    info!(component = "cluster", peer = %address, "reconnected");
                }
                Err(error) => {
                    debug!(component = "cluster", peer = %address, err = %error, "reconnect failed");
                }
            }
        }
    }

    async fn refresh(self: &Arc<Shared>) {
        let (addresses, _) = self.resolve().await;
        let own = self.own_address();
        for address in addresses {
            if address == own || self.is_member(address) {
                continue;
            }
            let outcome = self.exchange(address, true).await;
            self.observer.observe(&Notice::Refreshed { is_success: outcome.is_ok() });
            if let Err(error) = outcome {
                debug!(component = "cluster", peer = %address, err = %error, "refresh failed");
            }
        }
    }

    fn forget(&self, now: Duration) {
        let timeout = self.options.reconnect_timeout;
        self.lost.lock().retain(|_, since| now.saturating_sub(*since) < timeout);
    }

    fn prune(&self) {
        let n_messages = self.core.lock().membership.prune(QUEUE_LEN_MAX);
        if n_messages > 0 {
            self.observer.observe(&Notice::Pruned { n_messages });
        }
    }
}
