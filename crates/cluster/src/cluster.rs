//! A member at work: gossip finds the others, links connect them, the core decides.

mod links;
mod metrics;
mod options;
mod shared;
mod status;
#[cfg(test)]
mod tests;
mod turn;

use std::{sync::Arc, time::Duration};

use runtime::{Runtime, clock::timeout};
use telemetry::Registry;
use tokio::sync::watch;

use self::{metrics::Metrics, shared::Shared};
pub use self::{
    options::Options,
    status::{Member, Status},
    turn::Outcome,
};
use crate::{
    MemberId, Result,
    acks::{Fate, Patience},
    core::Input,
    info::{self, Info, Infos},
    lease::Lease,
    ownership,
};

/// Until when all members should be linked after gossip has found them.
const LINKING: Duration = Duration::from_secs(5);
/// How long a member that stops waits until another one writes.
const HAND_OVER: Duration = Duration::from_secs(1);
/// And until its last words are sent.
const LAST_WORDS: Duration = Duration::from_millis(300);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// This server's part in a cluster. Cloning gives another handle.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

impl Cluster {
    /// Listens for gossip; finds others only with [`Cluster::join`], once [`Cluster::router`] is
    /// served.
    pub async fn start(
        options: Options,
        connect: Arc<dyn grpc::Connect>,
        runtime: Runtime,
        registry: &Registry,
    ) -> Result<Cluster> {
        Cluster::begin(options, None, connect, runtime, registry).await
    }

    /// The same with gossip on secret connections; `connect` should open such, too.
    pub async fn start_secure(
        options: Options,
        security: Arc<dyn gossip::Security>,
        connect: Arc<dyn grpc::Connect>,
        runtime: Runtime,
        registry: &Registry,
    ) -> Result<Cluster> {
        Cluster::begin(options, Some(security), connect, runtime, registry).await
    }

    async fn begin(
        mut options: Options,
        security: Option<Arc<dyn gossip::Security>>,
        connect: Arc<dyn grpc::Connect>,
        runtime: Runtime,
        registry: &Registry,
    ) -> Result<Cluster> {
        options.gossip.name = options.id.to_string();
        options.gossip.label.clone_from(&options.label);
        let backend = options.lease.clone();
        let store = backend.open(&runtime)?;
        let (chosen, observer) = (options.gossip.clone(), Arc::new(()));
        let gossip = match security {
            Some(security) => {
                gossip::Gossip::start_secure(chosen, security, runtime.clone(), observer).await?
            }
            None => gossip::Gossip::start(chosen, runtime.clone(), observer).await?,
        };
        let info = Info {
            sequence: u64::try_from(runtime.clock.now_millis()).unwrap_or_default(),
            name: options.name.clone(),
            store_address: options.told_store_address(gossip.address().ip())?.to_string(),
            web_url: options.web_url.clone(),
            version: options.version.clone(),
        };
        let infos = Infos::new(options.id, info);
        gossip.share(info::KEY, infos.clone());
        let metrics = Metrics::register(registry);
        let shared =
            Arc::new(Shared::new(options, runtime, gossip, infos, connect, metrics, store));
        metrics::collect(registry, &shared);
        shared.spawn(shared.clone().keep_time());
        if let Some(keeper) = shared.lease_keeper() {
            shared.spawn(keeper);
        }
        Ok(Cluster { shared })
    }

    /// The link's service; to be served at the store address.
    pub fn router(&self) -> axum::Router {
        links::router(&self.shared)
    }

    /// Looks for the others, in the background.
    pub fn join(&self) {
        self.shared.gossip.join();
    }

    /// Completes once the cluster seems to be complete and all of it is linked, or it has been
    /// waited long enough.
    pub async fn settled(&self) {
        let clock = &self.shared.runtime.clock;
        let options = &self.shared.options.gossip;
        let n_expected = options.peers.len().max(2);
        let found = async {
            while !self.shared.is_linked_to_all() || self.shared.known().len() < n_expected {
                clock.sleep(LOOK_AGAIN).await;
            }
        };
        tokio::select! {
            () = self.shared.gossip.settled() => {}
            // All that were named: there is nothing to wait for.
            () = found => return,
        }
        let linked = async {
            while !self.shared.is_linked_to_all() {
                clock.sleep(LOOK_AGAIN).await;
            }
        };
        // Who is not linked by then is shown as such.
        timeout(&**clock, LINKING, linked).await.unwrap_or_default();
    }

    pub fn id(&self) -> MemberId {
        self.shared.options.id
    }

    /// What people are shown.
    pub fn name(&self) -> &str {
        &self.shared.options.name
    }

    /// The cluster's name.
    pub fn label(&self) -> &str {
        &self.shared.options.label
    }

    /// Whether this member is one of those that have this target.
    pub fn owns(&self, key: u64) -> bool {
        let known = self.shared.known();
        ownership::is_owner(key, self.id(), &known, self.shared.options.replication_factor)
    }

    /// The members that have this target, as they rank.
    pub fn owners(&self, key: u64) -> Vec<MemberId> {
        ownership::owners(key, &self.shared.known(), self.shared.options.replication_factor)
    }

