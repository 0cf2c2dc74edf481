//! Opens connections through `runtime::Network`, with TLS where the URL asks for it.

use std::{
    fmt, io,
    net::IpAddr,
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

use super::{
    Config, Error,
    proxy::{self, Proxies},
    secret::reveal,
    tls,
};

#[derive(Clone)]
pub(super) struct Connector {
    pub(super) config: Arc<Config>,
    pub(super) proxies: Arc<Proxies>,
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
        let (stream, is_proxied) = self.dial(is_https, host, port).await?;
        if !is_https {
            return Ok(Link { io: TokioIo::new(stream), is_http2: false, is_proxied });
        }
        let name = match self.config.tls.server_name.as_str() {
            "" => host,
            name => name,
        };
        let stream = self.secure(stream, name, &self.tls().await?).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Link { io: TokioIo::new(Box::new(stream)), is_http2, is_proxied: false })
    }

    /// A stream to whom the URL means, and whether that is a proxy that passes requests on.
    async fn dial(
        &self,
        is_https: bool,
        host: &str,
        port: u16,
    ) -> Result<(Box<dyn Stream>, bool), ConnectError> {
        if let Some(path) = &self.config.unix_socket {
            let path = path.display();
            return match self.runtime.network.connect(&format!("unix:{path}")).await {
                Ok(stream) => Ok((stream, false)),
                Err(error) => {
                    let reason = describe(&error);
                    Err(ConnectError(format!("dial unix {path}: connect: {reason}")))
                }
            };
        }
        let Some(proxy) = self.proxies.choose(is_https, host, port) else {
            return Ok((self.dial_tcp(host, port).await?, false));
        };
        let within = |error: ConnectError| ConnectError(format!("proxyconnect tcp: {error}"));
        let proxy_host = proxy.host_str().unwrap_or_default();
        let proxy_port = proxy.port_or_known_default().unwrap_or(1080);
        let mut stream = self.dial_tcp(proxy_host, proxy_port).await.map_err(within)?;
        if proxy.scheme() == "https" {
            let mut tls = (*self.tls().await.map_err(within)?).clone();
            tls.alpn_protocols.clear();
            stream =
                Box::new(self.secure(stream, proxy_host, &Arc::new(tls)).await.map_err(within)?);
        }
        let passes_on = !is_https && proxy.scheme().starts_with("http");
        if !passes_on {
            let headers = self.connect_headers().await?;
            proxy::open(&mut *stream, proxy, host, port, &headers).await.map_err(ConnectError)?;
        }
        Ok((stream, passes_on))
    }

    async fn dial_tcp(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, ConnectError> {
        let address = match self.config.round_robin_dns {
            true => format!("{}:{port}", self.any_address(host).await?),
            false => format!("{host}:{port}"),
        };
        self.runtime.network.connect(&address).await.map_err(|error| {
            ConnectError(format!("dial tcp {address}: connect: {}", describe(&error)))
        })
    }

    /// One of the addresses of `host`, by chance.
    async fn any_address(&self, host: &str) -> Result<String, ConnectError> {
        let failed = |reason: &str| ConnectError(format!("dial tcp: lookup {host}: {reason}"));
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let found = self.runtime.network.resolve(name).await;
        let found = found.map_err(|error| failed(&error.to_string()))?;
        let n_addresses = found.len().max(1) as u64;
        let chosen = (self.runtime.random.u64() % n_addresses) as usize;
        match found.get(chosen) {
            Some(IpAddr::V6(address)) => Ok(format!("[{address}]")),
            Some(IpAddr::V4(address)) => Ok(address.to_string()),
            None => Err(failed("no such host")),
        }
    }

    async fn secure(
        &self,
        stream: Box<dyn Stream>,
        name: &str,
        tls: &Arc<rustls::ClientConfig>,
    ) -> Result<tokio_rustls::client::TlsStream<Box<dyn Stream>>, ConnectError> {
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name =
            ServerName::try_from(name).map_err(|error| ConnectError(format!("tls: {error}")))?;
        let connecting = tokio_rustls::TlsConnector::from(tls.clone()).connect(name, stream);
        connecting.await.map_err(|error| ConnectError(format!("tls: {}", describe(&error))))
    }

    async fn connect_headers(&self) -> Result<Vec<(String, String)>, ConnectError> {
        let mut headers = Vec::new();
        for header in &self.config.proxy.connect_headers {
            for value in &header.values {
                let value = reveal(&self.runtime, value).await;
                let value = value.map_err(|error| ConnectError(error.to_string()))?;
                headers.push((header.name.clone(), value));
            }
        }
        Ok(headers)
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
    /// Leads to a proxy that takes requests for others.
    is_proxied: bool,
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.is_proxied);
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
