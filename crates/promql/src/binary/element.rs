//! Operators between two values.

use model::float::functions;
use promql_syntax::ast::BinaryOp;

use super::histogram;
use crate::{
    column::{Cell, Owned},
    notes::Notes,
};

/// What two values make.
pub(super) struct Outcome {
    pub(super) value: Owned,
    /// Whether a comparison holds; true for arithmetic.
    pub(super) keep: bool,
}

pub(super) fn arithmetic(op: BinaryOp) -> Option<fn(f64, f64) -> f64> {
    Some(match op {
        BinaryOp::Add => |a, b| a + b,
        BinaryOp::Sub => |a, b| a - b,
        BinaryOp::Mul => |a, b| a * b,
        BinaryOp::Div => |a, b| a / b,
        BinaryOp::Mod => |a, b| a % b,
        BinaryOp::Pow => functions::pow,
        BinaryOp::Atan2 => functions::atan2,
        _ => return None,
    })
}

pub(super) fn comparison(op: BinaryOp) -> Option<fn(f64, f64) -> bool> {
    Some(match op {
        BinaryOp::Equal => |a, b| a == b,
        BinaryOp::NotEqual => |a, b| a != b,
        BinaryOp::Greater => |a, b| a > b,
        BinaryOp::Less => |a, b| a < b,
        BinaryOp::GreaterOrEqual => |a, b| a >= b,
        BinaryOp::LessOrEqual => |a, b| a <= b,
        _ => return None,
    })
}

/// Nothing, with a note, if the operator does not fit the values.
pub(super) fn apply(
    op: BinaryOp,
    lhs: Cell<'_>,
    rhs: Cell<'_>,
    notes: &mut Notes,
    position: usize,
) -> Option<Outcome> {
    let made = |value: Owned| Outcome { value, keep: true };
    let outcome = match (lhs, rhs) {
        (Cell::Float(a), Cell::Float(b)) => match (arithmetic(op), comparison(op)) {
            (Some(run), _) => Some(made(Owned::Float(run(a, b)))),
            (_, Some(holds)) => Some(Outcome { value: Owned::Float(a), keep: holds(a, b) }),
            _ => None,
        },
        (Cell::Float(a), Cell::Histogram(b)) => match op {
            BinaryOp::Mul => Some(made(histogram::multiply(b, a))),
            _ => None,
        },
        (Cell::Histogram(a), Cell::Float(b)) => match op {
            BinaryOp::Mul => Some(made(histogram::multiply(a, b))),
            BinaryOp::Div => Some(made(histogram::divide(a, b))),
            BinaryOp::TrimUpper => Some(made(histogram::trim_upper(a, b))),
            BinaryOp::TrimLower => Some(made(histogram::trim_lower(a, b))),
            _ => None,
        },
        (Cell::Histogram(a), Cell::Histogram(b)) => match op {
            BinaryOp::Add => return histogram::add(a, b, notes, position).map(made),
            BinaryOp::Sub => return histogram::subtract(a, b, notes, position).map(made),
            BinaryOp::Equal => Some(Outcome { value: lhs.owned(), keep: histogram::equal(a, b) }),
            BinaryOp::NotEqual => {
                Some(Outcome { value: lhs.owned(), keep: !histogram::equal(a, b) })
            }
            _ => None,
        },
    };
    if outcome.is_none() {
        notes.incompatible_types(lhs.kind(), text(op), rhs.kind(), position);
    }
    outcome
}

fn text(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "^",
        BinaryOp::Atan2 => "atan2",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Greater => ">",
        BinaryOp::Less => "<",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Unless => "unless",
        BinaryOp::TrimUpper => "</",
        BinaryOp::TrimLower => ">/",
    }
}
