//! From the syntax tree to what is executed: times are resolved, parts whose value does not
//! depend on the step are marked, selectors are numbered with what they need from the storage.

mod build;
pub(crate) mod duration;
mod select;

use model::{Matcher, TimeRange};
use promql_syntax::ast::{AggregateOp, BinaryOp, ValueType, VectorMatching};
use storage::SelectHints;

use crate::{functions::Function, steps::Steps};

pub(crate) use build::plan;

/// A query, ready to be executed.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) root: Node,
    /// What to ask the storage for; [`Selector::id`] is the index.
    pub(crate) selections: Vec<Selection>,
    /// All times that the selections touch.
    pub(crate) range: TimeRange,
}

#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) hints: SelectHints,
}

/// What the planner must know of the query beside its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Zero for an instant query.
    pub(crate) step_ms: i64,
    pub(crate) lookback_ms: i64,
    /// The step of subqueries that name none.
    pub(crate) subquery_step_ms: i64,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) kind: ValueType,
    /// Where it starts in the query's text.
    pub(crate) position: usize,
}

#[derive(Debug)]
pub(crate) enum Op {
    Number(f64),
    Text(String),
    Select(Selector),
    Window(Window),
    Subquery(Box<Subquery>),
    Call(Box<Call>),
    Aggregate(Box<Aggregate>),
    Binary(Box<Binary>),
    Negate(Box<Node>),
    /// The same at every step: evaluated once.
    Invariant(Box<Node>),
}

/// `x offset 5m @ 10`.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    pub(crate) id: usize,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) when: When,
    pub(crate) anchored: bool,
    pub(crate) smoothed: bool,
    /// Of histograms only counts and sums matter.
    pub(crate) counts_only: bool,
    /// Where it starts in the query's text.
    pub(crate) position: usize,
}

/// `offset` and `@`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct When {
    pub(crate) offset_ms: i64,
    /// Milliseconds since the epoch; overrules the evaluation time.
    pub(crate) pinned: Option<i64>,
}

impl When {
    /// The moment that is looked at when the expression is evaluated at `time`.
    pub(crate) fn moment(&self, time: i64) -> i64 {
        self.pinned.unwrap_or(time).saturating_sub(self.offset_ms)
    }
}

/// `x[5m]`.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) selector: Selector,
    pub(crate) range_ms: i64,
}

/// `expr[1h:5m]`.
#[derive(Debug)]
pub(crate) struct Subquery {
    pub(crate) inner: Node,
    pub(crate) range_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) when: When,
}

impl Subquery {
    /// The steps of the inner expression: multiples of the step within all windows.
    pub(crate) fn steps(&self, outer: &Steps) -> Steps {
        let window_start = self.when.moment(outer.start).saturating_sub(self.range_ms);
        let mut start = self.step_ms * (window_start / self.step_ms);
        if start <= window_start {
            start = start.saturating_add(self.step_ms);
        }
        Steps::new(start, self.when.moment(outer.end()), self.step_ms)
    }
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) args: Vec<Node>,
    pub(crate) position: usize,
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) op: AggregateOp,
    pub(crate) inner: Node,
    pub(crate) param: Option<Node>,
    /// Sorted.
    pub(crate) grouping: Vec<String>,
    pub(crate) without: bool,
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) op: BinaryOp,
    pub(crate) lhs: Node,
    pub(crate) rhs: Node,
    pub(crate) matching: Option<VectorMatching>,
    pub(crate) return_bool: bool,
    pub(crate) position: usize,
}
