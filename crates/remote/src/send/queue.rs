//! One queue: reads the log and hands samples to its shards.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use wal::{Position, tail::Step};

use super::{
    batch::{Count, Item},
    desired::{Flow, desired_shards},
    shard::{Ends, SUCCESS_WITHIN, Sending, Shard},
    source::Source,
};

/// How often to look whether the log has grown.
const POLL: Duration = Duration::from_millis(100);
/// How often to think about the number of shards.
const RESHARD: Duration = Duration::from_secs(10);

/// Nothing lies behind it, whatever the log grows by.
const EVERYTHING: Position = Position { segment: u32::MAX, offset: u64::MAX };

pub(super) struct Queue {
    name: String,
    sending: Arc<Sending>,
    source: Source,
    shards: Shards,
    flow: Flow,
    /// When to think about the number of shards again.
    reshard_at: Duration,
    /// Read and not yet in a shard: empty but for moments, so that its room is used again.
    pending: Vec<Item>,
    /// Up to here the log has samples that another server may have sent.
    shared_until: Position,
}

/// Tasks that send.
struct Shards {
    shards: Vec<Arc<Shard>>,
    tasks: Vec<JoinHandle<Vec<Item>>>,
    ends: Ends,
}

impl Queue {
    pub(super) fn new(name: String, sending: Arc<Sending>, source: Source) -> Queue {
        let shards = Shards::start(&sending, sending.queue.min_shards);
        let reshard_at = sending.clock.monotonic() + RESHARD;
        let flow = Flow::default();
        let shared_until = if sending.peers.is_some() { EVERYTHING } else { Position::default() };
        let pending = Vec::new();
        Queue { name, sending, source, shards, flow, reshard_at, pending, shared_until }
    }

    /// Sends until it is told to stop; then flushes for as long as `flush_deadline`. What is not
    /// sent by then is sent after the next start.
    pub(super) async fn run(mut self, stop: CancellationToken, flush_deadline: Duration) {
        while !stop.is_cancelled() {
            let step = self.read();
            self.offer(&stop).await;
            if step == Step::End {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.sending.clock.sleep(POLL) => {}
                }
            } else {
                tokio::task::yield_now().await;
            }
            if self.sending.clock.monotonic() >= self.reshard_at {
                self.reshard().await;
            }
        }
        if self.sending.is_handed_over() {
            self.shards.end().await;
            self.sending.progress.keep();
            return;
        }
        let clock = self.sending.clock.clone();
        let is_flushed = runtime::clock::timeout(&*clock, flush_deadline, self.flush()).await;
        if is_flushed.is_none() {
            warn!(remote_name = self.name, "Failed to flush all samples on shutdown");
        }
        self.shards.end().await;
        self.sending.progress.keep();
    }

    fn read(&mut self) -> Step {
        let may_be_sent = self.may_be_sent();
        let (source, progress) = (&mut self.source, &self.sending.progress);
        let pending = &mut self.pending;
        let step = runtime::blocking(|| source.read(progress, pending));
        self.sending.metrics.begin_waiting(Count::of(&self.pending));
        if may_be_sent {
            let arrived = self.sending.extract_acknowledged(&mut self.pending);
            if !arrived.is_empty() {
                self.sending.finish(&arrived, Count::of(&arrived));
            }
        }
        let newest = self.source.newest() as f64 / 1000.0;
        self.sending.metrics.highest.set(newest.floor());
        match step {
            Ok(Step::Lost) => {
                let remote_name = &self.name;
                error!(remote_name, "Parts of the log were removed before they were sent");
                Step::Lost
            }
            Ok(Step::Corrupt) => {
                warn!(remote_name = self.name, "The rest of a segment of the log cannot be read");
                Step::Corrupt
            }
            Ok(step) => step,
            Err(err) => {
                error!(remote_name = self.name, %err, "Failed to read the log");
                Step::End
            }
        }
    }

    /// Whether another server may have sent what is read next: while it writes, and what it may have
    /// sent before this one began to write.
    fn may_be_sent(&mut self) -> bool {
        if self.sending.peers.is_none() {
            return false;
        }
        if self.sending.is_spread() {
            return true;
        }
        if !self.sending.may_write() {
            self.shared_until = EVERYTHING;
        } else if self.shared_until == EVERYTHING {
            match runtime::blocking(|| self.source.end()) {
                Ok(end) => self.shared_until = end,
                Err(err) => error!(remote_name = self.name, %err, "Failed to read the log"),
            }
        }
        self.source.position() < self.shared_until
    }

    /// Hands all pending samples to the shards, then waits until each has room: a shard never has
    /// more than that and what one look at the log gives.
    async fn offer(&mut self, stop: &CancellationToken) {
        self.shards.take(&mut self.pending);
        while !self.shards.have_room(self.sending.queue.capacity) {
            self.sending.metrics.enqueue_retries.increment();
            let until = self.reshard_at.saturating_sub(self.sending.clock.monotonic());
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.sending.room.notified() => {}
                () = self.sending.clock.sleep(until) => self.reshard().await,
            }
        }
    }

    /// Sends what the log holds now.
    async fn flush(&mut self) {
        let never = CancellationToken::new();
        loop {
            self.offer(&never).await;
            if self.read() == Step::End && self.pending.is_empty() {
                break;
            }
        }
        self.shards.drain().await;
    }

    /// The newest time that the log has. What was not read yet, for want of room, is taken for as new
    /// as it can be.
    fn newest(&self) -> i64 {
        let source = &self.source;
        let has_unread =
            runtime::blocking(|| source.end()).is_ok_and(|end| end > source.position());
        let now = if has_unread { self.sending.clock.now_millis() } else { 0 };
        source.newest().max(now)
    }

    /// Shows what is kept because the receiver has not acknowledged it.
    fn show_lag(&self, newest: i64) {
        let (source, progress) = (&self.source, &self.sending.progress);
        let kept = runtime::blocking(|| source.bytes_behind(progress.acknowledged()));
        match kept {
            Ok(n_bytes) => self.sending.metrics.kept_bytes.set(n_bytes as f64),
            Err(err) => error!(remote_name = self.name, %err, "Failed to read the log"),
        }
        // Before the first success nobody knows.
        let sent = progress.newest_sent();
        if newest > 0 && sent > 0 {
            self.sending.metrics.lag.set((newest - sent).max(0) as f64 / 1000.0);
        }
    }

    /// Starts more or fewer shards if that is worth it. Nothing is flushed for it, and nothing
    /// lost: what waits moves over.
    async fn reshard(&mut self) {
        let now = self.sending.clock.monotonic();
        self.reshard_at = now + RESHARD;
        let newest = self.newest();
        self.show_lag(newest);
        let (n_read, n_dropped) = self.source.take_counts();
        let happened = self.sending.progress.take_happened();
        let per_second = |count: f64| count / RESHARD.as_secs_f64();
        self.flow = self.flow.averaged(Flow {
            samples_in: per_second(n_read as f64),
            samples_out: per_second(happened.sent as f64),
            samples_dropped: per_second((n_dropped + happened.dropped) as f64),
            sending: per_second(happened.sending.as_secs_f64()),
        });
        let present = self.shards.shards.len();
        let backlog_ms = newest - self.sending.progress.newest_sent();
        let backlog_s = (backlog_ms.max(0) / 1000) as f64;
        self.sending.metrics.shards_desired.set(self.flow.wanted(backlog_s));
        let desired = desired_shards(self.flow, backlog_s, present, &self.sending.queue);
        if desired == present || !self.sending.progress.is_healthy(now, SUCCESS_WITHIN) {
            return;
        }
        info!(remote_name = self.name, from = present, to = desired, "Resharding queues");
        let mut waiting = self.shards.end().await;
        self.shards = Shards::start(&self.sending, desired);
        self.shards.take(&mut waiting);
    }
}

