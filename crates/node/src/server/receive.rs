//! Remote write and remote read of other systems.

use std::sync::Arc;

use super::Server;

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
