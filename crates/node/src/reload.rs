//! Wishes to read the configuration again, from wherever they come.

use runtime::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// So many may wait; a further one waits for its turn.
const WAITING_MAX: usize = 16;

/// A wish, and where to say how it went.
pub(crate) struct Request {
    pub(crate) reply: oneshot::Sender<Result<(), String>>,
}

/// The end that `/-/reload` and `/-/quit` hold.
#[derive(Clone)]
pub(crate) struct Handle {
    requests: mpsc::Sender<Request>,
    stop: CancellationToken,
}

/// A handle, and the queue for whoever does the work. `stop` ends the node.
pub(crate) fn channel(stop: CancellationToken) -> (Handle, mpsc::Receiver<Request>) {
    let (requests, queue) = mpsc::channel(WAITING_MAX);
    (Handle { requests, stop }, queue)
}

impl Handle {
    async fn ask(&self) -> Result<(), String> {
        const STOPPING: &str = "the server is stopping";
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { reply }).await.map_err(|_| STOPPING.to_owned())?;
        answer.await.unwrap_or_else(|_| Err(STOPPING.to_owned()))
    }
}

impl api::prometheus::lifecycle::Lifecycle for Handle {
    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.ask())
    }

    fn quit(&self) {
        self.stop.cancel();
    }
}

impl api::alertmanager::Reload for Handle {
    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.ask())
    }
}
