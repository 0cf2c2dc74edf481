//! Which series there are, by their number in the log and by their labels.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering::Relaxed},
};

use hashbrown::{HashMap, HashTable};
use model::{Labels, Metadata};
use parking_lot::{Mutex, RwLock};
use storage::Exemplar;

/// A series that something came for lately.
pub(super) struct Series {
    pub(super) log_ref: u64,
    pub(super) labels: Labels,
    /// Of the newest sample that was committed; `i64::MIN` while there is none.
    pub(super) newest: AtomicI64,
    /// Whether the log knows it.
    pub(super) is_logged: AtomicBool,
    /// By how many appenders it is held: then it must not be forgotten.
    pub(super) n_pending: AtomicU32,
    /// What few series have.
    pub(super) extra: Mutex<Option<Box<Extra>>>,
}

/// What was said of a series beside its samples.
#[derive(Default)]
pub(super) struct Extra {
    pub(super) exemplar: Option<Exemplar>,
    pub(super) metadata: Option<Metadata>,
}

/// All series. Its lock is held for a look-up, or while series are added and forgotten.
#[derive(Default)]
pub(super) struct Table(RwLock<Contents>);

#[derive(Default)]
struct Contents {
    by_ref: HashMap<u64, Arc<Series>, foldhash::fast::RandomState>,
    by_labels: HashTable<Arc<Series>>,
    last_ref: u64,
}

impl Series {
    fn new(log_ref: u64, labels: Labels, is_logged: bool) -> Series {
        Series {
            log_ref,
            labels,
            newest: AtomicI64::new(i64::MIN),
            is_logged: AtomicBool::new(is_logged),
            n_pending: AtomicU32::new(0),
            extra: Mutex::new(None),
        }
    }
}

impl Contents {
    fn find(&self, labels: &Labels, hash: u64) -> Option<&Arc<Series>> {
        self.by_labels.find(hash, |series| series.labels == *labels)
    }

    fn insert(&mut self, series: Series, hash: u64) -> Arc<Series> {
        let series = Arc::new(series);
        self.last_ref = self.last_ref.max(series.log_ref);
        self.by_ref.insert(series.log_ref, series.clone());
        self.by_labels.insert_unique(hash, series.clone(), |series| series.labels.hash64());
        series
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.0.read().by_ref.len()
    }

    /// Holds a series that is known by its number: it is not forgotten before it is let go.
    pub(super) fn hold(&self, log_ref: u64) -> Option<Arc<Series>> {
        let contents = self.0.read();
        let series = contents.by_ref.get(&log_ref)?;
        series.n_pending.fetch_add(1, Relaxed);
        Some(series.clone())
    }

    /// Holds the series of these labels, which is created if it is new.
    pub(super) fn hold_or_create(&self, labels: &Labels) -> Arc<Series> {
        let hash = labels.hash64();
        let hold = |series: &Arc<Series>| {
            series.n_pending.fetch_add(1, Relaxed);
            series.clone()
        };
        if let Some(series) = self.0.read().find(labels, hash) {
            return hold(series);
        }
        let mut contents = self.0.write();
        if let Some(series) = contents.find(labels, hash) {
            return hold(series);
        }
        let log_ref = contents.last_ref + 1;
        hold(&contents.insert(Series::new(log_ref, labels.clone(), false), hash))
    }

    /// Adds a series that the log names; gives the number that these labels have already.
    pub(super) fn insert(&self, log_ref: u64, labels: Labels) -> Option<u64> {
        let hash = labels.hash64();
        let mut contents = self.0.write();
        contents.last_ref = contents.last_ref.max(log_ref);
        if let Some(known) = contents.find(&labels, hash) {
            return Some(known.log_ref);
        }
        contents.insert(Series::new(log_ref, labels, true), hash);
        None
    }

    /// Notes a sample that the log has; says whether there is such a series.
    pub(super) fn note(&self, log_ref: u64, time: i64) -> bool {
        let contents = self.0.read();
        let Some(series) = contents.by_ref.get(&log_ref) else { return false };
        series.newest.fetch_max(time, Relaxed);
        true
    }

    pub(super) fn has(&self, log_ref: u64) -> bool {
        self.0.read().by_ref.contains_key(&log_ref)
    }

    /// Forgets what has nothing since `horizon` and is held by nobody; gives the numbers.
    pub(super) fn forget_before(&self, horizon: i64) -> Vec<u64> {
        let mut contents = self.0.write();
        let is_gone = |series: &Series| {
            series.newest.load(Relaxed) < horizon && series.n_pending.load(Relaxed) == 0
        };
        let gone: Vec<u64> =
            contents.by_ref.extract_if(|_, series| is_gone(series)).map(|(r, _)| r).collect();
        if !gone.is_empty() {
            let Contents { by_ref, by_labels, .. } = &mut *contents;
            by_labels.retain(|series| by_ref.contains_key(&series.log_ref));
            by_ref.shrink_to_fit();
            by_labels.shrink_to_fit(|series| series.labels.hash64());
        }
        gone
    }
}
