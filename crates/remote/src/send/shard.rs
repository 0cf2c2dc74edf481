//! Samples that wait together, and the task that sends them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::{
    batch::{Count, Item, extract_old},
    client::WriteClient,
    config::Queue,
    encode,
    metrics::QueueMetrics,
    parts::Parts,
    peers::{Fate, Peers},
    progress::Progress,
};
use runtime::Clock;

/// What the shards of a queue share.
pub(super) struct Sending {
    pub(super) client: WriteClient,
    pub(super) queue: Queue,
    pub(super) type_and_unit_labels: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: QueueMetrics,
    pub(super) progress: Progress,
    pub(super) peers: Option<Arc<dyn Peers>>,
    /// What peers call the queue.
    pub(super) name: String,
    /// Told whenever a shard has room again.
    pub(super) room: Notify,
}

/// Samples of one shard, in order.
pub(super) struct Shard {
    /// Under it are locked other shards' queues, in their order, and what peers know.
    pub(super) waiting: Mutex<VecDeque<Item>>,
    arrived: Notify,
}

/// When a shard's task ends.
#[derive(Clone)]
pub(super) struct Ends {
    /// Once everything was sent.
    pub(super) drain: CancellationToken,
    /// As soon as the request under way is over.
    pub(super) halt: CancellationToken,
}

impl Shard {
    pub(super) fn new() -> Shard {
        Shard { waiting: Mutex::default(), arrived: Notify::new() }
    }

    pub(super) fn notify(&self) {
        self.arrived.notify_one();
    }

    /// Sends until it is told to end; gives back what was not sent.
    pub(super) async fn run(self: Arc<Shard>, sending: Arc<Sending>, ends: Ends) -> Vec<Item> {
        let mut unsent = Vec::new();
        // Whoever becomes the writer has waited long enough.
        let mut is_due = false;
        loop {
            tokio::select! {
                biased;
                () = ends.halt.cancelled() => break,
                () = self.ready(&sending, &ends), if !is_due => {}
                () = std::future::ready(()), if is_due => {}
            }
            if !sending.may_write() {
                let most = sending.queue.max_samples_per_send;
                let lacking = self.sort_out(&sending, most, |_| false);
                if lacking.is_empty() {
                    stand_by(&sending, &ends).await;
                } else {
                    let unsent = sending.send(lacking, &ends.halt, Turn::Anybody).await;
                    self.put_back(unsent);
                }
                is_due = sending.may_write();
                continue;
            }
            if std::mem::take(&mut is_due) {
                self.sort_out(&sending, 0, |_| false);
            }
            let batch = self.take(&sending);
            if batch.is_empty() {
                if ends.drain.is_cancelled() {
                    break;
                }
                if sending.is_spread() {
                    stand_by(&sending, &ends).await;
                }
                continue;
            }
            unsent = sending.send(batch, &ends.halt, Turn::Writer).await;
            if ends.halt.is_cancelled() {
                break;
            }
            // Another server writes now; this one may have to go on one day.
            self.put_back(std::mem::take(&mut unsent));
        }
        unsent.extend(self.waiting.lock().drain(..));
        unsent
    }

    /// Completes when there is a batch, or part of one that has waited long enough.
    async fn ready(&self, sending: &Sending, ends: &Ends) {
        let full = sending.queue.max_samples_per_send;
        let deadline = sending.clock.sleep(sending.queue.batch_send_deadline);
        tokio::pin!(deadline);
        loop {
            let n_waiting = self.waiting.lock().len();
            if n_waiting >= full || ends.drain.is_cancelled() {
                return;
            }
            tokio::select! {
                () = self.arrived.notified() => {}
                () = ends.drain.cancelled() => return,
                () = &mut deadline => return,
            }
        }
    }

    /// Lets go of what has arrived, whoever sent it. Takes out, to be sent, what the writer has not
    /// and this server has, and what else `is_ours`, at most so many of it.
    fn sort_out(
        &self,
        sending: &Sending,
        most: usize,
        is_ours: impl Fn(&Item) -> bool,
    ) -> Vec<Item> {
        let (mut arrived, mut taken) = (Vec::new(), Vec::new());
        let mut waiting = self.waiting.lock();
        let mut kept = VecDeque::with_capacity(waiting.len());
        for item in waiting.drain(..) {
            match sending.fate(&item) {
                Fate::Arrived => arrived.push(item),
                Fate::Lacking if taken.len() < most => taken.push(item),
                Fate::Open if taken.len() < most && is_ours(&item) => taken.push(item),
                Fate::Lacking | Fate::Open => kept.push_back(item),
            }
        }
        *waiting = kept;
        drop(waiting);
        if !arrived.is_empty() {
            sending.finish(&arrived, Count::of(&arrived));
            sending.room.notify_one();
        }
        taken
    }

