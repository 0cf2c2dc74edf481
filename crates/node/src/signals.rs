use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What reaches a running node from outside.
pub struct Signals {
    /// Cancelled once, when the node is to stop.
    pub stop: CancellationToken,
    /// A message each time the configuration is to be read again.
    pub reload: mpsc::Receiver<()>,
}
