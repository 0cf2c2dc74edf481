use runtime::BoxFuture;

/// Other servers whose logs have the same samples: one of all writes, and tells the others what has
/// arrived, so that the next one goes on exactly there.
pub trait Peers: Send + Sync {
    /// Whether this server is the one that writes, at this moment.
    fn may_write(&self) -> bool;

    /// Completes when somebody else may be the writer.
    fn changed(&self) -> BoxFuture<'_, ()>;

    /// Whether another server would go on at once if this one stopped.
    fn can_take_over(&self) -> bool;

    /// Up to when the samples of `series`, a hash of its labels as they are sent, have arrived in
    /// that queue, whoever sent them; in milliseconds.
    fn acknowledged(&self, queue: &str, series: u64) -> Option<i64>;

    /// These samples, series and time, need not be sent again. Never waits.
    fn acknowledge(&self, queue: &str, samples: &[(u64, i64)]);
}
