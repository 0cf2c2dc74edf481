//! Connections between addresses, real or simulated.

#[cfg(unix)]
mod inherited;
mod real;
mod simulated;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

#[cfg(unix)]
pub use inherited::inherited_addresses;
pub use real::RealNetwork;
pub use simulated::SimulatedNetwork;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxFuture;

pub trait Network: Send + Sync {
    /// Connects to `host:port`, where names are looked up, or to the socket file of `unix:/path`.
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;

    /// Listens on `host:port`; port 0 picks a free one. `fd:3` is a listener that was handed over.
    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;

    /// Takes `host:port` for datagrams; port 0 picks a free one.
    fn bind<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Datagrams>>>;

    /// Looks up all addresses of a host; an address is its own.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;

    /// The address from which this host speaks to the world, if it can.
    fn outward_address(&self) -> BoxFuture<'_, io::Result<IpAddr>>;
}

/// A socket for datagrams (UDP), each of which may get lost.
pub trait Datagrams: Send + Sync {
    fn send<'a>(&'a self, bytes: &'a [u8], to: SocketAddr) -> BoxFuture<'a, io::Result<()>>;

    /// The next datagram, cut off at the end of `buffer`: how long it is and where it comes from.
    fn receive<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> BoxFuture<'a, io::Result<(usize, SocketAddr)>>;

    fn local_address(&self) -> io::Result<SocketAddr>;
}

/// A byte stream in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub trait Listener: Send + Sync {
    fn accept(&self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>>;

    fn local_address(&self) -> io::Result<SocketAddr>;
}
