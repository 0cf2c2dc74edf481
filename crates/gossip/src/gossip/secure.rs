//! Gossip over TLS, where all travels on connections, packets too.
//!
//! To the rest of the crate it is a network like any other: [`SecureNetwork`] gives streams, and
//! datagrams that are frames on connections, one to each node. Answers to packets go out on our
//! own connection, never on the one that they came on.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use runtime::{
    BoxFuture, Network, Runtime,
    clock::timeout,
    network::{Datagrams, Listener, Stream},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{Semaphore, mpsc},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{Notice, Observer};
use crate::wire::frame::{Frame, LENGTH_BYTES, frame_len};

/// Packets that wait to be sent to one node, and that have come and wait to be looked at.
const OUTGOING_MAX: usize = 256;
const INCOMING_MAX: usize = 1024;
/// Nodes with a connection for packets; to more of them packets get lost.
const CONNECTIONS_MAX: usize = 1024;
/// Connections that others may have open.
const SERVED_MAX: usize = 4096;
/// A connection that nothing was sent on for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Wait so long after the listener has failed.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// How connections become secret, and both ends known to each other.
pub trait Security: Send + Sync {
    /// Greets the node at `host`.
    fn connect<'a>(
        &'a self,
        host: &'a str,
        stream: Box<dyn Stream>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;

    /// Answers whoever greets us.
    fn accept(&self, stream: Box<dyn Stream>) -> BoxFuture<'_, io::Result<Box<dyn Stream>>>;
}

/// Streams and packets on secret connections.
#[derive(Clone)]
pub(super) struct SecureNetwork(Arc<Shared>);

struct Shared {
    runtime: Runtime,
    security: Arc<dyn Security>,
    observer: Arc<dyn Observer>,
    /// For connecting and greeting.
    limit: Duration,
    incoming: mpsc::Sender<Packet>,
    /// Taken by whoever binds.
    arrived: Mutex<Option<mpsc::Receiver<Packet>>>,
    /// Queues of the connections for packets. Nothing else is locked while this is held.
    connections: Mutex<HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>>,
    served: Semaphore,
    tasks: TaskTracker,
    stop: CancellationToken,
}

type Packet = (Vec<u8>, SocketAddr);

impl SecureNetwork {
    /// Its tasks are `tasks` until `stop`.
    pub(super) fn new(
        runtime: Runtime,
        security: Arc<dyn Security>,
        observer: Arc<dyn Observer>,
        limit: Duration,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> SecureNetwork {
        let (incoming, arrived) = mpsc::channel(INCOMING_MAX);
        SecureNetwork(Arc::new(Shared {
            runtime,
            security,
            observer,
            limit,
            incoming,
            arrived: Mutex::new(Some(arrived)),
            connections: Mutex::default(),
            served: Semaphore::new(SERVED_MAX),
            tasks,
            stop,
        }))
    }
}

impl Network for SecureNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let mut stream = self.0.dial(address).await?;
            send(&mut *stream, &Frame::Stream).await?;
            self.0.observer.observe(&Notice::StreamSent);
            Ok(stream)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = self.0.runtime.network.listen(address).await?;
            let address = listener.local_address()?;
            let (sender, streams) = mpsc::channel(1);
            self.0.spawn(self.0.clone().accept(listener, sender));
            let streams = tokio::sync::Mutex::new(streams);
            Ok(Box::new(SecureListener { streams, address }) as Box<dyn Listener>)
        })
    }

    fn bind<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Datagrams>>> {
        Box::pin(async move {
            // Upstream wants an address here, too.
            let own: SocketAddr = address.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
            let arrived = self.0.arrived.lock().take().ok_or(io::ErrorKind::AddrInUse)?;
            let arrived = tokio::sync::Mutex::new(arrived);
            Ok(Box::new(Packets { shared: self.0.clone(), own, arrived }) as Box<dyn Datagrams>)
        })
    }

    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.0.runtime.network.resolve(host)
    }

    fn outward_address(&self) -> BoxFuture<'_, io::Result<IpAddr>> {
        self.0.runtime.network.outward_address()
    }
}

