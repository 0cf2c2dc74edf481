//! Evaluates a plan: series flow from the selectors upward, each with its values at all steps.
//!
//! An operator is given a [`Sink`] and hands it one [`Track`] after the other. Only operators
//! that need all their input at once hold it. Selectors and range functions work on shards of
//! series, on all cores; everything above them runs on the caller's thread, in the order of the
//! series, so that sums have upstream's bits.

mod scope;

mod select;
mod smooth;

mod range;
mod subquery;
pub(crate) mod windows;

mod names;
mod shards;

use std::{
    cell::{RefCell, RefMut},
    sync::Arc,
    time::Duration,
};

use model::Labels;
use promql_syntax::ast::ValueType;
use storage::Series;

use crate::{
    Error, Result, aggregate, binary,
    budget::{Budget, Guard, Held, Memory, StepCounts},
    column::{Cell, Column, Track},
    engine::Settings,
    explain::{Cost, Costs},
    functions::{CellFn, Moment, Run},
    notes::Notes,
    plan::{Call, Node, Op},
};

pub(crate) use names::{Names, is_identity, without_identity};
pub(crate) use range::{call as call_range, raw};
pub(crate) use scope::Scope;
pub(crate) use select::{newest_times, with_start_times, with_times};

/// Takes one series after the other.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Track) -> Result<()>;

/// What all threads of a query see.
pub(crate) struct Shared<'a> {
    pub(crate) settings: Settings,
    pub(crate) guard: Guard,
    pub(crate) memory: Arc<Memory>,
    /// By the numbers of the selectors.
    pub(crate) selected: &'a [Vec<Arc<dyn Series>>],
    /// For `info`, which selects what it finds out to need.
    pub(crate) querier: &'a dyn storage::Querier,
}

