//! Two ends of a connection.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::World;
use crate::BoxFuture;

/// As many bytes are under way in one direction.
const CAPACITY: usize = 64 * 1024;

pub(super) fn pair(world: &Arc<World>, link: &(String, String)) -> (End, End) {
    let there = Arc::<Mutex<Direction>>::default();
    let back = Arc::<Mutex<Direction>>::default();
    let end = |incoming: &Arc<Mutex<Direction>>, outgoing: &Arc<Mutex<Direction>>| End {
        world: world.clone(),
        link: link.clone(),
        incoming: incoming.clone(),
        outgoing: outgoing.clone(),
        waiting: None,
    };
    (end(&back, &there), end(&there, &back))
}

/// Bytes on their way from one end to the other.
#[derive(Default)]
struct Direction {
    /// With the moment at which they arrive.
    chunks: VecDeque<(Duration, VecDeque<u8>)>,
    under_way: usize,
    /// The writer will send no more.
    is_finished: bool,
    /// The reader is gone.
    is_abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

pub(super) struct End {
    world: Arc<World>,
    link: (String, String),
    incoming: Arc<Mutex<Direction>>,
    outgoing: Arc<Mutex<Direction>>,
    /// For the link to heal or the next chunk to arrive.
    waiting: Option<BoxFuture<'static, ()>>,
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            if self.world.is_cut(&self.link) {
                let (world, link) = (self.world.clone(), self.link.clone());
                self.waiting = Some(Box::pin(async move { world.until_healed(&link).await }));
                continue;
            }
            let arrives = {
                let mut incoming = self.incoming.lock();
                let now = self.world.clock.monotonic();
                match incoming.chunks.front() {
                    Some((arrives, _)) if *arrives > now => *arrives - now,
                    Some(_) => {
                        incoming.take(buffer);
                        return Poll::Ready(Ok(()));
                    }
                    None if incoming.is_finished => return Poll::Ready(Ok(())),
                    None => {
                        incoming.reader = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                }
            };
            self.waiting = Some(self.world.clock.sleep(arrives));
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let latency = self.world.state.lock().latency;
        let mut outgoing = self.outgoing.lock();
        if outgoing.is_abandoned || outgoing.is_finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = bytes.len().min(CAPACITY - outgoing.under_way);
        if taken == 0 && !bytes.is_empty() {
            outgoing.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let arrives = self.world.clock.monotonic() + latency;
        outgoing.chunks.push_back((arrives, bytes[..taken].iter().copied().collect()));
        outgoing.under_way += taken;
        wake(&mut outgoing.reader);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.lock().finish();
        Poll::Ready(Ok(()))
    }
}

impl Direction {
    fn take(&mut self, buffer: &mut ReadBuf<'_>) {
        let Some((_, chunk)) = self.chunks.front_mut() else { return };
        let read = chunk.len().min(buffer.remaining());
        for byte in chunk.drain(..read) {
            buffer.put_slice(&[byte]);
        }
        if chunk.is_empty() {
            self.chunks.pop_front();
        }
        self.under_way -= read;
        wake(&mut self.writer);
    }

    fn finish(&mut self) {
        self.is_finished = true;
        wake(&mut self.reader);
    }
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.outgoing.lock().finish();
        let mut incoming = self.incoming.lock();
        incoming.is_abandoned = true;
        wake(&mut incoming.writer);
    }
}
