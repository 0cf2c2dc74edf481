//! Upstream's table of expressions: trees with positions, and complete lists of errors.

use model::{MatchKind, float};
use serde_json::{Value, json};

use crate::{
    Expr, Options,
    ast::{At, DurationExpr, DurationKind, NumberLiteral, Span, TimeModifiers, VectorSelector},
    parse_bytes,
};

#[test]
fn expressions_parse_as_upstream() {
    let Some(cases) = conformance::cases("prometheus/promql/parser/expressions.json") else {
        return;
    };
    let mut score = conformance::Score::new("expressions");
    let options = Options { fill_modifiers: false, ..Options::ALL };
    for (at, case) in cases.cases.iter().enumerate() {
        let input = input(case);
        let shown: String = String::from_utf8_lossy(&input).chars().take(100).collect();
        score.add(format!("{at} {shown}"), check(&input, &options, case));
    }
    score.finish(&[]);
}

fn input(case: &Value) -> Vec<u8> {
    if !case["input"].is_null() {
        return conformance::bytes(&case["input"]);
    }
    let parts = case["input_parts"].as_array().expect("parts in place of an input");
    let text = |part: &Value| part["text"].as_str().expect("a text").to_owned();
    let times = |part: &Value| part["repeat"].as_u64().expect("a number") as usize;
    parts.iter().map(|part| text(part).repeat(times(part))).collect::<String>().into_bytes()
}

fn check(input: &[u8], options: &Options, case: &Value) -> Result<(), String> {
    let errors = match parse_bytes(input, options) {
        Ok(expr) if case["ok"] == true => return compare(&tree(&expr), &case["ast"]),
        Ok(expr) => return Err(format!("accepted as {}", tree(&expr))),
        Err(errors) if case["ok"] == true => return Err(errors.to_string()),
        Err(errors) => errors,
    };
    compare(&json!(errors.to_string()), &case["error_text"])?;
    let found: Vec<Value> = errors
        .iter()
        .map(|error| {
            let Span { start, end } = error.span;
            json!({"message": error.message, "start": start, "end": end})
        })
        .collect();
    let mut wanted = wanted_errors(case);
    for error in &mut wanted {
        let error = error.as_object_mut().expect("an object");
        error.remove("error_text");
    }
    compare(&json!(found), &json!(wanted))
}

fn wanted_errors(case: &Value) -> Vec<Value> {
    let Some(series) = case["error_series"].as_array() else {
        return case["errors"].as_array().expect("errors").clone();
    };
    let number = |value: &Value| value.as_u64().expect("a number");
    let of = |one: &Value, i: u64| {
        let start = number(&one["start"]) + i * number(&one["start_step"]);
        let end = number(&one["end"]) + i * number(&one["end_step"]);
        json!({"message": one["message"], "start": start, "end": end})
    };
    let each = |one: &Value| (0..number(&one["count"])).map(|i| of(one, i)).collect::<Vec<_>>();
    series.iter().flat_map(each).collect()
}

fn compare(found: &Value, wanted: &Value) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    let shown = |value: &Value| value.to_string().chars().take(600).collect::<String>();
    Err(format!("\n      found {}\n     wanted {}", shown(found), shown(wanted)))
}

/// The tree in the notation of the table.
fn tree(expr: &Expr) -> Value {
    match expr {
        Expr::Number(literal) => number(literal),
        Expr::String(string) => {
            use base64::Engine as _;
            let value = match &string.bytes {
                None => json!(string.value),
                Some(bytes) => {
                    json!({"base64": base64::engine::general_purpose::STANDARD.encode(bytes)})
                }
            };
            json!({"node": "StringLiteral", "value": value, "pos": pos(string.span)})
        }
        Expr::Vector(selector) => vector(selector, false),
        Expr::Matrix(matrix) => {
            let mut tree = json!({
                "node": "MatrixSelector", "vector_selector": vector(&matrix.selector, false),
                "range_ms": matrix.range_ms, "end_pos": matrix.end,
            });
            set(&mut tree, "range_expr", matrix.range_expr.as_ref().map(duration));
            tree
        }
        Expr::Subquery(subquery) => {
            let mut tree = json!({
                "node": "SubqueryExpr", "expr": self::tree(&subquery.expr),
                "range_ms": subquery.range_ms, "step_ms": subquery.step_ms,
                "end_pos": subquery.end,
            });
            set(&mut tree, "range_expr", subquery.range_expr.as_ref().map(duration));
            set(&mut tree, "step_expr", subquery.step_expr.as_ref().map(duration));
            modifiers(&mut tree, &subquery.modifiers);
            tree
        }
        Expr::Paren(paren) => {
            json!({"node": "ParenExpr", "expr": self::tree(&paren.expr), "pos": pos(paren.span)})
        }
        Expr::Unary(unary) => json!({
            "node": "UnaryExpr", "op": if unary.negative { "-" } else { "+" },
            "expr": self::tree(&unary.expr), "start_pos": unary.start,
        }),
        Expr::Call(call) => json!({
            "node": "Call", "func": call.function.name, "pos": pos(call.span),
            "args": call.args.iter().enumerate().map(|(at, arg)| match arg {
                Expr::Vector(labels) if call.function.name == "info" && at == 1 => {
                    vector(labels, true)
                }
                arg => self::tree(arg),
            }).collect::<Vec<_>>(),
        }),
        Expr::Aggregate(aggregate) => {
            let mut tree = json!({
                "node": "AggregateExpr", "op": aggregate.op.as_str(),
                "expr": self::tree(&aggregate.expr), "grouping": aggregate.grouping,
                "without": aggregate.without, "pos": pos(aggregate.span),
            });
            set(&mut tree, "param", aggregate.param.as_ref().map(self::tree));
            tree
        }
        Expr::Binary(binary) => {
            let mut tree = json!({
                "node": "BinaryExpr", "op": binary.op.as_str(),
                "lhs": self::tree(&binary.lhs), "rhs": self::tree(&binary.rhs),
            });
            set(&mut tree, "return_bool", binary.return_bool.then_some(Value::Bool(true)));
            let matching = binary.matching.as_ref().map(|matching| {
                json!({
                    "card": matching.cardinality.as_str(), "on": matching.on,
                    "matching_labels": matching.labels, "include": matching.include,
                })
            });
            set(&mut tree, "vector_matching", matching);
            tree
        }
        Expr::Duration(expr) => duration(expr),
    }
}

