//! Stretches of time.

use model::{TimeRange, Timestamp};

#[cfg(test)]
mod tests;

/// Stretches of time in which something may be lacking, in milliseconds, both ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holes {
    /// Ascending, with at least a millisecond between two.
    stretches: Vec<TimeRange>,
}

impl Holes {
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = TimeRange> + '_ {
        self.stretches.iter().copied()
    }

    /// From now on all of `range` may be lacking.
    pub fn add(&mut self, range: TimeRange) {
        if range.start > range.end {
            return;
        }
        // Those that overlap it or touch it become one with it.
        let first = self.stretches.partition_point(|s| before(s.end, range.start));
        let behind = self.stretches.partition_point(|s| !before(range.end, s.start));
        let joined = self.stretches.get(first..behind).unwrap_or_default();
        let start = joined.first().map_or(range.start, |s| s.start.min(range.start));
        let end = joined.last().map_or(range.end, |s| s.end.max(range.end));
        self.stretches.splice(first..behind.max(first), [TimeRange { start, end }]);
    }

    /// Nothing of `range` is lacking any more.
    pub fn cover(&mut self, range: TimeRange) {
        if range.start > range.end {
            return;
        }
        let first = self.stretches.partition_point(|s| s.end < range.start);
        let behind = self.stretches.partition_point(|s| s.start <= range.end);
        let Some(touched) = self.stretches.get(first..behind).filter(|t| !t.is_empty()) else {
            return;
        };
        let head = touched.first().filter(|s| s.start < range.start).map(|s| TimeRange {
            start: s.start,
            end: Timestamp::from_millis(range.start.as_millis() - 1),
        });
        let tail = touched.last().filter(|s| s.end > range.end).map(|s| TimeRange {
            start: Timestamp::from_millis(range.end.as_millis() + 1),
            end: s.end,
        });
        self.stretches.splice(first..behind, head.into_iter().chain(tail));
    }

    /// The parts within `range`, oldest first.
    pub fn within(&self, range: TimeRange) -> Vec<TimeRange> {
        let first = self.stretches.partition_point(|s| s.end < range.start);
        let touched = self.stretches.iter().skip(first).take_while(|s| s.start <= range.end);
        let part = |s: &TimeRange| TimeRange {
            start: s.start.max(range.start),
            end: s.end.min(range.end),
        };
        touched.map(part).filter(|part| part.start <= part.end).collect()
    }

    pub fn overlaps(&self, range: TimeRange) -> bool {
        let first = self.stretches.partition_point(|s| s.end < range.start);
        range.start <= range.end && self.stretches.get(first).is_some_and(|s| s.start <= range.end)
    }

    /// The newest part that ends not behind `end`, no longer than `piece` milliseconds and within
    /// one span of time that is aligned to that.
    pub fn next(&self, end: Timestamp, piece: i64) -> Option<TimeRange> {
        let range = TimeRange { start: Timestamp::MIN, end };
        let newest = self.within(range).pop()?;
        let aligned = newest.end.as_millis().div_euclid(piece).saturating_mul(piece);
        let start = newest.start.max(Timestamp::from_millis(aligned));
        Some(TimeRange { start, end: newest.end })
    }

    /// How much time it is.
    pub fn millis(&self) -> i64 {
        let len = |s: &TimeRange| s.end.as_millis().saturating_sub(s.start.as_millis());
        self.stretches.iter().map(len).fold(0, |sum, len| sum.saturating_add(len).saturating_add(1))
    }
}

/// Whether something that ends at `end` ends before `start` and does not touch it.
fn before(end: Timestamp, start: Timestamp) -> bool {
    end.as_millis().saturating_add(1) < start.as_millis()
}
