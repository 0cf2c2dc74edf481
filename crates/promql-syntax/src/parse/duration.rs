//! Durations in brackets and after `offset`: literals and arithmetic.

use super::{Parsed, Parser, Stop, expr::Strength};
use crate::{
    ast::{BinaryOp, DurationExpr, DurationKind, NumberLiteral, Span},
    literal,
    token::{Keyword, Kind},
};

/// The seconds that fit in an int64 of nanoseconds.
const SECONDS_MAX: f64 = (1_u64 << 63) as f64 / 1e9;

/// A duration: known now, or calculated when the query runs.
pub(super) enum Duration {
    Millis(i64),
    Expr(DurationExpr),
}

impl Duration {
    /// The two fields of the tree for it.
    pub(super) fn split(self) -> (i64, Option<DurationExpr>) {
        match self {
            Duration::Millis(millis) => (millis, None),
            Duration::Expr(expr) => (0, Some(expr)),
        }
    }
}

impl Parser<'_> {
    /// The duration of a range or a step. An error is not noted: brackets have words for it.
    pub(super) fn positive_duration(&mut self) -> Parsed<Duration> {
        let expr = self.duration_operators(Strength::Sum)?;
        if let (DurationKind::Literal(number), false) = (&expr.kind, expr.wrapped)
            && number.value <= 0.0
        {
            self.complain_first(number.span, "duration must be greater than 0");
        }
        Ok(self.finish_duration(expr))
    }

    /// The duration of an offset: one operand. An error is not noted here either.
    pub(super) fn offset_duration(&mut self) -> Parsed<Duration> {
        let sign = self.sign();
        let mut operand = self.duration_primary()?;
        if let (Some(_), DurationKind::Positive(literal)) = (sign, &operand.kind) {
            // Upstream leaves the parentheses out here.
            operand.span = literal.span;
        }
        let expr = self.signed(sign, operand);
        Ok(self.finish_duration(expr))
    }

    fn finish_duration(&mut self, expr: DurationExpr) -> Duration {
        match &expr.kind {
            DurationKind::Literal(number) if !expr.wrapped => {
                Duration::Millis(literal::millis(number.value))
            }
            _ => {
                if !self.options.duration_expressions {
                    self.complain(expr.span, "experimental duration expression is not enabled");
                }
                Duration::Expr(expr)
            }
        }
    }

    fn duration_operators(&mut self, weakest: Strength) -> Parsed<DurationExpr> {
        let mut lhs = self.nested(Parser::duration_operand)?;
        let mut length = 0;
        while let Kind::Op(op) = self.token.kind {
            let strength = Strength::of(op);
            if strength < weakest || matches!(op, BinaryOp::Atan2) {
                break;
            }
            length += 1;
            if length > super::DEPTH_MAX {
                self.complain_too_deep(self.token.span);
                return Err(Stop);
            }
            let operator = self.token.span;
            self.advance();
            let rhs = self.nested(|parser| parser.duration_operators(strength.of_right_side()))?;
            lhs = self.duration_arithmetic(op, operator, lhs, rhs);
        }
        Ok(lhs)
    }

    fn duration_arithmetic(
        &mut self,
        op: BinaryOp,
        operator: Span,
        lhs: DurationExpr,
        rhs: DurationExpr,
    ) -> DurationExpr {
        let by_zero = match (op, &rhs.kind) {
            (BinaryOp::Div, DurationKind::Literal(number)) if number.value == 0.0 => "division",
            (BinaryOp::Mod, DurationKind::Literal(number)) if number.value == 0.0 => "modulo",
            _ => {
                let span = Span { start: lhs.span.start, end: rhs.span.end };
                let kind = DurationKind::Arithmetic(op, Box::new(lhs), Box::new(rhs));
                return DurationExpr { kind, wrapped: false, span };
            }
        };
        self.complain(operator, format!("{by_zero} by zero"));
        zero()
    }

    fn duration_operand(&mut self) -> Parsed<DurationExpr> {
        let sign = self.sign();
        let operand = match sign {
            // A sign binds less tightly than `^`.
            Some(_) => self.duration_operators(Strength::Power)?,
            None => self.duration_primary()?,
        };
        Ok(self.signed(sign, operand))
    }

    /// A sign, whether it is negative, and where it stands.
    fn sign(&mut self) -> Option<(bool, usize)> {
        let negative = match self.token.kind {
            Kind::Op(BinaryOp::Sub) => true,
            Kind::Op(BinaryOp::Add) => false,
            _ => return None,
        };
        let start = self.token.span.start;
        self.advance();
        Some((negative, start))
    }

    fn signed(&mut self, sign: Option<(bool, usize)>, operand: DurationExpr) -> DurationExpr {
        let Some((negative, start)) = sign else { return operand };
        match operand {
            DurationExpr { kind: DurationKind::Literal(mut number), wrapped: false, .. } => {
                number.value = if negative { -number.value } else { number.value };
                number.span.start = start;
                literal_expr(number)
            }
            operand if negative => {
                let span = Span { start, end: operand.span.end };
                let kind = DurationKind::Negative(Box::new(operand));
                DurationExpr { kind, wrapped: false, span }
            }
            operand => operand,
        }
    }

    fn duration_primary(&mut self) -> Parsed<DurationExpr> {
        let start = self.token.span.start;
        let kind = match self.token.kind {
            Kind::Number | Kind::Duration => return Ok(self.duration_literal()),
            Kind::LeftParen => return self.duration_in_parens(),
            Kind::Keyword(Keyword::Step) => {
                self.empty_parens()?;
                DurationKind::Step
            }
            Kind::Keyword(Keyword::Range) => {
                self.empty_parens()?;
                DurationKind::Range
            }
            Kind::Keyword(Keyword::MinOf) => {
                let (a, b) = self.two_durations()?;
                DurationKind::Min(a, b)
            }
            Kind::Keyword(Keyword::MaxOf) => {
                let (a, b) = self.two_durations()?;
                DurationKind::Max(a, b)
            }
            _ => return Err(Stop),
        };
        Ok(DurationExpr { kind, wrapped: false, span: Span { start, end: self.last_end } })
    }

    fn duration_literal(&mut self) -> DurationExpr {
        let span = self.token.span;
        let number = self.number_literal();
        if !(-SECONDS_MAX..=SECONDS_MAX).contains(&number.value) {
            self.complain_first(span, "duration out of range");
            return zero();
        }
        literal_expr(number)
    }

    fn duration_in_parens(&mut self) -> Parsed<DurationExpr> {
        let start = self.token.span.start;
        self.advance();
        let inner = self.duration_operators(Strength::Sum)?;
        self.wanted(Kind::RightParen)?;
        let span = Span { start, end: self.last_end };
        Ok(match inner.kind {
            // Upstream marks it by a plus sign.
            DurationKind::Literal(_) => {
                let kind = DurationKind::Positive(Box::new(inner));
                DurationExpr { kind, wrapped: true, span }
            }
            kind => DurationExpr { kind, wrapped: true, span },
        })
    }

    /// The parentheses behind a word.
    fn empty_parens(&mut self) -> Parsed<()> {
        self.advance();
        self.wanted(Kind::LeftParen)?;
        self.wanted(Kind::RightParen)
    }

    fn two_durations(&mut self) -> Parsed<(Box<DurationExpr>, Box<DurationExpr>)> {
        self.advance();
        self.wanted(Kind::LeftParen)?;
        let first = self.duration_operators(Strength::Sum)?;
        self.wanted(Kind::Comma)?;
        let second = self.duration_operators(Strength::Sum)?;
        self.wanted(Kind::RightParen)?;
        Ok((Box::new(first), Box::new(second)))
    }

    fn wanted(&mut self, kind: Kind) -> Parsed<()> {
        match self.eat(kind) {
            true => Ok(()),
            false => Err(Stop),
        }
    }
}

fn literal_expr(number: NumberLiteral) -> DurationExpr {
    let span = number.span;
    DurationExpr { kind: DurationKind::Literal(number), wrapped: false, span }
}

/// Goes on after a complaint; upstream's has no place in the text.
fn zero() -> DurationExpr {
    literal_expr(NumberLiteral { value: 0.0, is_duration: false, span: Span::default() })
}
