//! Exemplars in memory: a ring in which each new one takes the place of the one that was added
//! first, whatever series that belongs to.
//!
//! The exemplars of a series are linked in order of time. They outlive their series in the head,
//! so series are known by labels here.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use hashbrown::HashMap;
use model::{Labels, Matcher, TimeRange};
use storage::{Exemplar, ExemplarError, SeriesExemplars};

/// More text than this in the labels of an exemplar is a mistake.
const LABEL_CHARACTERS_MAX: usize = 128;

/// A link to nothing.
const NONE: u32 = u32::MAX;

#[derive(Default)]
pub(crate) struct Exemplars {
    /// As many as there may be at most.
    capacity: usize,
    /// Grows up to `capacity`.
    slots: Vec<Slot>,
    /// Where the next one goes, once all slots are filled.
    next: usize,
    series: HashMap<Labels, Run, foldhash::fast::RandomState>,
    /// How late exemplars may come, in milliseconds.
    window_ms: i64,
    n_appended: u64,
    n_out_of_order: u64,
}

struct Slot {
    series: Labels,
    exemplar: Exemplar,
    /// Neighbours in the same series, in order of time.
    older: u32,
    newer: u32,
}

/// The exemplars of a series.
#[derive(Clone, Copy)]
struct Run {
    oldest: u32,
    newest: u32,
}

/// Figures for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ExemplarCounters {
    pub max: u64,
    pub stored: u64,
    pub series: u64,
    pub appended: u64,
    pub out_of_order: u64,
    /// The time in milliseconds of the one that is to be replaced next; 0 if there is none.
    pub oldest_time: i64,
}

impl Exemplars {
    pub(crate) fn new(capacity: usize, window_ms: i64) -> Exemplars {
        Exemplars { capacity: capacity.min(NONE as usize), window_ms, ..Exemplars::default() }
    }

    /// The same without any exemplars.
    pub(crate) fn empty(&self) -> Exemplars {
        Exemplars::new(self.capacity, self.window_ms)
    }

    /// Puts exemplars before those that are here, which came later.
    pub(crate) fn put_before(&mut self, mut older: Exemplars) {
        older.resize(self.capacity);
        older.window_ms = self.window_ms;
        self.slots.rotate_left(self.next);
        for slot in self.slots.drain(..) {
            if let Ok(Some(_)) = older.place(&slot.series, &slot.exemplar) {
                older.insert(&slot.series, slot.exemplar);
            }
        }
        older.n_appended += self.n_appended;
        older.n_out_of_order += self.n_out_of_order;
        *self = older;
    }

    /// Shows all exemplars, the first that came first.
    pub(crate) fn each(&self, mut show: impl FnMut(&Labels, &Exemplar)) {
        let (newer, older) = self.slots.split_at(self.next.min(self.slots.len()));
        older.iter().chain(newer).for_each(|slot| show(&slot.series, &slot.exemplar));
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.capacity > 0
    }

    pub(crate) fn set_window(&mut self, window_ms: i64) {
        self.window_ms = window_ms;
    }

    /// From now on there are at most `capacity`; of those that are too many the newest stay.
    pub(crate) fn resize(&mut self, capacity: usize) {
        if capacity == self.capacity {
            return;
        }
        let mut resized = Exemplars::new(capacity, self.window_ms);
        let n_kept = self.slots.len().min(capacity);
        self.slots.rotate_left(self.next);
        for slot in self.slots.drain(..).rev().take(n_kept).rev() {
            resized.insert(&slot.series, slot.exemplar);
        }
        (resized.n_appended, resized.n_out_of_order) = (self.n_appended, self.n_out_of_order);
        *self = resized;
    }

    /// Whether an exemplar may be added; says no to one that is there already.
    pub(crate) fn check(
        &mut self,
        series: &Labels,
        exemplar: &Exemplar,
    ) -> Result<bool, ExemplarError> {
        let accepted = self.place(series, exemplar).map(|place| place.is_some());
        self.n_out_of_order += u64::from(accepted == Err(ExemplarError::OutOfOrder));
        accepted
    }

    /// Adds an exemplar; one that is there already is left out.
    pub(crate) fn add(&mut self, series: &Labels, exemplar: Exemplar) -> Result<(), ExemplarError> {
        if self.is_enabled() && self.place(series, &exemplar)?.is_some() {
            self.insert(series, exemplar);
            self.n_appended += 1;
        }
        Ok(())
    }

