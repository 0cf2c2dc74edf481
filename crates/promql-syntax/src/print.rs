//! A tree back to its canonical text on one line.

use std::{
    fmt::{self, Display, Formatter, Write as _},
    time::Duration,
};

use model::{
    METRIC_NAME, MatchKind, Matcher, duration, float,
    labels::{quote, quote_bytes},
    names::is_legacy_label_name,
};

use crate::ast::{
    Aggregate, At, Binary, Cardinality, DurationExpr, DurationKind, Expr, MatrixSelector,
    NumberLiteral, StringLiteral, Subquery, TimeModifiers, VectorMatching, VectorSelector,
};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Aggregate(aggregate) => {
                write!(f, "{}(", Head(aggregate))?;
                if let Some(param) = &aggregate.param {
                    write!(f, "{param}, ")?;
                }
                write!(f, "{})", aggregate.expr)
            }
            Expr::Binary(binary) => {
                write!(f, "{} {} {}", binary.lhs, Operator(binary), binary.rhs)
            }
            Expr::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                separated(f, ", ", &call.args, |arg, f| arg.fmt(f))?;
                f.write_char(')')
            }
            Expr::Matrix(matrix) => matrix.fmt(f),
            Expr::Number(number) => number.fmt(f),
            Expr::Paren(paren) => write!(f, "({})", paren.expr),
            Expr::String(string) => string.fmt(f),
            Expr::Subquery(subquery) => {
                write!(f, "{}{}", subquery.expr, SubqueryTail(subquery))
            }
            Expr::Unary(unary) => {
                write!(f, "{}{}", if unary.negative { '-' } else { '+' }, unary.expr)
            }
            // Only as an argument of `info`; without the braces it could not be read back.
            Expr::Vector(vector) if vector.name.is_empty() && vector.matchers.is_empty() => {
                f.write_str("{}")
            }
            Expr::Vector(vector) => vector.fmt(f),
            Expr::Duration(duration) => duration.fmt(f),
        }
    }
}

/// What comes before the parentheses of an aggregation: `sum by (job) `.
pub(crate) struct Head<'a>(pub(crate) &'a Aggregate);

impl Display for Head<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Aggregate { op, grouping, without, .. } = self.0;
        f.write_str(op.as_str())?;
        match without {
            true => write!(f, " without {} ", LabelList(grouping)),
            false if !grouping.is_empty() => write!(f, " by {} ", LabelList(grouping)),
            false => Ok(()),
        }
    }
}

/// An operator with its modifiers: `+ on (job) group_left ()`.
pub(crate) struct Operator<'a>(pub(crate) &'a Binary);

impl Display for Operator<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.op.as_str())?;
        if self.0.return_bool {
            f.write_str(" bool")?;
        }
        self.0.matching.as_ref().map_or(Ok(()), |matching| matching.fmt(f))
    }
}

impl Display for VectorMatching {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let group = match self.cardinality {
            Cardinality::ManyToOne => Some("group_left"),
            Cardinality::OneToMany => Some("group_right"),
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
        };
        if self.on || !self.labels.is_empty() || group.is_some() {
            let word = if self.on { "on" } else { "ignoring" };
            write!(f, " {word} {}", LabelList(&self.labels))?;
        }
        if let Some(group) = group {
            write!(f, " {group} {}", LabelList(&self.include))?;
        }
        let fill = |f: &mut Formatter<'_>, word: &str, value: Option<f64>| match value {
            Some(value) => write!(f, " {word} ({})", Plain(value)),
            None => Ok(()),
        };
        let same_bits = |a: f64, b: f64| a.to_bits() == b.to_bits();
        match (self.fill_left, self.fill_right) {
            (Some(left), Some(right)) if same_bits(left, right) => fill(f, "fill", Some(left)),
            (left, right) => {
                fill(f, "fill_left", left)?;
                fill(f, "fill_right", right)
            }
        }
    }
}

impl Display for VectorSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt_series(f)?;
        self.fmt_extension(f)?;
        self.modifiers.fmt(f)
    }
}

