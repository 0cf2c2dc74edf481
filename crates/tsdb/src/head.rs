//! The series of the last days, in memory.
//!
//! A series has a number; 256 numbers in a row share a page and its lock, because the series of a
//! target are created together and appended to together. Labels, postings and the way from labels
//! to a series are in the index, whose lock is taken before a page's, never after.

mod index;
mod isolation;
mod late;
mod page;
mod postings;
pub(crate) mod series;
mod sorted_symbols;
mod symbols;

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use model::Labels;
use parking_lot::RwLock;

pub(crate) use index::{Index, LabelIds};
pub(crate) use isolation::{Commit, Isolation, Reader};
pub(crate) use late::{Insertion, LateSample, LateSeries, LateValue};
pub(crate) use page::{Contents, Page};
pub(crate) use series::{AppendOutcome, ChunkBytes, FullChunk, Limits, Series};
pub(crate) use sorted_symbols::SortedSymbols;

/// Identifies a series in this process; never used twice. Its number in the log is another one,
/// which outlives the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SeriesId(pub(crate) u32);

pub(crate) struct Head {
    pub(crate) limits: Limits,
    /// A page's lock may be taken under it.
    pub(crate) index: RwLock<Index>,
    /// By number of the page; a page goes when its last series goes. Held for no longer than it
    /// takes to clone an `Arc`.
    pages: RwLock<Vec<Option<Arc<Page>>>>,
    pub(crate) isolation: Isolation,
    /// The largest number of a series in the log.
    last_log_ref: AtomicU64,
    /// `i64::MAX` while there are no samples.
    min_time: AtomicI64,
    /// `i64::MIN` while there are no samples.
    max_time: AtomicI64,
    /// Nothing older is taken, but as late samples.
    min_valid_time: AtomicI64,
    /// `i64::MAX` while there are no late samples.
    late_min_time: AtomicI64,
    /// `i64::MIN` while there are no late samples.
    late_max_time: AtomicI64,
}

impl Head {
    pub(crate) fn new(limits: Limits) -> Head {
        Head {
            limits,
            index: RwLock::default(),
            pages: RwLock::default(),
            isolation: Isolation::default(),
            last_log_ref: AtomicU64::new(0),
            min_time: AtomicI64::new(i64::MAX),
            max_time: AtomicI64::new(i64::MIN),
            min_valid_time: AtomicI64::new(i64::MIN),
            late_min_time: AtomicI64::new(i64::MAX),
            late_max_time: AtomicI64::new(i64::MIN),
        }
    }

    /// The page that holds `id`, unless all its series are gone.
    pub(crate) fn page(&self, id: SeriesId) -> Option<Arc<Page>> {
        self.pages.read().get(Page::number(id)).cloned().flatten()
    }

    pub(crate) fn pages(&self) -> Vec<Arc<Page>> {
        self.pages.read().iter().flatten().cloned().collect()
    }

    /// The series of these labels, created if it is new; says whether it was. `None` once all
    /// numbers are used up.
    pub(crate) fn find_or_create(
        &self,
        labels: &Labels,
        log_ref: Option<u64>,
    ) -> Option<(SeriesId, bool)> {
        let hash = labels.hash64();
        if let Some(id) = self.index.read().find(self, labels, hash) {
            return Some((id, false));
        }
        let mut index = self.index.write();
        if let Some(id) = index.find(self, labels, hash) {
            return Some((id, false));
        }
        let (id, label_ids) = index.insert(labels, hash)?;
        let is_logged = log_ref.is_some();
        let log_ref =
            log_ref.unwrap_or_else(|| self.last_log_ref.fetch_add(1, Ordering::Relaxed) + 1);
        self.page_for_new(id).lock().push(Series::new(id, log_ref, is_logged, label_ids));
        Some((id, true))
    }

    /// The series of these labels.
    pub(crate) fn find(&self, labels: &Labels) -> Option<SeriesId> {
        self.index.read().find(self, labels, labels.hash64())
    }