    /// Changes when targets may have moved.
    pub fn owners_changed(&self) -> watch::Receiver<u64> {
        self.shared.known_version.subscribe()
    }

    /// The outcome of a target's slot, which began at `slot` (milliseconds since the epoch): got
    /// with `fetch`, or by another member, which then has as long as `limit`. Nothing while this
    /// member's clock is wrong.
    pub async fn turn<F>(
        &self,
        key: u64,
        slot: i64,
        limit: Duration,
        fetch: impl FnOnce() -> F,
    ) -> Option<Outcome>
    where
        F: Future<Output = Outcome>,
    {
        turn::take(&self.shared, key, slot, limit, fetch).await
    }

    pub fn lease(&self) -> &Lease {
        &self.shared.lease
    }

    /// Whether this member is the one that writes, at this moment.
    pub fn may_write(&self) -> bool {
        self.shared.lease.may_write()
    }

    /// Completes when somebody else may be the writer.
    pub async fn writer_changed(&self) {
        // The sender lives as long as we do.
        self.shared.lease.changed().changed().await.unwrap_or_default();
    }

    /// Whether another member would go on at once if this one stopped.
    pub fn can_take_over(&self) -> bool {
        self.shared.has_successor()
    }

    /// Lets another member write; completes when it does.
    pub async fn release(&self) -> Result<(), String> {
        if !self.shared.lease.may_write() {
            return Err("this member does not hold the lease".to_owned());
        }
        if !self.shared.has_successor() {
            return Err("no other member is there to take it".to_owned());
        }
        self.shared.release(false);
        match self.until_others_write().await {
            true => Ok(()),
            false => Err("nobody has taken it yet".to_owned()),
        }
    }

    async fn until_others_write(&self) -> bool {
        let clock = &self.shared.runtime.clock;
        let taken = async {
            while !self.shared.is_held_by_another() {
                clock.sleep(LOOK_AGAIN).await;
            }
        };
        timeout(&**clock, HAND_OVER, taken).await.is_some()
    }

    /// Lets a member that can do more with it have the lease, for as long as there is a reason.
    pub fn yield_if_unhealthy(&self, reason: Option<&str>) {
        self.shared.set_unhealthy(reason);
    }

    /// Samples of these series (hashes) and times need not be sent again. Never waits.
    pub fn acknowledge(&self, queue: &str, samples: &[(u64, i64)]) {
        self.shared.acknowledge(queue, samples);
    }

    /// The newest sample of a series that has arrived, whoever sent it.
    pub fn acknowledged(&self, queue: &str, series: u64) -> Option<i64> {
        self.shared.acks.get(queue, series)
    }

    /// What became of this very sample, as far as anybody knows, for a member that leaves it to
    /// `place` others first.
    pub fn fate(
        &self,
        queue: &str,
        series: u64,
        time: i64,
        patience: Patience,
        place: impl FnOnce() -> i64,
    ) -> Fate {
        self.shared.acks.fate(queue, series, time, patience, place)
    }

    /// Who has sent the newest sample of a series that has a writer of its own.
    pub fn sender(&self, queue: &str, series: u64) -> Option<MemberId> {
        self.shared.acks.sender(queue, series)
    }

    /// Changes when more samples have arrived.
    pub fn acknowledged_changed(&self) -> watch::Receiver<u64> {
        self.shared.acks.changed()
    }

    /// How far our clock is ahead of the right time, in seconds, if that is too far to go on.
    pub fn clock_error(&self) -> Option<f64> {
        self.shared.clock_error()
    }

    /// Whether our clock is wrong.
    pub fn clock_is_wrong(&self) -> watch::Receiver<bool> {
        self.shared.clock_is_wrong.subscribe()
    }

    /// Of the configuration that is in force from now on.
    pub fn set_fingerprint(&self, fingerprint: u64) {
        self.shared.handle(Input::Fingerprint(fingerprint));
    }

    /// All members that are there or were lately: this one first, then by name.
    pub fn members(&self) -> Vec<Member> {
        status::members(&self.shared)
    }

    pub fn status(&self) -> Status {
        status::status(&self.shared)
    }

    /// Gives up the lease, says goodbye, then ends everything and waits for it.
    pub async fn stop(&self) {
        let was_writer = self.shared.lease.may_write();
        let has_successor = self.shared.has_successor();
        self.shared.release(true);
        if was_writer && has_successor && !self.until_others_write().await {
            tracing::warn!(component = "cluster", "Nobody has taken over writing yet");
        }
        self.shared.say_goodbye();
        let clock = &self.shared.runtime.clock;
        let sent = async {
            while !self.shared.has_said_all() {
                clock.sleep(LOOK_AGAIN).await;
            }
        };
        timeout(&**clock, LAST_WORDS, sent).await.unwrap_or_default();
        self.shared.end().await;
        self.shared.gossip.stop().await;
    }

    /// Ends everything without a word.
    pub async fn kill(&self) {
        self.shared.end().await;
        self.shared.gossip.kill().await;
    }
}
