//! A query's syntax tree as JSON, for the tree view of the pages.
//!
//! The keys of each node are in alphabetical order, as upstream's encoder sorts them.

use model::Matcher;
use promql_syntax::ast::{
    At, Binary, BinaryOp, Call, Cardinality, DurationExpr, DurationKind, Expr, MatrixSelector,
    NumberLiteral, Subquery, TimeModifiers, VectorMatching, VectorSelector,
};

use crate::json::{Json, Object};

pub(super) fn write(json: &mut Json, expr: &Expr) {
    json.object(|node| match expr {
        Expr::Aggregate(aggregate) => {
            write(node.key("expr"), &aggregate.expr);
            node.key("grouping").strings(&aggregate.grouping);
            node.string("op", aggregate.op.as_str());
            optional(node.key("param"), aggregate.param.as_ref(), write);
            node.string("type", "aggregation");
            node.key("without").bool(aggregate.without);
        }
        Expr::Binary(binary) => write_binary(node, binary),
        Expr::Call(call) => write_call(node, call),
        Expr::Matrix(matrix) => write_matrix(node, matrix),
        Expr::Number(number) => write_number(node, number),
        Expr::Paren(paren) => {
            write(node.key("expr"), &paren.expr);
            node.string("type", "parenExpr");
        }
        Expr::String(string) => {
            node.string("type", "stringLiteral");
            node.string("val", &string.value);
        }
        Expr::Subquery(subquery) => write_subquery(node, subquery),
        Expr::Unary(unary) => {
            write(node.key("expr"), &unary.expr);
            node.string("op", if unary.negative { "-" } else { "+" });
            node.string("type", "unaryExpr");
        }
        Expr::Vector(vector) => write_vector(node, vector),
        Expr::Duration(duration) => write_duration(node, duration),
    });
}

fn write_binary(node: &mut Object<'_>, binary: &Binary) {
    node.key("bool").bool(binary.return_bool);
    write(node.key("lhs"), &binary.lhs);
    optional(node.key("matching"), binary.matching.as_ref(), write_matching);
    node.string("op", binary.op.as_str());
    write(node.key("rhs"), &binary.rhs);
    node.string("type", "binaryExpr");
}

fn write_matching(json: &mut Json, matching: &VectorMatching) {
    json.object(|node| {
        node.string(
            "card",
            match matching.cardinality {
                Cardinality::OneToOne => "one-to-one",
                Cardinality::ManyToOne => "many-to-one",
                Cardinality::OneToMany => "one-to-many",
                Cardinality::ManyToMany => "many-to-many",
            },
        );
        node.key("fillValues").object(|fill| {
            let write = |json: &mut Json, value: &f64| json.float(*value);
            optional(fill.key("lhs"), matching.fill_left.as_ref(), write);
            optional(fill.key("rhs"), matching.fill_right.as_ref(), write);
        });
        node.key("include").strings(&matching.include);
        node.key("labels").strings(&matching.labels);
        node.key("on").bool(matching.on);
    });
}

fn write_call(node: &mut Object<'_>, call: &Call) {
    node.key("args").array(&call.args, write);
    node.key("func").object(|function| {
        function.key("argTypes").strings(call.function.args.iter().map(|kind| kind.as_str()));
        function.string("name", call.function.name);
        function.string("returnType", call.function.returns.as_str());
        function.key("variadic").int(call.function.variadic);
    });
    node.string("type", "call");
}

fn write_vector(node: &mut Object<'_>, vector: &VectorSelector) {
    node.key("anchored").bool(vector.anchored);
    write_matchers(node, &vector.matchers);
    node.string("name", &vector.name);
    write_offset(node, &vector.modifiers);
    node.key("smoothed").bool(vector.smoothed);
    write_at(node, &vector.modifiers);
    node.string("type", "vectorSelector");
}

