//! One query from the plan to the answer.

use std::{cell::RefCell, sync::Arc};

use model::{Labels, Timestamp};
use promql_syntax::ast::{Expr, TimeModifiers, ValueType};
use storage::{Columns, Querier, Queryable};

use super::Options;
use crate::{
    Error, PlanNode, Point, QueryResult, Result, Sample, SampleValue, Series, Stats, Timings,
    Value,
    budget::{Guard, Held, Memory},
    column::{Cell, Track},
    eval::{Evaluator, Scope, Shared, raw, without_identity},
    explain::{self, Cost},
    merge::Merge,
    plan::{self, Frame, Node, Op, Plan},
    steps::Steps,
};

/// What an evaluation must know of its engine and its query.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) lookback_ms: i64,
    pub(crate) samples_max: u64,
    pub(crate) memory_max: u64,
    pub(crate) delayed_name_removal: bool,
    pub(crate) use_start_timestamps: bool,
    pub(crate) type_and_unit_labels: bool,
    /// An instant query: the order of its result means something.
    pub(crate) is_instant: bool,
}

impl Settings {
    pub(super) fn new(options: &Options, frame: &Frame) -> Settings {
        Settings {
            lookback_ms: frame.lookback_ms,
            samples_max: options.samples_max,
            memory_max: options.memory_max,
            delayed_name_removal: options.delayed_name_removal,
            use_start_timestamps: options.use_start_timestamps,
            type_and_unit_labels: options.type_and_unit_labels,
            is_instant: frame.step_ms == 0,
        }
    }
}

/// What is wanted beside the answer.
pub(super) struct Wanted {
    pub(super) per_step: bool,
    pub(super) plan: bool,
}

pub(super) fn run(
    storage: &dyn Queryable,
    query: &str,
    expr: &Expr,
    frame: Frame,
    settings: Settings,
    guard: Guard,
    wanted: Wanted,
) -> Result<QueryResult> {
    let clock = guard.clock.clone();
    let started = clock.monotonic();
    let plan = plan::plan(expr, frame)?;
    let querier = storage.querier(plan.range)?;
    let mut warnings = Vec::new();
    let memory = Memory::new(settings.memory_max);
    let mut held = memory.hold(0)?;
    let (selected, found) = select(&*querier, &plan, &guard, &mut held, &mut warnings)?;
    let prepared = clock.monotonic();

    let is_instant = settings.is_instant;
    let shared =
        Shared { settings, guard, memory: memory.clone(), selected: &selected, querier: &*querier };
    let mut evaluator = Evaluator::new(&shared);
    if wanted.plan {
        evaluator = evaluator.with_costs();
    }
    let steps = match frame.step_ms {
        0 => Steps::once(frame.start),
        step_ms => Steps::new(frame.start, frame.end, step_ms),
    };
    evaluator.budget.allows_steps(steps.count)?;
    held.grow(Scope::bytes(&steps))?;
    let scope = Scope::new(steps);
    let mut value = evaluate(&evaluator, &plan.root, &scope, is_instant)?;
    let evaluated = clock.monotonic();
    if let Value::Matrix(series) = &mut value {
        series.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
    }
    let sorted = clock.monotonic();

    let timings = Timings {
        preparation: prepared.saturating_sub(started),
        inner_evaluation: evaluated.saturating_sub(prepared),
        result_sort: sorted.saturating_sub(evaluated),
        evaluation: sorted.saturating_sub(started),
        ..Timings::default()
    };
    let stats = stats(&evaluator, &scope, wanted.per_step, timings);
    warnings.append(&mut evaluator.storage_warnings.borrow_mut());
    let (notes, costs) = evaluator.into_notes();
    let (own_warnings, infos) = notes.into_texts(query);
    warnings.extend(own_warnings);
    let plan = costs.map(|costs| PlanNode {
        node: "query".to_owned(),
        detail: format!("{} steps", steps.count),
        rows: n_series(&value),
        bytes: memory.peak(),
        time: timings.evaluation,
        children: vec![explain::tree(&plan, &costs, &found)],
    });
    Ok(QueryResult { value, warnings, infos, stats, plan })
}

