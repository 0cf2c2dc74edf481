//! Operands, signs, and how tightly operators bind.

use super::{Node, Parsed, Parser};
use crate::{
    ast::{BinaryOp, Expr, NumberLiteral, Paren, Span, StringLiteral, Unary},
    literal,
    token::{Keyword, Kind},
};

/// How tightly an operator binds; a sign binds like `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Power,
}

impl Strength {
    pub(super) fn of(op: BinaryOp) -> Strength {
        use BinaryOp::*;
        match op {
            Or => Strength::Or,
            And | Unless => Strength::And,
            Equal | NotEqual | Greater | Less | GreaterOrEqual | LessOrEqual => {
                Strength::Comparison
            }
            TrimUpper | TrimLower => Strength::Comparison,
            Add | Sub => Strength::Sum,
            Mul | Div | Mod | Atan2 => Strength::Product,
            Pow => Strength::Power,
        }
    }

    /// What the right operand of an operator may consist of: only `^` groups to the right.
    pub(super) fn of_right_side(self) -> Strength {
        match self {
            Strength::Or => Strength::And,
            Strength::And => Strength::Comparison,
            Strength::Comparison => Strength::Sum,
            Strength::Sum => Strength::Product,
            Strength::Product | Strength::Power => Strength::Power,
        }
    }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<Node> {
        self.operators(Strength::Or)
    }

    /// An operand and the operators behind it that bind at least as tightly as `weakest`.
    fn operators(&mut self, weakest: Strength) -> Parsed<Node> {
        let mut lhs = self.nested(Parser::operand)?;
        while let Kind::Op(op) = self.token.kind {
            let strength = Strength::of(op);
            if strength < weakest {
                break;
            }
            self.advance();
            let modifiers = self.binary_modifiers()?;
            let rhs = self.nested(|parser| parser.operators(strength.of_right_side()))?;
            lhs = self.binary(op, lhs, modifiers, rhs);
        }
        Ok(lhs)
    }

    /// A sign and its operand, or a primary expression with its modifiers.
    fn operand(&mut self) -> Parsed<Node> {
        let negative = match self.token.kind {
            Kind::Op(BinaryOp::Sub) => true,
            Kind::Op(BinaryOp::Add) => false,
            _ => {
                let primary = self.primary()?;
                return self.with_modifiers(primary);
            }
        };
        let start = self.token.span.start;
        self.advance();
        let operand = self.operators(Strength::Power)?;
        Ok(match operand.expr {
            // `-1` is a number. `-1 ^ 2` is not, since the sign binds less tightly.
            Expr::Number(mut number) => {
                number.value = if negative { -number.value } else { number.value };
                number.span.start = start;
                Node { expr: Expr::Number(number), height: operand.height }
            }
            expr => {
                let unary = Expr::Unary(Box::new(Unary { negative, expr, start }));
                self.grown(unary, operand.height)
            }
        })
    }

    fn primary(&mut self) -> Parsed<Node> {
        let span = self.token.span;
        let expr = match self.token.kind {
            Kind::Number | Kind::Duration => Expr::Number(self.number_literal()),
            Kind::String => Expr::String(self.string_literal()),
            Kind::LeftParen => return self.paren(),
            Kind::LeftBrace => Expr::Vector(Box::new(self.selector()?)),
            Kind::Aggregate(op) => {
                self.advance();
                let is_aggregation = self.token.kind == Kind::LeftParen
                    || self.at_keyword(Keyword::By)
                    || self.at_keyword(Keyword::Without);
                match is_aggregation {
                    true => return self.aggregation(op, span),
                    false => Expr::Vector(Box::new(self.named_selector(span)?)),
                }
            }
            kind if kind.names_metric() => {
                self.advance();
                match self.token.kind == Kind::LeftParen && kind.names_function() {
                    true => return self.call(span),
                    false => Expr::Vector(Box::new(self.named_selector(span)?)),
                }
            }
            _ => return Err(self.unexpected_here()),
        };
        Ok(Node { expr, height: 1 })
    }

    fn paren(&mut self) -> Parsed<Node> {
        let start = self.token.span.start;
        self.advance();
        let inner = self.expression()?;
        self.close_paren()?;
        let span = Span { start, end: self.last_end };
        let paren = Expr::Paren(Box::new(Paren { expr: inner.expr, span }));
        Ok(self.grown(paren, inner.height))
    }

    pub(super) fn close_paren(&mut self) -> Parsed<()> {
        match self.eat(Kind::RightParen) {
            true => Ok(()),
            false => Err(self.unexpected_here()),
        }
    }

    /// Takes a number or a duration; its value is zero if that cannot be read.
    pub(super) fn number_literal(&mut self) -> NumberLiteral {
        let span = self.token.span;
        let is_duration = self.token.kind == Kind::Duration;
        let value = match is_duration {
            true => literal::duration_seconds(self.text()),
            false => literal::number(self.text()),
        };
        self.advance();
        let value = value.unwrap_or_else(|problem| {
            self.complain_first(span, problem);
            0.0
        });
        NumberLiteral { value, is_duration, span }
    }

    pub(super) fn string_literal(&mut self) -> StringLiteral {
        let span = self.token.span;
        self.advance();
        let bytes = literal::unquote(self.input.get(span.start..span.end).unwrap_or_default());
        match String::from_utf8(bytes) {
            Ok(value) => StringLiteral { value, bytes: None, span },
            Err(error) => StringLiteral {
                value: String::from_utf8_lossy(error.as_bytes()).into_owned(),
                bytes: Some(error.into_bytes().into_boxed_slice()),
                span,
            },
        }
    }

    /// A number with an optional sign.
    pub(crate) fn signed_number(&mut self) -> Result<f64, NoNumber> {
        let negative = match self.token.kind {
            Kind::Op(BinaryOp::Sub) => Some(true),
            Kind::Op(BinaryOp::Add) => Some(false),
            _ => None,
        };
        if negative.is_some() {
            self.advance();
        }
        if !matches!(self.token.kind, Kind::Number | Kind::Duration) {
            return Err(NoNumber);
        }
        let value = self.number_literal().value;
        Ok(if negative == Some(true) { -value } else { value })
    }
}

/// There is no number here; whoever asked has words for that.
pub(crate) struct NoNumber;
