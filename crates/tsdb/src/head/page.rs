use parking_lot::{Mutex, MutexGuard};

use super::{SeriesId, isolation::Commit, late::Late, series::Series};

/// The series of 256 numbers in a row.
#[derive(Default)]
pub(crate) struct Page(Mutex<Contents>);

/// What a page holds, behind its lock. No other lock is taken under it.
#[derive(Default)]
pub(crate) struct Contents {
    /// In order of their numbers; those that went left no hole.
    series: Vec<Series>,
    /// Samples that some reader must not see yet.
    recent: Vec<Recent>,
    pub(crate) late: Late,
}

/// A sample, the newest of its series but for those behind it in the list.
struct Recent {
    id: SeriesId,
    commit: u64,
}

impl Page {
    pub(crate) const N_SERIES: usize = 256;

    pub(crate) fn number(id: SeriesId) -> usize {
        id.0 as usize / Page::N_SERIES
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock()
    }
}

impl Contents {
    pub(crate) fn get(&self, id: SeriesId) -> Option<&Series> {
        self.series.get(self.position(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: SeriesId) -> Option<&mut Series> {
        let position = self.position(id)?;
        self.series.get_mut(position)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Series> {
        self.series.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Series> {
        self.series.iter_mut()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Adds a series whose number is larger than all here.
    pub(super) fn push(&mut self, series: Series) {
        debug_assert!(self.series.last().is_none_or(|last| last.id < series.id));
        if self.series.len() == self.series.capacity() {
            // Pages of small installations stay small, full ones end up exact.
            let n_more = (self.series.len() / 2).max(8);
            self.series.reserve_exact(n_more.min(Page::N_SERIES - self.series.len()));
        }
        self.series.push(series);
    }

    /// Takes out the series that `is_gone` names, unless they have late samples.
    pub(crate) fn extract(&mut self, mut is_gone: impl FnMut(&mut Series) -> bool) -> Vec<Series> {
        let late = &self.late;
        let is_gone = |series: &mut Series| !late.has(series.id) && is_gone(series);
        let gone = self.series.extract_if(.., is_gone).collect();
        self.series.shrink_to_fit();
        gone
    }

    /// Remembers that a commit has added a sample, if a reader must not see it.
    pub(crate) fn note_append(&mut self, id: SeriesId, commit: &Commit<'_>) {
        if commit.oldest_reader.is_some() {
            self.recent.push(Recent { id, commit: commit.number });
        }
    }

    /// Forgets what every reader sees by now.
    pub(crate) fn prune_recent(&mut self, commit: &Commit<'_>) {
        match commit.oldest_reader {
            Some(oldest) => self.recent.retain(|recent| recent.commit > oldest),
            None => self.recent = Vec::new(),
        }
    }

    /// How many of the newest samples of a series came after commit `seen`.
    pub(crate) fn n_hidden(&self, id: SeriesId, seen: u64) -> usize {
        self.recent.iter().filter(|recent| recent.id == id && recent.commit > seen).count()
    }

    fn position(&self, id: SeriesId) -> Option<usize> {
        let slot = id.0 as usize % Page::N_SERIES;
        if self.series.get(slot).is_some_and(|series| series.id == id) {
            return Some(slot);
        }
        self.series.binary_search_by_key(&id, |series| series.id).ok()
    }
}
