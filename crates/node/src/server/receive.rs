//! Remote write and remote read of other systems.

use std::sync::Arc;

use remote::otlp;
use runtime::Runtime;
use telemetry::Registry;

use super::{LateDatabase, Options, Server};

impl Server {
    /// What takes remote write, if it is wished.
    pub(super) fn remote_write_receiver(&self) -> Option<Arc<remote::Receiver>> {
        let accepted = self.options.web.remote_write_messages.clone()?;
        let options = remote::ReceiverOptions {
            accepted,
            type_and_unit_labels: self.options.has_feature("type-and-unit-labels"),
            metadata: self.options.has_feature("metadata-wal-records"),
        };
        let storage = Arc::new(self.storage.clone());
        Some(Arc::new(remote::Receiver::new(storage, options, &self.runtime, &self.registry)))
    }

    /// What answers remote reads: from what is stored here, not from what we read ourselves.
    pub(super) fn remote_read_server(&self) -> Arc<remote::read::Server> {
        let (storage, shown) = (Arc::new(self.storage.clone()), self.shown.clone());
        let external_labels = Arc::new(move || shown.external_labels());
        let options = self.options.remote_read;
        let server = remote::read::Server::new(storage, options, external_labels, &self.registry);
        Arc::new(server)
    }
}

/// What takes metrics by OTLP, if it is wished; it is told each configuration.
pub(super) fn otlp_receiver(
    options: &Options,
    storage: &LateDatabase,
    runtime: &Runtime,
    registry: &Registry,
) -> Option<Arc<otlp::Receiver>> {
    if !options.web.otlp_receiver {
        return None;
    }
    let deltas = if options.has_feature("otlp-deltatocumulative") {
        otlp::Deltas::Accumulate
    } else if options.has_feature("otlp-native-delta-ingestion") {
        otlp::Deltas::Store
    } else {
        otlp::Deltas::Refuse
    };
    let chosen = otlp::Options {
        deltas,
        type_and_unit_labels: options.has_feature("type-and-unit-labels"),
        metadata: options.has_feature("metadata-wal-records"),
        lookback: options.query.lookback,
    };
    let storage = Arc::new(storage.clone());
    Some(Arc::new(otlp::Receiver::new(storage, chosen, runtime, registry)))
}
