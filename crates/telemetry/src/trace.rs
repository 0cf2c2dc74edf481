//! Traces: what a request, a query or a notification was part of, and how long it took.
//!
//! A [`Tracer`] collects spans that are over until somebody takes them to send them on. What is
//! done within a span finds it by itself, as long as it stays on its task: see [`Tracer::start`].

mod span;
#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

pub use span::{Finished, Kind, Span, Traced, Value};

/// Spans that wait to be taken; more are dropped.
const QUEUE_LEN: usize = 2048;
/// No span is recorded at all.
const OFF: u64 = u64::MAX;

/// Makes spans and keeps those that are over. Cloning gives another handle.
#[derive(Clone)]
pub struct Tracer(Arc<Inner>);

struct Inner {
    /// Since the Unix epoch.
    now: Box<dyn Fn() -> Duration + Send + Sync>,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
    /// The bits of the part of traces that are recorded, or [`OFF`].
    sampling: AtomicU64,
    /// Nothing else is locked while this is held.
    finished: Mutex<VecDeque<Finished>>,
    n_dropped: AtomicU64,
}

/// A span of another process, or of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub trace_id: u128,
    pub span_id: u64,
    pub is_sampled: bool,
}

/// The span in which this thread works just now.
#[derive(Clone)]
struct Current {
    tracer: Tracer,
    trace_id: u128,
    span_id: u64,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

impl Tracer {
    /// `now` is the time since the Unix epoch. Records nothing before [`Tracer::set_sampling`].
    pub fn new(
        now: impl Fn() -> Duration + Send + Sync + 'static,
        random: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Tracer {
        Tracer(Arc::new(Inner {
            now: Box::new(now),
            random: Box::new(random),
            sampling: AtomicU64::new(OFF),
            finished: Mutex::default(),
            n_dropped: AtomicU64::new(0),
        }))
    }

    /// Records this part of the traces that begin here, and of those that begin elsewhere what is
    /// recorded there, too; `None` is nothing at all.
    pub fn set_sampling(&self, part: Option<f64>) {
        let bits = part.map_or(OFF, |part| part.clamp(0.0, 1.0).to_bits());
        self.0.sampling.store(bits, Ordering::Relaxed);
    }

    pub fn is_on(&self) -> bool {
        self.0.sampling.load(Ordering::Relaxed) != OFF
    }

    /// Begins a span within the one in which this thread works, or a trace.
    pub fn start(&self, name: impl Into<String>, kind: Kind) -> Span {
        let current = CURRENT.with_borrow(|current| {
            let current = current.as_ref()?;
            Some(Parent { trace_id: current.trace_id, span_id: current.span_id, is_sampled: true })
        });
        self.start_within(current, name, kind)
    }

    /// Begins a span within `parent`, or a trace.
    pub fn start_within(
        &self,
        parent: Option<Parent>,
        name: impl Into<String>,
        kind: Kind,
    ) -> Span {
        let bits = self.0.sampling.load(Ordering::Relaxed);
        if bits == OFF {
            return Span::none();
        }
        let trace_id = parent.map_or_else(|| self.new_trace_id(), |parent| parent.trace_id);
        let is_sampled = match parent {
            Some(parent) => parent.is_sampled,
            // As OpenTelemetry decides by the lower half, so that all who ask agree.
            None => ((trace_id as u64) >> 1) < (f64::from_bits(bits) * (1_u64 << 63) as f64) as u64,
        };
        if !is_sampled {
            return Span::none();
        }
        Span::open(self.clone(), trace_id, parent.map(|parent| parent.span_id), name.into(), kind)
    }

    /// Takes up to `len_max` spans that are over, oldest first.
    pub fn take(&self, len_max: usize) -> Vec<Finished> {
        let mut finished = self.0.finished.lock();
        let n_taken = finished.len().min(len_max);
        finished.drain(..n_taken).collect()
    }

    /// How many spans wait to be taken.
    pub fn n_waiting(&self) -> usize {
        self.0.finished.lock().len()
    }

    /// How many spans there was no room for.
    pub fn n_dropped(&self) -> u64 {
        self.0.n_dropped.load(Ordering::Relaxed)
    }

    fn new_trace_id(&self) -> u128 {
        // Zero is none.
        (u128::from((self.0.random)()) << 64 | u128::from((self.0.random)())).max(1)
    }

    fn new_span_id(&self) -> u64 {
        (self.0.random)().max(1)
    }

    fn now(&self) -> Duration {
        (self.0.now)()
    }

    fn keep(&self, span: Finished) {
        let mut finished = self.0.finished.lock();
        if finished.len() < QUEUE_LEN {
            finished.push_back(span);
        } else {
            self.0.n_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Begins a span within the one in which this thread works; nothing if there is none.
pub fn child(name: impl Into<String>, kind: Kind) -> Span {
    let current = CURRENT.with_borrow(Clone::clone);
    current.map_or_else(Span::none, |current| current.tracer.start(name, kind))
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("is_on", &self.is_on()).finish_non_exhaustive()
    }
}

impl Parent {
    /// Reads a header `traceparent`: `00-<32 hex digits>-<16>-<flags>`.
    pub fn from_header(text: &str) -> Option<Parent> {
        let mut parts = text.trim().split('-');
        let mut next = |len: usize| parts.next().filter(|part| part.len() == len);
        let version = u8::from_str_radix(next(2)?, 16).ok()?;
        let trace_id = u128::from_str_radix(next(32)?, 16).ok()?;
        let span_id = u64::from_str_radix(next(16)?, 16).ok()?;
        let flags = u8::from_str_radix(next(2)?, 16).ok()?;
        let is_valid = version != 0xff && trace_id != 0 && span_id != 0;
        is_valid.then_some(Parent { trace_id, span_id, is_sampled: flags & 1 == 1 })
    }
}
