//! The samples of a commit.
//!
//! The log has a record for each kind of sample, so within a batch a series has one kind only:
//! when that changes, another batch begins. So log and head see the samples of a series in the
//! order in which they came.

use hashbrown::{HashMap, HashSet};
use storage::HistogramValue;
use wal::record::{self, Logged as _};

use crate::head::SeriesId;

/// A sample that was checked but not committed.
pub(super) struct Pending {
    pub(super) id: SeriesId,
    pub(super) sample: record::Sample,
}

/// The same for a histogram.
pub(super) struct PendingHistogram {
    pub(super) id: SeriesId,
    pub(super) series_ref: u64,
    pub(super) time: i64,
    pub(super) value: HistogramValue,
}

/// Samples of which those of a series are of one kind.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) floats: Vec<Pending>,
    pub(super) histograms: Vec<PendingHistogram>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.floats.is_empty() && self.histograms.is_empty()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = SeriesId> {
        let histograms = self.histograms.iter().map(|histogram| histogram.id);
        self.floats.iter().map(|pending| pending.id).chain(histograms)
    }
}

/// Batches, of which the last one takes samples.
#[derive(Default)]
pub(super) struct Batches {
    closed: Vec<Batch>,
    open: Batch,
    /// The series with histograms in the open batch.
    kinds: HashMap<SeriesId, HistogramKind, foldhash::fast::RandomState>,
    /// The series of the first `n_known` floats of the open batch: collected when it is asked for.
    float_ids: HashSet<SeriesId, foldhash::fast::RandomState>,
    n_known: usize,
}

/// Histograms that have records of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HistogramKind {
    is_float: bool,
    has_custom_buckets: bool,
}

impl HistogramKind {
    fn of(value: &HistogramValue) -> HistogramKind {
        match value {
            HistogramValue::Integer(value) => {
                HistogramKind { is_float: false, has_custom_buckets: value.has_custom_buckets() }
            }
            HistogramValue::Float(value) => {
                HistogramKind { is_float: true, has_custom_buckets: value.has_custom_buckets() }
            }
        }
    }
}

impl Batches {
    pub(super) fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.open.is_empty()
    }

    /// `is_first` says that no sample of this series waits anywhere, as is usual.
    pub(super) fn push_float(&mut self, pending: Pending, is_first: bool) {
        if !is_first && self.kinds.contains_key(&pending.id) {
            self.close();
        }
        self.open.floats.push(pending);
    }

    /// The same for a histogram.
    pub(super) fn push_histogram(&mut self, pending: PendingHistogram, is_first: bool) {
        let kind = HistogramKind::of(&pending.value);
        let is_other = |known: &HistogramKind| *known != kind;
        if !is_first
            && (self.kinds.get(&pending.id).is_some_and(is_other) || self.has_float(pending.id))
        {
            self.close();
        }
        self.kinds.insert(pending.id, kind);
        self.open.histograms.push(pending);
    }

    fn has_float(&mut self, id: SeriesId) -> bool {
        let unknown = &self.open.floats[self.n_known..];
        self.float_ids.extend(unknown.iter().map(|pending| pending.id));
        self.n_known = self.open.floats.len();
        self.float_ids.contains(&id)
    }

    fn close(&mut self) {
        self.closed.push(std::mem::take(&mut self.open));
        self.kinds.clear();
        self.float_ids.clear();
        self.n_known = 0;
    }

    /// All batches, in order; none is left.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        if !self.open.is_empty() {
            self.close();
        }
        std::mem::take(&mut self.closed)
    }
}
