//! Range functions, and range vectors by themselves.

use std::sync::Arc;

use model::{Labels, TimeRange};
use storage::{Columns, Series};

use super::{
    Evaluator, Scope, Shared, Sink,
    names::{Names, same_identity, without_identity},
    scope::Tally,
    shards::in_shards,
    subquery::{self, Made},
    windows::{Cost, Reach, drop_stale, slide},
};
use crate::{
    Error, Result,
    budget::Held,
    column::{Track, histogram_weight},
    explain,
    functions::{Edges, Output, RangeFn, Windows, find_resets, with_edges},
    notes::Notes,
    plan::{Call, Node, Op, Subquery, When, Window},
    steps::Steps,
};

/// A function's call on the windows of any series.
struct Job<'a> {
    shared: &'a Shared<'a>,
    steps: Steps,
    reach: Reach,
    run: RangeFn,
    scalars: Vec<Vec<f64>>,
    position: usize,
    scalar_position: usize,
    keeps_name: bool,
    /// The samples come from the storage, not from a subquery that has counted them.
    is_stored: bool,
    /// Reading is to be timed.
    is_explained: bool,
}

struct Shard {
    tracks: Vec<(Track, Cost)>,
    tally: Tally,
    notes: Notes,
    /// What was read, if somebody wants to know.
    read: explain::Cost,
    /// What the values and the tally take.
    _held: Held,
}

/// Reads one series into columns.
type Read<'a, T> = &'a (dyn Fn(&T, &mut Columns) -> Result<(Labels, bool)> + Sync);

pub(crate) fn call(
    evaluator: &Evaluator<'_>,
    call: &Call,
    run: RangeFn,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let argument = call.args.iter().find(|arg| is_range(arg));
    let argument = argument.ok_or_else(|| Error::execution("range vector expected"))?;
    // Upstream evaluates a subquery before the other arguments.
    let before = evaluator.budget.current();
    let made = match &argument.op {
        Op::Subquery(subquery) => Some(made(evaluator, argument, subquery, scope)?),
        _ => None,
    };
    let mut scalars = Vec::new();
    for arg in call.args.iter().filter(|arg| !is_range(arg)) {
        scalars.push(evaluator.scalars(arg, scope)?);
    }
    let reach = reach(evaluator, argument, call.function.name)?;
    let job = Job {
        shared: evaluator.shared,
        steps: scope.steps,
        reach,
        run,
        scalars,
        position: argument.position,
        scalar_position: call.args.iter().find(|arg| !is_range(arg)).map_or(0, |arg| arg.position),
        keeps_name: call.function.keeps_name,
        is_stored: made.is_none(),
        is_explained: evaluator.is_explained() && made.is_none(),
    };
    match (&argument.op, &made) {
        (Op::Window(window), _) => {
            let series = &evaluator.shared.selected[window.selector.id];
            let range = stored_range(&reach, &scope.steps);
            let read = |series: &Arc<dyn Series>, columns: &mut Columns| {
                series.read(range, columns)?;
                drop_stale(columns);
                if window.selector.counts_only {
                    find_resets(columns);
                }
                Ok((series.labels(), false))
            };
            let distinct = || same_identity(series.iter().map(|series| series.labels()));
            let read = job.over(series, &read, &distinct, evaluator, scope, sink)?;
            evaluator.note_cost(argument, read);
            Ok(())
        }
        (_, Some(Made { tracks, steps, samples, .. })) => {
            let read = |track: &Track, columns: &mut Columns| {
                subquery::columns(track, steps, columns);
                Ok((track.labels.clone(), track.drop_name))
            };
            let distinct = || same_identity(tracks.iter().map(|track| track.labels.clone()));
            job.over(tracks, &read, &distinct, evaluator, scope, sink)?;
            debug_assert!(evaluator.budget.current() >= before + samples);
            evaluator.budget.set(evaluator.budget.current() - samples);
            Ok(())
        }
        _ => Err(Error::execution("range vector expected")),
    }
}

