use std::{sync::Arc, time::Duration};

use runtime::Clock;
use tokio_util::sync::CancellationToken;

use crate::{integration::FailureReason, route::Route};

/// What the work for one flush is for, and how long it may go on.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) route: Arc<Route>,
    /// By the monotonic clock.
    pub(crate) deadline: Duration,
    /// Cancelled when another configuration comes, or the end.
    pub(crate) stop: CancellationToken,
}

/// Why work was given up; the words are Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ended {
    #[error("context canceled")]
    Canceled,
    #[error("context deadline exceeded")]
    DeadlineExceeded,
}

impl Context {
    /// `future`, unless the work is given up before.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> Result<T, Ended> {
        let left = self.deadline.saturating_sub(self.clock.monotonic());
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Ended::Canceled),
            value = future => Ok(value),
            () = self.clock.sleep(left) => Err(Ended::DeadlineExceeded),
        }
    }

    pub(crate) async fn sleep(&self, duration: Duration) -> Result<(), Ended> {
        if duration.is_zero() {
            return Ok(());
        }
        self.run(self.clock.sleep(duration)).await
    }

    pub(crate) fn is_canceled(&self) -> bool {
        self.stop.is_cancelled()
    }
}

impl Ended {
    pub(crate) fn reason(self) -> FailureReason {
        match self {
            Ended::Canceled => FailureReason::ContextCanceled,
            Ended::DeadlineExceeded => FailureReason::ContextDeadlineExceeded,
        }
    }
}