    fn put_back(&self, batch: Vec<Item>) {
        let mut waiting = self.waiting.lock();
        batch.into_iter().rev().for_each(|item| waiting.push_front(item));
    }

    fn take(&self, sending: &Sending) -> Vec<Item> {
        let most = sending.queue.max_samples_per_send;
        let batch: Vec<Item> = if sending.is_spread() {
            self.sort_out(sending, most, |item| sending.is_ours(item))
        } else {
            let mut waiting = self.waiting.lock();
            let n_items = waiting.len().min(most);
            waiting.drain(..n_items).collect()
        };
        if !batch.is_empty() {
            sending.room.notify_one();
        }
        batch
    }
}

impl Sending {
    /// Whether this server is the one that writes.
    pub(super) fn may_write(&self) -> bool {
        self.peers.as_ref().is_none_or(|peers| peers.may_write())
    }

    /// Whether each series has a writer of its own.
    pub(super) fn is_spread(&self) -> bool {
        self.peers.as_ref().is_some_and(|peers| peers.is_spread())
    }

    /// Whether this server writes the series of `item`.
    fn is_ours(&self, item: &Item) -> bool {
        let Some(peers) = &self.peers else { return true };
        let age = self.clock.now_millis() - item.time;
        let turn = (self.queue.batch_send_deadline + UNDER_WAY).as_millis() as i64;
        peers.sends(&self.name, item.series.hash, age / turn)
    }

    fn fate(&self, item: &Item) -> Fate {
        match &self.peers {
            Some(peers) => peers.fate(&self.name, item.series.hash, item.time),
            None => Fate::Open,
        }
    }

    /// Whether what is not sent yet is for another server to send, from its own log.
    pub(super) fn is_handed_over(&self) -> bool {
        self.peers.as_ref().is_some_and(|peers| !peers.may_write() || peers.can_take_over())
    }