impl Shared {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    async fn dial(&self, address: &str) -> io::Result<Box<dyn Stream>> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let dialing = async {
            let stream = self.runtime.network.connect(address).await?;
            self.security.connect(host, stream).await
        };
        let dialed = timeout(&*self.runtime.clock, self.limit, dialing).await;
        dialed.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn accept(
        self: Arc<Shared>,
        listener: Box<dyn Listener>,
        streams: mpsc::Sender<(Box<dyn Stream>, SocketAddr)>,
    ) {
        loop {
            match listener.accept().await {
                Ok((stream, from)) => {
                    self.spawn(self.clone().serve(stream, from, streams.clone()));
                }
                Err(error) => {
                    warn!(component = "cluster", err = %error, "Accepting a stream failed");
                    self.runtime.clock.sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    async fn serve(
        self: Arc<Shared>,
        stream: Box<dyn Stream>,
        from: SocketAddr,
        streams: mpsc::Sender<(Box<dyn Stream>, SocketAddr)>,
    ) {
        let Ok(_permit) = self.served.try_acquire() else {
            warn!(component = "cluster", %from, "Too many connections");
            return;
        };
        if let Err(error) = self.answer(stream, from, streams).await {
            debug!(component = "cluster", %from, err = %error, "Reading from a connection failed");
            self.observer.observe(&Notice::SecureReadFailed);
        }
    }

    /// Hands a stream on, or takes packets for as long as they come.
    async fn answer(
        &self,
        stream: Box<dyn Stream>,
        from: SocketAddr,
        streams: mpsc::Sender<(Box<dyn Stream>, SocketAddr)>,
    ) -> io::Result<()> {
        let clock = &*self.runtime.clock;
        let greeting = async {
            let mut stream = self.security.accept(stream).await?;
            let first = receive(&mut *stream).await?;
            Ok::<_, io::Error>((stream, first))
        };
        let greeted = timeout(clock, self.limit, greeting).await;
        let (mut stream, first) = greeted.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
        let mut next = first;
        loop {
            match next {
                Some(Frame::Stream) => {
                    self.observer.observe(&Notice::StreamReceived);
                    // Gone means that we stop.
                    streams.send((stream, from)).await.unwrap_or_default();
                    return Ok(());
                }
                Some(Frame::Packet { from: listens_at, bytes }) => {
                    self.observer.observe(&Notice::PacketReceived { bytes: bytes.len() });
                    // Only for logs: who wants an answer says where.
                    let from = listens_at.parse().unwrap_or(from);
                    // As with a socket whose buffer is full, packets get lost.
                    drop(self.incoming.try_send((bytes, from)));
                }
                None => return Ok(()),
            }
            next = receive(&mut *stream).await?;
        }
    }

    /// Sends what is queued for a node, until something breaks or nothing comes for long.
    async fn send_packets(
        self: Arc<Shared>,
        to: SocketAddr,
        own: SocketAddr,
        mut queue: mpsc::Receiver<Vec<u8>>,
    ) {
        if let Err(error) = self.try_send_packets(to, own, &mut queue).await {
            debug!(component = "cluster", %to, err = %error, "Writing packets failed");
            self.observer.observe(&Notice::SecureWriteFailed { what: "packet" });
        }
        // What is in the queue is lost, as packets are. The next one gets a new connection.
        let mut connections = self.connections.lock();
        queue.close();
        connections.remove(&to);
    }

    async fn try_send_packets(
        &self,
        to: SocketAddr,
        own: SocketAddr,
        queue: &mut mpsc::Receiver<Vec<u8>>,
    ) -> io::Result<()> {
        let clock = &*self.runtime.clock;
        let mut stream = self.dial(&to.to_string()).await?;
        while let Some(Some(bytes)) = timeout(clock, IDLE_MAX, queue.recv()).await {
            let n_bytes = bytes.len();
            let frame = Frame::Packet { from: own.to_string(), bytes };
            let sent = timeout(clock, self.limit, send(&mut *stream, &frame)).await;
            sent.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
            self.observer.observe(&Notice::PacketSent { bytes: n_bytes });
        }
        stream.shutdown().await
    }
}

/// A frame in a record of its own: upstream's nodes lose what follows it in the same one.
async fn send(stream: &mut dyn Stream, frame: &Frame) -> io::Result<()> {
    stream.write_all(&frame.to_bytes()).await?;
    stream.flush().await
}

/// The next frame; nothing where the stream ends between two.
async fn receive(stream: &mut dyn Stream) -> io::Result<Option<Frame>> {
    let mut length = [0; LENGTH_BYTES];
    let n_first = stream.read(&mut length).await?;
    if n_first == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[n_first..]).await?;
    let broken =
        |error: crate::Error| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
    let mut bytes = vec![0; frame_len(length).map_err(broken)?];
    stream.read_exact(&mut bytes).await?;
    Frame::from_bytes(&bytes).map(Some).map_err(broken)
}

struct SecureListener {
    streams: tokio::sync::Mutex<mpsc::Receiver<(Box<dyn Stream>, SocketAddr)>>,
    address: SocketAddr,
}

impl Listener for SecureListener {
    fn accept(&self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async move {
            let next = self.streams.lock().await.recv().await;
            next.ok_or_else(|| io::ErrorKind::NotConnected.into())
        })
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

struct Packets {
    shared: Arc<Shared>,
    own: SocketAddr,
    arrived: tokio::sync::Mutex<mpsc::Receiver<Packet>>,
}

impl Datagrams for Packets {
    /// Never waits: a node that is not there must not hold up the others.
    fn send<'a>(&'a self, bytes: &'a [u8], to: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let mut connections = self.shared.connections.lock();
            if let Some(queue) = connections.get(&to) {
                return queue
                    .try_send(bytes.to_vec())
                    .map_err(|_| io::ErrorKind::WouldBlock.into());
            }
            if connections.len() >= CONNECTIONS_MAX {
                return Err(io::Error::other("too many nodes"));
            }
            let (sender, queue) = mpsc::channel(OUTGOING_MAX);
            sender.try_send(bytes.to_vec()).map_err(io::Error::other)?;
            connections.insert(to, sender);
            drop(connections);
            self.shared.spawn(self.shared.clone().send_packets(to, self.own, queue));
            Ok(())
        })
    }

    fn receive<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> BoxFuture<'a, io::Result<(usize, SocketAddr)>> {
        Box::pin(async move {
            let next = self.arrived.lock().await.recv().await;
            let (bytes, from) = next.ok_or(io::ErrorKind::NotConnected)?;
            let len = bytes.len().min(buffer.len());
            buffer[..len].copy_from_slice(&bytes[..len]);
            Ok((len, from))
        })
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        Ok(self.own)
    }
}
