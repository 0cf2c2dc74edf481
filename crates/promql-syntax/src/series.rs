//! Series as test scripts and unit tests of rules write them: `x{job="a"} 1+2x3 _ stale {{sum:1}}`.
//!
//! `vxN` is a value and N repetitions, `a+bxN` a value and N steps from it, `_` a gap, `_xN` N
//! gaps, `stale` the end of a series, `{{…}}` a native histogram. A line `x{job="a"}@st -1mx4`
//! gives the start timestamps of the samples on the line after it.

mod histogram;
mod start;

use model::{FloatHistogram, Labels, float};

pub use histogram::histogram_notation;
pub use start::{StartTimestamps, parse_start_timestamp_sequence, parse_start_timestamps};

use crate::{
    Errors, Options,
    ast::BinaryOp,
    lex::Lexer,
    parse::{Parsed, Parser},
    token::Kind,
};

/// What stands for one step of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum SequenceValue {
    Omitted,
    /// The stale marker included.
    Float(f64),
    Histogram(FloatHistogram),
}

/// How many values a line may describe: enough for a year in steps of ten seconds, and too few to
/// run out of memory by a slip of the finger.
const VALUES_MAX: usize = 4_000_000;

/// Parses a line: a metric and the values of its steps.
pub fn parse_series(line: &str) -> Result<(Labels, Vec<SequenceValue>), Errors> {
    let lexer = Lexer::for_series(line.as_bytes());
    let mut parser = Parser::new(line.as_bytes(), lexer, Options::default());
    let parsed = parser.series();
    parser.finish(parsed)
}

impl Parser<'_> {
    fn series(&mut self) -> Parsed<(Labels, Vec<SequenceValue>)> {
        let labels = self.metric()?;
        let mut values = Vec::new();
        while self.token.kind != Kind::End {
            if !self.eat(Kind::Space) {
                return Err(self.unexpected("series values", ""));
            }
            if !matches!(self.token.kind, Kind::Space | Kind::End) {
                self.series_item(&mut values)?;
            }
        }
        Ok((labels, values))
    }

    fn series_item(&mut self, values: &mut Vec<SequenceValue>) -> Parsed<()> {
        if self.eat(Kind::Blank) {
            let times = match self.eat(Kind::Times) {
                true => self.repetitions(values.len())?,
                false => 1,
            };
            values.extend(std::iter::repeat_n(SequenceValue::Omitted, times));
            return Ok(());
        }
        match self.token.kind {
            Kind::OpenHistogram => self.histogram_item(values),
            _ => self.float_item(values),
        }
    }

    fn float_item(&mut self, values: &mut Vec<SequenceValue>) -> Parsed<()> {
        let mut value = self.series_value()?;
        let step = match self.token.kind {
            Kind::Op(BinaryOp::Add | BinaryOp::Sub) => Some(self.series_number()?),
            _ => None,
        };
        let is_repeated = self.eat(Kind::Times);
        if step.is_some() && !is_repeated {
            return Err(self.unexpected("series values", ""));
        }
        let times = if is_repeated { self.repetitions(values.len())? } else { 0 };
        values.push(SequenceValue::Float(value));
        for _ in 0..times {
            // Upstream adds step by step; a product would round differently.
            value += step.unwrap_or(0.0);
            values.push(SequenceValue::Float(value));
        }
        Ok(())
    }

    /// A number or `stale`.
    fn series_value(&mut self) -> Parsed<f64> {
        if self.token.kind != Kind::Identifier {
            return self.series_number();
        }
        if self.text() != "stale" {
            return Err(self.unexpected("series values", "number or \"stale\""));
        }
        self.advance();
        Ok(float::STALE)
    }

    fn series_number(&mut self) -> Parsed<f64> {
        self.signed_number().map_err(|_| self.unexpected("series values", ""))
    }

    /// The `N` of `xN`, where the line has `n_before` values already.
    fn repetitions(&mut self, n_before: usize) -> Parsed<usize> {
        if self.token.kind != Kind::Number {
            return Err(self.unexpected("series values", ""));
        }
        let (span, text) = (self.token.span, self.text());
        let times = match text.parse::<usize>() {
            Ok(times) if times < VALUES_MAX.saturating_sub(n_before) => times,
            Ok(_) => {
                self.complain(span, format!("too many values in series, more than {VALUES_MAX}"));
                0
            }
            Err(_) => {
                let text = model::labels::quote(text);
                let problem = format!("strconv.ParseUint: parsing {text}: invalid syntax");
                self.complain(span, format!("invalid repetition in series values: {problem}"));
                0
            }
        };
        self.advance();
        Ok(times)
    }
}
