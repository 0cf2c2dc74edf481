//! Packets in memory. What meets a cut link or a full socket is lost.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{Datagrams, World, link, socket_address};
use crate::BoxFuture;

/// Packets that nobody has received yet, per socket.
const BACKLOG: usize = 1024;

/// With the moment at which it arrives.
pub(super) struct Packet {
    arrives: Duration,
    from: SocketAddr,
    bytes: Vec<u8>,
}

pub(super) fn bind(world: &Arc<World>, host: String, port: u16) -> io::Result<Box<dyn Datagrams>> {
    let mut state = world.state.lock();
    let port = if port == 0 { state.free_port() } else { port };
    let (sender, receiver) = mpsc::channel(BACKLOG);
    match state.sockets.get(&(host.clone(), port)) {
        Some(old) if !old.is_closed() => return Err(io::ErrorKind::AddrInUse.into()),
        _ => state.sockets.insert((host.clone(), port), sender),
    };
    let address = socket_address(&host, port);
    let incoming = tokio::sync::Mutex::new(receiver);
    Ok(Box::new(Socket { world: world.clone(), host, address, incoming }))
}

struct Socket {
    world: Arc<World>,
    host: String,
    address: SocketAddr,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Packet>>,
}

impl Datagrams for Socket {
    fn send<'a>(&'a self, bytes: &'a [u8], to: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let host = to.ip().to_string();
            let is_cut = self.world.is_cut(&link(&self.host, &host));
            let state = self.world.state.lock();
            if let Some(socket) = state.sockets.get(&(host, to.port())).filter(|_| !is_cut) {
                let arrives = self.world.clock.monotonic() + state.latency;
                let packet = Packet { arrives, from: self.address, bytes: bytes.to_vec() };
                // Lost, if the socket is full or closed.
                socket.try_send(packet).unwrap_or_default();
            }
            Ok(())
        })
    }

    fn receive<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> BoxFuture<'a, io::Result<(usize, SocketAddr)>> {
        Box::pin(async move {
            let next = self.incoming.lock().await.recv().await;
            let Packet { arrives, from, bytes } = next.ok_or(io::ErrorKind::NotConnected)?;
            let late = arrives.saturating_sub(self.world.clock.monotonic());
            self.world.clock.sleep(late).await;
            let len = bytes.len().min(buffer.len());
            buffer[..len].copy_from_slice(&bytes[..len]);
            Ok((len, from))
        })
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