/// A query's evaluation: what it has used and what it has to say.
pub(crate) struct Evaluator<'a> {
    pub(crate) shared: &'a Shared<'a>,
    pub(crate) budget: Budget,
    notes: RefCell<Notes>,
    /// What each node gave, if somebody wants to know.
    costs: Option<RefCell<Costs>>,
    /// Complaints of the storage.
    pub(crate) storage_warnings: RefCell<Vec<String>>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(shared: &'a Shared<'a>) -> Evaluator<'a> {
        Evaluator {
            shared,
            budget: Budget::new(shared.settings.samples_max),
            notes: RefCell::default(),
            costs: None,
            storage_warnings: RefCell::default(),
        }
    }

    /// Keeps what each node costs.
    pub(crate) fn with_costs(self) -> Evaluator<'a> {
        Evaluator { costs: Some(RefCell::default()), ..self }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(crate) fn notes(&self) -> RefMut<'_, Notes> {
        self.notes.borrow_mut()
    }

    pub(crate) fn into_notes(self) -> (Notes, Option<Costs>) {
        (self.notes.into_inner(), self.costs.map(RefCell::into_inner))
    }

    /// Whether costs are kept.
    pub(crate) fn is_explained(&self) -> bool {
        self.costs.is_some()
    }

    pub(crate) fn note_cost(&self, node: &Node, cost: Cost) {
        if let Some(costs) = &self.costs {
            costs.borrow_mut().add(node, cost);
        }
    }

    /// Hands the series that `node` evaluates to to `sink`.
    pub(crate) fn stream(&self, node: &Node, scope: &Scope, sink: Sink<'_>) -> Result<()> {
        self.shared.guard.check()?;
        if node.kind == ValueType::Scalar {
            let values = self.scalars(node, scope)?;
            return sink(Track::scalar(values));
        }
        if !self.is_explained() {
            return self.stream_op(node, scope, sink);
        }
        // What takes the series works while they come: that is not this node's time.
        let clock = &self.shared.guard.clock;
        let (began, mut elsewhere) = (clock.monotonic(), Duration::ZERO);
        let mut cost = Cost::default();
        let outcome = self.stream_op(node, scope, &mut |track| {
            cost.rows += 1;
            cost.bytes += track.column.bytes();
            let handed_on = clock.monotonic();
            let outcome = sink(track);
            elsewhere += clock.monotonic().saturating_sub(handed_on);
            outcome
        });
        cost.time = clock.monotonic().saturating_sub(began + elsewhere);
        self.note_cost(node, cost);
        outcome
    }

    fn stream_op(&self, node: &Node, scope: &Scope, sink: Sink<'_>) -> Result<()> {
        match &node.op {
            Op::Select(selector) => select::instant(self, selector, scope, sink),
            Op::Call(call) => self.call(call, scope, sink),
            Op::Aggregate(aggregate) => aggregate::stream(self, aggregate, scope, sink),
            Op::Binary(binary) => binary::stream(self, binary, scope, sink),
            Op::Negate(inner) => self.negate(inner, scope, sink),
            Op::Invariant(inner) => self.invariant(inner, scope, sink),
            Op::Text(_) => Ok(()),
            Op::Window(_) | Op::Subquery(_) => {
                Err(Error::execution("cannot do range evaluation of matrix selector"))
            }
            Op::Number(_) => Err(Error::execution("a number is no vector")),
        }
    }

    /// All series that `node` evaluates to, and the memory that they are.
    pub(crate) fn tracks(&self, node: &Node, scope: &Scope) -> Result<(Vec<Track>, Held)> {
        let mut tracks = Vec::new();
        let mut held = self.shared.memory.hold(0)?;
        self.stream(node, scope, &mut |track| {
            held.grow(track.bytes())?;
            tracks.push(track);
            Ok(())
        })?;
        Ok((tracks, held))
    }

    /// The number that a scalar `node` evaluates to, at each step.
    pub(crate) fn scalars(&self, node: &Node, scope: &Scope) -> Result<Vec<f64>> {
        if !self.is_explained() {
            return self.scalars_of_op(node, scope);
        }
        let clock = &self.shared.guard.clock;
        let began = clock.monotonic();
        let values = self.scalars_of_op(node, scope)?;
        let time = clock.monotonic().saturating_sub(began);
        self.note_cost(node, Cost { rows: 1, bytes: size_of_val(&values[..]) as u64, time });
        Ok(values)
    }

    fn scalars_of_op(&self, node: &Node, scope: &Scope) -> Result<Vec<f64>> {
        let before = self.budget.current();
        match &node.op {
            Op::Number(value) => {
                self.settle_scalars(before, 0, scope)?;
                Ok(vec![*value; scope.n_steps()])
            }
            Op::Negate(inner) => {
                let mut values = self.scalars(inner, scope)?;
                values.iter_mut().for_each(|value| *value = -*value);
                Ok(values)
            }
            Op::Invariant(_) if scope.n_steps() == 0 => Ok(Vec::new()),
            Op::Invariant(inner) => {
                let first = scope.first();
                let value = self.scalars(inner, &first)?[0];
                self.repeat_tally(&first, scope);
                self.budget.hold(scope.n_steps() as u64 - 1)?;
                Ok(vec![value; scope.n_steps()])
            }
            Op::Binary(binary) => binary::scalars(self, binary, scope),
            Op::Call(call) => match call.function.run {
                Run::Scalar(run) => run(self, call, scope),
                _ => Err(Error::execution("a function of vectors is no scalar")),
            },
            _ => Err(Error::execution("unexpected scalar expression")),
        }
    }

    /// Accounts for one number at each step, made from `n_inputs` numbers or series.
    pub(crate) fn settle_scalars(&self, before: u64, n_inputs: u64, scope: &Scope) -> Result<()> {
        let outputs = scope.n_steps() as u64;
        if outputs > 0 {
            self.budget.pass(n_inputs + outputs)?;
        }
        self.budget.set(before + outputs);
        Ok(())
    }

    fn call(&self, call: &Call, scope: &Scope, sink: Sink<'_>) -> Result<()> {
        match call.function.run {
            Run::Float(run) => self.map(&call.args[0], scope, sink, &mut |track| {
                track.column.drop_histograms();
                track.column.map_floats(run);
            }),
            Run::Cell(run) => self.call_cell(call, run, scope, sink),
            Run::Range(run) => range::call(self, call, run, scope, sink),
            Run::Vector(run) => run(self, call, scope, sink),
            Run::Scalar(run) => sink(Track::scalar(run(self, call, scope)?)),
        }
    }

    fn call_cell(&self, call: &Call, run: CellFn, scope: &Scope, sink: Sink<'_>) -> Result<()> {
        let before = self.budget.current();
        let mut scalars = Vec::with_capacity(call.args.len() - 1);
        for arg in &call.args[1..] {
            scalars.push(self.scalars(arg, scope)?);
        }
        // Upstream evaluates the vector first.
        let scalar_samples = self.budget.current() - before;
        self.budget.set(before);
        let mut counts = StepCounts::new(scope.n_steps());
        let mut names = Names::new(self, &call.args[0]);
        self.stream(&call.args[0], scope, &mut |track| {
            counts.input(&track.column);
            let mut column = Column::default();
            for (step, cell) in track.column.cells() {
                let moment = Moment { step, scalars: &scalars };
                if let Some(value) = run(cell, &moment) {
                    column.set(step, value);
                }
            }
            counts.output(&column);
            names.drop(Track { column, ..track }, sink)
        })?;
        self.budget.hold(scalar_samples)?;
        for _ in &scalars {
            counts.input_scalar();
        }
        counts.settle(&self.budget, before)?;
        names.finish(sink)
    }

    /// Changes each series by itself; the metric's name goes.
    pub(crate) fn map(
        &self,
        inner: &Node,
        scope: &Scope,
        sink: Sink<'_>,
        change: &mut dyn FnMut(&mut Track),
    ) -> Result<()> {
        let before = self.budget.current();
        let mut counts = StepCounts::new(scope.n_steps());
        let mut names = Names::new(self, inner);
        self.stream(inner, scope, &mut |mut track| {
            counts.input(&track.column);
            change(&mut track);
            counts.output(&track.column);
            names.drop(track, sink)
        })?;
        counts.settle(&self.budget, before)?;
        names.finish(sink)
    }

    fn negate(&self, inner: &Node, scope: &Scope, sink: Sink<'_>) -> Result<()> {
        let mut names = Names::new(self, inner);
        self.stream(inner, scope, &mut |mut track| {
            track.column.map_floats(|value| -value);
            track.column.map_histograms(binary::negate_histogram);
            names.drop(track, sink)
        })?;
        names.finish(sink)
    }

    /// Evaluates at the first step and repeats the result at all.
    fn invariant(&self, inner: &Node, scope: &Scope, sink: Sink<'_>) -> Result<()> {
        if scope.n_steps() == 0 {
            return Ok(());
        }
        let first = scope.first();
        let repeats = scope.n_steps() as u64 - 1;
        let before = self.budget.current();
        let mut repeated = 0;
        self.stream(inner, &first, &mut |mut track| {
            let Some(cell) = track.column.get(0) else { return Ok(()) };
            repeated += cell.weight() * repeats;
            self.budget.allows(before + repeated)?;
            track.column = Column::repeated(cell, scope.n_steps());
            sink(track)
        })?;
        self.repeat_tally(&first, scope);
        self.budget.hold(repeated)
    }

    /// What was read once was looked at at each step.
    fn repeat_tally(&self, first: &Scope, scope: &Scope) {
        let (first, mut tally) = (first.tally(), scope.tally_mut());
        tally.total.iter_mut().for_each(|total| *total += first.total[0]);
        tally.read[0] += first.read[0];
    }
}

impl Track {
    /// A scalar as a series without labels.
    pub(crate) fn scalar(values: Vec<f64>) -> Track {
        Track { labels: Labels::empty(), drop_name: false, column: Column::dense(values) }
    }
}

impl Column {
    fn repeated(cell: Cell<'_>, count: usize) -> Column {
        match cell {
            Cell::Float(value) => Column::constant(value, count),
            Cell::Histogram(histogram) => Column::constant_histogram(histogram, count),
        }
    }
}
