use runtime::BoxFuture;

/// What has become of a sample, whoever sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Arrived,
    /// The writer has gone past it without having it: this server sends it.
    Lacking,
    Open,
}

/// Other servers whose logs have the same samples: one of all writes, and tells the others what has
/// arrived, so that the next one goes on exactly there.
pub trait Peers: Send + Sync {
    /// Whether this server is the one that writes, at this moment.
    fn may_write(&self) -> bool;

    /// Completes when somebody else may be the writer.
    fn changed(&self) -> BoxFuture<'_, ()>;

    /// Whether another server would go on at once if this one stopped.
    fn can_take_over(&self) -> bool;

    /// Whether each series has a writer of its own, as where no server has all of them.
    fn is_spread(&self) -> bool {
        false
    }

    /// Whether this server is the one that writes `series`, of which a sample has waited for so long
    /// that `n_turns` servers could have sent it.
    fn sends(&self, _queue: &str, _series: u64, _n_turns: i64) -> bool {
        true
    }

    /// What has become of a sample of `series`, a hash of its labels as they are sent, in that queue;
    /// `time` in milliseconds. It has arrived only if this very one was acknowledged: in doubt it is
    /// sent once more, and known by its identity.
    fn fate(&self, queue: &str, series: u64, time: i64) -> Fate;

    /// These samples, series and time, need not be sent again. Never waits.
    fn acknowledge(&self, queue: &str, samples: &[(u64, i64)]);
}
