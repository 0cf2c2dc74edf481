//! Queries whose selectors are nailed to one time with `@`: they must give the same at any time.

use model::Timestamp;
use promql_syntax::{
    Expr, Options,
    ast::{At, DurationExpr, DurationKind, TimeModifiers},
};

/// Functions whose value depends on the evaluation time although their arguments do not.
const LOOK_AT_TIME: [&str; 14] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "time",
    "timestamp",
    "start_timestamp",
    "start",
    "end",
];

/// Functions that name the range of the query.
const LOOK_AT_RANGE: [&str; 4] = ["start", "end", "step", "range"];

/// The query with `@ time` behind each outermost selector that has no time; `None` where its
/// value depends on the evaluation time all the same, or where it is no query.
pub(crate) fn pin(query: &str, time: Timestamp) -> Option<String> {
    let mut expr = promql_syntax::parse(query, &Options::ALL).ok()?;
    let mut looks_at_time = false;
    walk(&mut expr, &mut |node| match node {
        Node::Call(name) => looks_at_time |= LOOK_AT_TIME.contains(&name),
        Node::Duration(_) => {}
        Node::Times(modifiers) => {
            if !matches!(modifiers.at, Some(At::Timestamp(_))) {
                modifiers.at = Some(At::Timestamp(time.as_millis()));
            }
        }
    });
    (!looks_at_time).then(|| expr.to_string())
}

/// Whether a range query gives something else than an instant query at one of its steps.
pub(crate) fn looks_at_range(query: &str) -> bool {
    let Ok(mut expr) = promql_syntax::parse(query, &Options::ALL) else { return false };
    let mut looks_at_range = false;
    walk(&mut expr, &mut |node| match node {
        Node::Call(name) => looks_at_range |= LOOK_AT_RANGE.contains(&name),
        Node::Duration(kind) => {
            looks_at_range |= matches!(kind, DurationKind::Step | DurationKind::Range);
        }
        Node::Times(modifiers) => {
            looks_at_range |= matches!(modifiers.at, Some(At::Start | At::End));
        }
    });
    looks_at_range
}

/// Times at which a pinned query is evaluated.
pub(crate) fn other_times(time: Timestamp) -> Vec<Timestamp> {
    let millis = time.as_millis();
    let others = match millis {
        0 => vec![-1000, 0, 1000],
        _ => vec![-10 * millis, 0, millis / 5, millis, 10 * millis],
    };
    others.into_iter().map(Timestamp::from_millis).collect()
}

/// What a walk stops at.
enum Node<'a> {
    Call(&'a str),
    Duration(&'a DurationKind),
    Times(&'a mut TimeModifiers),
}

/// Visits the outermost selectors and subqueries, and all functions and durations. What is within
/// a subquery is evaluated at that one's times.
fn walk(expr: &mut Expr, visit: &mut dyn FnMut(Node<'_>)) {
    match expr {
        Expr::Aggregate(aggregate) => {
            walk(&mut aggregate.expr, visit);
            if let Some(param) = &mut aggregate.param {
                walk(param, visit);
            }
        }
        Expr::Binary(binary) => {
            walk(&mut binary.lhs, visit);
            walk(&mut binary.rhs, visit);
        }
        Expr::Call(call) => {
            visit(Node::Call(call.function.name));
            // The second argument of `info` only looks like a selector.
            let n_args = if call.function.name == "info" { 1 } else { call.args.len() };
            for arg in call.args.iter_mut().take(n_args) {
                walk(arg, visit);
            }
        }
        Expr::Matrix(matrix) => {
            visit_times(&mut matrix.selector.modifiers, visit);
            visit_duration(matrix.range_expr.as_ref(), visit);
        }
        Expr::Vector(selector) => visit_times(&mut selector.modifiers, visit),
        Expr::Paren(paren) => walk(&mut paren.expr, visit),
        Expr::Unary(unary) => walk(&mut unary.expr, visit),
        Expr::Subquery(subquery) => {
            visit_times(&mut subquery.modifiers, visit);
            visit_duration(subquery.range_expr.as_ref(), visit);
            visit_duration(subquery.step_expr.as_ref(), visit);
            walk(&mut subquery.expr, &mut |node| match node {
                Node::Times(modifiers) => {
                    let mut copy = modifiers.clone();
                    visit_within_subquery(&mut copy, modifiers, visit);
                }
                node => visit(node),
            });
        }
        Expr::Duration(duration) => visit_duration(Some(duration), visit),
        Expr::Number(_) | Expr::String(_) => {}
    }
}

fn visit_within_subquery(
    copy: &mut TimeModifiers,
    modifiers: &mut TimeModifiers,
    visit: &mut dyn FnMut(Node<'_>),
) {
    visit(Node::Times(copy));
    // `start()` and `end()` are those of the whole query, so they must be nailed here too.
    if matches!(modifiers.at, Some(At::Start | At::End)) {
        *modifiers = copy.clone();
    }
}

fn visit_times(modifiers: &mut TimeModifiers, visit: &mut dyn FnMut(Node<'_>)) {
    visit_duration(modifiers.offset_expr.as_deref(), visit);
    visit(Node::Times(modifiers));
}

fn visit_duration(duration: Option<&DurationExpr>, visit: &mut dyn FnMut(Node<'_>)) {
    let Some(duration) = duration else { return };
    visit(Node::Duration(&duration.kind));
    match &duration.kind {
        DurationKind::Negative(inner) | DurationKind::Positive(inner) => {
            visit_duration(Some(inner), visit);
        }
        DurationKind::Arithmetic(_, a, b) | DurationKind::Min(a, b) | DurationKind::Max(a, b) => {
            visit_duration(Some(a), visit);
            visit_duration(Some(b), visit);
        }
        DurationKind::Literal(_) | DurationKind::Step | DurationKind::Range => {}
    }
}