impl VectorSelector {
    /// The name and the conditions, sorted as text.
    fn fmt_series(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let repeats_name = |matcher: &Matcher| {
            !self.name.is_empty()
                && matcher.name == METRIC_NAME
                && matcher.kind == MatchKind::Equal
                && matcher.value == self.name
        };
        f.write_str(&self.name)?;
        let others = self.matchers.iter().filter(|matcher| !repeats_name(matcher));
        let mut others: Vec<String> = others.map(Matcher::to_string).collect();
        if others.is_empty() {
            return Ok(());
        }
        others.sort_unstable();
        write!(f, "{{{}}}", others.join(","))
    }

    fn fmt_extension(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.anchored, self.smoothed) {
            (true, _) => f.write_str(" anchored"),
            (false, true) => f.write_str(" smoothed"),
            (false, false) => Ok(()),
        }
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.selector.fmt_series(f)?;
        write!(f, "[{}]", DurationField(self.range_ms, self.range_expr.as_ref()))?;
        self.selector.fmt_extension(f)?;
        self.selector.modifiers.fmt(f)
    }
}

/// What follows the expression of a subquery: `[1h:5m] offset 1d`.
pub(crate) struct SubqueryTail<'a>(pub(crate) &'a Subquery);

impl Display for SubqueryTail<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Subquery { range_ms, range_expr, step_ms, step_expr, modifiers, .. } = self.0;
        write!(f, "[{}:", DurationField(*range_ms, range_expr.as_ref()))?;
        if *step_ms != 0 || step_expr.is_some() {
            DurationField(*step_ms, step_expr.as_ref()).fmt(f)?;
        }
        write!(f, "]{modifiers}")
    }
}

impl Display for TimeModifiers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(At::Timestamp(millis)) => write!(f, " @ {:.3}", millis as f64 / 1000.0)?,
            Some(At::Start) => f.write_str(" @ start()")?,
            Some(At::End) => f.write_str(" @ end()")?,
            None => {}
        }
        if self.offset_ms == 0 && self.offset_expr.is_none() {
            return Ok(());
        }
        write!(f, " offset {}", DurationField(self.offset_ms, self.offset_expr.as_deref()))
    }
}

/// A duration that is known, or an expression for it.
struct DurationField<'a>(i64, Option<&'a DurationExpr>);

impl Display for DurationField<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DurationField(_, Some(expr)) => expr.fmt(f),
            DurationField(millis, None) => {
                let sign = if *millis < 0 { "-" } else { "" };
                let length = Duration::from_millis(millis.unsigned_abs());
                write!(f, "{sign}{}", duration::format(length))
            }
        }
    }
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.wrapped { write!(f, "({})", self.kind) } else { self.kind.fmt(f) }
    }
}

impl Display for DurationKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DurationKind::Literal(number) => number.fmt(f),
            DurationKind::Step => f.write_str("step()"),
            DurationKind::Range => f.write_str("range()"),
            DurationKind::Negative(inner) => write!(f, "-{inner}"),
            DurationKind::Positive(inner) => inner.fmt(f),
            DurationKind::Min(a, b) => write!(f, "min_of({a}, {b})"),
            DurationKind::Max(a, b) => write!(f, "max_of({a}, {b})"),
            DurationKind::Arithmetic(op, a, b) => write!(f, "{a} {} {b}", op.as_str()),
        }
    }
}

impl Display for NumberLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.is_duration {
            return Plain(self.value).fmt(f);
        }
        let millis = crate::literal::millis(self.value);
        DurationField(millis, None).fmt(f)
    }
}

impl Display for StringLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.bytes {
            Some(bytes) => f.write_str(&quote_bytes(bytes)),
            None => f.write_str(&quote(&self.value)),
        }
    }
}

/// A float without exponent.
struct Plain(f64);

impl Display for Plain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        float::write_plain(self.0, &mut out);
        f.write_str(&out)
    }
}

/// Labels in parentheses, quoted where they must be.
struct LabelList<'a>(&'a [String]);

impl Display for LabelList<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        separated(f, ", ", self.0, |label, f| match is_legacy_label_name(label) {
            true => f.write_str(label),
            false => f.write_str(&quote(label)),
        })?;
        f.write_char(')')
    }
}

fn separated<T>(
    f: &mut Formatter<'_>,
    separator: &str,
    items: &[T],
    print: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        print(item, f)?;
    }
    Ok(())
}
