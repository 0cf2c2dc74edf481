//! A node of a cluster at work: the sockets and timers around [`Membership`], and what finds the
//! other nodes.

mod address;
mod join;
mod options;
mod secure;
mod shared;
mod state;
mod streams;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use address::advertise;
pub use options::Options;
pub use secure::Security;
pub use state::{Notice, Observer, State, Traffic};

use self::{secure::SecureNetwork, shared::Shared};
use crate::{Error, Input, Member, Membership, Result, membership};

/// The longest goodbye.
const LEAVE_LIMIT: Duration = Duration::from_secs(10);
/// Large messages that wait to be sent.
const OVERSIZE_QUEUE: usize = 200;
/// How often a port is looked for that is free for streams and packets.
const BIND_ATTEMPTS: usize = 10;

/// This node's part in a cluster. Cloning gives another handle.
#[derive(Clone)]
pub struct Gossip {
    shared: Arc<Shared>,
}

/// What a node has last been heard to say, at first hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// By the monotonic clock.
    pub heard_at: Duration,
    /// How long it took to answer.
    pub round_trip: Duration,
}

impl Gossip {
    /// Listens, and answers from now on; finds others only with [`Gossip::join`].
    pub async fn start(
        options: Options,
        runtime: Runtime,
        observer: Arc<dyn Observer>,
    ) -> Result<Gossip> {
        let tasks = (TaskTracker::new(), CancellationToken::new());
        Gossip::start_on(options, runtime, observer, tasks).await
    }

