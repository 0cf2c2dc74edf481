//! Aggregations.

use super::{Likeness, Maker, Piece};

impl Maker<'_> {
    pub(super) fn aggregate(&self, depth: usize) -> Piece {
        match self.dice.below(12) {
            0..=3 => {
                let inner = self.vector(depth);
                let exact = inner.likeness == Likeness::Sums && !inner.is_odd;
                let likeness = if exact { Likeness::Sums } else { Likeness::Close };
                inner.map(self.call("sum", "", &inner), likeness)
            }
            4 | 5 => {
                let inner = self.vector(depth);
                let function = self.dice.pick(&["min", "max", "count", "group"]);
                inner.map(self.call(function, "", &inner), inner.likeness)
            }
            6 | 7 => {
                let inner = self.tame(depth);
                let function = self.dice.pick(&["avg", "stddev", "stdvar"]);
                inner.map(self.call(function, "", &inner), Likeness::Close)
            }
            8 | 9 => self.extremes(depth),
            10 => {
                let inner = self.tame(depth);
                let phi = self.dice.pick(&["0.5", "0.9", "0", "1", "-1", "2", "0.123"]);
                Piece {
                    is_odd: true,
                    ..inner.map(self.call("quantile", phi, &inner), Likeness::Bits)
                }
            }
            _ => {
                let inner = self.same_bits(depth);
                inner.map(self.call("count_values", "\"value\"", &inner), Likeness::Sums)
            }
        }
    }

    /// Of equal values the one server keeps others than the other, and 2.42 even others each time
    /// where series come from a calculation: there only what is left when labels do not matter is
    /// asked.
    fn extremes(&self, depth: usize) -> Piece {
        let function = self.dice.pick(&["topk", "bottomk"]);
        if self.dice.percent(30) {
            let name = self.dice.pick(&["temperature", "memory_bytes", "errors_total"]);
            let inner = Piece::new(name, Likeness::Sums);
            return inner.map(self.call(function, "1", &inner), inner.likeness);
        }
        let inner = self.tame(depth);
        let k = self.dice.pick(&["1", "2", "3", "10", "0", "-1"]);
        let around = self.dice.pick(&["min", "max", "count"]);
        inner.map(format!("{around}({})", self.call(function, k, &inner)), inner.likeness)
    }

    fn tame(&self, depth: usize) -> Piece {
        let found = (0..4).map(|_| self.same_bits(depth)).find(|piece| !piece.is_odd);
        found.unwrap_or_else(|| Piece::new("temperature", Likeness::Sums))
    }

    fn call(&self, function: &str, parameter: &str, inner: &Piece) -> String {
        let labels = self.dice.pick(&["job", "instance", "job, instance", "", "code", "room, le"]);
        let comma = if parameter.is_empty() { "" } else { ", " };
        let body = format!("({parameter}{comma}{})", inner.text);
        match self.dice.below(5) {
            0 | 1 => format!("{function} by ({labels}) {body}"),
            2 => format!("{function} without ({labels}) {body}"),
            3 => format!("{function}{body} by ({labels})"),
            _ => format!("{function}{body}"),
        }
    }
}