    /// The exemplars in `range` of series that one of `selectors` selects, sorted by labels.
    pub(crate) fn select(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> Vec<SeriesExemplars> {
        let mut found = Vec::new();
        for (labels, run) in &self.series {
            let is_match = |matcher: &Matcher| matcher.matches(labels.value(&matcher.name));
            if !selectors.iter().any(|selector| selector.iter().all(is_match)) {
                continue;
            }
            let exemplars = self.oldest_first(*run).map(|slot| &slot.exemplar);
            let exemplars: Vec<Exemplar> =
                exemplars.filter(|exemplar| range.contains(exemplar.time)).cloned().collect();
            if !exemplars.is_empty() {
                found.push(SeriesExemplars { labels: labels.clone(), exemplars });
            }
        }
        found.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        found
    }

    pub(crate) fn counters(&self) -> ExemplarCounters {
        let oldest = self.slots.get(self.next).or(self.slots.first());
        ExemplarCounters {
            max: self.capacity as u64,
            stored: self.slots.len() as u64,
            series: self.series.len() as u64,
            appended: self.n_appended,
            out_of_order: self.n_out_of_order,
            oldest_time: oldest.map_or(0, |slot| slot.exemplar.time.as_millis()),
        }
    }

    /// The exemplar that a new one follows, [`NONE`] for none; nothing if it is there already.
    fn place(&self, series: &Labels, exemplar: &Exemplar) -> Result<Option<u32>, ExemplarError> {
        let text =
            exemplar.labels.iter().flat_map(|(name, value)| name.chars().chain(value.chars()));
        if text.count() > LABEL_CHARACTERS_MAX {
            return Err(ExemplarError::LabelsTooLong);
        }
        let Some(run) = self.series.get(series) else { return Ok(Some(NONE)) };
        let newest = &self.slots[run.newest as usize].exemplar;
        let age_ms = newest.time.as_millis().saturating_sub(exemplar.time.as_millis());
        match compare(exemplar, newest) {
            Ordering::Greater => return Ok(Some(run.newest)),
            Ordering::Equal => return Ok(None),
            Ordering::Less if age_ms > 0 && age_ms < self.window_ms => {}
            Ordering::Less => return Err(ExemplarError::OutOfOrder),
        }
        let mut at = run.newest;
        while let Some(slot) = self.slots.get(at as usize) {
            match compare(exemplar, &slot.exemplar) {
                Ordering::Greater => break,
                Ordering::Equal => return Ok(None),
                Ordering::Less => at = slot.older,
            }
        }
        Ok(Some(at))
    }

    fn insert(&mut self, series: &Labels, exemplar: Exemplar) {
        let slot_idx = match self.slots.len() < self.capacity {
            true => self.slots.len(),
            false => {
                let evicted = self.next;
                self.next = (self.next + 1) % self.capacity;
                self.unlink(evicted);
                evicted
            }
        };
        // After the eviction, which may have taken the neighbour.
        let older = self.place(series, &exemplar).ok().flatten().unwrap_or(NONE);
        let idx = slot_idx as u32;
        let newer = match (self.slots.get(older as usize), self.series.get(series)) {
            (Some(slot), _) => slot.newer,
            (None, Some(run)) => run.oldest,
            (None, None) => NONE,
        };
        let slot = Slot { series: series.clone(), exemplar, older, newer };
        match self.slots.get_mut(slot_idx) {
            Some(evicted) => *evicted = slot,
            None => self.slots.push(slot),
        }
        if let Some(older) = self.slots.get_mut(older as usize) {
            older.newer = idx;
        }
        if let Some(newer) = self.slots.get_mut(newer as usize) {
            newer.older = idx;
        }
        match self.series.get_mut(series) {
            Some(run) => {
                run.oldest = if older == NONE { idx } else { run.oldest };
                run.newest = if newer == NONE { idx } else { run.newest };
            }
            None => {
                self.series.insert(series.clone(), Run { oldest: idx, newest: idx });
            }
        }
    }

    /// Takes a slot out of its series.
    fn unlink(&mut self, slot_idx: usize) {
        let Slot { series, older, newer, .. } = &self.slots[slot_idx];
        let (series, older, newer) = (series.clone(), *older, *newer);
        if let Some(slot) = self.slots.get_mut(older as usize) {
            slot.newer = newer;
        }
        if let Some(slot) = self.slots.get_mut(newer as usize) {
            slot.older = older;
        }
        if older == NONE && newer == NONE {
            self.series.remove(&series);
        } else if let Some(run) = self.series.get_mut(&series) {
            run.oldest = if older == NONE { newer } else { run.oldest };
            run.newest = if newer == NONE { older } else { run.newest };
        }
    }

    fn oldest_first(&self, run: Run) -> impl Iterator<Item = &Slot> {
        let slot = |idx: u32| self.slots.get(idx as usize);
        std::iter::successors(slot(run.oldest), move |before| slot(before.newer))
    }
}

/// By time, then by what tells exemplars of the same time apart.
fn compare(a: &Exemplar, b: &Exemplar) -> Ordering {
    let by_time = a.time.cmp(&b.time).then(a.value.total_cmp(&b.value));
    by_time.then_with(|| match a.labels == b.labels {
        true => Ordering::Equal,
        false => a.labels.hash64().cmp(&b.labels.hash64()),
    })
}
