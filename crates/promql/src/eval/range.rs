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
    column::Track,
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
}

#[derive(Default)]
struct Shard {
    tracks: Vec<(Track, Cost)>,
    tally: Tally,
    notes: Notes,
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
        Op::Subquery(subquery) => Some(subquery::evaluate(evaluator, subquery, scope)?),
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
            job.over(series, &read, &distinct, evaluator, scope, sink)
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
    ) -> Result<()> {
        if self.steps.count == 0 {
            return Ok(());
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
        names.finish(sink)
    }

    fn drops_names_now(&self) -> bool {
        !self.keeps_name && !self.shared.settings.delayed_name_removal
    }

    fn shard<T>(&self, series: &[T], read: Read<'_, T>) -> Result<Shard> {
        let mut outcome = Shard { tally: Tally::new(self.steps.count), ..Shard::default() };
        let mut columns = Columns::default();
        let mut windows = Vec::new();
        for series in series {
            self.shared.guard.check()?;
            columns.clear();
            let (labels, drop_name) = read(series, &mut columns)?;
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
        Op::Window(window) => raw_window(evaluator, node, window, scope),
        Op::Subquery(subquery) => raw_subquery(evaluator, subquery, scope),
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
    subquery: &Subquery,
    scope: &Scope,
) -> Result<Vec<RawSeries>> {
    let made = subquery::evaluate(evaluator, subquery, scope)?;
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
