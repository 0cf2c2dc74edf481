//! What was deleted of series that are still in the head.

use blocks::{Interval, Intervals};
use hashbrown::HashMap;
use model::TimeRange;
use parking_lot::RwLock;
use storage::{Columns, Mark};

use crate::head::SeriesId;

#[derive(Default)]
pub(crate) struct Tombstones {
    /// No other lock is taken under it.
    by_series: RwLock<HashMap<SeriesId, Intervals>>,
}

impl Tombstones {
    pub(crate) fn add(&self, id: SeriesId, interval: Interval) {
        self.by_series.write().entry(id).or_default().add(interval);
    }

    pub(crate) fn of(&self, id: SeriesId) -> Intervals {
        self.by_series.read().get(&id).cloned().unwrap_or_default()
    }

    /// Shows what is deleted of each series.
    pub(crate) fn each(&self, mut show: impl FnMut(SeriesId, &Intervals)) {
        // Not under the lock: whoever looks takes others.
        let by_series = self.by_series.read().clone();
        by_series.iter().for_each(|(id, deleted)| show(*id, deleted));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_series.read().is_empty()
    }

    /// Whether all is deleted that a series has in `range`; it has something only within `spans`.
    pub(crate) fn cover(
        &self,
        id: SeriesId,
        mut spans: impl Iterator<Item = (i64, i64)>,
        range: TimeRange,
    ) -> bool {
        let (start, end) = (range.start.as_millis(), range.end.as_millis());
        let by_series = self.by_series.read();
        let Some(deleted) = by_series.get(&id) else { return false };
        spans.all(|(first, last)| {
            let (first, last) = (first.max(start), last.min(end));
            first > last || deleted.cover(first, last)
        })
    }

    pub(crate) fn has(&self, id: SeriesId) -> bool {
        self.by_series.read().contains_key(&id)
    }

    /// Takes deleted samples out of what was read behind `mark`.
    pub(crate) fn remove_deleted(&self, id: SeriesId, columns: &mut Columns, mark: Mark) {
        if let Some(deleted) = self.by_series.read().get(&id) {
            deleted.remove_from(columns, mark);
        }
    }

    /// Forgets what is before `time`, where the head has nothing.
    pub(crate) fn truncate_before(&self, time: i64) {
        self.by_series.write().retain(|_, deleted| {
            deleted.truncate_before(time);
            !deleted.is_empty()
        });
    }
}
