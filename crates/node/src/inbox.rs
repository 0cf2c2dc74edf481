use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{listen::Web, reload};

/// What a node is told, and by whom.
pub(crate) struct Inbox {
    /// From `/-/reload`.
    pub(crate) requests: mpsc::Receiver<reload::Request>,
    /// From SIGHUP.
    pub(crate) hangups: mpsc::Receiver<()>,
    /// From SIGTERM and `/-/quit`.
    pub(crate) stop: CancellationToken,
}

/// Everything that can happen to a node that runs.
pub(crate) enum Event {
    /// Somebody may wait for how it goes.
    Reload(Option<oneshot::Sender<Result<(), String>>>),
    /// Time to see whether files have changed.
    Look,
    WebEnded(String),
    Stop,
}

impl Inbox {
    /// The next thing that happens; `look` completes when it is time to look for changes.
    pub(crate) async fn next(&mut self, web: &mut Web, look: impl Future<Output = ()>) -> Event {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Event::Stop,
            Some(request) = self.requests.recv() => Event::Reload(Some(request.reply)),
            Some(()) = self.hangups.recv() => Event::Reload(None),
            reason = web.ended() => Event::WebEnded(reason),
            () = look => Event::Look,
        }
    }
}
