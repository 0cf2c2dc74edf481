use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpStream};

use super::{Listener, Network, Stream};
use crate::BoxFuture;

/// The machine's TCP.
pub struct RealNetwork;

impl Network for RealNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            // Go reads `:9090` as all addresses, IPv6 and IPv4.
            let listener = match address.strip_prefix(':') {
                Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
                    Ok(listener) => listener,
                    Err(_) => TcpListener::bind(format!("0.0.0.0:{port}")).await?,
                },
                None => TcpListener::bind(address).await?,
            };
            Ok(Box::new(RealListener(listener)) as Box<dyn Listener>)
        })
    }
}

struct RealListener(TcpListener);

impl Listener for RealListener {
    fn accept(&self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async move {
            let (stream, peer) = self.0.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream) as Box<dyn Stream>, peer))
        })
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
