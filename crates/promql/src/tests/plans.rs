//! Upstream's tables of what happens to a query before it is evaluated.

use conformance::float;
use promql_syntax::ast::{BinaryOp, DurationExpr, DurationKind, NumberLiteral, Span};
use serde_json::Value as Json;

use super::tables::{check_table, number, same, text};
use crate::{
    plan::{
        Frame, Node, Op, Selector, When,
        duration::{self, QueryTimes},
        plan,
    },
    steps::Steps,
};

#[test]
fn times_of_subqueries() {
    check_table("subquery_time_range", &[], |whole, case| {
        let parent = &case["parent"];
        let frame = Frame {
            start: number(parent, "start_ms"),
            end: number(parent, "end_ms"),
            step_ms: number(parent, "step_ms"),
            lookback_ms: 300_000,
            subquery_step_ms: number(whole, "no_step_subquery_interval_ms"),
        };
        let syntax = promql_syntax::Options::ALL;
        let expr = promql_syntax::parse(text(case, "query"), &syntax);
        let plan = plan(&expr.expect("the query is well-formed"), frame);
        let plan = plan.map_err(|error| error.to_string())?;
        let root = match plan.root.op {
            Op::Invariant(inner) => inner.op,
            op => op,
        };
        let Op::Subquery(subquery) = root else { return Err("no subquery".to_owned()) };
        let outer = match frame.step_ms {
            0 => Steps::once(frame.start),
            step_ms => Steps::new(frame.start, frame.end, step_ms),
        };
        let steps = subquery.steps(&outer);
        let expected = &case["subquery"];
        same(
            (steps.start, subquery.when.moment(outer.end()), steps.interval),
            (number(expected, "start_ms"), number(expected, "end_ms"), number(expected, "step_ms")),
        )
    });
}

#[test]
fn durations() {
    check_table("duration_expressions", &[], |whole, case| {
        let times = QueryTimes {
            step_ms: number(whole, "step_ms"),
            range_ms: number(whole, "query_range_ms"),
        };
        let expr = duration_expr(&case["expr"]);
        let result = if case["allow_negative"] == true {
            duration::signed(&expr, times)
        } else {
            duration::positive(&expr, times)
        };
        match (result, case["ok"] == true) {
            (Ok(millis), true) => same(millis as f64 / 1000.0, float(&case["result_seconds"])),
            (Err(error), false) if error.to_string().contains(text(case, "error_contains")) => {
                Ok(())
            }
            (result, _) => Err(format!("{result:?}")),
        }
    });
}

fn duration_expr(json: &Json) -> DurationExpr {
    let (lhs, rhs) = (&json["lhs"], &json["rhs"]);
    let side = |side: &Json| Box::new(duration_expr(side));
    let kind = match text(json, "op") {
        "" => {
            let value = float(&json["value"]);
            DurationKind::Literal(NumberLiteral {
                value,
                is_duration: false,
                span: Span::default(),
            })
        }
        "step" => DurationKind::Step,
        "range" => DurationKind::Range,
        "min_of" => DurationKind::Min(side(lhs), side(rhs)),
        "max_of" => DurationKind::Max(side(lhs), side(rhs)),
        "-" if lhs.is_null() => DurationKind::Negative(side(rhs)),
        op => {
            let op = match op {
                "+" => BinaryOp::Add,
                "-" => BinaryOp::Sub,
                "*" => BinaryOp::Mul,
                "/" => BinaryOp::Div,
                "%" => BinaryOp::Mod,
                _ => BinaryOp::Pow,
            };
            DurationKind::Arithmetic(op, side(lhs), side(rhs))
        }
    };
    DurationExpr { kind, wrapped: false, span: Span::default() }
}

#[test]
fn what_does_not_change_is_marked() {
    check_table("preprocess", &[], |whole, case| {
        let frame = Frame {
            start: number(whole, "query_start_ms"),
            end: number(whole, "query_end_ms"),
            step_ms: number(whole, "step_ms"),
            lookback_ms: 300_000,
            subquery_step_ms: 1,
        };
        let expr = promql_syntax::parse(text(case, "input"), &promql_syntax::Options::ALL);
        let plan = plan(&expr.expect("the query is well-formed"), frame);
        let plan = plan.map_err(|error| error.to_string())?;
        same(drawn(&plan.root), drawn_json(&case["ast"]))
    });
}

/// The shape of a plan, without what the two trees say differently.
fn drawn(node: &Node) -> String {
    match &node.op {
        Op::Number(value) => format!("{value}"),
        Op::Text(text) => format!("{text:?}"),
        Op::Select(selector) => drawn_selector(selector),
        Op::Window(window) => {
            format!("{}[{}]", drawn_selector(&window.selector), window.range_ms)
        }
        Op::Subquery(sub) => {
            let times = drawn_times(sub.when.offset_ms, sub.when.pinned);
            format!("{}[{}:{}]{times}", drawn(&sub.inner), sub.range_ms, sub.step_ms)
        }
        Op::Call(call) => {
            let args: Vec<String> = call.args.iter().map(drawn).collect();
            format!("{}({})", call.function.name, args.join(", "))
        }
        Op::Aggregate(aggregate) => {
            let param = aggregate.param.as_ref().map(drawn).unwrap_or_default();
            let name = crate::aggregate::name(aggregate.op);
            format!("{name}({param}; {})", drawn(&aggregate.inner))
        }
        Op::Binary(binary) => format!("({} . {})", drawn(&binary.lhs), drawn(&binary.rhs)),
        Op::Negate(inner) => format!("-{}", drawn(inner)),
        Op::Invariant(inner) => format!("<{}>", drawn(inner)),
    }
}

fn drawn_selector(selector: &Selector) -> String {
    let When { offset_ms, pinned } = selector.when;
    format!("x{}", drawn_times(offset_ms, pinned))
}

fn drawn_times(offset: i64, pinned: Option<i64>) -> String {
    let pinned = pinned.map(|millis| format!("@{millis}")).unwrap_or_default();
    format!("{pinned}-{offset}")
}

fn drawn_json(json: &Json) -> String {
    let times = || drawn_times(number(json, "offset_ms"), json["at_timestamp_ms"].as_i64());
    match text(json, "node") {
        "NumberLiteral" => format!("{}", float(&json["value"])),
        "StringLiteral" => format!("{:?}", text(json, "value")),
        "VectorSelector" => format!("x{}", times()),
        "MatrixSelector" => {
            format!("{}[{}]", drawn_json(&json["vector_selector"]), number(json, "range_ms"))
        }
        "SubqueryExpr" => {
            let range = number(json, "range_ms");
            // Without one, the frame's.
            let step = number(json, "step_ms").max(1);
            format!("{}[{range}:{step}]{}", drawn_json(&json["expr"]), times())
        }
        "Call" => {
            let args = json["args"].as_array().into_iter().flatten();
            let args: Vec<String> = args.map(drawn_json).collect();
            format!("{}({})", text(json, "func"), args.join(", "))
        }
        "AggregateExpr" => {
            let param = &json["param"];
            let param = if param.is_object() { drawn_json(param) } else { String::new() };
            format!("{}({param}; {})", text(json, "op"), drawn_json(&json["expr"]))
        }
        "BinaryExpr" => {
            format!("({} . {})", drawn_json(&json["lhs"]), drawn_json(&json["rhs"]))
        }
        "ParenExpr" => drawn_json(&json["expr"]),
        "StepInvariantExpr" => format!("<{}>", drawn_json(&json["expr"])),
        other => panic!("unknown node {other:?}"),
    }
}
