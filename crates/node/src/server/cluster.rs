//! This server's part in a cluster: what the others are to scraping, to remote write, to queries
//! and to people.

mod members;
mod mending;
mod right_time;
mod shown;
mod store;
mod targets;

use std::{path::Path, sync::Arc, time::Duration};

use cluster::{Cluster, MemberId, Outcome, acks, identity, lease};
use grpc::Connect;
use model::Timestamp;
use parking_lot::Mutex;
use remote::send::Fate;
use repair::Repair;
use runtime::{BoxFuture, Clock, Runtime, network::Listener};
use scrape::SharedAnswer;
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, warn};
use transport::server::{Limits, guard::Guard};

pub(super) use self::{
    members::Members, mending::Kept, right_time::RightTime, shown::ClusterAdapter, store::sources,
    targets::AllTargets,
};
use super::{ClusterOptions, LateDatabase, Options, shown::Shown};
use crate::{Error, Result, build, gossip_tls::Tls, listen::Web};

/// Members, and whoever reads us by the StoreAPI.
const STORE_CONNECTIONS_MAX: usize = 256;
/// How long to wait for other members before targets are scraped and rules evaluated.
const SETTLE_MAX: Duration = Duration::from_secs(5);
/// How long what is known of live members is good enough.
const LIVE_FOR: Duration = Duration::from_millis(500);
/// A turn is longer than batches wait by default.
const PATIENCE: acks::Patience = acks::Patience { turn: 8000, ended: 60_000 };

/// A server that acts as one with others.
pub(super) struct Clustering {
    pub(super) cluster: Cluster,
    pub(super) members: Arc<Members>,
    pub(super) repair: Repair,
    storage: LateDatabase,
    runtime: Runtime,
    /// Greets whoever comes, if that is secret.
    guard: Option<Arc<Guard>>,
    listener: Option<Box<dyn Listener>>,
    store: Option<Web>,
    /// Asks for the targets anew when members come or go.
    courier: Option<JoinHandle<()>>,
    /// Ends what works in the background, but for the courier.
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Clustering {
    /// Is there for members, but neither answers nor looks for any yet.
    pub(super) async fn start(
        options: &Options,
        chosen: &ClusterOptions,
        shown: &Shown,
        kept: Kept,
        runtime: &Runtime,
        registry: &Registry,
    ) -> Result<Clustering> {
        let failed = |reason: String| Error::Cluster { reason };
        let id = member_id(&options.storage.directory, runtime).await?;
        let address = &chosen.store_address;
        let wrong = |source| Error::Listen { address: address.clone(), source };
        let listener = runtime.network.listen(address).await.map_err(wrong)?;
        let bound = listener.local_address().map_err(wrong)?;
        let lease: lease::Backend = chosen
            .lease
            .parse()
            .map_err(|reason| Error::Flag { flag: "cluster.lease", reason: format!("{reason}") })?;
        let settings = cluster::Options {
            id,
            name: chosen.member.clone(),
            label: chosen.gossip.label.clone(),
            store_address: chosen.store_advertise_address.unwrap_or(bound),
            web_url: options.web.external_url.clone(),
            version: build::PROMETHEUS.to_owned(),
            fingerprint: 0,
            replication_factor: chosen.replication_factor,
            lease,
            lease_duration: chosen.lease_duration,
            gossip: chosen.gossip.clone(),
        };
        let tls = chosen.tls_file.as_deref().map(|file| Tls::read(file, runtime));
        let tls = tls.transpose()?.map(Arc::new);
        let connect: Arc<dyn Connect> = match &tls {
            Some(tls) => tls.clone(),
            None => Arc::new(grpc::Plain(runtime.network.clone())),
        };
        let (connects, outside) = (connect.clone(), runtime.clone());
        let started = match &tls {
            Some(tls) => {
                Cluster::start_secure(settings, tls.clone(), connects, outside, registry).await
            }
            None => Cluster::start(settings, connects, outside, registry).await,
        };
        let cluster = started.map_err(|error| failed(error.to_string()))?;
        let (storage, directory) = (kept.storage.clone(), &options.storage.directory);
        let (handle, connects) = (cluster.clone(), connect.clone());
        let repair = mending::open(kept, directory, handle, connects, runtime, registry)?;
        let shown = shown.clone();
        let external_labels = Arc::new(move || shown.external_labels());
        let (handle, runtime) = (cluster.clone(), runtime.clone());
        let members = Members::new(
            handle,
            repair.clone(),
            connect,
            external_labels,
            runtime.clone(),
            registry,
        );
        Ok(Clustering {
            cluster,
            members: Arc::new(members),
            repair,
            storage,
            runtime,
            guard: tls.map(|tls| tls.guard.clone()),
            listener: Some(listener),
            store: None,
            courier: None,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Answers members from now on, looks for them, and waits a little until they are found.
    pub(super) async fn join(
        &mut self,
        sources: storeapi::Sources,
        registry: &Registry,
        scrape: Arc<scrape::Manager>,
    ) {
        let clock = self.runtime.clock.clone();
        let limits = storeapi::Limits::default();
        let store = storeapi::Server::new(sources, limits, clock.clone(), registry);
        let router = self.cluster.router().merge(store.router()).merge(self.repair.router());
        let router = grpc::finish(router);
        let limits = Limits { connections: STORE_CONNECTIONS_MAX, ..Limits::default() };
        let listeners = self.listener.take().into_iter().collect();
        self.store = Some(Web::start(listeners, router, limits, clock.clone(), self.guard.clone()));
        self.cluster.join();
        self.tasks.spawn(self.repair.clone().run(self.stop.clone()));
        self.tasks.spawn(mending::watch(
            self.cluster.clone(),
            self.repair.clone(),
            self.storage.clone(),
            clock.clone(),
            self.stop.clone(),
        ));
        let mut changes = self.cluster.owners_changed();
        self.courier = Some(tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let scrape = scrape.clone();
                // Relabelling many targets takes its time.
                runtime::blocking(|| scrape.share_anew());
            }
        }));
        if runtime::clock::timeout(&*clock, SETTLE_MAX, self.cluster.settled()).await.is_none() {
            warn!(component = "cluster", "Not all members were found in time; going on");
        }
    }

    /// Lets another member write at once, then says goodbye.
    pub(super) async fn stop(self) {
        self.cluster.stop().await;
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Some(courier) = self.courier {
            courier.abort();
            match courier.await {
                Err(error) if !error.is_cancelled() => {
                    error!(err = %error, "Targets were no longer shared out");
                }
                _ => {}
            }
        }
        if let Some(store) = self.store {
            store.stop().await;
        }
    }
}

async fn member_id(directory: &Path, runtime: &Runtime) -> Result<MemberId> {
    let (directory, runtime) = (directory.to_owned(), runtime.clone());
    let load = move || identity::load(&runtime, &directory);
    let failed = |reason: String| Error::Cluster { reason };
    let loaded = tokio::task::spawn_blocking(load).await.map_err(|e| failed(e.to_string()))?;
    loaded.map_err(|error| failed(format!("read the identity of this member: {error}")))
}

/// Scrapes are shared with the members.
pub(super) struct SharedScrapes(Cluster);

impl SharedScrapes {
    pub(super) fn of(clustering: &Clustering) -> SharedScrapes {
        SharedScrapes(clustering.cluster.clone())
    }
}

impl scrape::Sharing for SharedScrapes {
    fn name(&self) -> String {
        self.0.label().to_owned()
    }

