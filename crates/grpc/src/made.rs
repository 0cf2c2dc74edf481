//! Answers that are made while they are sent.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use runtime::{Clock, clock::timeout};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
};
use tonic::{Status, codegen::tokio_stream::Stream};

/// Pieces that wait until the other side reads.
const PIECES_MAX: usize = 2;

/// Computes or blocks; a panic ends this request only.
pub fn guarded<T>(compute: impl FnOnce() -> Result<T, Status>) -> Result<T, Status> {
    let caught = runtime::blocking(|| catch_unwind(AssertUnwindSafe(compute)));
    caught.unwrap_or_else(|_| Err(Status::internal("answering panicked")))
}

/// How many requests are answered at once.
pub struct Gate {
    places: Arc<Semaphore>,
    n_places: usize,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

/// A place among those that are answered, for as long as it is held.
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Gate {
    /// Whoever waits longer than `timeout` is refused.
    pub fn new(n_places: usize, timeout: Duration, clock: Arc<dyn Clock>) -> Gate {
        let places = Arc::new(Semaphore::new(n_places.clamp(1, Semaphore::MAX_PERMITS)));
        Gate { places, n_places, clock, timeout }
    }

    pub async fn enter(&self) -> Result<Place, Status> {
        let waiting = self.places.clone().acquire_owned();
        let waited = timeout(&*self.clock, self.timeout, waiting).await;
        let permit = waited.and_then(Result::ok).ok_or_else(|| {
            Status::resource_exhausted(format!("more than {} requests at once", self.n_places))
        })?;
        Ok(Place { _permit: permit })
    }
}

/// What makes the pieces of an answer: messages, nothing at the end. It may compute and block.
pub trait Make: Send + 'static {
    type Message: Send + 'static;

    fn next(&mut self) -> Result<Option<Vec<Self::Message>>, Status>;
}

/// Sends what `maker` makes, a little ahead of the other side, which has until `limit` is over to
/// read all of it: then what is held for it is given back.
pub fn made<M: Make>(
    maker: M,
    limit: Duration,
    clock: Arc<dyn Clock>,
) -> impl Stream<Item = Result<M::Message, Status>> + Send + 'static {
    let (sender, pieces) = mpsc::channel(PIECES_MAX);
    let outcome = Outcome::default();
    let mut task = JoinSet::new();
    task.spawn(make(maker, sender, outcome.clone(), limit, clock));
    Sending { pieces, ready: VecDeque::new(), outcome, is_over: false, _maker: task }
}

/// How an answer ended; nothing while it has not, or if whoever made it is gone.
type Outcome = Arc<Mutex<Option<Result<(), Status>>>>;

async fn make<M: Make>(
    mut maker: M,
    sender: mpsc::Sender<Vec<M::Message>>,
    outcome: Outcome,
    limit: Duration,
    clock: Arc<dyn Clock>,
) {
    let deadline = clock.monotonic() + limit;
    let ended = loop {
        let piece = match guarded(|| maker.next()) {
            Ok(Some(piece)) => piece,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let left = deadline.saturating_sub(clock.monotonic());
        match timeout(&*clock, left, sender.send(piece)).await {
            Some(Ok(())) if !left.is_zero() => {}
            Some(Err(_)) => return,
            _ => break Err(Status::deadline_exceeded("the answer was not read in time")),
        }
    };
    // Before the sender goes: whoever receives looks then.
    *outcome.lock() = Some(ended);
}

/// The receiving half, which is what the connection sends.
struct Sending<T> {
    pieces: mpsc::Receiver<Vec<T>>,
    ready: VecDeque<T>,
    outcome: Outcome,
    is_over: bool,
    /// Whoever makes the pieces ends with this.
    _maker: JoinSet<()>,
}

impl<T> Unpin for Sending<T> {}

impl<T> Stream for Sending<T> {
    type Item = Result<T, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        use std::task::{Poll, ready};
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(message)));
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            match ready!(self.pieces.poll_recv(cx)) {
                Some(piece) => self.ready.extend(piece),
                None => {
                    self.is_over = true;
                    let ended = self.outcome.lock().take();
                    let gone = || Err(Status::internal("answering panicked"));
                    if let Err(error) = ended.unwrap_or_else(gone) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
    }
}