    /// The labels of a series, its number in the log, and whether the log knows it.
    pub(crate) fn describe(&self, id: SeriesId) -> Option<(Labels, u64, bool)> {
        let index = self.index.read();
        let page = self.page(id)?;
        let page = page.lock();
        let series = page.get(id)?;
        Some((index.labels(&series.labels), series.log_ref, series.is_logged))
    }

    fn page_for_new(&self, id: SeriesId) -> Arc<Page> {
        let number = Page::number(id);
        let mut pages = self.pages.write();
        if pages.len() <= number {
            pages.resize(number + 1, None);
        }
        pages[number].get_or_insert_default().clone()
    }

    /// Forgets pages without series.
    pub(crate) fn drop_empty_pages(&self) {
        let mut pages = self.pages.write();
        // The last one is about to be filled.
        let Some((_, full)) = pages.split_last_mut() else { return };
        for page in full {
            if page.as_ref().is_some_and(|page| page.lock().is_empty()) {
                *page = None;
            }
        }
    }

    /// Makes sure that new series get numbers in the log that nobody has.
    pub(crate) fn note_log_ref(&self, log_ref: u64) {
        self.last_log_ref.fetch_max(log_ref, Ordering::Relaxed);
    }

    /// No series has a larger number in the log.
    pub(crate) fn last_log_ref(&self) -> u64 {
        self.last_log_ref.load(Ordering::Relaxed)
    }

    pub(crate) fn min_time(&self) -> i64 {
        self.min_time.load(Ordering::Relaxed)
    }

    pub(crate) fn max_time(&self) -> i64 {
        self.max_time.load(Ordering::Relaxed)
    }

    pub(crate) fn note_time(&self, time: i64) {
        self.min_time.fetch_min(time, Ordering::Relaxed);
        self.max_time.fetch_max(time, Ordering::Relaxed);
    }

    /// The times of the oldest and the newest late sample, at least; the first is larger if there
    /// are none.
    pub(crate) fn late_times(&self) -> (i64, i64) {
        (self.late_min_time.load(Ordering::Relaxed), self.late_max_time.load(Ordering::Relaxed))
    }

    pub(crate) fn note_late_time(&self, time: i64) {
        self.late_min_time.fetch_min(time, Ordering::Relaxed);
        self.late_max_time.fetch_max(time, Ordering::Relaxed);
    }

    /// Forgets the late samples that have left for blocks; says how many chunks they were. No
    /// commit may go on meanwhile.
    pub(crate) fn end_leaving(&self) -> usize {
        let (mut n_chunks, mut start, mut end) = (0, i64::MAX, i64::MIN);
        for page in self.pages() {
            let mut page = page.lock();
            n_chunks += page.late.end_leaving();
            for (first, last) in page.late.iter().filter_map(|(_, series)| series.times()) {
                (start, end) = (start.min(first), end.max(last));
            }
        }
        self.late_min_time.store(start, Ordering::Relaxed);
        self.late_max_time.store(end, Ordering::Relaxed);
        n_chunks
    }

    /// What an appender that begins now may take: nothing that is older than half a chunk range
    /// before the newest sample.
    pub(crate) fn appendable_from(&self) -> i64 {
        let late = self.max_time().saturating_sub(self.limits.chunk_range_ms / 2);
        late.max(self.min_valid_time())
    }

    /// Nothing older is taken.
    pub(crate) fn min_valid_time(&self) -> i64 {
        self.min_valid_time.load(Ordering::Relaxed)
    }

    /// From now on nothing before `time` is taken.
    pub(crate) fn raise_min_valid_time(&self, time: i64) {
        self.min_valid_time.fetch_max(time, Ordering::Relaxed);
    }

    /// From now on there is nothing before `time`.
    pub(crate) fn raise_min_time(&self, time: i64) {
        self.raise_min_valid_time(time);
        self.min_time.fetch_max(time, Ordering::Relaxed);
    }
}
