use model::TimeRange;
use promql_syntax::ast::{self, AggregateOp, At, Expr, ValueType};

use super::{
    Aggregate, Binary, Call, Frame, Node, Op, Plan, Selection, Selector, Subquery, When, Window,
    duration::{self, QueryTimes},
    select::{self, Layer, SubqueryTimes, Surroundings},
};
use crate::{Error, Result, functions};

/// Plans a query for the times in `frame`.
pub(crate) fn plan(expr: &Expr, frame: Frame) -> Result<Plan> {
    let mut planner = Planner {
        frame,
        times: QueryTimes { step_ms: frame.step_ms, range_ms: frame.end - frame.start },
        selections: Vec::new(),
        beyond: Vec::new(),
        around: Surroundings::default(),
    };
    let root = planner.expr(expr)?.settle();
    let ranges = planner.selections.iter().map(|selection| selection.hints.range);
    let ranges = ranges.chain(planner.beyond);
    let range = ranges
        .reduce(|a, b| TimeRange { start: a.start.min(b.start), end: a.end.max(b.end) })
        .unwrap_or(TimeRange::from_millis(0, 0));
    Ok(Plan { root, selections: planner.selections, range })
}

struct Planner {
    frame: Frame,
    times: QueryTimes,
    selections: Vec<Selection>,
    /// Times that are looked at beyond those of the selections.
    beyond: Vec<TimeRange>,
    around: Surroundings,
}

/// A planned expression and whether its value changes from step to step.
struct Planned {
    node: Node,
    invariant: bool,
    /// Whether being invariant should be marked here, if no parent is invariant too. Literals and
    /// range selectors are not worth it.
    wrap: bool,
}

impl Planned {
    fn new(node: Node, invariant: bool) -> Planned {
        Planned { node, invariant, wrap: invariant }
    }

    /// Marks it as invariant where it is; for a parent that is not.
    fn settle(self) -> Node {
        if !self.wrap {
            return self.node;
        }
        let (kind, position) = (self.node.kind, self.node.position);
        Node { op: Op::Invariant(Box::new(self.node)), kind, position }
    }
}

