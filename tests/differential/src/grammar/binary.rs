//! Operators between two expressions.

use super::{Likeness, Maker, Piece};

impl Maker<'_> {
    pub(super) fn binary(&self, depth: usize) -> Piece {
        match self.dice.below(10) {
            0..=2 => self.with_scalar(depth),
            3..=5 => self.sets(depth),
            _ => self.join(depth),
        }
    }

    fn with_scalar(&self, depth: usize) -> Piece {
        let scalar = self.scalar(depth);
        let inner = self.same_bits(depth);
        let op = self.dice.pick(OPERATORS);
        let text = if self.dice.percent(50) {
            format!("({}) {op} {}", inner.text, scalar.text)
        } else {
            format!("{} {op} ({})", scalar.text, inner.text)
        };
        let likeness = if is_approximate(op) { Likeness::Close } else { Likeness::Bits };
        Piece { is_odd: true, ..inner.map(text, likeness) }
    }

    fn sets(&self, depth: usize) -> Piece {
        let (a, b) = (self.vector(depth), self.vector(depth));
        let op = self.dice.pick(&["and", "or", "unless"]);
        let matching =
            self.dice.pick(&["", "", " on(job)", " on(job, instance)", " ignoring(code)", " on()"]);
        Piece {
            text: format!("({}) {op}{matching} ({})", a.text, b.text),
            likeness: a.likeness.max(b.likeness),
            is_odd: a.is_odd || b.is_odd,
        }
    }

    fn join(&self, depth: usize) -> Piece {
        let op = self.dice.pick(OPERATORS);
        let matching = self.dice.pick(&[
            "",
            "",
            " on(job, instance)",
            " on(job, instance) group_left",
            " on(job, instance) group_left(version)",
            " on(job, instance) group_right(code)",
            " ignoring(code) group_left",
            " ignoring(code, room, le)",
            " on(job) group_right",
        ]);
        let (a, b) = match self.dice.below(4) {
            0 => (self.same_bits(depth), Piece::new("build_info", Likeness::Sums)),
            1 => (
                self.same_bits(depth),
                Piece::new("max by (job, instance) (memory_bytes)", Likeness::Sums),
            ),
            2 => {
                let side = self.same_bits(depth);
                (side.clone(), side)
            }
            _ => (self.same_bits(depth), self.same_bits(depth)),
        };
        let likeness = if is_approximate(op) { Likeness::Close } else { Likeness::Bits };
        Piece {
            text: format!("({}) {op}{matching} ({})", a.text, b.text),
            likeness: likeness.max(a.likeness).max(b.likeness),
            is_odd: true,
        }
    }
}

const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "== bool", "> bool", "<= bool",
];

/// Go has its own approximations. (`atan2` is not asked: it kept the name of the metric.)
fn is_approximate(op: &str) -> bool {
    op == "^"
}
