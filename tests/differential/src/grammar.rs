//! Random queries that mean the same in 2.42 and in 3.x.

mod aggregate;
mod binary;
mod function;
mod selector;

use crate::{
    data::{LENGTH_S, START_MS},
    dice::Dice,
};

/// How alike two answers must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// To the bit, and sums of such values are exact: in whatever way they are summed.
    Sums,
    /// To the bit.
    Bits,
    /// But for rounding.
    Close,
}

/// A question, ready to be asked.
#[derive(Debug, Clone)]
pub struct Query {
    pub text: String,
    pub times: Times,
    pub likeness: Likeness,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy)]
pub enum Times {
    Instant(i64),
    Range { start: i64, end: i64, step: i64 },
}

/// An expression of whatever type.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) likeness: Likeness,
    /// There may be NaNs and infinities, of which averages and deviations are not asked: 3.x
    /// takes more care.
    pub(crate) is_odd: bool,
}

impl Piece {
    pub(crate) fn new(text: impl Into<String>, likeness: Likeness) -> Piece {
        Piece { text: text.into(), likeness, is_odd: false }
    }

    pub(crate) fn map(&self, text: String, at_least: Likeness) -> Piece {
        Piece { text, likeness: self.likeness.max(at_least), is_odd: self.is_odd }
    }
}

/// The query of a number: the same whichever were asked before.
pub(crate) fn query(seed: u64, number: u64) -> Query {
    let dice = Dice::new(seed.wrapping_mul(1 << 32) ^ number);
    let maker = Maker { dice: &dice };
    let times = maker.times();
    let depth = dice.within(0, 3) as usize;
    let piece = match (dice.below(20), times) {
        (0, _) => maker.scalar(depth),
        (1, Times::Instant(_)) => maker.range(None),
        (2, _) => maker.nonsense(),
        (3, Times::Instant(_)) => {
            let inner = maker.vector(depth);
            let order = dice.pick(&["sort", "sort_desc"]);
            inner.map(format!("{order}({})", inner.text), inner.likeness)
        }
        _ => maker.vector(depth),
    };
    Query { text: piece.text, times, likeness: piece.likeness }
}

/// Makes pieces of queries.
pub(crate) struct Maker<'a> {
    pub(crate) dice: &'a Dice,
}

impl Maker<'_> {
    /// Evaluations lie at half seconds, after an hour that windows may look back on.
    fn times(&self) -> Times {
        let moment = |low_s: i64| START_MS + self.dice.within(low_s, LENGTH_S) * 1000 + 500;
        if self.dice.percent(40) {
            return Times::Instant(moment(80 * 60));
        }
        let start = moment(80 * 60);
        let step = self.dice.pick(&[1, 7, 15, 15, 30, 60, 60, 300]) * 1000;
        let end = start + self.dice.within(0, 120) * step + self.dice.within(0, 999);
        if self.dice.below(200) == 0 {
            return Times::Range { start, end: start + 11_000 * step, step };
        }
        Times::Range { start, end, step }
    }

    pub(crate) fn vector(&self, depth: usize) -> Piece {
        if depth == 0 {
            return self.selector();
        }
        match self.dice.below(16) {
            0 => self.selector(),
            1..=5 => self.range_function(),
            6..=9 => self.aggregate(depth - 1),
            10..=12 => self.binary(depth - 1),
            13 => {
                let inner = self.vector(depth - 1);
                inner.map(format!("-({})", inner.text), inner.likeness)
            }
            _ => self.function(depth - 1),
        }
    }

    /// A vector of which each side has the same bits.
    pub(crate) fn same_bits(&self, depth: usize) -> Piece {
        let found = (0..4).map(|_| self.vector(depth));
        found.into_iter().find(|piece| piece.likeness < Likeness::Close).unwrap_or_else(|| {
            let name = self.dice.pick(&["temperature", "requests_total", "memory_bytes"]);
            Piece::new(name, Likeness::Sums)
        })
    }

    pub(crate) fn scalar(&self, depth: usize) -> Piece {
        const NUMBERS: &[&str] =
            &["0", "1", "2", "-3", "0.5", "1e3", "100", "NaN", "Inf", "-Inf", "0x1f", "1e-9"];
        match self.dice.below(9) {
            0 => Piece::new("time()", Likeness::Bits),
            1 => Piece::new("pi()", Likeness::Bits),
            2 if depth > 0 => {
                let inner = self.same_bits(depth - 1);
                inner.map(format!("scalar({})", inner.text), Likeness::Bits)
            }
            3 if depth > 0 => {
                let (a, b) = (self.scalar(depth - 1), self.scalar(depth - 1));
                let op = self.dice.pick(&["+", "-", "*", "/", "%", "== bool", "< bool"]);
                Piece::new(format!("({} {op} {})", a.text, b.text), Likeness::Bits)
            }
            _ => Piece::new(self.dice.pick(NUMBERS), Likeness::Bits),
        }
    }

    /// What is refused, in the same way.
    fn nonsense(&self) -> Piece {
        let inner = self.selector().text;
        // Prometheus 2 takes a range behind these, later ones refuse it.
        let ranged = inner.replace(" @ start()", "").replace(" @ end()", "");
        let texts = [
            format!("rate({inner})"),
            format!("{inner} and 1"),
            format!("sum({inner}"),
            format!("{ranged}[5m]"),
            format!("topk({inner})"),
            format!("{inner} + on(job) group_left {inner}"),
            format!("{inner} / ignoring(instance) {inner}"),
            format!("label_replace({inner}, \"job\", \"x\", \"instance\", \".*\")"),
            format!("label_replace({inner}, \"job\", \"$1\", \"instance\", \"(.*\")"),
            format!("label_join({inner}, \"\", \"-\", \"job\")"),
            format!("nothing({inner})"),
            format!("{inner} offset"),
            "{job=~\".*\"}".to_owned(),
            "1 == 1".to_owned(),
            "\"text\"".to_owned(),
            format!("sum by (job) {inner}"),
            format!("quantile(\"x\", {inner})"),
            format!("{inner}[1m:]"),
            format!("{inner}{inner}"),
            String::new(),
        ];
        Piece::new(texts[self.dice.below(texts.len())].clone(), Likeness::Bits)
    }
}
