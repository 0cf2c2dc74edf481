use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixStream};

use super::{Datagrams, Listener, Network, Stream};
use crate::BoxFuture;

/// Addresses that lead out of this host, to see from which own one. Nothing is sent there.
const ELSEWHERE: [&str; 2] = ["198.51.100.1:9", "[2001:db8::1]:9"];

/// The machine's TCP, its socket files, and UDP.
pub struct RealNetwork;

impl Network for RealNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            if let Some(path) = address.strip_prefix("unix:") {
                return Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Stream>);
            }
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            #[cfg(unix)]
            if let Some(number) = address.strip_prefix("fd:") {
                let listener = TcpListener::from_std(super::inherited::listener(number)?)?;
                return Ok(Box::new(RealListener(listener)) as Box<dyn Listener>);
            }
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

    fn bind<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Datagrams>>> {
        Box::pin(async move {
            let socket = UdpSocket::bind(address).await?;
            Ok(Box::new(RealDatagrams(socket)) as Box<dyn Datagrams>)
        })
    }

    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            addresses.dedup();
            Ok(addresses)
        })
    }

    fn outward_address(&self) -> BoxFuture<'_, io::Result<IpAddr>> {
        Box::pin(async move {
            let mut outcome = Err(io::ErrorKind::NetworkUnreachable.into());
            for (own, elsewhere) in ["0.0.0.0:0", "[::]:0"].into_iter().zip(ELSEWHERE) {
                match leave(own, elsewhere).await {
                    Ok(address) => return Ok(address),
                    Err(error) => outcome = Err(error),
                }
            }
            outcome
        })
    }
}

/// The address that the system takes on the way from `own` to `elsewhere`.
async fn leave(own: &str, elsewhere: &str) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind(own).await?;
    socket.connect(elsewhere).await?;
    Ok(socket.local_addr()?.ip())
}

struct RealDatagrams(UdpSocket);

impl Datagrams for RealDatagrams {
    fn send<'a>(&'a self, bytes: &'a [u8], to: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            self.0.send_to(bytes, to).await?;
            Ok(())
        })
    }

    fn receive<'a>(
        &'a self,
        buffer: &'a mut [u8],
    ) -> BoxFuture<'a, io::Result<(usize, SocketAddr)>> {
        Box::pin(self.0.recv_from(buffer))
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
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
