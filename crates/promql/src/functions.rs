//! Every function of the language, in one table, each with the way in which it is called.

mod absent;
mod classic;
mod date;
mod extended;
mod histogram;
mod info;
mod label;
mod math;
mod over_time;
mod rate;
mod scalar;
mod sort;
mod trend;

use std::{ops::Range, sync::Arc};

use model::{FloatHistogram, Labels};
use storage::Columns;

use crate::{
    Result,
    column::{Cell, Column},
    engine::Settings,
    eval::{Evaluator, Scope, Sink},
    notes::Notes,
    plan::Call,
};

#[cfg(test)]
pub(crate) use classic::{Bucket, bucket_quantile};
pub(crate) use date::Date;
pub(crate) use extended::with_edges;
#[cfg(test)]
pub(crate) use histogram::at as histogram_at;
pub(crate) use histogram::{find_resets, interpolate as interpolate_histograms};

/// How a function does its work.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Its value depends on the evaluation time even where its arguments do not.
    pub(crate) looks_at_time: bool,
    /// Series keep their metric's name.
    pub(crate) keeps_name: bool,
    pub(crate) run: Run,
}

/// The ways in which functions are called.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// From each float of a vector another float; histograms go.
    Float(fn(f64) -> f64),
    /// From each value of a vector, with the scalar arguments of its step, a float or nothing.
    Cell(CellFn),
    /// From the windows of one series a value or nothing for each.
    Range(RangeFn),
    /// A number at each step.
    Scalar(ScalarFn),
    /// From anything a vector.
    Vector(VectorFn),
}

pub(crate) type CellFn = fn(Cell<'_>, &Moment<'_>) -> Option<f64>;
pub(crate) type RangeFn = fn(&Windows<'_>, &mut Output);
pub(crate) type ScalarFn = fn(&Evaluator<'_>, &Call, &Scope) -> Result<Vec<f64>>;
pub(crate) type VectorFn = fn(&Evaluator<'_>, &Call, &Scope, Sink<'_>) -> Result<()>;

/// A step, and the scalar arguments at it.
pub(crate) struct Moment<'a> {
    pub(crate) step: usize,
    /// One column for each scalar argument, in the order in which they are written.
    pub(crate) scalars: &'a [Vec<f64>],
}

impl Moment<'_> {
    /// The scalar argument, if it was given.
    pub(crate) fn scalar(&self, idx: usize) -> Option<f64> {
        self.scalars.get(idx).map(|column| column[self.step])
    }
}

/// One series and all windows that a range function looks at.
pub(crate) struct Windows<'a> {
    /// As in the storage, the metric's name included.
    pub(crate) labels: &'a Labels,
    /// Without stale markers.
    pub(crate) samples: &'a Columns,
    /// In the order of the steps; none is empty.
    pub(crate) windows: &'a [Window],
    pub(crate) range_ms: i64,
    /// One column for each scalar argument, in the order in which they are written.
    pub(crate) scalars: &'a [Vec<f64>],
    /// Where the range argument starts in the query.
    pub(crate) position: usize,
    /// Where the first scalar argument starts, if there is one.
    pub(crate) scalar_position: usize,
    pub(crate) edges: Edges,
    pub(crate) settings: &'a Settings,
}

/// How values at the edges of a window are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edges {
    /// By extrapolation.
    Plain,
    /// The last value before the window counts as the value at its start.
    Anchored,
    /// By interpolation with the neighbours outside.
    Smoothed,
}

/// The samples that one step looks at.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) step: usize,
    /// The evaluation time.
    pub(crate) time: i64,
    /// What is looked at: later than `start`, not later than `end`. With [`Edges`] other than
    /// plain, the samples may lie outside.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) floats: Range<usize>,
    pub(crate) histograms: Range<usize>,
}

/// The samples of one window.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) window: &'a Window,
    pub(crate) times: &'a [i64],
    pub(crate) values: &'a [f64],
    pub(crate) histogram_times: &'a [i64],
    pub(crate) histograms: &'a [Arc<FloatHistogram>],
}

/// What a range function says of one series.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) column: Column,
    pub(crate) notes: Notes,
    /// Ends the query.
    pub(crate) error: Option<String>,
}

impl<'a> Windows<'a> {
    pub(crate) fn metric(&self) -> &str {
        self.labels.metric_name()
    }