impl Job<'_> {
    fn over<T: Sync>(
        &self,
        series: &[T],
        read: Read<'_, T>,
        stay_distinct: &dyn Fn() -> bool,
        evaluator: &Evaluator<'_>,
        scope: &Scope,
        sink: Sink<'_>,
    ) -> Result<explain::Cost> {
        let mut read_in_all = explain::Cost::default();
        if self.steps.count == 0 {
            return Ok(read_in_all);
        }
        let mut names = Names::of(evaluator, || self.keeps_name || stay_distinct());
        let budget = &evaluator.budget;
        let effort = series.len() * (self.steps.count + 64);
        in_shards(
            series,
            effort,
            |series| self.shard(series, read),
            |shard| {
                let mut tally = shard.tally;
                if !self.is_stored {
                    tally.read.clear();
                }
                scope.tally_mut().add(&tally);
                read_in_all.add(shard.read);
                evaluator.notes().merge(shard.notes);
                for (track, cost) in shard.tracks {
                    budget.pass(cost.peak)?;
                    let weight = track.column.weight();
                    budget.hold(weight)?;
                    budget.pass(cost.last)?;
                    if weight == 0 {
                        continue;
                    }
                    if self.keeps_name {
                        sink(track)?;
                    } else {
                        names.drop(track, sink)?;
                    }
                }
                Ok(())
            },
        )?;
        names.finish(sink)?;
        Ok(read_in_all)
    }

    fn drops_names_now(&self) -> bool {
        !self.keeps_name && !self.shared.settings.delayed_name_removal
    }

    fn shard<T>(&self, series: &[T], read: Read<'_, T>) -> Result<Shard> {
        let n_steps = self.steps.count;
        let value_bytes = (series.len() * n_steps * size_of::<f64>()) as u64;
        let mut outcome = Shard {
            _held: self.shared.memory.hold(value_bytes + Tally::bytes(n_steps))?,
            tracks: Vec::with_capacity(series.len()),
            tally: Tally::new(n_steps),
            notes: Notes::default(),
            read: explain::Cost::default(),
        };
        let mut columns = Columns::default();
        let mut windows = Vec::new();
        for series in series {
            self.shared.guard.check()?;
            columns.clear();
            let began = self.is_explained.then(|| self.shared.guard.clock.monotonic());
            let (labels, drop_name) = read(series, &mut columns)?;
            if let Some(began) = began {
                let time = self.shared.guard.clock.monotonic().saturating_sub(began);
                outcome.read.add(explain::Cost { rows: 1, bytes: bytes(&columns), time });
            }
            if columns.is_empty() {
                continue;
            }
            let cost = slide(&columns, &self.reach, &self.steps, &mut outcome.tally, &mut windows);
            if windows.is_empty() {
                continue;
            }
            let input = Windows {
                labels: &labels,
                samples: &columns,
                windows: &windows,
                range_ms: self.reach.range_ms,
                scalars: &self.scalars,
                position: self.position,
                scalar_position: self.scalar_position,
                edges: self.reach.edges,
                settings: &self.shared.settings,
            };
            let mut output = Output::default();
            (self.run)(&input, &mut output);
            if let Some(error) = output.error {
                return Err(Error::execution(error));
            }
            outcome.notes.merge(output.notes);
            let labels = if self.drops_names_now() { without_identity(&labels) } else { labels };
            outcome.tracks.push((Track { labels, drop_name, column: output.column }, cost));
        }
        Ok(outcome)
    }
}

/// The series of a subquery, with a note of what they cost.
fn made(
    evaluator: &Evaluator<'_>,
    node: &Node,
    subquery: &Subquery,
    scope: &Scope,
) -> Result<Made> {
    let clock = &evaluator.shared.guard.clock;
    let began = clock.monotonic();
    let made = subquery::evaluate(evaluator, subquery, scope)?;
    let time = clock.monotonic().saturating_sub(began);
    let rows = made.tracks.len() as u64;
    let bytes = made.tracks.iter().map(|track| track.column.bytes()).sum();
    evaluator.note_cost(node, explain::Cost { rows, bytes, time });
    Ok(made)
}

/// What the samples take.
fn bytes(columns: &Columns) -> u64 {
    const SAMPLE_BYTES: u64 = 16;
    let histograms = columns.histograms.iter().map(|histogram| histogram_weight(histogram));
    SAMPLE_BYTES * (columns.times.len() as u64 + histograms.sum::<u64>())
}

fn is_range(node: &Node) -> bool {
    matches!(node.op, Op::Window(_) | Op::Subquery(_))
}

