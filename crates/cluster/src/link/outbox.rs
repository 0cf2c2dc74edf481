//! What is to be sent to one member, heartbeats first.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use futures_util::Stream;
use parking_lot::Mutex;
use prost::Message as _;
use proto::vesta::cluster::v1;

use super::wire;
use crate::frame::{Frame, Share, Shared, SlotId};

/// Whoever lets so much wait does not read any more.
const URGENT_MAX: usize = 8192;
const BULK_BYTES_MAX: usize = 2 * wire::OUTCOME_BYTES_MAX;

/// The queue; its owner pushes, the connection pulls.
#[derive(Default)]
pub(crate) struct Outbox {
    /// Nothing else is locked while this is held.
    state: Mutex<State>,
    sent_bytes: AtomicU64,
}

#[derive(Default)]
struct State {
    urgent: VecDeque<v1::Frame>,
    bulk: VecDeque<Bulk>,
    bulk_bytes: usize,
    is_closed: bool,
    waker: Option<Waker>,
}

enum Bulk {
    Outcome { id: SlotId, is_offer: bool, shared: Shared, offset: usize },
    Frame(v1::Frame),
}

impl Outbox {
    /// False if the other side does not read, and the link should be given up.
    pub(crate) fn push(&self, frame: Frame) -> bool {
        let mut state = self.state.lock();
        match frame {
            Frame::Share(id, Share::Offer(shared)) => state.push_outcome(id, true, shared),
            Frame::Share(id, Share::Have(shared)) => state.push_outcome(id, false, shared),
            // Acknowledgements go before the heartbeat that gives up the lease.
            frame => state.urgent.push_back(wire::encode(frame)),
        }
        state.wake();
        state.urgent.len() <= URGENT_MAX && state.bulk_bytes <= BULK_BYTES_MAX
    }

    /// Behind everything else.
    pub(crate) fn push_last(&self, frame: Frame) {
        let mut state = self.state.lock();
        state.bulk.push_back(Bulk::Frame(wire::encode(frame)));
        state.wake();
    }

    pub(crate) fn push_hello(&self, hello: v1::Hello) {
        let mut state = self.state.lock();
        state.urgent.push_front(v1::Frame { frame: Some(v1::frame::Frame::Hello(hello)) });
        state.wake();
    }

    /// Sends what is urgent, then ends.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.bulk.clear();
        state.bulk_bytes = 0;
        state.wake();
    }

    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.urgent.is_empty() && state.bulk.is_empty()
    }

    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<v1::Frame>> {
        let mut state = self.state.lock();
        let next = state.urgent.pop_front().or_else(|| state.next_bulk());
        match next {
            Some(frame) => {
                self.sent_bytes.fetch_add(frame.encoded_len() as u64, Ordering::Relaxed);
                Poll::Ready(Some(frame))
            }
            None if state.is_closed => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl State {
    fn push_outcome(&mut self, id: SlotId, is_offer: bool, shared: Shared) {
        if !self.is_closed {
            self.bulk_bytes += shared.payload.bytes.len();
            self.bulk.push_back(Bulk::Outcome { id, is_offer, shared, offset: 0 });
        }
    }

    fn next_bulk(&mut self) -> Option<v1::Frame> {
        let Some(Bulk::Outcome { id, is_offer, shared, offset }) = self.bulk.front_mut() else {
            return match self.bulk.pop_front() {
                Some(Bulk::Frame(frame)) => Some(frame),
                _ => None,
            };
        };
        let frame = wire::encode_piece(*id, *is_offer, shared, *offset);
        *offset += wire::PIECE_BYTES;
        let len = shared.payload.bytes.len();
        if *offset >= len {
            self.bulk_bytes -= len;
            self.bulk.pop_front();
        }
        Some(frame)
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The end that the connection pulls at.
pub(crate) struct Outgoing(pub(crate) Arc<Outbox>);

impl Stream for Outgoing {
    type Item = v1::Frame;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<v1::Frame>> {
        self.0.poll(cx)
    }
}