    pub(crate) fn view(&self, window: &'a Window) -> View<'a> {
        View {
            window,
            times: &self.samples.times[window.floats.clone()],
            values: &self.samples.values[window.floats.clone()],
            histogram_times: &self.samples.histogram_times[window.histograms.clone()],
            histograms: &self.samples.histograms[window.histograms.clone()],
        }
    }

    pub(crate) fn views(&self) -> impl Iterator<Item = View<'a>> + '_ {
        self.windows.iter().map(|window| self.view(window))
    }

    pub(crate) fn scalar(&self, idx: usize, step: usize) -> f64 {
        self.scalars[idx][step]
    }

    /// Sets a float from the floats of each window that has some; histograms beside them are
    /// left out, with a note.
    pub(crate) fn floats(&self, out: &mut Output, value: impl Fn(&View<'_>) -> Option<f64>) {
        for view in self.views() {
            if view.values.is_empty() {
                continue;
            }
            if !view.histograms.is_empty() {
                out.notes.histogram_ignored_in_range(self.metric(), self.position);
            }
            if let Some(value) = value(&view) {
                out.column.set(view.window.step, value);
            }
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

pub(crate) fn by_name(name: &str) -> Option<&'static Function> {
    let idx = FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok()?;
    Some(&FUNCTIONS[idx])
}

const fn float(name: &'static str, run: fn(f64) -> f64) -> Function {
    function(name, Run::Float(run))
}

const fn cell(name: &'static str, run: CellFn) -> Function {
    function(name, Run::Cell(run))
}

const fn range(name: &'static str, run: RangeFn) -> Function {
    function(name, Run::Range(run))
}

const fn scalar(name: &'static str, run: ScalarFn) -> Function {
    function(name, Run::Scalar(run))
}

const fn vector(name: &'static str, run: VectorFn) -> Function {
    function(name, Run::Vector(run))
}

const fn function(name: &'static str, run: Run) -> Function {
    Function { name, looks_at_time: false, keeps_name: false, run }
}

const fn with_time(mut function: Function) -> Function {
    function.looks_at_time = true;
    function
}

const fn with_name(mut function: Function) -> Function {
    function.keeps_name = true;
    function
}

/// Sorted by name. `start`, `end`, `step` and `range` are numbers by the time they get here.
static FUNCTIONS: &[Function] = &[
    float("abs", f64::abs),
    vector("absent", absent::absent),
    // Its name is of no use while it looks, and gone in the result.
    with_name(vector("absent_over_time", absent::absent_over_time)),
    float("acos", math::acos),
    float("acosh", math::acosh),
    float("asin", math::asin),
    float("asinh", math::asinh),
    float("atan", math::atan),
    float("atanh", math::atanh),
    range("avg_over_time", over_time::avg),
    float("ceil", f64::ceil),
    range("changes", rate::changes),
    cell("clamp", math::clamp),
    cell("clamp_max", math::clamp_max),
    cell("clamp_min", math::clamp_min),
    float("cos", math::cos),
    float("cosh", math::cosh),
    range("count_over_time", over_time::count),
    with_time(vector("day_of_month", date::day_of_month)),
    with_time(vector("day_of_week", date::day_of_week)),
    with_time(vector("day_of_year", date::day_of_year)),
    with_time(vector("days_in_month", date::days_in_month)),
    float("deg", math::deg),
    range("delta", rate::delta),
    range("deriv", trend::deriv),
    range("double_exponential_smoothing", trend::double_exponential_smoothing),
    float("exp", math::exp),
    with_name(range("first_over_time", over_time::first)),
    float("floor", f64::floor),
    cell("histogram_avg", histogram::avg),
    cell("histogram_count", histogram::count),
    vector("histogram_fraction", classic::fraction),
    vector("histogram_quantile", classic::quantile),
    vector("histogram_quantiles", classic::quantiles),
    cell("histogram_stddev", histogram::stddev),
    cell("histogram_stdvar", histogram::stdvar),
    cell("histogram_sum", histogram::sum),
    with_time(vector("hour", date::hour)),
    range("idelta", rate::idelta),
    range("increase", rate::increase),
    vector("info", info::info),
    range("irate", rate::irate),
    vector("label_join", label::join),
    vector("label_replace", label::replace),
    with_name(range("last_over_time", over_time::last)),
    float("ln", math::ln),
    float("log10", math::log10),
    float("log2", math::log2),
    range("mad_over_time", over_time::mad),
    scalar("max_of", scalar::max_of),
    range("max_over_time", over_time::max),
    scalar("min_of", scalar::min_of),
    range("min_over_time", over_time::min),
    with_time(vector("minute", date::minute)),
    with_time(vector("month", date::month)),
    scalar("pi", scalar::pi),
    with_time(range("predict_linear", trend::predict_linear)),
    range("present_over_time", over_time::present),
    range("quantile_over_time", over_time::quantile),
    float("rad", math::rad),
    range("rate", rate::rate),
    range("resets", rate::resets),
    cell("round", math::round),
    scalar("scalar", scalar::scalar),
    float("sgn", math::sgn),
    float("sin", math::sin),
    float("sinh", math::sinh),
    vector("sort", sort::ascending),
    vector("sort_by_label", sort::by_label),
    vector("sort_by_label_desc", sort::by_label_descending),
    vector("sort_desc", sort::descending),
    float("sqrt", f64::sqrt),
    with_time(vector("start_timestamp", date::start_timestamp)),
    range("stddev_over_time", over_time::stddev),
    range("stdvar_over_time", over_time::stdvar),
    range("sum_over_time", over_time::sum),
    float("tan", math::tan),
    float("tanh", math::tanh),
    with_time(scalar("time", scalar::time)),
    with_time(vector("timestamp", date::timestamp)),
    range("ts_of_first_over_time", over_time::time_of_first),
    range("ts_of_last_over_time", over_time::time_of_last),
    range("ts_of_max_over_time", over_time::time_of_max),
    range("ts_of_min_over_time", over_time::time_of_min),
    vector("vector", scalar::vector),
    with_time(vector("year", date::year)),
];
