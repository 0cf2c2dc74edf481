//! How samples of other systems get in.

use std::sync::Arc;

use super::Server;

impl Server {
    /// What takes remote write, if it is wished.
    pub(super) fn remote_write_receiver(&self) -> Option<Arc<remote::Receiver>> {
        let accepted = self.options.web.remote_write_messages.clone()?;
        let options = remote::ReceiverOptions {
            accepted,
            type_and_unit_labels: self.options.has_feature("type-and-unit-labels"),
        };
        let storage = Arc::new(self.storage.clone());
        Some(Arc::new(remote::Receiver::new(storage, options, &self.runtime, &self.registry)))
    }
}
