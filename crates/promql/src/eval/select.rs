//! Instant selectors: the newest sample within the lookback, at each step.

use std::sync::Arc;

use model::{TimeRange, float::is_stale};
use storage::{Columns, Series};

use super::{Evaluator, Scope, Shared, Sink, shards::in_shards, smooth::Smoothing};
use crate::{
    Error, Result,
    budget::Held,
    column::{Column, Track},
    functions::find_resets,
    notes::Notes,
    plan::{Selector, When},
    steps::Steps,
};

/// What is wanted of the samples.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Values,
    /// The samples' timestamps in seconds.
    Times,
    /// When their counters began, in seconds; zero where that is not known.
    StartTimes,
}

struct Shard {
    tracks: Vec<Track>,
    notes: Notes,
    /// What the values take.
    _held: Held,
}

pub(super) fn instant(
    evaluator: &Evaluator<'_>,
    selector: &Selector,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let budget = &evaluator.budget;
    select(evaluator, selector, scope, Want::Values, &mut |track| {
        budget.hold(track.column.weight())?;
        sink(track)
    })
}

/// For `timestamp`: the times of the samples that the selector finds.
pub(crate) fn with_times(
    evaluator: &Evaluator<'_>,
    selector: &Selector,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    select(evaluator, selector, scope, Want::Times, sink)
}

/// For `start_timestamp`: when the counters of the samples began.
pub(crate) fn with_start_times(
    evaluator: &Evaluator<'_>,
    selector: &Selector,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    select(evaluator, selector, scope, Want::StartTimes, sink)
}

/// For `info`: the times of the samples of `series`, which must be floats.
pub(crate) fn newest_times(
    evaluator: &Evaluator<'_>,
    series: &[Arc<dyn Series>],
    when: When,
    scope: &Scope,
) -> Result<Vec<Track>> {
    let lookback = evaluator.settings().lookback_ms;
    let steps = scope.steps;
    let start = when.moment(steps.start).saturating_sub(lookback).saturating_add(1);
    let range = TimeRange::from_millis(start, when.moment(steps.end()));
    let mut tracks = Vec::new();
    let mut columns = Columns::default();
    for series in series {
        evaluator.shared.guard.check()?;
        columns.clear();
        series.read(range, &mut columns)?;
        let labels = series.labels();
        if newest(&columns, when, &steps, lookback, Want::Values).has_histograms() {
            let text = format!("this should be an info metric, with float samples: {labels}");
            return Err(Error::execution(text));
        }
        let column = newest(&columns, when, &steps, lookback, Want::Times);
        evaluator.budget.hold(column.weight())?;
        scope.tally_mut().count(&column);
        if !column.is_empty() {
            tracks.push(Track { labels, drop_name: false, column });
        }
    }
    Ok(tracks)
}

fn select(
    evaluator: &Evaluator<'_>,
    selector: &Selector,
    scope: &Scope,
    want: Want,
    sink: Sink<'_>,
) -> Result<()> {
    let shared = evaluator.shared;
    let series = &shared.selected[selector.id];
    let steps = scope.steps;
    if steps.count == 0 {
        return Ok(());
    }
    let work = |series: &[Arc<dyn Series>]| shard(shared, selector, &steps, want, series);
    in_shards(series, series.len() * (steps.count + 16), work, |shard| {
        evaluator.notes().merge(shard.notes);
        for track in shard.tracks {
            scope.tally_mut().count(&track.column);
            sink(track)?;
        }
        Ok(())
    })
}

