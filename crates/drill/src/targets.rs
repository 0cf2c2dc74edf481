//! What is scraped: targets of the drill itself, whose every value is known.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing};
use runtime::{Runtime, network::Listener};
use tokio_util::sync::CancellationToken;

use crate::truth::Truth;

/// One target.
pub(crate) struct Target {
    index: usize,
    truth: Truth,
    runtime: Runtime,
    delay_ms: AtomicU64,
    pub(crate) asked: AtomicU64,
    pub(crate) answered: AtomicU64,
}

impl Target {
    pub(crate) fn new(index: usize, truth: Truth, runtime: Runtime) -> Arc<Target> {
        let (delay_ms, asked, answered) = Default::default();
        Arc::new(Target { index, truth, runtime, delay_ms, asked, answered })
    }

    /// From now on each answer takes this long.
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.delay_ms.store(delay.as_millis() as u64, Relaxed);
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve(self: Arc<Target>, listener: Box<dyn Listener>) {
        let (limits, clock) = (Default::default(), self.runtime.clock.clone());
        let router = Router::new().route("/metrics", routing::get(metrics)).with_state(self);
        let never = CancellationToken::new();
        transport::server::serve(vec![listener], router, limits, clock, never).await;
    }
}

async fn metrics(State(target): State<Arc<Target>>) -> impl IntoResponse {
    target.asked.fetch_add(1, Relaxed);
    let page = target.truth.page(target.index, target.runtime.clock.now_millis());
    let delay = Duration::from_millis(target.delay_ms.load(Relaxed));
    if !delay.is_zero() {
        target.runtime.clock.sleep(delay).await;
    }
    target.answered.fetch_add(1, Relaxed);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], page)
}