    fn holds(&self, target: u64) -> bool {
        self.0.owns(target)
    }

    fn turn<'a>(
        &'a self,
        target: u64,
        slot: Timestamp,
        limit: Duration,
        ask: BoxFuture<'a, SharedAnswer>,
    ) -> BoxFuture<'a, Option<SharedAnswer>> {
        let ask = || async {
            let SharedAnswer { has_failed, bytes } = ask.await;
            Outcome { has_failed, bytes }
        };
        Box::pin(async move {
            let outcome = self.0.turn(target, slot.as_millis(), limit, ask).await?;
            Some(SharedAnswer { has_failed: outcome.has_failed, bytes: outcome.bytes })
        })
    }
}

/// Of all members one writes to remote storage. Where none has all samples, each series has a
/// writer of its own.
pub(super) struct OneWriter {
    cluster: Cluster,
    is_spread: bool,
    live: Mutex<Live>,
    clock: Arc<dyn Clock>,
}

/// The members that are live, as of a moment ago.
#[derive(Default)]
struct Live {
    members: Vec<MemberId>,
    seen: Option<Duration>,
}

impl OneWriter {
    pub(super) fn of(clustering: &Clustering) -> OneWriter {
        OneWriter {
            cluster: clustering.cluster.clone(),
            is_spread: clustering.cluster.status().replication_factor > 0,
            live: Mutex::default(),
            clock: clustering.runtime.clock.clone(),
        }
    }

    /// How many members send `series` before this one, if they have it; the one writer of all left
    /// out.
    fn position(&self, queue: &str, series: u64) -> i64 {
        let now = self.clock.monotonic();
        let mut live = self.live.lock();
        if live.seen.is_none_or(|seen| now.saturating_sub(seen) >= LIVE_FOR) {
            let may_send =
                |m: &cluster::Member| m.is_self || m.is_live && (self.is_spread || !m.holds_lease);
            let members = self.cluster.members().into_iter();
            live.members = members.filter(may_send).map(|m| m.id).collect();
            live.seen = Some(now);
        }
        let sender = self.cluster.sender(queue, series);
        acks::place(series, self.cluster.id(), &live.members, sender)
    }
}

impl remote::send::Peers for OneWriter {
    fn may_write(&self) -> bool {
        self.is_spread || self.cluster.may_write()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.cluster.writer_changed())
    }

    fn can_take_over(&self) -> bool {
        self.cluster.can_take_over()
    }

    fn is_spread(&self) -> bool {
        self.is_spread
    }

    fn sends(&self, queue: &str, series: u64, n_turns: i64) -> bool {
        !self.is_spread || n_turns >= self.position(queue, series)
    }

    fn fate(&self, queue: &str, series: u64, time: i64) -> Fate {
        let place = || self.position(queue, series);
        match self.cluster.fate(queue, series, time, PATIENCE, place) {
            acks::Fate::Arrived => Fate::Arrived,
            acks::Fate::Left => Fate::Lacking,
            acks::Fate::Open => Fate::Open,
        }
    }

    fn acknowledge(&self, queue: &str, samples: &[(u64, i64)]) {
        self.cluster.acknowledge(queue, samples);
    }
}
