//! Listeners and the task that serves them.

use std::sync::Arc;

use runtime::{Clock, Network, network::Listener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use transport::server::Limits;

use crate::{Error, Result};

/// An HTTP surface that is being served.
pub(crate) struct Web {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Web {
    pub(crate) fn start(
        listeners: Vec<Box<dyn Listener>>,
        router: axum::Router,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Web {
        let stop = CancellationToken::new();
        let serving = transport::server::serve(listeners, router, limits, clock, stop.clone());
        Web { task: tokio::spawn(serving), stop }
    }

    /// Completes if it ends by itself, and says why.
    pub(crate) async fn ended(&mut self) -> String {
        match (&mut self.task).await {
            Ok(()) => "it has no listeners any more".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Lets running requests end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if self.task.is_finished() {
            return;
        }
        if let Err(error) = self.task.await {
            error!(err = %error, "Web server ended badly");
        }
    }
}

/// Listens on all `addresses`, or on none.
pub(crate) async fn listen(
    network: &dyn Network,
    addresses: &[String],
) -> Result<Vec<Box<dyn Listener>>> {
    let mut listeners = Vec::new();
    for address in addresses {
        info!(component = "web", address, "Start listening for connections");
        let listener = network
            .listen(address)
            .await
            .map_err(|source| Error::Listen { address: address.clone(), source })?;
        if let Ok(local) = listener.local_address() {
            info!(component = "web", address = %local, "Listening on");
        }
        listeners.push(listener);
    }
    info!(component = "web", http2 = false, "TLS is disabled.");
    Ok(listeners)
}
