//! Selectors, with what may stand behind them.

use super::{Likeness, Maker, Piece};
use crate::data::{INSTANCES, JOBS, LENGTH_S, START_MS};

/// Counters, for which a rate makes sense.
const COUNTERS: &[&str] = &[
    "requests_total",
    "errors_total",
    "latency_seconds_bucket",
    "latency_seconds_count",
    "latency_seconds_sum",
    "{__name__=~\".+_total\"}",
];

const ANY: &[&str] = &[
    "requests_total",
    "errors_total",
    "temperature",
    "temperature",
    "memory_bytes",
    "build_info",
    "latency_seconds_bucket",
    "latency_seconds_count",
    "odd_value",
    "absent_metric",
    "{__name__=~\"temperature|memory_bytes\"}",
];

impl Maker<'_> {
    pub(crate) fn selector(&self) -> Piece {
        let name = self.dice.pick(ANY);
        let text = format!("{}{}", self.matching(name), self.modifiers());
        Piece { is_odd: name == "odd_value", ..Piece::new(text, Likeness::Sums) }
    }

    /// A range vector; of counters, if a rate is wanted. Subqueries are regular, so that they
    /// may be of anything.
    pub(super) fn range(&self, of: Option<Wanted>) -> Piece {
        let range = self.dice.pick(&["40s", "1m", "5m", "5m", "11m", "30m", "1h"]);
        let names = if of == Some(Wanted::Counters) { COUNTERS } else { ANY };
        let name = self.dice.pick(names);
        let is_odd = name == "odd_value";
        let selector = self.matching(name);
        if !self.dice.percent(15) {
            let text = format!("{selector}[{range}]{}", self.modifiers());
            return Piece { is_odd, ..Piece::new(text, Likeness::Sums) };
        }
        let step = self.dice.pick(&["15s", "60s", "", "2m", "17s"]);
        let inner = match of {
            Some(Wanted::Counters) => {
                let name = self.dice.pick(&["errors_total", "latency_seconds_count"]);
                Piece::new(self.matching(name), Likeness::Sums)
            }
            Some(Wanted::SameBits) => self.without_subquery(selector, is_odd, Likeness::Bits),
            _ => self.without_subquery(selector, is_odd, Likeness::Close),
        };
        let range = self.dice.pick(&["5m", "11m", "30m"]);
        inner.map(format!("{}[{range}:{step}]{}", inner.text, self.modifiers()), inner.likeness)
    }

    fn without_subquery(&self, selector: String, is_odd: bool, most: Likeness) -> Piece {
        let plain = Piece { is_odd, ..Piece::new(selector, Likeness::Sums) };
        match self.dice.below(4) {
            0 => plain.map(format!("max by (job) ({})", plain.text), Likeness::Sums),
            1 => Piece::new("rate(requests_total[5m])", Likeness::Bits),
            2 if most == Likeness::Close => {
                Piece::new("sum by (job) (rate(errors_total[5m]))", Likeness::Close)
            }
            _ => plain,
        }
    }

    fn matching(&self, name: &str) -> String {
        let mut matchers = Vec::new();
        for (label, values) in [("job", JOBS), ("instance", INSTANCES)] {
            if !self.dice.percent(20) {
                continue;
            }
            let (a, b) = (self.dice.pick(values), self.dice.pick(values));
            let prefix = &a.chars().take(1).collect::<String>();
            matchers.push(match self.dice.below(7) {
                0 | 1 => format!("{label}=\"{a}\""),
                2 => format!("{label}!=\"{a}\""),
                3 => format!("{label}=~\"{a}|{b}\""),
                4 => format!("{label}!~\"{prefix}.*\""),
                5 => format!("{label}=~\"{prefix}.+|[w-z]eb\""),
                _ => format!("{label}=~\".*\""),
            });
        }
        if self.dice.percent(5) {
            matchers.push(self.dice.pick(&["code=\"\"", "code!=\"\"", "le=~\"0\\\\..+\""]).into());
        }
        match (matchers.is_empty(), name.strip_suffix('}')) {
            (true, _) => name.to_owned(),
            (false, Some(open)) => format!("{open}, {}}}", matchers.join(",")),
            (false, None) => format!("{name}{{{}}}", matchers.join(",")),
        }
    }

    fn modifiers(&self) -> String {
        match self.dice.below(30) {
            0 => " offset 3m".to_owned(),
            1 => " offset -90s".to_owned(),
            2 => " @ start()".to_owned(),
            3 => " @ end() offset 1m".to_owned(),
            4 => {
                let moment = START_MS / 1000 + self.dice.within(90 * 60, LENGTH_S);
                format!(" @ {moment}.750")
            }
            _ => String::new(),
        }
    }
}

/// What a range vector must be fit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Counters,
    SameBits,
}
