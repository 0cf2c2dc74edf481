//! The samples of the log, apart from the head until all are there.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, ScopedJoinHandle},
};

use chunks::Encoding;
use storage::{Columns, HistogramValue};

use crate::head::{AppendOutcome, FullChunk, Limits, Page, Series, SeriesId};

/// So many samples change hands at once,
const BATCH_SAMPLES: usize = 4096;

/// and so many batches wait for a thread.
const BATCHES_MAX: usize = 4;

/// What happened to a series.
pub(super) struct Event {
    pub(super) id: SeriesId,
    pub(super) time: i64,
    pub(super) kind: EventKind,
}

pub(super) enum EventKind {
    Float(f64),
    Histogram(HistogramValue),
    /// A full chunk, which ends at the time of the event.
    Full(FullChunk),
    /// What the chunk that took samples had, in this encoding.
    Open(Encoding, Box<Columns>),
    /// The series was dropped; what follows under its labels is a new one.
    Dropped,
}

/// Threads that put samples into chunks, each for pages of its own: so those of a series stay in
/// order.
pub(super) struct Workers<'scope> {
    workers: Vec<Worker<'scope>>,
}

struct Worker<'scope> {
    batch: Vec<Event>,
    sender: SyncSender<Vec<Event>>,
    thread: ScopedJoinHandle<'scope, Past>,
}

impl<'scope> Workers<'scope> {
    pub(super) fn start(scope: &'scope thread::Scope<'scope, '_>, limits: Limits) -> Self {
        let n_workers = thread::available_parallelism().map_or(1, usize::from).min(16);
        let worker = |_| {
            let (sender, receiver) = sync_channel(BATCHES_MAX);
            let thread = scope.spawn(move || Past::fill(limits, n_workers, &receiver));
            Worker { batch: Vec::new(), sender, thread }
        };
        Workers { workers: (0..n_workers).map(worker).collect() }
    }

    pub(super) fn send(&mut self, event: Event) {
        let n_workers = self.workers.len();
        let worker = &mut self.workers[Page::number(event.id) % n_workers];
        if worker.batch.capacity() == 0 {
            worker.batch.reserve_exact(BATCH_SAMPLES);
        }
        worker.batch.push(event);
        if worker.batch.len() >= BATCH_SAMPLES {
            worker.flush();
        }
    }

    /// Waits for all threads.
    pub(super) fn join(self) -> Vec<Past> {
        let finish = |mut worker: Worker<'scope>| {
            worker.flush();
            drop(worker.sender);
            worker.thread
        };
        let threads: Vec<_> = self.workers.into_iter().map(finish).collect();
        let past = |thread: ScopedJoinHandle<'_, Past>| match thread.join() {
            Ok(past) => past,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(past).collect()
    }
}

impl Worker<'_> {
    fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        // A thread that is gone has panicked: that comes out when it is joined.
        self.sender.send(batch).unwrap_or_default();
    }
}

/// Series with what the log has of them.
pub(super) struct Past {
    limits: Limits,
    n_workers: usize,
    /// By the number of the page, of those that this thread has; series by their place in it.
    pages: Vec<Vec<Option<Series>>>,
    pub(super) min_time: i64,
    pub(super) max_time: i64,
    pub(super) n_chunks: u64,
}

impl Past {
    fn fill(limits: Limits, n_workers: usize, batches: &Receiver<Vec<Event>>) -> Past {
        let (min_time, max_time) = (i64::MAX, i64::MIN);
        let pages = Vec::new();
        let mut past = Past { limits, n_workers, pages, min_time, max_time, n_chunks: 0 };
        while let Ok(batch) = batches.recv() {
            batch.into_iter().for_each(|event| past.apply(event));
        }
        past
    }

    fn apply(&mut self, event: Event) {
        let Event { id, time, kind } = event;
        let limits = self.limits;
        let series = self.series(id);
        let outcome = match kind {
            EventKind::Float(value) => series.append(time, value, &limits),
            EventKind::Histogram(value) => series.append_histogram(time, &value, &limits),
            EventKind::Full(chunk) => {
                let start = chunk.start;
                series.push_full(chunk);
                self.n_chunks += 1;
                return self.note(start, time);
            }
            EventKind::Open(encoding, samples) => {
                series.append_all(encoding, &samples, &limits);
                let first =
                    samples.times.first().into_iter().chain(samples.histogram_times.first());
                self.n_chunks += 1;
                return self.note(first.min().copied().unwrap_or(time), time);
            }
            EventKind::Dropped => return series.clear(),
        };
        if outcome != AppendOutcome::Dropped {
            self.n_chunks += u64::from(outcome == AppendOutcome::AppendedToNewChunk);
            self.note(time, time);
        }
    }

    fn note(&mut self, first: i64, last: i64) {
        (self.min_time, self.max_time) = (self.min_time.min(first), self.max_time.max(last));
    }

    fn series(&mut self, id: SeriesId) -> &mut Series {
        let page = Page::number(id) / self.n_workers;
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Vec::new);
        }
        let page = &mut self.pages[page];
        let slot = id.0 as usize % Page::N_SERIES;
        if page.len() <= slot {
            let n_more =
                (slot + 1 - page.len()).max(page.len() / 2).min(Page::N_SERIES - page.len());
            page.reserve_exact(n_more);
            page.resize_with(slot + 1, || None);
        }
        page[slot].get_or_insert_with(|| Series::nameless(id))
    }

    /// The series page by page; each is gone from here when the next is asked for.
    pub(super) fn into_pages(self) -> impl Iterator<Item = chunks::Result<Vec<Series>>> {
        let limits = self.limits;
        let settled = move |mut series: Series| series.settle(&limits).map(|()| series);
        self.pages.into_iter().map(move |page| page.into_iter().flatten().map(settled).collect())
    }
}