fn write_matrix(node: &mut Object<'_>, matrix: &MatrixSelector) {
    let selector = &matrix.selector;
    node.key("anchored").bool(selector.anchored);
    write_matchers(node, &selector.matchers);
    node.string("name", &selector.name);
    write_offset(node, &selector.modifiers);
    node.key("range").int(matrix.range_ms);
    optional(node.key("rangeExpr"), matrix.range_expr.as_ref(), duration);
    node.key("smoothed").bool(selector.smoothed);
    write_at(node, &selector.modifiers);
    node.string("type", "matrixSelector");
}

fn write_subquery(node: &mut Object<'_>, subquery: &Subquery) {
    write(node.key("expr"), &subquery.expr);
    write_offset(node, &subquery.modifiers);
    node.key("range").int(subquery.range_ms);
    optional(node.key("rangeExpr"), subquery.range_expr.as_ref(), duration);
    let at = subquery.modifiers.at;
    write_start_or_end(node, at);
    node.key("step").int(subquery.step_ms);
    optional(node.key("stepExpr"), subquery.step_expr.as_ref(), duration);
    write_timestamp(node, at);
    node.string("type", "subquery");
}

fn write_matchers(node: &mut Object<'_>, matchers: &[Matcher]) {
    node.key("matchers").array(matchers, |json, matcher| {
        json.object(|node| {
            node.string("name", &matcher.name);
            node.string("type", matcher.kind.as_str());
            node.string("value", &matcher.value);
        });
    });
}

fn write_offset(node: &mut Object<'_>, modifiers: &TimeModifiers) {
    node.key("offset").int(modifiers.offset_ms);
    optional(node.key("offsetExpr"), modifiers.offset_expr.as_deref(), duration);
}

fn write_at(node: &mut Object<'_>, modifiers: &TimeModifiers) {
    write_start_or_end(node, modifiers.at);
    write_timestamp(node, modifiers.at);
}

fn write_start_or_end(node: &mut Object<'_>, at: Option<At>) {
    match at {
        Some(At::Start) => node.string("startOrEnd", "start"),
        Some(At::End) => node.string("startOrEnd", "end"),
        Some(At::Timestamp(_)) | None => node.key("startOrEnd").raw("null"),
    }
}

fn write_timestamp(node: &mut Object<'_>, at: Option<At>) {
    match at {
        Some(At::Timestamp(millis)) => node.key("timestamp").int(millis),
        Some(At::Start | At::End) | None => node.key("timestamp").raw("null"),
    }
}

fn write_number(node: &mut Object<'_>, number: &NumberLiteral) {
    node.key("duration").bool(number.is_duration);
    node.string("type", "numberLiteral");
    let mut value = String::new();
    model::float::write_plain(number.value, &mut value);
    node.string("val", &value);
}

fn duration(json: &mut Json, expr: &DurationExpr) {
    json.object(|node| write_duration(node, expr));
}

fn write_duration(node: &mut Object<'_>, expr: &DurationExpr) {
    let (op, lhs, rhs) = match &expr.kind {
        DurationKind::Literal(number) => return write_number(node, number),
        DurationKind::Step => ("step", None, None),
        DurationKind::Range => ("range", None, None),
        DurationKind::Negative(of) => (BinaryOp::Sub.as_str(), None, Some(of)),
        DurationKind::Positive(of) => (BinaryOp::Add.as_str(), None, Some(of)),
        DurationKind::Arithmetic(op, lhs, rhs) => (op.as_str(), Some(lhs), Some(rhs)),
        DurationKind::Min(lhs, rhs) => ("min_of", Some(lhs), Some(rhs)),
        DurationKind::Max(lhs, rhs) => ("max_of", Some(lhs), Some(rhs)),
    };
    optional(node.key("lhs"), lhs.map(Box::as_ref), duration);
    node.string("op", op);
    optional(node.key("rhs"), rhs.map(Box::as_ref), duration);
    node.string("type", "durationExpr");
    node.key("wrapped").bool(expr.wrapped);
}

fn optional<T>(json: &mut Json, value: Option<&T>, write: impl FnOnce(&mut Json, &T)) {
    match value {
        Some(value) => write(json, value),
        None => json.raw("null"),
    }
}