fn n_series(value: &Value) -> u64 {
    match value {
        Value::Scalar(..) | Value::String(..) => 1,
        Value::Vector(samples) => samples.len() as u64,
        Value::Matrix(series) => series.len() as u64,
    }
}

/// The series of each selection, and what it cost to find them.
type Selected = (Vec<Vec<Arc<dyn storage::Series>>>, Vec<Cost>);

fn select(
    querier: &dyn Querier,
    plan: &Plan,
    guard: &Guard,
    held: &mut Held,
    warnings: &mut Vec<String>,
) -> Result<Selected> {
    /// About what a series takes with its labels.
    const SERIES_BYTES: u64 = 512;
    let mut selected = Vec::with_capacity(plan.selections.len());
    let mut costs = Vec::with_capacity(plan.selections.len());
    for selection in &plan.selections {
        guard.check()?;
        let began = guard.clock.monotonic();
        let set = querier.select(false, &selection.hints, &selection.matchers)?;
        let time = guard.clock.monotonic().saturating_sub(began);
        let rows = set.series.len() as u64;
        held.grow(rows * SERIES_BYTES)?;
        costs.push(Cost { rows, bytes: rows * SERIES_BYTES, time });
        warnings.extend(set.warnings);
        selected.push(set.series);
    }
    Ok((selected, costs))
}

fn evaluate(
    evaluator: &Evaluator<'_>,
    root: &Node,
    scope: &Scope,
    is_instant: bool,
) -> Result<Value> {
    let start = Timestamp::from_millis(scope.steps.start);
    match root.kind {
        ValueType::String => match &root.op {
            Op::Text(text) => Ok(Value::String(start, text.clone())),
            _ => Err(Error::execution("unexpected string expression")),
        },
        ValueType::Matrix => matrix(evaluator, root, scope),
        ValueType::Scalar if is_instant => {
            let values = evaluator.scalars(root, scope)?;
            Ok(Value::Scalar(start, values[0]))
        }
        ValueType::Scalar | ValueType::Vector => {
            let (tracks, _held) = evaluator.tracks(root, scope)?;
            let tracks = settle_names(evaluator, tracks)?;
            if is_instant {
                return Ok(Value::Vector(tracks.into_iter().filter_map(sample(start)).collect()));
            }
            let series = tracks.into_iter().filter(|track| !track.column.is_empty());
            Ok(Value::Matrix(series.map(|track| over_time(track, &scope.steps)).collect()))
        }
    }
}

/// Names that have lost their meaning go; series that become one by that go together.
fn settle_names(evaluator: &Evaluator<'_>, tracks: Vec<Track>) -> Result<Vec<Track>> {
    if !evaluator.settings().delayed_name_removal {
        return Ok(tracks);
    }
    let mut merge = Merge::new(&evaluator.shared.memory);
    for mut track in tracks {
        if track.drop_name {
            track.labels = without_identity(&track.labels);
        }
        merge.add(track)?;
    }
    Ok(merge.into_tracks())
}

fn sample(timestamp: Timestamp) -> impl Fn(Track) -> Option<Sample> {
    move |track| {
        let value = match track.column.get(0)? {
            Cell::Float(value) => SampleValue::Float(value),
            Cell::Histogram(histogram) => SampleValue::Histogram(histogram.clone()),
        };
        Some(Sample { labels: track.labels, timestamp, value })
    }
}

fn over_time(track: Track, steps: &Steps) -> Series {
    let mut series = Series { labels: track.labels, floats: Vec::new(), histograms: Vec::new() };
    if !track.column.has_histograms() {
        series.floats.reserve_exact(track.column.weight() as usize);
    }
    for (step, cell) in track.column.cells() {
        let timestamp = Timestamp::from_millis(steps.time(step));
        match cell {
            Cell::Float(value) => series.floats.push(Point { timestamp, value }),
            Cell::Histogram(value) => {
                series.histograms.push(Point { timestamp, value: value.clone() });
            }
        }
    }
    series
}

