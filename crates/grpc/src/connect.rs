//! How a stream to a peer is opened.

use std::{io, sync::Arc};

use runtime::{BoxFuture, Network, network::Stream};
use rustls::{ClientConfig, pki_types::ServerName};

/// Opens streams to `host:port`.
pub trait Connect: Send + Sync {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;

    /// Whether streams are encrypted, which peers are told.
    fn is_secure(&self) -> bool {
        false
    }
}

/// Streams as they are.
pub struct Plain(pub Arc<dyn Network>);

impl Connect for Plain {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        self.0.connect(address)
    }
}

/// Streams over TLS.
pub struct Secure {
    pub network: Arc<dyn Network>,
    /// Asked for each connection, so that renewed certificates are seen. It should offer `h2`.
    pub settings: Arc<dyn Fn() -> io::Result<Arc<ClientConfig>> + Send + Sync>,
    /// Whose certificate is expected; the host of the address if empty.
    pub server_name: String,
}

impl Connect for Secure {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let settings = (self.settings)()?;
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            let name = match self.server_name.as_str() {
                "" => host.trim_start_matches('[').trim_end_matches(']'),
                name => name,
            };
            let name = ServerName::try_from(name.to_owned())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let stream = self.network.connect(address).await?;
            let stream = tokio_rustls::TlsConnector::from(settings).connect(name, stream).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn is_secure(&self) -> bool {
        true
    }
}
