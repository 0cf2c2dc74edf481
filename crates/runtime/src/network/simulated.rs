//! A network in memory: hosts, links that can be cut, latency.

mod datagrams;
mod pipe;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use super::{Datagrams, Listener, Network, Stream};
use crate::{BoxFuture, Clock, clock::SimulatedClock};

/// Connections that nobody has accepted yet, per listener.
const BACKLOG: usize = 128;
/// Where port 0 begins to count.
const FIRST_FREE_PORT: u16 = 49152;

/// One host's view of a network in memory. Cloning gives the same host's view again,
/// [`SimulatedNetwork::host`] another host's.
#[derive(Clone)]
pub struct SimulatedNetwork {
    world: Arc<World>,
    host: String,
}

struct World {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    /// Told whenever links or the latency change.
    changed: Notify,
}

/// No other lock is taken while this one is held.
struct State {
    listeners: BTreeMap<(String, u16), mpsc::Sender<Incoming>>,
    sockets: BTreeMap<(String, u16), mpsc::Sender<datagrams::Packet>>,
    /// By name, of hosts whose name is no address.
    addresses: BTreeMap<String, Vec<IpAddr>>,
    /// Pairs of hosts, the smaller name first.
    cut: BTreeSet<(String, String)>,
    latency: Duration,
    next_port: u16,
}

type Incoming = (Box<dyn Stream>, SocketAddr);

impl Default for SimulatedNetwork {
    fn default() -> SimulatedNetwork {
        SimulatedNetwork::new(Arc::new(SimulatedClock::default()))
    }
}

impl SimulatedNetwork {
    /// A network whose latency is counted by `clock`, seen from 127.0.0.1.
    pub fn new(clock: Arc<dyn Clock>) -> SimulatedNetwork {
        let state = State {
            listeners: BTreeMap::new(),
            sockets: BTreeMap::new(),
            addresses: BTreeMap::new(),
            cut: BTreeSet::new(),
            latency: Duration::ZERO,
            next_port: FIRST_FREE_PORT,
        };
        let world = World { state: Mutex::new(state), clock, changed: Notify::new() };
        SimulatedNetwork { world: Arc::new(world), host: Ipv4Addr::LOCALHOST.to_string() }
    }

    /// The same network, seen from the host of this name or address.
    pub fn host(&self, name: &str) -> SimulatedNetwork {
        SimulatedNetwork { world: self.world.clone(), host: canonical(name) }
    }

    /// Stops everything between two hosts: bytes wait, connecting waits.
    pub fn cut(&self, a: &str, b: &str) {
        self.world.state.lock().cut.insert(link(a, b));
        self.world.changed.notify_waiters();
    }

    /// Undoes [`SimulatedNetwork::cut`]: what waited goes on.
    pub fn heal(&self, a: &str, b: &str) {
        self.world.state.lock().cut.remove(&link(a, b));
        self.world.changed.notify_waiters();
    }

    /// From now on `host` is found at these addresses; none is an answer, too.
    pub fn set_addresses(&self, host: &str, addresses: &[IpAddr]) {
        self.world.state.lock().addresses.insert(host.to_owned(), addresses.to_vec());
    }

    /// From now on bytes arrive so much later, on every link.
    pub fn set_latency(&self, latency: Duration) {
        self.world.state.lock().latency = latency;
    }
}

impl World {
    fn is_cut(&self, link: &(String, String)) -> bool {
        self.state.lock().cut.contains(link)
    }

    async fn until_healed(&self, link: &(String, String)) {
        loop {
            let changed = self.changed.notified();
            if !self.is_cut(link) {
                return;
            }
            changed.await;
        }
    }
}

impl Network for SimulatedNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let (host, port) = split(address)?;
            let host = if host.is_empty() { self.host.clone() } else { canonical(host) };
            let link = link(&self.host, &host);
            self.world.until_healed(&link).await;
            let (listener, peer_port) = {
                let mut state = self.world.state.lock();
                let listener = state.listeners.get(&(host, port)).cloned();
                (listener.ok_or(io::ErrorKind::ConnectionRefused)?, state.free_port())
            };
            let (ours, theirs) = pipe::pair(&self.world, &link);
            let peer = (Box::new(theirs) as Box<dyn Stream>, socket_address(&self.host, peer_port));
            listener.send(peer).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let (host, port) = split(address)?;
            let is_any = matches!(host, "" | "0.0.0.0" | "[::]");
            let host = if is_any { self.host.clone() } else { canonical(host) };
            let mut state = self.world.state.lock();
            let is_file = host.starts_with("unix:");
            let port = if port == 0 && !is_file { state.free_port() } else { port };
            let (sender, receiver) = mpsc::channel(BACKLOG);
            // Whoever listened here before may have gone without a word.
            match state.listeners.get(&(host.clone(), port)) {
                Some(old) if !old.is_closed() => return Err(io::ErrorKind::AddrInUse.into()),
                _ => state.listeners.insert((host.clone(), port), sender),
            };
            let address = socket_address(&host, port);
            let incoming = tokio::sync::Mutex::new(receiver);
            Ok(Box::new(SimulatedListener { incoming, address }) as Box<dyn Listener>)
        })
    }

    fn bind<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Datagrams>>> {
        Box::pin(async move {
            let (host, port) = split(address)?;
            let is_any = matches!(host, "" | "0.0.0.0" | "[::]");
            let host = if is_any { self.host.clone() } else { canonical(host) };
            datagrams::bind(&self.world, host, port)
        })
    }

    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            if let Ok(address) = canonical(host).parse() {
                return Ok(vec![address]);
            }
            let known = self.world.state.lock().addresses.get(host).cloned();
            known.ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    fn outward_address(&self) -> BoxFuture<'_, io::Result<IpAddr>> {
        Box::pin(async move { Ok(socket_address(&self.host, 0).ip()) })
    }
}

impl State {
    fn free_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_FREE_PORT);
        port
    }
}

struct SimulatedListener {
    incoming: tokio::sync::Mutex<mpsc::Receiver<Incoming>>,
    address: SocketAddr,
}

impl Listener for SimulatedListener {
    fn accept(&self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async move {
            let next = self.incoming.lock().await.recv().await;
            next.ok_or_else(|| io::ErrorKind::NotConnected.into())
        })
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Host and port; a socket file is a host of its own, with port 0.
fn split(address: &str) -> io::Result<(&str, u16)> {
    if address.starts_with("unix:") {
        return Ok((address, 0));
    }
    let (host, port) = address.rsplit_once(':').ok_or(io::ErrorKind::InvalidInput)?;
    Ok((host, port.parse().map_err(|_| io::ErrorKind::InvalidInput)?))
}

fn canonical(host: &str) -> String {
    match host {
        "localhost" | "[::1]" => Ipv4Addr::LOCALHOST.to_string(),
        host => host.to_owned(),
    }
}

fn link(a: &str, b: &str) -> (String, String) {
    let (a, b) = (canonical(a), canonical(b));
    if a <= b { (a, b) } else { (b, a) }
}

/// Hosts with names have no address of their own here; they get the loopback one.
fn socket_address(host: &str, port: u16) -> SocketAddr {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse();
    SocketAddr::new(ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port)
}
