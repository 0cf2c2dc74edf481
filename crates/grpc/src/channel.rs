//! A connection to a peer, made when it is needed and made again when it broke.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::TokioIo;
use prost::Message;
use runtime::{BoxFuture, Clock, clock::timeout};
use tokio::sync::Mutex;
use tonic::{
    Request, Response, Status, Streaming, body::Body, client::Grpc, codegen::tokio_stream::Stream,
};
use tonic_prost::ProstCodec;
use tracing::debug;

use crate::{Connect, tasks::Tasks};

/// Room for what is under way: a link with some delay stays busy.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

/// What a channel keeps to.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub connect_timeout: Duration,
    /// An answer (or a message of one) that is larger is an error.
    pub answer_bytes_max: usize,
}

/// Calls methods of one peer. Cloning gives another handle to the same connection, on which any
/// number of calls are under way at once; it is closed with the last handle.
#[derive(Clone)]
pub struct Channel(Arc<Inner>);

struct Inner {
    address: String,
    origin: Uri,
    connect: Arc<dyn Connect>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// Held while connecting: whoever comes then waits for that connection.
    connection: Mutex<Option<Connection>>,
}

struct Connection {
    sender: SendRequest<Body>,
    _tasks: Tasks,
}

impl Channel {
    /// `address` is `host:port`; an error says that it cannot be one.
    pub fn new(
        address: &str,
        connect: Arc<dyn Connect>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Channel, http::Error> {
        let scheme = if connect.is_secure() { Scheme::HTTPS } else { Scheme::HTTP };
        let authority: Authority = address.parse()?;
        let origin =
            Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build()?;
        let (address, connection) = (address.to_owned(), Mutex::new(None));
        let inner = Inner { address, origin, connect, clock, settings, connection };
        Ok(Channel(Arc::new(inner)))
    }

    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// Gives up the connection: calls under way fail, the next one connects anew. For peers that
    /// do not answer any more.
    pub async fn reset(&self) {
        *self.0.connection.lock().await = None;
    }

    /// Calls a method with one answer; `path` is `/package.Service/Method`.
    pub async fn unary<Q, A>(
        &self,
        path: &'static str,
        request: Request<Q>,
    ) -> Result<Response<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = PathAndQuery::from_static(path);
        self.grpc().unary(request, path, ProstCodec::<Q, A>::default()).await
    }

    /// Calls a method that answers with a stream.
    pub async fn stream<Q, A>(
        &self,
        path: &'static str,
        request: Request<Q>,
    ) -> Result<Response<Streaming<A>>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = PathAndQuery::from_static(path);
        self.grpc().server_streaming(request, path, ProstCodec::<Q, A>::default()).await
    }

    /// Calls a method of two streams.
    pub async fn duplex<Q, A>(
        &self,
        path: &'static str,
        request: Request<impl Stream<Item = Q> + Send + 'static>,
    ) -> Result<Response<Streaming<A>>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = PathAndQuery::from_static(path);
        self.grpc().streaming(request, path, ProstCodec::<Q, A>::default()).await
    }

    fn grpc(&self) -> Grpc<Channel> {
        Grpc::with_origin(self.clone(), self.0.origin.clone())
            .max_decoding_message_size(self.0.settings.answer_bytes_max)
            .max_encoding_message_size(usize::MAX)
    }

    async fn sender(&self) -> Result<SendRequest<Body>, Status> {
        let inner = &*self.0;
        let mut connection = inner.connection.lock().await;
        if let Some(open) = connection.as_ref().filter(|open| !open.sender.is_closed()) {
            return Ok(open.sender.clone());
        }
        let opening = timeout(&*inner.clock, inner.settings.connect_timeout, inner.open());
        let failed = |reason: &dyn std::fmt::Display| {
            Status::unavailable(format!("connect to {}: {reason}", inner.address))
        };
        let opened = opening.await.ok_or_else(|| failed(&"no answer in time"))?;
        let opened = opened.map_err(|error| failed(&error))?;
        let sender = opened.sender.clone();
        *connection = Some(opened);
        Ok(sender)
    }
}

impl Inner {
    async fn open(&self) -> Result<Connection, Box<dyn std::error::Error + Send + Sync>> {
        let stream = self.connect.connect(&self.address).await?;
        let tasks = Tasks::default();
        let mut builder = hyper::client::conn::http2::Builder::new(tasks.executor());
        builder.initial_stream_window_size(STREAM_WINDOW_BYTES);
        builder.initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let address = self.address.clone();
        tasks.spawn(async move {
            if let Err(error) = connection.await {
                // Calls under way have failed with it, and say so.
                debug!(address, %error, "connection to peer ended");
            }
        });
        Ok(Connection { sender, _tasks: tasks })
    }
}

impl tower::Service<http::Request<Body>> for Channel {
    type Response = http::Response<Incoming>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let channel = self.clone();
        Box::pin(async move {
            let mut sender = channel.sender().await?;
            let answer = sender.send_request(request).await;
            answer.map_err(|error| {
                let reason = std::error::Error::source(&error)
                    .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
                Status::unavailable(format!("call {}: {reason}", channel.0.address))
            })
        })
    }
}
