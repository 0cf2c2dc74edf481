//! Deltas added up to totals, one a stream.

use hashbrown::HashMap;
use model::Labels;

use super::point::{Buckets, Data, Explicit, Exponential, Point};

/// A stream that says nothing for so long begins anew.
const STALE_MS: i64 = 5 * 60 * 1000;

/// Streams beyond so many are not begun.
const STREAMS_MAX: usize = 1 << 20;

/// An exponential histogram with more buckets on one side gets coarser.
const BUCKETS_MAX: i64 = 160;

/// The totals of all streams.
#[derive(Default)]
pub(super) struct Accumulator {
    streams: HashMap<Labels, Stream>,
    now: i64,
    /// When stale streams were removed last.
    swept: i64,
}

struct Stream {
    start: u64,
    time: u64,
    /// When something came last, by our clock.
    seen: i64,
    total: Data,
}

impl Accumulator {
    /// Begins a request at `now`.
    pub(super) fn begin(&mut self, now: i64) {
        self.now = now;
        if now.saturating_sub(self.swept) >= STALE_MS / 5 {
            self.swept = now;
            self.streams.retain(|_, stream| now.saturating_sub(stream.seen) < STALE_MS);
        }
    }

    /// Makes a total of `point`; `false` if it comes too late, or there is no room for its stream.
    pub(super) fn add(&mut self, series: &Labels, point: &mut Point<'_>) -> bool {
        let is_full = self.streams.len() >= STREAMS_MAX;
        let Some(stream) = self.streams.get_mut(series) else {
            if is_full {
                return false;
            }
            let (start, time, total) = (point.start, point.time, point.data.clone());
            self.streams.insert(series.clone(), Stream { start, time, seen: self.now, total });
            return true;
        };
        let is_late = point.start < stream.start || point.time <= stream.time;
        if is_late {
            return false;
        }
        (stream.time, stream.seen) = (point.time, self.now);
        stream.total.add(&point.data);
        point.start = stream.start;
        point.data.clone_from(&stream.total);
        true
    }
}

impl Data {
    /// What cannot be added takes the total's place.
    fn add(&mut self, delta: &Data) {
        match (self, delta) {
            (Data::Number(total), Data::Number(delta)) => *total += delta,
            (Data::Histogram(total), Data::Histogram(delta)) if total.bounds == delta.bounds => {
                total.add(delta);
            }
            (Data::Exponential(total), Data::Exponential(delta)) => total.add(delta),
            (total, delta) => total.clone_from(delta),
        }
    }
}

impl Explicit {
    fn add(&mut self, delta: &Explicit) {
        self.count = self.count.wrapping_add(delta.count);
        self.sum = self.sum.zip(delta.sum).map(|(total, delta)| total + delta);
        if self.counts.len() < delta.counts.len() {
            self.counts.resize(delta.counts.len(), 0);
        }
        for (total, delta) in self.counts.iter_mut().zip(&delta.counts) {
            *total = total.wrapping_add(*delta);
        }
    }
}

impl Exponential {
    fn add(&mut self, delta: &Exponential) {
        self.count = self.count.wrapping_add(delta.count);
        self.zero_count = self.zero_count.wrapping_add(delta.zero_count);
        self.sum = self.sum.zip(delta.sum).map(|(total, delta)| total + delta);
        let common = self.scale.min(delta.scale);
        let (down, delta_down) = (self.scale.abs_diff(common), delta.scale.abs_diff(common));
        let sides = [(&self.positive, &delta.positive), (&self.negative, &delta.negative)];
        let down_more = sides
            .map(|(total, delta)| excess(total.range(down), delta.range(delta_down)))
            .into_iter()
            .max()
            .unwrap_or_default();
        self.scale = common.saturating_sub_unsigned(down_more);
        let (down, delta_down) =
            (down.saturating_add(down_more), delta_down.saturating_add(down_more));
        self.positive.add(&delta.positive, down, delta_down);
        self.negative.add(&delta.negative, down, delta_down);
    }
}

/// First and last index, if there are any.
type Range = Option<(i64, i64)>;

/// By how many powers of two buckets have to be merged so that both fit in one histogram.
fn excess(a: Range, b: Range) -> u32 {
    let Some((mut first, mut last)) = union(a, b) else { return 0 };
    let mut down = 0;
    while last - first >= BUCKETS_MAX {
        (first, last, down) = (first >> 1, last >> 1, down + 1);
    }
    down
}

fn union(a: Range, b: Range) -> Range {
    match (a, b) {
        (Some((a_first, a_last)), Some((b_first, b_last))) => {
            Some((a_first.min(b_first), a_last.max(b_last)))
        }
        (one, None) | (None, one) => one,
    }
}

impl Buckets {
    /// Where its buckets lie when `2^down` of them are one.
    fn range(&self, down: u32) -> Range {
        let last = self.counts.len().checked_sub(1)?;
        Some((self.index(0, down), self.index(last, down)))
    }

    fn index(&self, idx: usize, down: u32) -> i64 {
        (i64::from(self.offset) + idx as i64) >> down.min(62)
    }

    fn add(&mut self, delta: &Buckets, down: u32, delta_down: u32) {
        let Some((first, last)) = union(self.range(down), delta.range(delta_down)) else { return };
        let n_buckets = usize::try_from(last - first + 1).unwrap_or_default();
        let mut counts = vec![0u64; n_buckets];
        for (buckets, down) in [(&*self, down), (delta, delta_down)] {
            for (idx, count) in buckets.counts.iter().enumerate() {
                let place = usize::try_from(buckets.index(idx, down) - first).ok();
                if let Some(sum) = place.and_then(|place| counts.get_mut(place)) {
                    *sum = sum.wrapping_add(*count);
                }
            }
        }
        self.counts = counts;
        self.offset = i32::try_from(first).unwrap_or_default();
    }
}