fn reach(evaluator: &Evaluator<'_>, source: &Node, function: &str) -> Result<Reach> {
    let lookback_ms = evaluator.settings().lookback_ms;
    let plain =
        |when: When, range_ms: i64| Reach { when, range_ms, edges: Edges::Plain, lookback_ms };
    match &source.op {
        Op::Window(Window { selector, range_ms }) => {
            let edges = match (selector.anchored, selector.smoothed) {
                (true, _) => Edges::Anchored,
                (false, true) => Edges::Smoothed,
                (false, false) => Edges::Plain,
            };
            check_edges(edges, function)?;
            Ok(Reach { edges, ..plain(selector.when, *range_ms) })
        }
        Op::Subquery(subquery) => Ok(plain(subquery.when, subquery.range_ms)),
        _ => Err(Error::execution("range vector expected")),
    }
}

fn check_edges(edges: Edges, function: &str) -> Result<()> {
    const ANCHORED: &[&str] = &["changes", "delta", "increase", "rate", "resets"];
    const SMOOTHED: &[&str] = &["delta", "increase", "rate"];
    let (word, allowed) = match edges {
        Edges::Plain => return Ok(()),
        Edges::Anchored => ("anchored", ANCHORED),
        Edges::Smoothed => ("smoothed", SMOOTHED),
    };
    if allowed.contains(&function) {
        return Ok(());
    }
    let allowed = allowed.join(", ");
    Err(Error::execution(format!(
        "{word} modifier can only be used with: {allowed} - not with {function}"
    )))
}

/// All times that the windows see.
fn stored_range(reach: &Reach, steps: &Steps) -> TimeRange {
    let (start, _) = reach.seen(steps.start);
    let (_, end) = reach.seen(steps.end());
    TimeRange::from_millis(start.saturating_add(1), end)
}

/// A series of a range vector that is itself the answer.
pub(crate) struct RawSeries {
    pub(crate) labels: Labels,
    pub(crate) drop_name: bool,
    pub(crate) columns: Columns,
}

/// The series of a range vector, for an instant query.
pub(crate) fn raw(evaluator: &Evaluator<'_>, node: &Node, scope: &Scope) -> Result<Vec<RawSeries>> {
    match &node.op {
        Op::Window(window) => {
            let clock = &evaluator.shared.guard.clock;
            let began = clock.monotonic();
            let found = raw_window(evaluator, node, window, scope)?;
            let time = clock.monotonic().saturating_sub(began);
            let bytes = found.iter().map(|series| bytes(&series.columns)).sum();
            evaluator.note_cost(node, explain::Cost { rows: found.len() as u64, bytes, time });
            Ok(found)
        }
        Op::Subquery(subquery) => raw_subquery(evaluator, node, subquery, scope),
        _ => Err(Error::execution("range vector expected")),
    }
}

fn raw_window(
    evaluator: &Evaluator<'_>,
    node: &Node,
    window: &Window,
    scope: &Scope,
) -> Result<Vec<RawSeries>> {
    let reach = reach(evaluator, node, "rate")?;
    let range = stored_range(&reach, &scope.steps);
    let mut found = Vec::new();
    let mut windows = Vec::new();
    for series in &evaluator.shared.selected[window.selector.id] {
        evaluator.shared.guard.check()?;
        let mut columns = Columns::default();
        series.read(range, &mut columns)?;
        drop_stale(&mut columns);
        let cost = slide(&columns, &reach, &scope.steps, &mut scope.tally_mut(), &mut windows);
        evaluator.budget.hold(cost.last)?;
        if let Some(window) = windows.first()
            && reach.edges != Edges::Plain
        {
            columns = with_edges(&columns, window, reach.edges);
        }
        if !columns.is_empty() {
            found.push(RawSeries { labels: series.labels(), drop_name: false, columns });
        }
    }
    Ok(found)
}

fn raw_subquery(
    evaluator: &Evaluator<'_>,
    node: &Node,
    subquery: &Subquery,
    scope: &Scope,
) -> Result<Vec<RawSeries>> {
    let made = made(evaluator, node, subquery, scope)?;
    if let Some(total) = scope.tally_mut().total.last_mut() {
        *total += made.total;
    }
    let series = made.tracks.into_iter().map(|track| {
        let mut columns = Columns::default();
        subquery::columns(&track, &made.steps, &mut columns);
        RawSeries { labels: track.labels, drop_name: track.drop_name, columns }
    });
    Ok(series.collect())
}