    async fn turn_changed(&self) {
        match &self.peers {
            Some(peers) => peers.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Completes when this server is not the writer any more.
    async fn turn_lost(&self) {
        if self.peers.is_none() {
            return std::future::pending().await;
        }
        while self.may_write() {
            tokio::select! {
                () = self.turn_changed() => {}
                () = self.clock.sleep(STAND_BY) => {}
            }
        }
    }

    /// Takes out of `items` what has arrived already, whoever sent it.
    pub(super) fn extract_acknowledged(&self, items: &mut Vec<Item>) -> Vec<Item> {
        items.extract_if(.., |item| self.fate(item) == Fate::Arrived).collect()
    }

    /// Sends a batch for as long as it takes; gives back what is not sent if it is halted between
    /// two attempts, or another server has become the writer.
    async fn send(&self, batch: Vec<Item>, halt: &CancellationToken, turn: Turn) -> Vec<Item> {
        let mut parts = Parts::new(batch);
        while let Some(part) = parts.next() {
            match self.send_part(part, halt, turn).await {
                Sent::Taken => parts.taken(),
                Sent::Refused(part) => {
                    if let Some(hopeless) = parts.refused(part) {
                        self.give_up(&hopeless);
                    }
                }
                Sent::Not(part) => return parts.rest(part),
            }
            if halt.is_cancelled() {
                break;
            }
        }
        parts.rest(Vec::new())
    }

    async fn send_part(&self, mut batch: Vec<Item>, halt: &CancellationToken, turn: Turn) -> Sent {
        let mut body = None;
        let mut backoff = self.queue.min_backoff;
        let mut attempt = 0;
        loop {
            if self.drop_old(&mut batch) {
                body = None;
            }
            if batch.is_empty() {
                return Sent::Taken;
            }
            let packed = body.get_or_insert_with(|| self.pack(&batch)).clone();
            let n_bytes = packed.len();
            let begin = self.clock.monotonic();
            let answer = tokio::select! {
                answer = self.client.post(packed, attempt, self.clock.now()) => answer,
                // Whether it has arrived is not known: the next writer sends it, too.
                () = self.turn_lost(), if turn == Turn::Writer => return Sent::Not(batch),
            };
            let took = self.clock.monotonic().saturating_sub(begin);
            self.metrics.duration.observe_duration(took);
            self.progress.note_sending(took);
            let count = Count::of(&batch);
            match answer {
                Ok(written) => {
                    self.metrics.bytes.add(n_bytes as f64);
                    self.sent(&batch, count, written);
                    return Sent::Taken;
                }
                Err(failed) if !failed.is_recoverable => {
                    let err = &failed.text;
                    let exemplar_count = count.exemplars;
                    error!(count = batch.len(), exemplar_count, err, "non-recoverable error");
                    // Members that did not hear each other may have written two values of one
                    // sample; what came with the second one must not be lost with it.
                    if failed.is_bad_request && self.peers.is_some() {
                        return Sent::Refused(batch);
                    }
                    self.give_up(&batch);
                    return Sent::Taken;
                }
                Err(failed) => {
                    let wait = failed.retry_after.unwrap_or(backoff);
                    warn!(err = failed.text, "Failed to send batch, retrying");
                    self.metrics.add(|kind| &kind.retried, count);
                    self.progress.note_failure(self.clock.monotonic() + wait * 2);
                    tokio::select! {
                        () = halt.cancelled() => return Sent::Not(batch),
                        () = self.turn_lost(), if turn == Turn::Writer => return Sent::Not(batch),
                        () = self.clock.sleep(wait) => {}
                    }
                    backoff = (wait * 2).min(self.queue.max_backoff).max(self.queue.min_backoff);
                    attempt += 1;
                }
            }
        }
    }

    /// The receiver will never take these samples, whoever sends them.
    fn give_up(&self, batch: &[Item]) {
        let count = Count::of(batch);
        self.metrics.add(|kind| &kind.failed, count);
        self.settle(batch, count);
    }

    /// Drops what has become too old; says whether anything has.
    fn drop_old(&self, batch: &mut Vec<Item>) -> bool {
        let limit = self.queue.sample_age_limit;
        if limit.is_zero() {
            return false;
        }
        let oldest = self.clock.now().saturating_sub(limit).as_millis() as i64;
        let old = extract_old(batch, oldest);
        if old.is_empty() {
            return false;
        }
        let count = Count::of(&old);
        self.metrics.add(|kind| &kind.too_old, count);
        self.progress.note_dropped(old.len() as u64);
        self.settle(&old, count);
        true
    }

    /// Encodes and packs: not for long on an async thread.
    fn pack(&self, batch: &[Item]) -> bytes::Bytes {
        runtime::blocking(|| {
            let request = encode::request(self.client.message, batch, self.type_and_unit_labels);
            pack(&request)
        })
    }

    fn sent(&self, batch: &[Item], count: Count, written: Option<crate::Written>) {
        let is_version2 = self.client.message == crate::Message::Version2;
        let wrote_nothing = written.is_none_or(|written| written == crate::Written::default());
        if is_version2 && wrote_nothing {
            // A receiver of version 1 that takes anything would say success, too.
            error!(count = batch.len(), "sent v2 request, but the receiver confirms nothing");
            self.metrics.add(|kind| &kind.failed, count);
        } else {
            self.metrics.add(|kind| &kind.sent, count);
            let newest = batch.iter().map(|item| item.time).max().unwrap_or_default();
            self.progress.note_sent(batch.len() as u64, newest);
            let seconds = self.progress.newest_sent() as f64 / 1000.0;
            self.metrics.highest_sent.set((seconds).floor());
            debug!(count = batch.len(), "batch sent");
        }
        self.settle(batch, count);
    }

    /// Nobody has to send these samples any more, no other server either.
    fn settle(&self, batch: &[Item], count: Count) {
        if let Some(peers) = &self.peers {
            let samples: Vec<(u64, i64)> =
                batch.iter().map(|item| (item.series.hash, item.time)).collect();
            peers.acknowledge(&self.name, &samples);
        }
        self.finish(batch, count);
    }

    /// This server does not have to send these samples any more.
    pub(super) fn finish(&self, batch: &[Item], count: Count) {
        self.metrics.end_waiting(count);
        self.progress.acknowledge(batch, self.clock.monotonic());
    }
}

/// While another server writes.
async fn stand_by(sending: &Sending, ends: &Ends) {
    tokio::select! {
        () = ends.halt.cancelled() => {}
        () = sending.turn_changed() => {}
        () = sending.clock.sleep(STAND_BY) => {}
    }
}

/// Packs a message as a snappy block.
pub(crate) fn pack(request: &[u8]) -> bytes::Bytes {
    let mut packed = vec![0; snap::raw::max_compress_len(request.len())];
    let len = snap::raw::Encoder::new()
        .compress(request, &mut packed)
        .expect("the buffer has the size that the library asks for");
    packed.truncate(len);
    packed.into()
}

/// What became of a part of a batch.
enum Sent {
    /// It needs no further attempt.
    Taken,
    /// Because of something in it.
    Refused(Vec<Item>),
    Not(Vec<Item>),
}

/// Who may send a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Writer,
    /// The writer has none of it.
    Anybody,
}

/// How often to look what the writer has sent.
const STAND_BY: Duration = Duration::from_millis(200);

/// Who is to send a sample has done so after the time that batches wait, and this.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// As long as the newest success may be ago for a change of the number of shards.
pub(super) const SUCCESS_WITHIN: Duration = Duration::from_secs(10);