/// A range vector as it was read.
fn matrix(evaluator: &Evaluator<'_>, root: &Node, scope: &Scope) -> Result<Value> {
    let mut found: Vec<Series> = Vec::new();
    for series in raw(evaluator, root, scope)? {
        let labels =
            if series.drop_name { without_identity(&series.labels) } else { series.labels };
        found.push(from_columns(labels, series.columns));
    }
    found.sort_by(|a, b| a.labels.cmp(&b.labels));
    if found.windows(2).any(|pair| pair[0].labels == pair[1].labels) {
        return Err(Error::same_labels());
    }
    Ok(Value::Matrix(found))
}

fn from_columns(labels: Labels, columns: Columns) -> Series {
    let timestamp = |time: i64| Timestamp::from_millis(time);
    let floats = columns.times.into_iter().zip(columns.values);
    let histograms = columns.histogram_times.into_iter().zip(columns.histograms);
    Series {
        labels,
        floats: floats.map(|(t, value)| Point { timestamp: timestamp(t), value }).collect(),
        histograms: histograms.map(|(t, value)| Point { timestamp: timestamp(t), value }).collect(),
    }
}

fn stats(evaluator: &Evaluator<'_>, scope: &Scope, per_step: bool, timings: Timings) -> Stats {
    let tally = scope.tally();
    let by_step = |counts: &[u64]| {
        let steps = counts.iter().enumerate();
        let pairs = steps.map(|(step, n)| (Timestamp::from_millis(scope.steps.time(step)), *n));
        if per_step { pairs.collect() } else { Vec::new() }
    };
    Stats {
        total_samples: tally.total.iter().sum(),
        samples_read: tally.read.iter().sum(),
        peak_samples: evaluator.budget.peak(),
        total_samples_per_step: by_step(&tally.total),
        samples_read_per_step: by_step(&tally.read),
        timings,
    }
}

/// Whether this engine allows the query's modifiers.
pub(super) fn check_allowed(expr: &Expr, options: &Options) -> Result<()> {
    if options.at_modifier && options.negative_offset {
        return Ok(());
    }
    let refused = RefCell::new(None);
    visit_modifiers(expr, &|modifiers| {
        if modifiers.at.is_some() && !options.at_modifier {
            refused.borrow_mut().get_or_insert("@ modifier is disabled");
        }
        if modifiers.offset_ms < 0 && !options.negative_offset {
            refused.borrow_mut().get_or_insert("negative offset is disabled");
        }
    });
    match refused.into_inner() {
        Some(text) => Err(Error::Parse(text.to_owned())),
        None => Ok(()),
    }
}

fn visit_modifiers(expr: &Expr, visit: &dyn Fn(&TimeModifiers)) {
    match expr {
        Expr::Aggregate(aggregate) => {
            visit_modifiers(&aggregate.expr, visit);
            aggregate.param.iter().for_each(|param| visit_modifiers(param, visit));
        }
        Expr::Binary(binary) => {
            visit_modifiers(&binary.lhs, visit);
            visit_modifiers(&binary.rhs, visit);
        }
        Expr::Call(call) => call.args.iter().for_each(|arg| visit_modifiers(arg, visit)),
        Expr::Matrix(matrix) => visit(&matrix.selector.modifiers),
        Expr::Paren(paren) => visit_modifiers(&paren.expr, visit),
        Expr::Subquery(subquery) => {
            visit(&subquery.modifiers);
            visit_modifiers(&subquery.expr, visit);
        }
        Expr::Unary(unary) => visit_modifiers(&unary.expr, visit),
        Expr::Vector(selector) => visit(&selector.modifiers),
        Expr::Number(_) | Expr::String(_) | Expr::Duration(_) => {}
    }
}
