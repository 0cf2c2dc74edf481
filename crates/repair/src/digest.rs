//! What a member has, in a few numbers.

use model::TimeRange;
use storage::{Columns, Mark, Queryable, Sample, SelectHints, mix};

#[cfg(test)]
mod tests;

/// Series are cut into so many shards, each of which is compared and fetched for itself.
pub const N_SHARDS: usize = 64;

/// Odd, with bits that look like chance: times that follow each other become far apart.
const TIME_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The shard of the series whose labels have this hash.
pub fn shard(labels_hash: u64) -> usize {
    (mix(labels_hash) >> 58) as usize
}

/// Of a window of time: for each shard the sum of the hashes of its samples, so that neither the
/// order nor the way in which they are stored matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) shards: [u64; N_SHARDS],
    pub(crate) n_samples: u64,
}

impl Default for Digest {
    fn default() -> Digest {
        Digest { shards: [0; N_SHARDS], n_samples: 0 }
    }
}

impl Digest {
    fn add(&mut self, shard: usize, series: u64, time: i64, content: u64) {
        let hash = mix(content ^ mix(series.wrapping_add((time as u64).wrapping_mul(TIME_FACTOR))));
        self.shards[shard] = self.shards[shard].wrapping_add(hash);
        self.n_samples += 1;
    }

    /// Bit n is set if shard n differs.
    pub(crate) fn difference(&self, other: &Digest) -> u64 {
        let pairs = self.shards.iter().zip(&other.shards).enumerate();
        pairs.fold(0, |mask, (idx, (a, b))| mask | u64::from(a != b) << idx)
    }
}

/// The digests of `windows`, which are in order and do not overlap.
pub(crate) fn digests(
    series: &dyn Queryable,
    windows: &[TimeRange],
) -> storage::Result<Vec<Digest>> {
    let mut digests = vec![Digest::default(); windows.len()];
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else {
        return Ok(digests);
    };
    let range = TimeRange { start: first.start, end: last.end };
    let set = series.querier(range)?.select(false, &SelectHints::new(range), &[all()])?;
    let mut columns = Columns::default();
    for series in set.series {
        columns.clear();
        series.read(range, &mut columns)?;
        // Whatever kind is stored twice for one time: what counts is what stays.
        columns.merge_replicas(Mark::default(), columns.mark());
        if !columns.is_empty() {
            add(&columns, series.labels().hash64(), windows, &mut digests);
        }
    }
    Ok(digests)
}

fn add(columns: &Columns, series: u64, windows: &[TimeRange], digests: &mut [Digest]) {
    let shard = shard(series);
    let floats = columns.values.iter().map(|value| Sample::Float(*value));
    let histograms = columns.histograms.iter().map(|value| Sample::Histogram(value));
    for_windows(&columns.times, windows, floats, |window_idx, time, sample| {
        digests[window_idx].add(shard, series, time, sample.digest());
    });
    for_windows(&columns.histogram_times, windows, histograms, |window_idx, time, sample| {
        digests[window_idx].add(shard, series, time, sample.digest());
    });
}

/// Calls `take` for all samples that are in a window; times are in order.
fn for_windows<'a>(
    times: &[i64],
    windows: &[TimeRange],
    samples: impl Iterator<Item = Sample<'a>>,
    mut take: impl FnMut(usize, i64, Sample<'a>),
) {
    let mut window_idx = 0;
    for (time, sample) in times.iter().zip(samples) {
        while windows.get(window_idx).is_some_and(|window| window.end.as_millis() < *time) {
            window_idx += 1;
        }
        match windows.get(window_idx) {
            Some(window) if window.start.as_millis() <= *time => take(window_idx, *time, sample),
            Some(_) => {}
            None => return,
        }
    }
}

/// What every series satisfies: none has such a label.
pub(crate) fn all() -> model::Matcher {
    model::Matcher::equal("__vesta_nothing__", "")
}

/// Cuts `range` where multiples of `width` milliseconds begin.
pub(crate) fn windows(range: TimeRange, width: i64) -> Vec<TimeRange> {
    let mut windows = Vec::new();
    let (mut start, end) = (range.start.as_millis(), range.end.as_millis());
    while start <= end {
        let next = start.div_euclid(width).saturating_add(1).saturating_mul(width);
        windows.push(TimeRange::from_millis(start, end.min(next.saturating_sub(1))));
        if next >= end && next == i64::MAX {
            // The end of all time.
            break;
        }
        start = next;
    }
    windows
}
