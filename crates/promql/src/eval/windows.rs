//! Windows that slide over the samples of one series.

use model::float::is_stale;
use storage::Columns;

use super::{scope::Tally, select::advance};
use crate::{
    column::histogram_weight,
    functions::{Edges, Window},
    plan::When,
    steps::Steps,
};

/// What a range selector or a subquery looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) when: When,
    pub(super) range_ms: i64,
    pub(super) edges: Edges,
    pub(super) lookback_ms: i64,
}

impl Reach {
    /// Samples later than the first, not later than the second are seen at evaluation time `time`.
    pub(super) fn seen(&self, time: i64) -> (i64, i64) {
        let (start, end) = self.window(time);
        match self.edges {
            Edges::Plain => (start, end),
            Edges::Anchored => (start.saturating_sub(self.lookback_ms), end),
            Edges::Smoothed => {
                (start.saturating_sub(self.lookback_ms), end.saturating_add(self.lookback_ms))
            }
        }
    }

    fn window(&self, time: i64) -> (i64, i64) {
        let end = self.when.moment(time);
        (end.saturating_sub(self.range_ms), end)
    }
}

/// What looking at a series cost, in samples.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    /// Of the window that holds most.
    pub(super) peak: u64,
    /// Of the last window.
    pub(super) last: u64,
}

/// Takes the stale markers out.
pub(super) fn drop_stale(columns: &mut Columns) {
    // Without a way out the loop looks at several values at a time; markers are rare.
    let has_any = columns.values.iter().fold(false, |any, value| any | is_stale(*value));
    if has_any {
        let keep: Vec<bool> = columns.values.iter().map(|value| !is_stale(*value)).collect();
        retain(&mut columns.times, &keep);
        retain(&mut columns.values, &keep);
        retain(&mut columns.start_times, &keep);
    }
    if columns.histograms.iter().any(|histogram| is_stale(histogram.sum)) {
        let keep: Vec<bool> = columns.histograms.iter().map(|h| !is_stale(h.sum)).collect();
        retain(&mut columns.histogram_times, &keep);
        retain(&mut columns.histograms, &keep);
        retain(&mut columns.histogram_start_times, &keep);
    }
}

/// Start times may be missing altogether.
fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next().copied().unwrap_or_default());
}

/// Slides over `columns`, which hold no stale markers; fills `windows` with those that are not
/// empty, and counts what each step looked at.
pub(super) fn slide(
    columns: &Columns,
    reach: &Reach,
    steps: &Steps,
    tally: &mut Tally,
    windows: &mut Vec<Window>,
) -> Cost {
    windows.clear();
    if columns.histograms.is_empty() {
        slide_over_floats(&columns.times, reach, steps, tally, windows)
    } else {
        slide_over_both(columns, reach, steps, tally, windows)
    }
}

fn slide_over_floats(
    times: &[i64],
    reach: &Reach,
    steps: &Steps,
    tally: &mut Tally,
    windows: &mut Vec<Window>,
) -> Cost {
    let mut floats = 0..0;
    let mut cost = Cost::default();
    let counts = tally.total.iter_mut().zip(&mut tally.read);
    for (step, (total, read)) in (0..steps.count).zip(counts) {
        let time = steps.time(step);
        let (seen_start, seen_end) = reach.seen(time);
        let floats_read = floats.end;
        floats = within(times, floats.start, floats.end, seen_start, seen_end);
        cost.last = floats.len() as u64;
        if floats.is_empty() {
            continue;
        }
        *total += cost.last;
        *read += (floats.end - floats.start.max(floats_read)) as u64;
        cost.peak = cost.peak.max(cost.last);
        let (start, end) = reach.window(time);
        windows.push(Window { step, time, start, end, floats: floats.clone(), histograms: 0..0 });
    }
    cost
}

fn slide_over_both(
    columns: &Columns,
    reach: &Reach,
    steps: &Steps,
    tally: &mut Tally,
    windows: &mut Vec<Window>,
) -> Cost {
    let weights = histogram_weights(columns);
    let (mut floats, mut histograms) = (0..0, 0..0);
    let mut cost = Cost::default();
    for step in 0..steps.count {
        let time = steps.time(step);
        let (seen_start, seen_end) = reach.seen(time);
        let (floats_read, histograms_read) = (floats.end, histograms.end);
        floats = within(&columns.times, floats.start, floats.end, seen_start, seen_end);
        histograms = within(
            &columns.histogram_times,
            histograms.start,
            histograms.end,
            seen_start,
            seen_end,
        );
        if floats.is_empty() && histograms.is_empty() {
            cost.last = 0;
            continue;
        }
        let weigh = |range: &std::ops::Range<usize>| match weights.get(range.end) {
            Some(weight) => weight - weights[range.start],
            None => 0,
        };
        let looked_at = floats.len() as u64 + weigh(&histograms);
        let new_floats = floats.start.max(floats_read).min(floats.end)..floats.end;
        let new_histograms =
            histograms.start.max(histograms_read).min(histograms.end)..histograms.end;
        tally.total[step] += looked_at;
        tally.read[step] += new_floats.len() as u64 + weigh(&new_histograms);
        cost.peak = cost.peak.max(looked_at);
        cost.last = looked_at;
        let (start, end) = reach.window(time);
        let (floats, histograms) = (floats.clone(), histograms.clone());
        windows.push(Window { step, time, start, end, floats, histograms });
    }
    cost
}

/// Running sums of the weights of histograms, or nothing if there is none.
fn histogram_weights(columns: &Columns) -> Vec<u64> {
    if columns.histograms.is_empty() {
        return Vec::new();
    }
    let mut sum = 0;
    let sums = columns.histograms.iter().map(|histogram| {
        sum += histogram_weight(histogram);
        sum
    });
    std::iter::once(0).chain(sums).collect()
}

/// The indexes of times in `(start, end]`; both ends only move forward.
fn within(
    times: &[i64],
    first: usize,
    end_idx: usize,
    start: i64,
    end: i64,
) -> std::ops::Range<usize> {
    let end_idx = advance(times, end_idx, end);
    advance(&times[..end_idx], first, start)..end_idx
}

/// The value at `moment` on the line between two points; a counter that was reset in between
/// comes from zero.
pub(crate) fn interpolate(
    before: (i64, f64),
    after: (i64, f64),
    moment: i64,
    is_counter: bool,
) -> f64 {
    let from = if is_counter && after.1 < before.1 { 0.0 } else { before.1 };
    from + (after.1 - from) * (moment - before.0) as f64 / (after.0 - before.0) as f64
}