impl Planner {
    fn expr(&mut self, expr: &Expr) -> Result<Planned> {
        let node = |op, kind| Node { op, kind, position: expr.span().start };
        match expr {
            Expr::Number(number) => Ok(Planned {
                node: node(Op::Number(number.value), ValueType::Scalar),
                invariant: true,
                wrap: false,
            }),
            Expr::String(string) => Ok(Planned {
                node: node(Op::Text(string.value.clone()), ValueType::String),
                invariant: true,
                wrap: false,
            }),
            Expr::Paren(paren) => self.expr(&paren.expr),
            Expr::Unary(unary) => {
                let mut inner = self.around(Layer::Other, &unary.expr)?;
                if unary.negative {
                    let kind = inner.node.kind;
                    inner.node = node(Op::Negate(Box::new(inner.node)), kind);
                }
                Ok(inner)
            }
            Expr::Vector(selector) => {
                let selector = self.selector(selector, 0)?;
                let invariant = selector.when.pinned.is_some();
                Ok(Planned::new(node(Op::Select(selector), ValueType::Vector), invariant))
            }
            Expr::Matrix(matrix) => {
                let range_ms = match &matrix.range_expr {
                    Some(range) => duration::positive(range, self.times)?,
                    None => matrix.range_ms,
                };
                let selector = self.selector(&matrix.selector, range_ms)?;
                let invariant = selector.when.pinned.is_some();
                let op = Op::Window(Window { selector, range_ms });
                Ok(Planned { node: node(op, ValueType::Matrix), invariant, wrap: false })
            }
            Expr::Subquery(subquery) => self.subquery(subquery, expr.span().start),
            Expr::Call(call) => self.call(call),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary, expr.span().start),
            Expr::Duration(_) => Err(Error::execution("unexpected duration expression")),
        }
    }

    fn around(&mut self, layer: Layer, inner: &Expr) -> Result<Planned> {
        let mut around = std::mem::take(&mut self.around);
        let planned = around.within(layer, |around| {
            std::mem::swap(&mut self.around, around);
            let planned = self.expr(inner);
            std::mem::swap(&mut self.around, around);
            planned
        });
        self.around = around;
        planned
    }

    fn when(&self, modifiers: &ast::TimeModifiers) -> Result<When> {
        let offset_ms = match &modifiers.offset_expr {
            Some(offset) => duration::signed(offset, self.times)?,
            None => modifiers.offset_ms,
        };
        let pinned = modifiers.at.map(|at| match at {
            At::Timestamp(millis) => millis,
            At::Start => self.frame.start,
            At::End => self.frame.end,
        });
        Ok(When { offset_ms, pinned })
    }

    fn selector(&mut self, selector: &ast::VectorSelector, range_ms: i64) -> Result<Selector> {
        let when = self.when(&selector.modifiers)?;
        // The range selector itself stands between the selector and an aggregation.
        let selection = select::selection(selector, when, range_ms, &self.around, &self.frame);
        let id = self.selections.len();
        self.selections.push(selection);
        Ok(Selector {
            id,
            matchers: selector.matchers.clone(),
            when,
            anchored: selector.anchored,
            smoothed: selector.smoothed,
            counts_only: self.around.asks_for_counts_only(),
            position: selector.span.start,
        })
    }

    fn subquery(&mut self, subquery: &ast::Subquery, position: usize) -> Result<Planned> {
        let when = self.when(&subquery.modifiers)?;
        let range_ms = match &subquery.range_expr {
            Some(range) => duration::positive(range, self.times)?,
            None => subquery.range_ms,
        };
        let step_ms = match &subquery.step_expr {
            Some(step) => duration::positive(step, self.times)?,
            None if subquery.step_ms == 0 => self.frame.subquery_step_ms,
            None => subquery.step_ms,
        };
        let times = SubqueryTimes { when, range_ms, step_ms };
        let mut inner = self.around(Layer::Subquery(times), &subquery.expr)?;
        // Within a subquery it pays to mark what is invariant, whatever surrounds it.
        inner.wrap = inner.invariant;
        let inner = inner.settle();
        let op =
            Op::Subquery(Box::new(Subquery { inner, range_ms, step_ms: step_ms.max(1), when }));
        let node = Node { op, kind: ValueType::Matrix, position };
        Ok(Planned { node, invariant: when.pinned.is_some(), wrap: false })
    }

    fn call(&mut self, call: &ast::Call) -> Result<Planned> {
        let name = call.function.name;
        let position = call.span.start;
        if let Some(value) = self.literal(name) {
            let node = Node { op: Op::Number(value), kind: ValueType::Scalar, position };
            return Ok(Planned { node, invariant: true, wrap: false });
        }
        let function = functions::by_name(name)
            .ok_or_else(|| Error::execution(format!("unknown function with name {name:?}")))?;
        let mut args = Vec::with_capacity(call.args.len());
        for (idx, arg) in call.args.iter().enumerate() {
            // The second argument of `info` only looks like a selector.
            let n_selections = self.selections.len();
            args.push(self.around(Layer::Call(name), arg)?);
            if name == "info" && idx == 1 {
                self.selections.truncate(n_selections);
            }
        }
        // Samples keep their time, whenever they are looked at.
        let of_samples = matches!(name, "timestamp" | "start_timestamp")
            && args.iter().all(|arg| matches!(arg.node.op, Op::Select(_)));
        let looks_at_time = function.looks_at_time && !of_samples;
        if name == "info" {
            self.reach_info_series();
        }
        let invariant = !looks_at_time && args.iter().all(|arg| arg.invariant);
        let settle = |arg: Planned| if invariant { arg.node } else { arg.settle() };
        let args = args.into_iter().map(settle).collect();
        let op = Op::Call(Box::new(Call { function, args, position }));
        Ok(Planned::new(Node { op, kind: call.function.returns, position }, invariant))
    }

    /// `info` looks for its series when the series around are looked for, with the lookback.
    fn reach_info_series(&mut self) {
        let lookback = self.frame.lookback_ms;
        for selection in &self.selections {
            let range = selection.hints.range;
            let start = range.start.as_millis().saturating_sub(lookback);
            self.beyond.push(TimeRange::from_millis(start, range.end.as_millis()));
        }
    }

    /// Functions that only name a time of the query.
    fn literal(&self, name: &str) -> Option<f64> {
        let millis = match name {
            "start" => self.frame.start,
            "end" => self.frame.end,
            "step" => self.frame.step_ms,
            "range" => self.times.range_ms,
            _ => return None,
        };
        Some(millis as f64 / 1000.0)
    }

    fn aggregate(&mut self, aggregate: &ast::Aggregate) -> Result<Planned> {
        let position = aggregate.span.start;
        let name = crate::aggregate::name(aggregate.op).to_owned();
        let grouping = aggregate.grouping.clone();
        let layer = Layer::Aggregate(name, grouping, !aggregate.without);
        let inner = self.around(layer.clone(), unwrap_parens(&aggregate.expr))?;
        let param = match &aggregate.param {
            // The label of `count_values` is a name, not a value.
            Some(param) if aggregate.op == AggregateOp::CountValues => Some(self.expr(param)?.node),
            Some(param) => Some(self.around(layer, unwrap_parens(param))?.node),
            None => None,
        };
        let mut grouping = aggregate.grouping.clone();
        grouping.sort_unstable();
        // Upstream asks only the aggregated expression, not the parameter.
        let invariant = inner.invariant;
        let inner_node = if invariant { inner.node } else { inner.settle() };
        let op = Op::Aggregate(Box::new(Aggregate {
            op: aggregate.op,
            inner: inner_node,
            param,
            grouping,
            without: aggregate.without,
        }));
        Ok(Planned::new(Node { op, kind: ValueType::Vector, position }, invariant))
    }

    fn binary(&mut self, binary: &ast::Binary, position: usize) -> Result<Planned> {
        let lhs = self.around(Layer::Binary, &binary.lhs)?;
        let rhs = self.around(Layer::Binary, &binary.rhs)?;
        let invariant = lhs.invariant && rhs.invariant;
        let settle = |side: Planned| if invariant { side.node } else { side.settle() };
        let (lhs, rhs) = (settle(lhs), settle(rhs));
        let both_scalar = lhs.kind == ValueType::Scalar && rhs.kind == ValueType::Scalar;
        let kind = if both_scalar { ValueType::Scalar } else { ValueType::Vector };
        let op = Op::Binary(Box::new(Binary {
            op: binary.op,
            lhs,
            rhs,
            matching: binary.matching.clone(),
            return_bool: binary.return_bool,
            position,
        }));
        Ok(Planned::new(Node { op, kind, position }, invariant))
    }
}

fn unwrap_parens(mut expr: &Expr) -> &Expr {
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    expr
}
