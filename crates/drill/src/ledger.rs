//! What was expected, and what was seen? Pure.
//!
//! A sample's identity is its series and its slot. Where a slot begins differs from target to
//! target; each reading shows it by most of its times.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::truth::{Key, Truth};

/// How many slots a value may be away from its time: a slow target, a rule between two scrapes.
const DRIFT_SLOTS: i64 = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at_ms: i64,
    pub(crate) value: f64,
}

/// All samples that one place gave.
pub(crate) type Reading = BTreeMap<Key, Vec<Sample>>;

/// From, and up to but without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

/// What one place owes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) expected: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// There, but never said so by a target.
    pub(crate) wrong: u64,
    /// By target, where samples are lost.
    pub(crate) gaps: Vec<(usize, Range)>,
}

impl Count {
    pub(crate) fn is_whole(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong == 0
    }
}

/// Counts what `reading` has of `keys` in `range`.
pub(crate) fn count(truth: &Truth, keys: &[Key], range: Range, reading: &Reading) -> Count {
    let mut count = Count::default();
    for (target, keys) in by_target(keys) {
        let phase_ms = phase(truth, &keys, reading);
        let slots = Slots::new(truth, phase_ms, range);
        let mut has_gap = vec![false; slots.len];
        for key in keys {
            let mut seen = vec![0_u64; slots.len];
            for sample in reading.get(&key).into_iter().flatten() {
                let Some(slot) = slots.index(sample.at_ms) else { continue };
                seen[slot] += 1;
                let said = truth.slot_of(key, sample.value);
                let stamped = truth.slot(sample.at_ms);
                let is_true = said.is_some_and(|said| (said - stamped).abs() <= DRIFT_SLOTS);
                count.wrong += u64::from(!is_true);
            }
            count.expected += slots.len as u64;
            for (seen, has_gap) in seen.iter().zip(&mut has_gap) {
                count.lost += u64::from(*seen == 0);
                count.doubled += seen.saturating_sub(1);
                *has_gap |= *seen == 0;
            }
        }
        count.gaps.extend(slots.ranges(&has_gap).into_iter().map(|range| (target, range)));
    }
    count
}

/// How many (series, time) within `range` the readings do not all show alike.
pub(crate) fn differences(range: Range, readings: &[Reading]) -> u64 {
    let mut values: BTreeMap<(Key, i64), Vec<u64>> = BTreeMap::new();
    for reading in readings {
        for (key, samples) in reading {
            let samples = samples.iter().filter(|sample| range.contains(sample.at_ms));
            for sample in samples {
                values.entry((*key, sample.at_ms)).or_default().push(sample.value.to_bits());
            }
        }
    }
    let is_alike = |seen: &&Vec<u64>| {
        seen.len() == readings.len() && seen.iter().all(|bits| Some(bits) == seen.first())
    };
    values.values().filter(|seen| !is_alike(seen)).count() as u64
}

impl Range {
    pub(crate) fn contains(self, at_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&at_ms)
    }
}

/// The slots of one target within a range.
struct Slots {
    first_ms: i64,
    interval_ms: i64,
    len: usize,
}

impl Slots {
    fn new(truth: &Truth, phase_ms: i64, range: Range) -> Slots {
        let interval_ms = truth.interval_ms;
        let late = (range.from_ms - phase_ms).rem_euclid(interval_ms);
        let first_ms = range.from_ms + (interval_ms - late) % interval_ms;
        let len = (range.to_ms - first_ms + interval_ms - 1).div_euclid(interval_ms).max(0);
        Slots { first_ms, interval_ms, len: len as usize }
    }

    /// The nearest slot.
    fn index(&self, at_ms: i64) -> Option<usize> {
        let index = (at_ms - self.first_ms + self.interval_ms / 2).div_euclid(self.interval_ms);
        usize::try_from(index).ok().filter(|index| *index < self.len)
    }

    fn ranges(&self, marked: &[bool]) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        for (index, _) in marked.iter().enumerate().filter(|(_, marked)| **marked) {
            let from_ms = self.first_ms + index as i64 * self.interval_ms;
            let to_ms = from_ms + self.interval_ms;
            match ranges.last_mut().filter(|last| last.to_ms == from_ms) {
                Some(last) => last.to_ms = to_ms,
                None => ranges.push(Range { from_ms, to_ms }),
            }
        }
        ranges
    }
}

fn by_target(keys: &[Key]) -> BTreeMap<usize, Vec<Key>> {
    let mut targets: BTreeMap<usize, Vec<Key>> = BTreeMap::new();
    for key in keys {
        targets.entry(key.target()).or_default().push(*key);
    }
    targets
}

/// Where in the interval most samples of these series lie, to ten milliseconds.
fn phase(truth: &Truth, keys: &[Key], reading: &Reading) -> i64 {
    let mut counts: BTreeMap<i64, (u64, i64)> = BTreeMap::new();
    for sample in keys.iter().filter_map(|key| reading.get(key)).flatten() {
        let phase = sample.at_ms.rem_euclid(truth.interval_ms);
        let (count, _) = counts.entry(phase / 10).or_insert((0, phase));
        *count += 1;
    }
    counts.into_values().max_by_key(|(count, _)| *count).map_or(0, |(_, phase)| phase)
}
