//! Calls of functions.

use super::{Likeness, Maker, Piece, selector::Wanted};

impl Maker<'_> {
    pub(super) fn range_function(&self) -> Piece {
        const OF_COUNTERS: &[&str] = &["rate", "increase"];
        const SAME_BITS: &[&str] = &[
            "delta",
            "idelta",
            "irate",
            "changes",
            "resets",
            "min_over_time",
            "max_over_time",
            "last_over_time",
            "count_over_time",
            "present_over_time",
            "absent_over_time",
        ];
        // Upstream's sums over time were compensated by then.
        const SUMMED: &[&str] = &["sum_over_time", "quantile_over_time(0.7,"];
        const CLOSE: &[&str] =
            &["avg_over_time", "stddev_over_time", "stdvar_over_time", "deriv", "predict_linear"];
        match self.dice.below(10) {
            0..=3 => {
                let (function, range) =
                    (self.dice.pick(OF_COUNTERS), self.range(Some(Wanted::Counters)));
                range.map(format!("{function}({})", range.text), Likeness::Bits)
            }
            4..=6 => {
                let (function, range) =
                    (self.dice.pick(SAME_BITS), self.range(Some(Wanted::SameBits)));
                range.map(format!("{function}({})", range.text), Likeness::Bits)
            }
            7 => {
                let range = self.tame_range(Some(Wanted::SameBits));
                let call = match self.dice.pick(SUMMED) {
                    "sum_over_time" => format!("sum_over_time({})", range.text),
                    _ => {
                        let phi = self.dice.pick(&["0", "0.5", "0.9", "1", "-1", "2", "0.333"]);
                        format!("quantile_over_time({phi}, {})", range.text)
                    }
                };
                Piece { is_odd: true, ..range.map(call, Likeness::Bits) }
            }
            _ => {
                let range = self.tame_range(Some(Wanted::SameBits));
                let call = match self.dice.pick(CLOSE) {
                    // Pinned, it lost steps in 2.42.
                    "predict_linear" if !range.text.contains('@') => {
                        format!("predict_linear({}, 3600)", range.text)
                    }
                    "predict_linear" => format!("deriv({})", range.text),
                    function => format!("{function}({})", range.text),
                };
                range.map(call, Likeness::Close)
            }
        }
    }

    fn tame_range(&self, of: Option<Wanted>) -> Piece {
        let found = (0..9).map(|_| self.range(of)).find(|piece| !piece.is_odd);
        found.unwrap_or_else(|| Piece::new("temperature[5m]", Likeness::Sums))
    }

    pub(super) fn function(&self, depth: usize) -> Piece {
        match self.dice.below(20) {
            0..=4 => self.exact_function(depth),
            5 | 6 => self.curve(depth),
            7..=9 => self.with_parameter(depth),
            10..=12 => self.date(depth),
            13..=15 => self.labels(depth),
            16 => {
                let inner = self.vector(depth);
                inner.map(format!("absent({})", inner.text), Likeness::Bits)
            }
            17 => {
                let scalar = self.scalar(depth);
                Piece {
                    is_odd: true,
                    ..Piece::new(format!("vector({})", scalar.text), Likeness::Bits)
                }
            }
            _ => self.histogram_quantile(),
        }
    }

    fn exact_function(&self, depth: usize) -> Piece {
        const FUNCTIONS: &[&str] = &["abs", "ceil", "floor", "sgn", "sqrt", "deg", "rad"];
        let function = self.dice.pick(FUNCTIONS);
        let inner = self.same_bits(depth);
        let piece = inner.map(format!("{function}({})", inner.text), Likeness::Bits);
        Piece { is_odd: piece.is_odd || function == "sqrt", ..piece }
    }

    /// Go has its own approximations.
    fn curve(&self, depth: usize) -> Piece {
        const FUNCTIONS: &[&str] = &[
            "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
            "cosh", "tanh", "asinh", "acosh", "atanh",
        ];
        let inner = self.same_bits(depth);
        let text = format!("{}({})", self.dice.pick(FUNCTIONS), inner.text);
        Piece { is_odd: true, ..inner.map(text, Likeness::Close) }
    }

    fn with_parameter(&self, depth: usize) -> Piece {
        let inner = self.same_bits(depth);
        let (a, b) = (self.scalar(1).text, self.scalar(1).text);
        let nearest = self.dice.pick(&["5", "0.5", "0.1", "10", "100"]);
        let text = match self.dice.below(6) {
            0 => format!("clamp({}, {a}, {b})", inner.text),
            1 => format!("clamp_min({}, {a})", inner.text),
            2 => format!("clamp_max({}, {a})", inner.text),
            3 => format!("round({})", inner.text),
            4 => format!("round({}, {nearest})", inner.text),
            // Pinned, it lost samples in 2.42.
            _ if inner.text.contains('@') => format!("-({})", inner.text),
            _ => format!("timestamp({})", inner.text),
        };
        Piece { is_odd: true, ..inner.map(text, Likeness::Bits) }
    }

    fn date(&self, depth: usize) -> Piece {
        const FUNCTIONS: &[&str] = &[
            "minute",
            "hour",
            "day_of_month",
            "day_of_week",
            "day_of_year",
            "days_in_month",
            "month",
            "year",
        ];
        let function = self.dice.pick(FUNCTIONS);
        let inner = match self.dice.below(3) {
            0 => String::new(),
            1 => format!("timestamp({})", self.dice.pick(&["temperature", "errors_total"])),
            _ => {
                let found = (0..4).map(|_| self.same_bits(depth)).find(|piece| !piece.is_odd);
                found.map_or_else(|| "vector(1)".to_owned(), |piece| piece.text)
            }
        };
        Piece::new(format!("{function}({inner})"), Likeness::Bits)
    }

    fn labels(&self, depth: usize) -> Piece {
        let inner = self.vector(depth);
        let text = match self.dice.below(5) {
            0 => format!("label_join({}, \"both\", \"-\", \"job\", \"instance\")", inner.text),
            1 => format!("label_replace({}, \"job\", \"\", \"\", \"\")", inner.text),
            2 => format!(
                "label_replace({}, \"host\", \"$1\", \"instance\", \"(.*):.*\")",
                inner.text
            ),
            3 => format!(
                "label_replace({}, \"job\", \"x-$name\", \"job\", \"(?P<name>a|web).*\")",
                inner.text
            ),
            _ => {
                format!("label_replace({}, \"__name__\", \"other\", \"job\", \"a.*\")", inner.text)
            }
        };
        inner.map(text, inner.likeness)
    }

    fn histogram_quantile(&self) -> Piece {
        let phi = self.dice.pick(&["0.5", "0.9", "0.99", "0", "1", "-0.1", "1.1"]);
        let buckets = match self.dice.below(4) {
            0 => "latency_seconds_bucket".to_owned(),
            1 => "sum by (le) (latency_seconds_bucket)".to_owned(),
            2 => "rate(latency_seconds_bucket[5m])".to_owned(),
            _ => "sum by (job, le) (rate(latency_seconds_bucket[5m]))".to_owned(),
        };
        let text = format!("histogram_quantile({phi}, {buckets})");
        Piece { is_odd: true, ..Piece::new(text, Likeness::Close) }
    }
}
