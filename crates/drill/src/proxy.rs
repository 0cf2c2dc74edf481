//! Between each two parties: passes bytes and datagrams on while the way is open.
//!
//! While it is cut nothing arrives and nothing fails, as in a network that loses packets: bytes wait
//! (TCP sends them again), datagrams are gone.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::SocketAddr,
    sync::Arc,
};

use parking_lot::Mutex;
use runtime::{
    Runtime,
    network::{Datagrams, Listener, Stream},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    task::JoinSet,
};

use crate::{
    failover::Write,
    links::{Links, Party},
    owner::{self, Owners},
};

const BUFFER_BYTES: usize = 64 << 10;

/// In front of one party.
pub(crate) struct Proxy {
    pub(crate) runtime: Runtime,
    pub(crate) to: Party,
    /// Where that party really listens.
    pub(crate) address: String,
    pub(crate) links: Links,
    pub(crate) owners: Owners,
    /// Gets an entry for each request that the party says it has taken.
    pub(crate) writes: Arc<Mutex<Vec<Write>>>,
}

impl Proxy {
    /// Passes connections on, until it is dropped.
    pub(crate) async fn serve(self: Arc<Proxy>, listener: Box<dyn Listener>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, from)) = accepted {
                        connections.spawn(self.clone().connection(stream, from));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn connection(self: Arc<Proxy>, near: Box<dyn Stream>, address: SocketAddr) {
        let Some(from) = runtime::blocking(|| owner::owner_of(address, &self.owners)) else {
            return;
        };
        // Who connects over a cut way waits for an answer, as for one to a lost packet.
        self.links.watch().open(from, self.to).await;
        let Ok(far) = self.runtime.network.connect(&self.address).await else { return };
        let (near_reader, near_writer) = tokio::io::split(near);
        let (far_reader, far_writer) = tokio::io::split(far);
        let there = self.pump(from, self.to, near_reader, far_writer, |_| {});
        let back = self.pump(self.to, from, far_reader, near_writer, |bytes| {
            if let (Party::Member(member), true) = (from, bytes.starts_with(b"HTTP/1.1 2")) {
                self.writes.lock().push(Write { at_ms: self.runtime.clock.now_millis(), member });
            }
        });
        // Who breaks off ends both directions; the other side sees it as an end.
        tokio::try_join!(there, back).map(drop).unwrap_or_default();
    }

    async fn pump(
        &self,
        from: Party,
        to: Party,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
        passed: impl Fn(&[u8]),
    ) -> io::Result<()> {
        let mut way = self.links.watch();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = reader.read(&mut buffer).await;
            way.open(from, to).await;
            let bytes = &buffer[..read?];
            if bytes.is_empty() {
                return writer.shutdown().await;
            }
            passed(bytes);
            writer.write_all(bytes).await?;
        }
    }

    /// Passes datagrams on, until it is dropped. Members are told apart by their own address.
    pub(crate) async fn serve_datagrams(
        self: Arc<Proxy>,
        socket: Arc<dyn Datagrams>,
        members: Vec<SocketAddr>,
    ) {
        let mut ways: HashMap<SocketAddr, Arc<dyn Datagrams>> = HashMap::new();
        let mut answers = JoinSet::new();
        let Ok(to) = self.address.parse::<SocketAddr>() else { return };
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let Ok((len, address)) = socket.receive(&mut buffer).await else { continue };
            let Some(member) = members.iter().position(|member| member.ip() == address.ip()) else {
                continue;
            };
            let from = Party::Member(member);
            let way = match ways.entry(address) {
                Entry::Occupied(way) => way.into_mut(),
                Entry::Vacant(entry) => {
                    let Ok(way) = self.runtime.network.bind("127.0.0.1:0").await else { continue };
                    let way: Arc<dyn Datagrams> = Arc::from(way);
                    answers.spawn(self.clone().answers(way.clone(), socket.clone(), from, address));
                    entry.insert(way)
                }
            };
            if self.links.is_open(from, self.to) {
                // A datagram may get lost; this one did.
                way.send(&buffer[..len], to).await.unwrap_or_default();
            }
        }
    }

    async fn answers(
        self: Arc<Proxy>,
        way: Arc<dyn Datagrams>,
        socket: Arc<dyn Datagrams>,
        from: Party,
        address: SocketAddr,
    ) {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let Ok((len, _)) = way.receive(&mut buffer).await else { continue };
            if self.links.is_open(self.to, from) {
                socket.send(&buffer[..len], address).await.unwrap_or_default();
            }
        }
    }
}
