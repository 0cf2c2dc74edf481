//! Gossip, and what members of a cluster of servers say to each other, on secret connections:
//! `--cluster.tls-config`.

use std::{io, path::Path, sync::Arc, time::Duration};

use gossip::{Gossip, Observer, Security};
use runtime::{BoxFuture, Runtime, network::Stream};
use transport::{client, server::guard::Guard};

use crate::{Error, Result};

/// A stream that has not been greeted for so long is closed.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Starts gossip: secretly if there is a file that says how.
pub(crate) async fn start(
    options: gossip::Options,
    tls_config: Option<&Path>,
    runtime: Runtime,
    observer: Arc<dyn Observer>,
) -> Result<Gossip> {
    let started = match tls_config {
        Some(path) => {
            let tls = Tls::read(path, &runtime)?;
            Gossip::start_secure(options, Arc::new(tls), runtime, observer).await
        }
        None => Gossip::start(options, runtime, observer).await,
    };
    started.map_err(|error| Error::Cluster { reason: error.to_string() })
}

/// How members greet each other.
pub(crate) struct Tls {
    /// Looks at the certificates again with each connection.
    pub(crate) guard: Arc<Guard>,
    client: client::Tls,
    runtime: Runtime,
}

impl Tls {
    pub(crate) fn read(path: &Path, runtime: &Runtime) -> Result<Tls> {
        let wrong = |reason| Error::Flag {
            flag: "cluster.tls-config",
            reason: format!("{}: {reason}", path.display()),
        };
        let parse = config::gossip::parse_server;
        let guard = Guard::new(path, parse, runtime.clone()).map_err(wrong)?;
        let text = runtime.disk.read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let client = config::gossip::parse_client(&text, folder).map_err(wrong)?;
        Ok(Tls { guard: Arc::new(guard), client, runtime: runtime.clone() })
    }
}

/// Links and reads between servers.
impl grpc::Connect for Tls {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let stream = self.runtime.network.connect(address).await?;
            Security::connect(self, host, stream).await
        })
    }

    fn is_secure(&self) -> bool {
        true
    }
}

impl Security for Tls {
    fn connect<'a>(
        &'a self,
        host: &'a str,
        stream: Box<dyn Stream>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let secure = client::start_tls(self.client.clone(), &self.runtime, host, stream);
            secure.await.map_err(|error| io::Error::other(error.to_string()))
        })
    }

    fn accept(&self, stream: Box<dyn Stream>) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            self.guard.shake_hands(stream, HANDSHAKE_LIMIT).await.map_err(io::Error::other)
        })
    }
}