    /// The same on secret connections: with nodes that do so, too, and nobody else.
    pub async fn start_secure(
        options: Options,
        security: Arc<dyn Security>,
        runtime: Runtime,
        observer: Arc<dyn Observer>,
    ) -> Result<Gossip> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let network = SecureNetwork::new(
            runtime.clone(),
            security,
            observer.clone(),
            options.stream_timeout,
            tasks.clone(),
            stop.clone(),
        );
        let runtime = Runtime { network: Arc::new(network), ..runtime };
        Gossip::start_on(options, runtime, observer, (tasks, stop)).await
    }

    async fn start_on(
        options: Options,
        runtime: Runtime,
        observer: Arc<dyn Observer>,
        tasks: (TaskTracker, CancellationToken),
    ) -> Result<Gossip> {
        let bind = address::split(&options.listen_address)?;
        // What is no address will not become one.
        for peer in &options.peers {
            address::split(peer)?;
        }
        let bind_ip = address::bind_ip(&*runtime.network, &bind.0).await?;
        let own_ip = match options.advertise_address {
            Some(address) => address.ip(),
            None => address::find(&*runtime.network, bind_ip, &options).await?,
        };
        let (listener, socket) = bind_both(&runtime, SocketAddr::new(bind_ip, bind.1)).await?;
        let bound = socket.local_address().map_err(|source| Error::Io {
            doing: "listen on",
            address: options.listen_address.clone(),
            source,
        })?;
        let port = options.advertise_address.map_or(0, |address| address.port());
        let port = if port == 0 { bound.port() } else { port };
        let config = options.membership(own_ip, port);
        let membership = Membership::new(config, runtime.random.clone(), runtime.clock.monotonic());
        let (oversize, large) = mpsc::channel(OVERSIZE_QUEUE);
        let shared =
            Arc::new(Shared::new(membership, options, runtime, socket, observer, oversize, tasks));
        shared.spawn(shared.clone().receive_packets());
        shared.spawn(shared.clone().keep_time());
        shared.spawn(shared.clone().accept_streams(listener));
        shared.spawn(shared.clone().send_large(large));
        Ok(Gossip { shared })
    }

    /// From now on `state` is shared with the others under this key. Before [`Gossip::join`], so
    /// that nothing is missed.
    pub fn share(&self, key: &str, state: Arc<dyn State>) {
        self.shared.states.lock().push((key.to_owned(), state));
    }

    /// Looks for the others, and again whenever they are lost, and waits until it looks as if all
    /// were there: see [`Gossip::settled`]. All in the background.
    pub fn join(&self) {
        let shared = self.shared.clone();
        self.shared.spawn(async move {
            shared.clone().join().await;
            tokio::join!(shared.clone().find_again(), shared.settle());
        });
    }

    /// Tells all others, and those whom they tell; never waits.
    pub fn broadcast(&self, key: &str, bytes: Vec<u8>) {
        self.shared.broadcast(key, bytes);
    }

    /// Completes once the cluster seems to be complete, or it has been waited long enough.
    pub async fn settled(&self) {
        self.shared.settled.cancelled().await;
    }

    pub fn has_settled(&self) -> bool {
        self.shared.settled.is_cancelled()
    }

    pub fn name(&self) -> String {
        self.shared.core.lock().membership.name().to_owned()
    }

    /// Where others reach this node.
    pub fn address(&self) -> SocketAddr {
        let core = self.shared.core.lock();
        let config = core.membership.config();
        SocketAddr::new(config.address, config.port)
    }

    /// All that count as alive, this node included, by name.
    pub fn members(&self) -> Vec<Member> {
        self.shared.core.lock().membership.members()
    }

    /// When each of the others was last heard of at first hand, by name.
    pub fn contacts(&self) -> BTreeMap<String, Contact> {
        self.shared.contacts.lock().clone()
    }

    /// How many count as alive, this node included.
    pub fn n_members(&self) -> usize {
        self.shared.core.lock().membership.n_members()
    }

    pub fn position(&self) -> usize {
        self.shared.core.lock().membership.position()
    }

    pub fn health_score(&self) -> u32 {
        self.shared.core.lock().membership.health_score()
    }

    /// Messages that are still to be sent.
    pub fn n_queued(&self) -> usize {
        self.shared.core.lock().membership.n_queued()
    }

    /// Nodes that were there and are not, or were named and have not been found.
    pub fn n_lost(&self) -> usize {
        self.shared.lost.lock().len()
    }

    /// Says goodbye, then ends everything and waits for it.
    pub async fn stop(&self) {
        let shared = &self.shared;
        shared.handle(Input::Leave).await;
        let deadline = shared.runtime.clock.monotonic() + LEAVE_LIMIT;
        while !shared.core.lock().membership.has_left() {
            if shared.runtime.clock.monotonic() >= deadline {
                tracing::warn!(component = "cluster", "Not all nodes were told of our leaving");
                break;
            }
            shared.runtime.clock.sleep(shared.options.gossip_interval / 2).await;
        }
        self.kill().await;
    }

    /// Ends everything without a word.
    pub async fn kill(&self) {
        self.shared.stop.cancel();
        self.shared.settled.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

type Bound = (Box<dyn runtime::network::Listener>, Box<dyn runtime::network::Datagrams>);

/// Streams and packets use the same port.
async fn bind_both(runtime: &Runtime, address: SocketAddr) -> Result<Bound> {
    let failed = |doing, address: SocketAddr| {
        move |source| Error::Io { doing, address: address.to_string(), source }
    };
    let network = &runtime.network;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let listener = network.listen(&address.to_string()).await;
        let listener = listener.map_err(failed("listen on tcp", address))?;
        let local = listener.local_address().map_err(failed("listen on tcp", address))?;
        let same_port = SocketAddr::new(address.ip(), local.port());
        match network.bind(&same_port.to_string()).await {
            Ok(socket) => return Ok((listener, socket)),
            Err(_) if address.port() == 0 && attempt < BIND_ATTEMPTS => {}
            Err(source) => return Err(failed("listen on udp", same_port)(source)),
        }
    }
}

impl Options {
    fn membership(&self, address: std::net::IpAddr, port: u16) -> membership::Config {
        let fan_out = (self.peers.len() / 2).max(3);
        membership::Config {
            name: self.name.clone(),
            address,
            port,
            label: self.label.clone(),
            probe_interval: self.probe_interval,
            probe_timeout: self.probe_timeout,
            gossip_interval: self.gossip_interval,
            push_pull_interval: self.push_pull_interval,
            fan_out,
            user_retransmits: self.gossip_rounds * fan_out as u32,
        }
    }
}