impl Shards {
    fn start(sending: &Arc<Sending>, n_shards: usize) -> Shards {
        let ends = Ends { drain: CancellationToken::new(), halt: CancellationToken::new() };
        let shards: Vec<Arc<Shard>> = (0..n_shards).map(|_| Arc::new(Shard::new())).collect();
        let start =
            |shard: &Arc<Shard>| tokio::spawn(shard.clone().run(sending.clone(), ends.clone()));
        let tasks = shards.iter().map(start).collect();
        sending.metrics.shards.set(n_shards as f64);
        Shards { shards, tasks, ends }
    }

    /// Moves items to their shards.
    fn take(&self, items: &mut Vec<Item>) {
        if items.is_empty() {
            return;
        }
        let n_shards = self.shards.len() as u64;
        let mut queues: Vec<_> = self.shards.iter().map(|shard| shard.waiting.lock()).collect();
        for item in items.drain(..) {
            queues[(item.series.shard_key % n_shards) as usize].push_back(item);
        }
        drop(queues);
        self.shards.iter().for_each(|shard| shard.notify());
    }

    fn have_room(&self, capacity: usize) -> bool {
        self.shards.iter().all(|shard| shard.waiting.lock().len() < capacity)
    }

    /// Completes when everything is sent.
    async fn drain(&mut self) {
        self.ends.drain.cancel();
        for task in &mut self.tasks {
            report(task.await);
        }
        self.tasks.clear();
    }

    /// Ends all shards when their requests are over; gives back what was not sent.
    async fn end(&mut self) -> Vec<Item> {
        self.ends.halt.cancel();
        let mut unsent = Vec::new();
        for task in self.tasks.drain(..) {
            unsent.extend(report(task.await));
        }
        unsent
    }
}

/// What a task gave back; nothing if it panicked.
fn report(ended: Result<Vec<Item>, tokio::task::JoinError>) -> Vec<Item> {
    ended.unwrap_or_else(|err| {
        // What it held stays unacknowledged, and is sent after the next start.
        error!(%err, "a shard of remote write has panicked");
        Vec::new()
    })
}