fn pos(span: Span) -> Value {
    json!({"start": span.start, "end": span.end})
}

fn set(tree: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        tree[key] = value;
    }
}

fn number(number: &NumberLiteral) -> Value {
    let value = if number.value.is_finite() {
        match number.value.fract() == 0.0 {
            true => json!(number.value as i64),
            false => json!(number.value),
        }
    } else {
        let mut text = String::new();
        float::write_plain(number.value, &mut text);
        json!(text)
    };
    let mut tree = json!({"node": "NumberLiteral", "value": value, "pos": pos(number.span)});
    set(&mut tree, "is_duration", number.is_duration.then_some(Value::Bool(true)));
    tree
}

fn vector(selector: &VectorSelector, bypass_empty_matcher_check: bool) -> Value {
    let kind = |kind: MatchKind| kind.as_str();
    let mut tree = json!({
        "node": "VectorSelector", "name": selector.name, "pos": pos(selector.span),
        "matchers": selector.matchers.iter().map(|matcher| json!({
            "type": kind(matcher.kind), "name": matcher.name, "value": matcher.value,
        })).collect::<Vec<_>>(),
    });
    set(
        &mut tree,
        "bypass_empty_matcher_check",
        bypass_empty_matcher_check.then_some(Value::Bool(true)),
    );
    set(&mut tree, "anchored", selector.anchored.then_some(Value::Bool(true)));
    set(&mut tree, "smoothed", selector.smoothed.then_some(Value::Bool(true)));
    modifiers(&mut tree, &selector.modifiers);
    tree
}

fn modifiers(tree: &mut Value, modifiers: &TimeModifiers) {
    tree["offset_ms"] = json!(modifiers.offset_ms);
    set(tree, "offset_expr", modifiers.offset_expr.as_deref().map(duration));
    match modifiers.at {
        Some(At::Timestamp(timestamp)) => tree["at_timestamp_ms"] = json!(timestamp),
        Some(At::Start) => tree["at_preprocessor"] = json!("start"),
        Some(At::End) => tree["at_preprocessor"] = json!("end"),
        None => {}
    }
}

/// Upstream keeps only some of the positions: the start of a sign, both ends of a call.
fn duration(expr: &DurationExpr) -> Value {
    let (op, lhs, rhs) = match &expr.kind {
        DurationKind::Literal(literal) => return number(literal),
        DurationKind::Step => ("step", None, None),
        DurationKind::Range => ("range", None, None),
        DurationKind::Negative(inner) => ("-", None, Some(inner)),
        DurationKind::Positive(inner) => ("+", None, Some(inner)),
        DurationKind::Min(a, b) => ("min_of", Some(a), Some(b)),
        DurationKind::Max(a, b) => ("max_of", Some(a), Some(b)),
        DurationKind::Arithmetic(op, a, b) => (op.as_str(), Some(a), Some(b)),
    };
    let side = |side: Option<&Box<DurationExpr>>| side.map(|side| duration(side));
    let is_call =
        |expr: &DurationExpr| matches!(expr.kind, DurationKind::Min(..) | DurationKind::Max(..));
    let (start, end) = match &expr.kind {
        DurationKind::Arithmetic(..) => (0, 0),
        DurationKind::Negative(inner) if is_call(inner) => {
            // Behind a sign, upstream leaves out the closing parenthesis.
            let mut call = duration(inner);
            call["end_pos"] = json!(inner.span.end - 1);
            return json!({
                "node": "DurationExpr", "op": op, "lhs": null, "rhs": call,
                "start_pos": expr.span.start, "end_pos": inner.span.end - 1,
            });
        }
        // Within the parentheses, if there are any.
        DurationKind::Negative(_) => (expr.span.start + usize::from(expr.wrapped), 0),
        _ => (expr.span.start, expr.span.end),
    };
    let mut tree = json!({
        "node": "DurationExpr", "op": op, "lhs": side(lhs), "rhs": side(rhs),
        "start_pos": start, "end_pos": end,
    });
    set(&mut tree, "wrapped", expr.wrapped.then_some(Value::Bool(true)));
    tree
}
