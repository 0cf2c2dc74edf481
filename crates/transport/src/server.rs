//! Serves a router on listeners until it is told to stop.

mod body;
pub mod guard;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo, response::Response};
use guard::Guard;
use http::HeaderMap;
use hyper::body::Incoming;
use hyper_util::{rt::TokioIo, server::conn::auto};
use runtime::{
    Clock,
    network::{Listener, Stream},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use crate::{tasks::Tasks, timer::ClockTimer};

/// Pause after a failed accept: most often there are no file descriptors left for the moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Further connections wait until one is closed.
    pub connections: usize,
    /// For the head of each request, from the moment when it is expected, and for its body.
    pub read_timeout: Duration,
    /// For requests that are being answered when the stop comes; then they are cut off.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 512,
            read_timeout: Duration::from_secs(5 * 60),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Serves until `stop` is cancelled; then takes no more connections, lets running requests end
/// and returns once every connection is closed.
pub async fn serve(
    listeners: Vec<Box<dyn Listener>>,
    router: Router,
    limits: Limits,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    serve_guarded(listeners, router, limits, clock, stop, None).await;
}

/// As [`serve`], for those that `guard` lets in.
pub async fn serve_guarded(
    listeners: Vec<Box<dyn Listener>>,
    router: Router,
    limits: Limits,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    guard: Option<Arc<Guard>>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections.max(1)));
    let server = Arc::new(Server { router, limits, clock, stop, guard });
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(server.clone().accept(listener, slots.clone()));
    }
    while loops.join_next().await.is_some() {}
}

struct Server {
    router: Router,
    limits: Limits,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    guard: Option<Arc<Guard>>,
}

impl Server {
    async fn accept(self: Arc<Self>, listener: Box<dyn Listener>, slots: Arc<Semaphore>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                accepted = next_connection(&*listener, &slots) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, peer, slot)) => {
                    connections.spawn(self.clone().answer(stream, peer, slot));
                }
                Err(error) => {
                    warn!(%error, "accept connection");
                    self.clock.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if runtime::clock::timeout(&*self.clock, self.limits.drain_timeout, drained).await.is_none()
        {
            connections.shutdown().await;
        }
    }

    async fn answer(
        self: Arc<Self>,
        stream: Box<dyn Stream>,
        peer: SocketAddr,
        _slot: OwnedSemaphorePermit,
    ) {
        let stream = match self.shake_hands(stream).await {
            Ok(stream) => stream,
            Err(reason) => {
                // Scanners and clients of the wrong kind come by all day.
                debug!(%peer, reason, "connection refused");
                return;
            }
        };
        let timer = ClockTimer::new(self.clock.clone());
        let streams = Tasks::default();
        let mut builder = auto::Builder::new(streams.executor());
        builder.http1().timer(timer.clone()).header_read_timeout(self.limits.read_timeout);
        builder.http2().timer(timer);
        let service = hyper::service::service_fn(|mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            self.clone().reply(request)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            // Peers hang up as they like; that is no trouble of ours.
            debug!(%peer, error, "connection ended");
        }
    }
}

impl Server {
    async fn shake_hands(&self, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, String> {
        let Some(guard) = &self.guard else { return Ok(stream) };
        let shaking = guard::shake_hands(guard, stream, self.limits.read_timeout);
        self.stop.run_until_cancelled(shaking).await.unwrap_or(Err("stopping".to_owned()))
    }

    async fn reply(
        self: Arc<Self>,
        request: http::Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let added = match &self.guard {
            None => HeaderMap::new(),
            Some(guard) => match guard.admit(request.headers()).await {
                Ok(added) => added,
                Err(answer) => return Ok(answer),
            },
        };
        let request =
            request.map(|body| body::in_time(body, &self.clock, self.limits.read_timeout));
        let mut response = self.router.clone().oneshot(request).await?;
        response.headers_mut().extend(added);
        Ok(response)
    }
}

async fn next_connection(
    listener: &dyn Listener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(Box<dyn Stream>, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, slot))
}
