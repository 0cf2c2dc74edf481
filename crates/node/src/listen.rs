//! Listeners and the task that serves them.

use std::{path::Path, sync::Arc};

use runtime::{Clock, Network, Runtime, network::Listener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use transport::server::{Limits, guard::Guard, serve_guarded};

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
        guard: Option<Arc<Guard>>,
    ) -> Web {
        let stop = CancellationToken::new();
        let serving = serve_guarded(listeners, router, limits, clock, stop.clone(), guard);
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

/// Who is let in, as the file of `--web.config.file` says it; everybody without one.
pub(crate) fn guard(file: Option<&Path>, runtime: &Runtime) -> Result<Option<Arc<Guard>>> {
    let Some(file) = file else {
        info!(component = "web", http2 = false, "TLS is disabled.");
        return Ok(None);
    };
    let guard = Guard::new(file, config::web::parse, runtime.clone()).map_err(|reason| {
        Error::Flag { flag: "web.config.file", reason: format!("{}: {reason}", file.display()) }
    })?;
    match guard.speaks_tls() {
        true => info!(component = "web", http2 = guard.speaks_http2(), "TLS is enabled."),
        false => info!(component = "web", http2 = false, "TLS is disabled."),
    }
    Ok(Some(Arc::new(guard)))
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
    Ok(listeners)
}
