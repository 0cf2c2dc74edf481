//! From the log to the head, after the start.
//!
//! The head takes samples before anybody has read the log: into a segment of its own, under numbers
//! that the log does not have. Meanwhile one thread reads the log and finds out whose its samples
//! are; others put them into chunks, apart from the head. When all is read the head takes it over,
//! before what it has itself. Until then readers wait, or see what there is.

mod adopt;
mod gate;
mod past;
mod reader;
mod refs;
mod snapshot;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use wal::{Corruption, Layout, Position, Segment};

pub(crate) use self::gate::Gate;
use self::{past::Workers, reader::LogReader};
use crate::{Result, chunk_snapshot::Snapshot, database::Store, stats::AtomicCounters};

/// Which segments are to be replayed, and which one is being replayed. Cloning gives another
/// handle.
#[derive(Debug, Clone, Default)]
pub struct ReplayProgress(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    min: AtomicI64,
    max: AtomicI64,
    current: AtomicI64,
}

/// Numbers of segments; all zero before replay begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayState {
    pub min: i64,
    pub max: i64,
    pub current: i64,
}

impl ReplayProgress {
    pub fn state(&self) -> ReplayState {
        let Progress { min, max, current } = &*self.0;
        let [min, max, current] = [min, max, current].map(|n| n.load(Ordering::Relaxed));
        ReplayState { min, max, current }
    }

    fn begin(&self, min: u32, max: u32) {
        self.0.min.store(min.into(), Ordering::Relaxed);
        self.0.max.store(max.into(), Ordering::Relaxed);
        self.0.current.store(min.into(), Ordering::Relaxed);
    }

    fn reach(&self, segment: u32) {
        self.0.current.store(segment.into(), Ordering::Relaxed);
    }
}

/// What readers do while the log is replayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadsDuringReplay {
    /// They wait until all is there.
    #[default]
    Wait,
    /// They see the blocks and what has come since the start.
    Partial,
}

/// The replay of the log, which goes on while the database is used.
///
/// Until it is done nothing leaves the head for blocks. To drop it is to give up: then reads fail.
#[must_use = "who reads waits for it"]
pub struct Replay {
    store: Arc<Store>,
    plan: Plan,
}

/// What was in the log when the database was opened.
pub(crate) struct Plan {
    pub(crate) log: Layout,
    pub(crate) late_log: Layout,
}

impl Plan {
    fn last_segment(&self) -> u32 {
        self.log.last_number().unwrap_or_default()
    }
}

impl Replay {
    pub(crate) fn new(store: Arc<Store>, plan: Plan) -> Replay {
        let segments = plan.log.segments_after_checkpoint();
        let first = segments.first().map_or(0, |segment| segment.number);
        store.options.progress.begin(first, plan.last_segment());
        Replay { store, plan }
    }

    /// Reads the log into the head. Takes a while and all cores: not on async threads.
    pub fn run(self) -> Result<()> {
        let store = &*self.store;
        let begin = store.runtime.clock.monotonic();
        let outcome = self.fill_head();
        let took = store.runtime.clock.monotonic() - begin;
        store.counters.replay_time.add_time(took);
        match &outcome {
            Ok(()) => {
                tracing::info!(segments = self.plan.log.segments.len(), ?took, "log replayed");
                store.replayed.open();
            }
            Err(error) => store.replayed.fail(error.to_string()),
        }
        outcome
    }

    fn fill_head(&self) -> Result<()> {
        let store = &*self.store;
        let mut reader = LogReader::new(store, self.plan.last_segment());
        let past = std::thread::scope(|scope| {
            let mut workers = Workers::start(scope, store.head.limits);
            let outcome = self.read_log(&mut reader, &mut workers);
            // Also after an error: nobody else waits for the threads.
            let past = workers.join();
            outcome.map(|()| past)
        })?;
        self.read_late_log(&mut reader)?;
        for past in past {
            adopt::adopt(store, past)?;
        }
        reader.finish();
        store.sync_earlier()
    }

    fn read_log(&self, reader: &mut LogReader<'_>, workers: &mut Workers<'_>) -> Result<()> {
        let begin = match self.snapshot()? {
            Some(snapshot) => {
                reader.read_snapshot(&snapshot, workers)?;
                let last = i64::from(self.plan.last_segment());
                self.store.unnamed_until.store(last, Ordering::Relaxed);
                snapshot.position
            }
            None => {
                self.read_checkpoint(reader, workers)?;
                Position::default()
            }
        };
        for segment in self.plan.log.segments_after_checkpoint() {
            if segment.number < begin.segment {
                continue;
            }
            self.store.options.progress.reach(segment.number);
            let offset = if segment.number == begin.segment { begin.offset } else { 0 };
            if let Some(corruption) = reader.read(segment, offset, workers)? {
                self.repair(&self.plan.log, segment, &corruption)?;
                break;
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Option<Snapshot>> {
        let store = &*self.store;
        match store.options.chunk_snapshot {
            true => Snapshot::find(&*store.runtime.disk, &store.directory, &self.plan.log),
            false => Ok(None),
        }
    }

    fn read_checkpoint(&self, reader: &mut LogReader<'_>, workers: &mut Workers<'_>) -> Result<()> {
        let Some(checkpoint) = &self.plan.log.checkpoint else { return Ok(()) };
        for segment in Layout::read(&*self.store.runtime.disk, &checkpoint.path)?.segments {
            if let Some(corruption) = reader.read(&segment, 0, workers)? {
                let Corruption { offset, detail } = corruption;
                return Err(wal::Error::Corrupt { path: segment.path, offset, detail }.into());
            }
        }
        Ok(())
    }

    fn read_late_log(&self, reader: &mut LogReader<'_>) -> Result<()> {
        for segment in &self.plan.late_log.segments {
            if let Some(corruption) = reader.read_late(segment)? {
                self.repair(&self.plan.late_log, segment, &corruption)?;
                break;
            }
        }
        Ok(())
    }

    /// Cuts the log off at the damage, up to the segments that were begun since.
    fn repair(&self, log: &Layout, segment: &Segment, corruption: &Corruption) -> Result<()> {
        note_corruption(&self.store.counters, segment, corruption);
        wal::blank(&*self.store.runtime.disk, &log.segments, segment, corruption)?;
        Ok(())
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        if !self.store.replayed.is_open() {
            self.store.replayed.fail("it was given up".to_owned());
        }
    }
}

/// Damage in the log was found.
pub(crate) fn note_corruption(
    counters: &AtomicCounters,
    segment: &Segment,
    corruption: &Corruption,
) {
    let Corruption { offset, detail } = corruption;
    let path = segment.path.display();
    tracing::warn!(segment = %path, offset, detail, "repairing corrupt write-ahead log");
    counters.log_corruptions.add(1);
}