fn shard(
    shared: &Shared<'_>,
    selector: &Selector,
    steps: &Steps,
    want: Want,
    series: &[Arc<dyn Series>],
) -> Result<Shard> {
    let lookback = shared.settings.lookback_ms;
    let (first, last) = (selector.when.moment(steps.start), selector.when.moment(steps.end()));
    let after = if selector.smoothed { lookback } else { 0 };
    let start = first.saturating_sub(lookback).saturating_add(1);
    let range = TimeRange::from_millis(start, last.saturating_add(after));
    let n_values = (series.len() * steps.count) as u64;
    let _held = shared.memory.hold(n_values * size_of::<f64>() as u64)?;
    let (tracks, notes) = (Vec::with_capacity(series.len()), Notes::default());
    let mut outcome = Shard { tracks, notes, _held };
    // What a histogram counts from is in the one before.
    let wants_value = want != Want::StartTimes && !selector.counts_only;
    let only_newest = steps.count == 1 && !selector.smoothed && wants_value;
    let mut columns = Columns::default();
    for series in series {
        shared.guard.check()?;
        columns.clear();
        if only_newest {
            series.read_newest(range, &mut columns)?;
        } else {
            series.read(range, &mut columns)?;
        }
        if columns.is_empty() {
            continue;
        }
        if selector.counts_only {
            find_resets(&mut columns);
        }
        let column = if selector.smoothed {
            let labels = series.labels();
            let (metric, notes) = (labels.metric_name(), &mut outcome.notes);
            Smoothing { selector, steps, lookback, metric, notes }.column(&mut columns)
        } else {
            newest(&columns, selector.when, steps, lookback, want)
        };
        if column.is_empty() {
            continue;
        }
        outcome.tracks.push(Track { labels: series.labels(), drop_name: false, column });
    }
    Ok(outcome)
}

/// The newest sample of each step's lookback, unless it says that the series has ended.
fn newest(columns: &Columns, when: When, steps: &Steps, lookback: i64, want: Want) -> Column {
    let mut column = Column::default();
    if want == Want::Values && columns.histograms.is_empty() {
        newest_floats(columns, when, steps, lookback, &mut column);
        return column;
    }
    let (mut float, mut histogram) = (0, 0);
    for step in 0..steps.count {
        let moment = when.moment(steps.time(step));
        float = advance(&columns.times, float, moment);
        histogram = advance(&columns.histogram_times, histogram, moment);
        let float_time = float.checked_sub(1).map(|idx| columns.times[idx]);
        let histogram_time = histogram.checked_sub(1).map(|idx| columns.histogram_times[idx]);
        let Some(time) = float_time.max(histogram_time) else { continue };
        if time <= moment.saturating_sub(lookback) {
            continue;
        }
        let is_float = float_time == Some(time);
        let ended = if is_float {
            is_stale(columns.values[float - 1])
        } else {
            is_stale(columns.histograms[histogram - 1].sum)
        };
        match (ended, want) {
            (true, _) => {}
            (false, Want::Times) => column.set(step, time as f64 / 1000.0),
            (false, Want::StartTimes) => {
                let began = if is_float {
                    columns.start_time(float - 1)
                } else {
                    columns.histogram_start_time(histogram - 1)
                };
                column.set(step, began as f64 / 1000.0);
            }
            (false, Want::Values) if is_float => column.set(step, columns.values[float - 1]),
            (false, Want::Values) => {
                column.set_histogram(step, columns.histograms[histogram - 1].clone());
            }
        }
    }
    column
}

/// The same for floats alone, which nearly all are.
fn newest_floats(columns: &Columns, when: When, steps: &Steps, lookback: i64, column: &mut Column) {
    let (times, values) = (&columns.times[..], &columns.values[..]);
    let mut next = 0;
    column.reserve(steps.count.min(1 << 16));
    for step in 0..steps.count {
        let moment = when.moment(steps.time(step));
        next = advance(times, next, moment);
        let Some(idx) = next.checked_sub(1) else { continue };
        if times[idx] > moment.saturating_sub(lookback) && !is_stale(values[idx]) {
            column.append(step, values[idx]);
        }
    }
}

/// How many of `times` are not after `moment`; at least `from` are.
#[inline]
pub(super) fn advance(times: &[i64], from: usize, moment: i64) -> usize {
    let mut count = from;
    // The next sample is close by as a rule.
    while count < times.len() && times[count] <= moment {
        count += 1;
        if count - from > 16 {
            return count + times[count..].partition_point(|time| *time <= moment);
        }
    }
    count
}
