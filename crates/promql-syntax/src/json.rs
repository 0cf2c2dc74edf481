//! A tree as `/api/v1/parse_query` shows it: keys in alphabetical order, as Go sorts them.

use model::{
    Matcher, float,
    json::{Escape, write_text},
};

use crate::ast::{
    Aggregate, At, Binary, Call, DurationExpr, DurationKind, Expr, MatrixSelector, NumberLiteral,
    Subquery, TimeModifiers, VectorMatching, VectorSelector,
};

/// The JSON text of `expr`.
pub fn to_json(expr: &Expr) -> String {
    let mut writer = Writer { out: String::with_capacity(256) };
    writer.expr(expr);
    writer.out
}

struct Writer {
    out: String,
}

impl Writer {
    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
            Expr::Matrix(matrix) => self.matrix(matrix),
            Expr::Number(number) => self.number(number),
            Expr::Paren(paren) => {
                self.raw("{\"expr\":");
                self.expr(&paren.expr);
                self.raw(",\"type\":\"parenExpr\"}");
            }
            Expr::String(string) => {
                self.raw("{\"type\":\"stringLiteral\",\"val\":");
                self.text(&string.value);
                self.raw("}");
            }
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Unary(unary) => {
                self.raw("{\"expr\":");
                self.expr(&unary.expr);
                self.raw(",\"op\":");
                self.text(if unary.negative { "-" } else { "+" });
                self.raw(",\"type\":\"unaryExpr\"}");
            }
            Expr::Vector(vector) => self.vector(vector),
            Expr::Duration(duration) => self.duration(duration),
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        self.raw("{\"expr\":");
        self.expr(&aggregate.expr);
        self.raw(",\"grouping\":");
        self.texts(&aggregate.grouping);
        self.raw(",\"op\":");
        self.text(aggregate.op.as_str());
        self.raw(",\"param\":");
        match &aggregate.param {
            Some(param) => self.expr(param),
            None => self.raw("null"),
        }
        self.raw(",\"type\":\"aggregation\",\"without\":");
        self.bool(aggregate.without);
        self.raw("}");
    }

    fn binary(&mut self, binary: &Binary) {
        self.raw("{\"bool\":");
        self.bool(binary.return_bool);
        self.raw(",\"lhs\":");
        self.expr(&binary.lhs);
        self.raw(",\"matching\":");
        match &binary.matching {
            Some(matching) => self.matching(matching),
            None => self.raw("null"),
        }
        self.raw(",\"op\":");
        self.text(binary.op.as_str());
        self.raw(",\"rhs\":");
        self.expr(&binary.rhs);
        self.raw(",\"type\":\"binaryExpr\"}");
    }

    fn matching(&mut self, matching: &VectorMatching) {
        self.raw("{\"card\":");
        self.text(matching.cardinality.as_str());
        self.raw(",\"fillValues\":{\"lhs\":");
        self.float(matching.fill_left);
        self.raw(",\"rhs\":");
        self.float(matching.fill_right);
        self.raw("},\"include\":");
        self.texts(&matching.include);
        self.raw(",\"labels\":");
        self.texts(&matching.labels);
        self.raw(",\"on\":");
        self.bool(matching.on);
        self.raw("}");
    }

    fn call(&mut self, call: &Call) {
        self.raw("{\"args\":");
        self.list(&call.args, |writer, arg| writer.expr(arg));
        self.raw(",\"func\":{\"argTypes\":");
        self.list(call.function.args, |writer, value_type| writer.text(value_type.as_str()));
        self.raw(",\"name\":");
        self.text(call.function.name);
        self.raw(",\"returnType\":");
        self.text(call.function.returns.as_str());
        self.raw(",\"variadic\":");
        self.int(i64::from(call.function.variadic));
        self.raw("},\"type\":\"call\"}");
    }

    fn matrix(&mut self, matrix: &MatrixSelector) {
        let VectorSelector { name, matchers, modifiers, anchored, smoothed, .. } = &matrix.selector;
        self.raw("{\"anchored\":");
        self.bool(*anchored);
        self.raw(",\"matchers\":");
        self.matchers(matchers);
        self.raw(",\"name\":");
        self.text(name);
        self.offset(modifiers);
        self.raw(",\"range\":");
        self.int(matrix.range_ms);
        self.raw(",\"rangeExpr\":");
        self.maybe_duration(matrix.range_expr.as_ref());
        self.raw(",\"smoothed\":");
        self.bool(*smoothed);
        self.at(modifiers);
        self.raw(",\"type\":\"matrixSelector\"}");
    }

    fn vector(&mut self, vector: &VectorSelector) {
        self.raw("{\"anchored\":");
        self.bool(vector.anchored);
        self.raw(",\"matchers\":");
        self.matchers(&vector.matchers);
        self.raw(",\"name\":");
        self.text(&vector.name);
        self.offset(&vector.modifiers);
        self.raw(",\"smoothed\":");
        self.bool(vector.smoothed);
        self.at(&vector.modifiers);
        self.raw(",\"type\":\"vectorSelector\"}");
    }

    fn subquery(&mut self, subquery: &Subquery) {
        self.raw("{\"expr\":");
        self.expr(&subquery.expr);
        self.offset(&subquery.modifiers);
        self.raw(",\"range\":");
        self.int(subquery.range_ms);
        self.raw(",\"rangeExpr\":");
        self.maybe_duration(subquery.range_expr.as_ref());
        self.start_or_end(&subquery.modifiers);
        self.raw(",\"step\":");
        self.int(subquery.step_ms);
        self.raw(",\"stepExpr\":");
        self.maybe_duration(subquery.step_expr.as_ref());
        self.timestamp(&subquery.modifiers);
        self.raw(",\"type\":\"subquery\"}");
    }

    fn number(&mut self, number: &NumberLiteral) {
        self.raw("{\"duration\":");
        self.bool(number.is_duration);
        self.raw(",\"type\":\"numberLiteral\",\"val\":\"");
        float::write_plain(number.value, &mut self.out);
        self.raw("\"}");
    }

    fn maybe_duration(&mut self, duration: Option<&DurationExpr>) {
        match duration {
            Some(duration) => self.duration(duration),
            None => self.raw("null"),
        }
    }

    fn duration(&mut self, duration: &DurationExpr) {
        let (op, lhs, rhs) = match &duration.kind {
            DurationKind::Literal(number) => return self.number(number),
            DurationKind::Step => ("step", None, None),
            DurationKind::Range => ("range", None, None),
            DurationKind::Negative(inner) => ("-", None, Some(inner)),
            DurationKind::Positive(inner) => ("+", None, Some(inner)),
            DurationKind::Arithmetic(op, lhs, rhs) => (op.as_str(), Some(lhs), Some(rhs)),
            DurationKind::Min(lhs, rhs) => ("min_of", Some(lhs), Some(rhs)),
            DurationKind::Max(lhs, rhs) => ("max_of", Some(lhs), Some(rhs)),
        };
        self.raw("{\"lhs\":");
        self.maybe_duration(lhs.map(Box::as_ref));
        self.raw(",\"op\":");
        self.text(op);
        self.raw(",\"rhs\":");
        self.maybe_duration(rhs.map(Box::as_ref));
        self.raw(",\"type\":\"durationExpr\",\"wrapped\":");
        self.bool(duration.wrapped);
        self.raw("}");
    }

    fn offset(&mut self, modifiers: &TimeModifiers) {
        self.raw(",\"offset\":");
        self.int(modifiers.offset_ms);
        self.raw(",\"offsetExpr\":");
        self.maybe_duration(modifiers.offset_expr.as_deref());
    }

    fn at(&mut self, modifiers: &TimeModifiers) {
        self.start_or_end(modifiers);
        self.timestamp(modifiers);
    }

    fn start_or_end(&mut self, modifiers: &TimeModifiers) {
        self.raw(match modifiers.at {
            Some(At::Start) => ",\"startOrEnd\":\"start\"",
            Some(At::End) => ",\"startOrEnd\":\"end\"",
            Some(At::Timestamp(_)) | None => ",\"startOrEnd\":null",
        });
    }

    fn timestamp(&mut self, modifiers: &TimeModifiers) {
        self.raw(",\"timestamp\":");
        match modifiers.at {
            Some(At::Timestamp(timestamp)) => self.int(timestamp),
            Some(At::Start | At::End) | None => self.raw("null"),
        }
    }

    fn matchers(&mut self, matchers: &[Matcher]) {
        self.list(matchers, |writer, matcher| {
            writer.raw("{\"name\":");
            writer.text(&matcher.name);
            writer.raw(",\"type\":");
            writer.text(matcher.kind.as_str());
            writer.raw(",\"value\":");
            writer.text(&matcher.value);
            writer.raw("}");
        });
    }

    fn texts(&mut self, texts: &[String]) {
        self.list(texts, |writer, text| writer.text(text));
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Writer, &T)) {
        self.raw("[");
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    fn float(&mut self, value: Option<f64>) {
        match value {
            Some(value) if value.is_finite() => float::write_json(value, &mut self.out),
            _ => self.raw("null"),
        }
    }

    fn int(&mut self, value: i64) {
        self.out.push_str(&value.to_string());
    }

    fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn text(&mut self, text: &str) {
        write_text(text, Escape::Iterator, &mut self.out);
    }
}
