//! `Series`: an answer that is made while it is sent.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, stream};
use grpc::{Request, Response, Status};
use parking_lot::Mutex;
use proto::thanos::{SeriesRequest, SeriesResponse};
use runtime::clock::timeout;
use tokio::{sync::mpsc, task::JoinSet};

use super::{Inner, gate::Place, guarded, selection::Selection};
/// Frames that wait until the other side reads.
const FRAMES_MAX: usize = 2;

/// How an answer ended; nothing while it has not, or if whoever made it is gone.
type Outcome = Arc<Mutex<Option<Result<(), Status>>>>;

/// The receiving half, which is what the connection sends.
struct Sending {
    frames: mpsc::Receiver<Vec<SeriesResponse>>,
    ready: VecDeque<SeriesResponse>,
    outcome: Outcome,
    is_over: bool,
    /// Whoever makes the frames ends with this.
    _maker: JoinSet<()>,
}

impl Inner {
    pub(super) async fn series(
        self: Arc<Self>,
        request: Request<SeriesRequest>,
    ) -> Result<Response<impl Stream<Item = Result<SeriesResponse, Status>> + use<>>, Status> {
        let is_raw = super::is_raw(&request);
        let place = self.gate.enter().await?;
        let selection = guarded(|| self.select(request.get_ref(), is_raw))?;
        let (sender, frames) = mpsc::channel(FRAMES_MAX);
        let outcome = Outcome::default();
        let mut maker = JoinSet::new();
        maker.spawn(self.make(selection, sender, outcome.clone(), place));
        let sending =
            Sending { frames, ready: VecDeque::new(), outcome, is_over: false, _maker: maker };
        Ok(super::respond(stream::unfold(sending, Sending::next), is_raw))
    }

    /// Makes frames until the end, the first error, or until the other side is too slow: then what
    /// is held for it is given back.
    async fn make(
        self: Arc<Self>,
        mut selection: Selection,
        sender: mpsc::Sender<Vec<SeriesResponse>>,
        outcome: Outcome,
        _place: Place,
    ) {
        let deadline = self.clock.monotonic() + self.limits.timeout;
        let ended = loop {
            let frame = match guarded(|| selection.next_frame()) {
                Ok(Some(frame)) => frame,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            self.series_sent.add(frame.n_series as f64);
            self.chunk_bytes_sent.add(frame.chunk_bytes as f64);
            let left = deadline.saturating_sub(self.clock.monotonic());
            match timeout(&*self.clock, left, sender.send(frame.messages)).await {
                Some(Ok(())) if !left.is_zero() => {}
                Some(Err(_)) => return,
                _ => break Err(Status::deadline_exceeded("the answer was not read in time")),
            }
        };
        *outcome.lock() = Some(ended);
    }
}

impl Sending {
    async fn next(mut self) -> Option<(Result<SeriesResponse, Status>, Sending)> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some((Ok(message), self));
            }
            if self.is_over {
                return None;
            }
            match self.frames.recv().await {
                Some(messages) => self.ready.extend(messages),
                None => {
                    self.is_over = true;
                    let ended = self.outcome.lock().take();
                    let gone = || Err(Status::internal("answering panicked"));
                    if let Err(error) = ended.unwrap_or_else(gone) {
                        return Some((Err(error), self));
                    }
                }
            }
        }
    }
}
