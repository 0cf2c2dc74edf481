//! Connections between addresses, real or simulated.

mod real;
mod simulated;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr};

pub use real::RealNetwork;
pub use simulated::SimulatedNetwork;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxFuture;

pub trait Network: Send + Sync {
    /// Connects to `host:port`; names are looked up.
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;

    /// Listens on `host:port`; port 0 picks a free one.
    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;
}

/// A byte stream in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub trait Listener: Send + Sync {
    fn accept(&self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>>;

    fn local_address(&self) -> io::Result<SocketAddr>;
}
