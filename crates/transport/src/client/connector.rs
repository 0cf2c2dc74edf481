//! Opens connections through `runtime::Network`, with TLS where the URL asks for it.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use runtime::{BoxFuture, Runtime, network::Stream};
use rustls::pki_types::ServerName;

use super::{Config, Error, tls};

#[derive(Clone)]
pub(super) struct Connector {
    pub(super) config: Arc<Config>,
    pub(super) runtime: Runtime,
}

/// Why no connection was made, in Go's words.
#[derive(Debug)]
pub(super) struct ConnectError(pub(super) String);

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConnectError {}

impl tower::Service<Uri> for Connector {
    type Response = Link;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Link, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&uri).await })
    }
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> Result<Link, ConnectError> {
        let host = uri.host().ok_or_else(|| ConnectError("no host in URL".to_owned()))?;
        let is_https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let address = format!("{host}:{port}");
        let stream = self.runtime.network.connect(&address).await.map_err(|error| {
            ConnectError(format!("dial tcp {address}: connect: {}", describe(&error)))
        })?;
        if !is_https {
            return Ok(Link { io: TokioIo::new(stream), is_http2: false });
        }
        let tls = self.tls().await?;
        let name = match self.config.tls.server_name.as_str() {
            "" => host.trim_start_matches('[').trim_end_matches(']'),
            name => name,
        };
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| ConnectError(format!("tls: {error}")))?;
        let stream = tokio_rustls::TlsConnector::from(tls)
            .connect(name, stream)
            .await
            .map_err(|error| ConnectError(format!("tls: {}", describe(&error))))?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Link { io: TokioIo::new(Box::new(stream)), is_http2 })
    }

    /// Built anew for each connection, so that renewed certificate files are seen.
    async fn tls(&self) -> Result<Arc<rustls::ClientConfig>, ConnectError> {
        let config = self.config.clone();
        let disk = self.runtime.disk.clone();
        tokio::task::spawn_blocking(move || tls::client_config(&config, &*disk))
            .await
            .map_err(|error| ConnectError(error.to_string()))?
            .map(Arc::new)
            .map_err(|error| ConnectError(error.to_string()))
    }
}

/// Speaks TLS from here on, on a stream of another protocol to `host`.
pub(super) async fn start_tls(
    config: Config,
    runtime: &Runtime,
    host: &str,
    stream: Box<dyn Stream>,
) -> Result<Box<dyn Stream>, Error> {
    let disk = runtime.disk.clone();
    let name = match config.tls.server_name.as_str() {
        "" => host.to_owned(),
        name => name.to_owned(),
    };
    let built = tokio::task::spawn_blocking(move || tls::client_config(&config, &*disk)).await;
    let bad = |reason: String| Error::Config { what: "tls_config".to_owned(), reason };
    let mut built = built.map_err(|error| bad(error.to_string())).flatten()?;
    // Those are names of HTTP.
    built.alpn_protocols.clear();
    let name = ServerName::try_from(name).map_err(|error| bad(error.to_string()))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(built));
    let stream = connector.connect(name, stream).await;
    let stream = stream.map_err(|error| Error::Tls { reason: describe(&error) })?;
    Ok(Box::new(stream))
}

/// An I/O error as Go's `syscall.Errno` says it, without the number.
pub(super) fn describe(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset by peer",
        io::ErrorKind::TimedOut => "connection timed out",
        io::ErrorKind::HostUnreachable => "no route to host",
        io::ErrorKind::NetworkUnreachable => "network is unreachable",
        _ => return error.to_string(),
    };
    text.to_owned()
}

/// An open connection.
pub(super) struct Link {
    io: TokioIo<Box<dyn Stream>>,
    is_http2: bool,
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.is_http2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
