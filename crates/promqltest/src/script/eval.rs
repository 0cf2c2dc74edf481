//! `eval instant at 5m query`, `eval range from 0 to 1h step 1m query` and what they expect.

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, Timestamp};

use super::{Expectations, Lines, Point, ScriptError, expect, moment, split_word, step, values};

/// A query and what it must give.
#[derive(Debug)]
pub struct Eval {
    /// Where it stands in the script, from one.
    pub line: usize,
    pub query: String,
    pub(crate) when: When,
    pub(crate) expectations: Expectations,
    pub(crate) expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum When {
    Instant(Timestamp),
    Range(Steps),
}

/// Evenly spaced moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Steps {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) step: Duration,
}

/// The value that is expected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    Scalar(f64),
    String(String),
    /// A vector or a matrix.
    Series(ExpectedSeries),
    /// A range vector, at these moments.
    Window(Steps, ExpectedSeries),
}

/// By labels: the position in the script, from one, and the values.
pub(crate) type ExpectedSeries = BTreeMap<Labels, (usize, Vec<Point>)>;

pub(super) fn parse(line: &str, lines: &mut Lines<'_>) -> Result<Eval, ScriptError> {
    let number = lines.number();
    let (word, rest) = split_word(line);
    let invalid = || ScriptError::UnknownCommand { line: number, text: line.to_owned() };
    let legacy = word.strip_prefix("eval").ok_or_else(invalid)?;
    let mut expectations = Expectations::default();
    if !legacy.is_empty() && !expectations.set_legacy(legacy) {
        return Err(invalid());
    }
    let (when, query) = parse_when(rest, number).ok_or_else(invalid)??;
    let mut eval = Eval {
        line: number,
        query: query.trim().to_owned(),
        when,
        expectations,
        expected: Expected::Series(ExpectedSeries::new()),
    };
    while let Some(line) = lines.next_in_block() {
        let query = eval.query.clone();
        let is_last = eval.expect(line).map_err(|reason| ScriptError::Eval {
            line: lines.number(),
            query,
            reason,
        })?;
        if is_last {
            break;
        }
    }
    Ok(eval)
}

type Parsed<'a> = Result<(When, &'a str), ScriptError>;

/// Times and query; `None` if the words are not in place.
fn parse_when(text: &str, line: usize) -> Option<Parsed<'_>> {
    let (kind, rest) = split_word(text);
    match kind {
        "instant" => {
            let (at, after) = split_word(rest);
            if at != "at" {
                return Some(Ok((When::Instant(Timestamp::default()), rest)));
            }
            let (time, query) = split_word(after);
            Some(parse_instant(time, query, line))
        }
        "range" => {
            let (start, rest) = after_word(rest, "from")?;
            let (end, rest) = after_word(rest, "to")?;
            let (step, query) = after_word(rest, "step")?;
            Some(parse_range([start, end, step], query, line))
        }
        _ => None,
    }
}

/// The word behind `keyword` and the rest.
fn after_word<'a>(text: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (word, rest) = split_word(text);
    (word == keyword).then(|| split_word(rest))
}

fn parse_instant<'a>(time: &str, query: &'a str, line: usize) -> Parsed<'a> {
    match moment(time) {
        Ok(time) => Ok((When::Instant(time), query)),
        Err(error) => Err(ScriptError::Eval {
            line,
            query: query.trim().to_owned(),
            reason: format!("invalid timestamp definition {time:?}: {error}"),
        }),
    }
}

fn parse_range<'a>(times: [&str; 3], query: &'a str, line: usize) -> Parsed<'a> {
    match parse_steps(times) {
        Ok(steps) => Ok((When::Range(steps), query)),
        Err(reason) => Err(ScriptError::Eval { line, query: query.trim().to_owned(), reason }),
    }
}

fn parse_steps([start, end, step_text]: [&str; 3]) -> Result<Steps, String> {
    let time = |name: &str, text: &str| {
        moment(text)
            .map_err(|error| format!("invalid {name} timestamp definition {text:?}: {error}"))
    };
    let steps = Steps {
        start: time("start", start)?,
        end: time("end", end)?,
        step: step(step_text)
            .map_err(|error| format!("invalid step definition {step_text:?}: {error}"))?,
    };
    if steps.end < steps.start {
        return Err(format!(
            "invalid test definition, end timestamp ({end}) is before start timestamp ({start})"
        ));
    }
    Ok(steps)
}

impl Eval {
    /// Takes one line of what is expected; `true` if no more lines belong to it.
    fn expect(&mut self, line: &str) -> Result<bool, String> {
        if let Some(definition) = line.strip_prefix("expect range vector") {
            let steps = window(definition)
                .ok_or_else(|| format!("invalid range vector definition {line:?}"))??;
            self.expected = Expected::Window(steps, ExpectedSeries::new());
            return Ok(false);
        }
        if let Some(text) = line.strip_prefix("expect string") {
            self.expected = Expected::String(expect::string(text.trim())?);
            return Ok(false);
        }
        if self.expectations.read(line)? {
            return Ok(false);
        }
        if let Ok(value) = number(line) {
            self.expected = Expected::Scalar(value);
            return Ok(true);
        }
        let (labels, points) = values::parse_line(line)?;
        let is_instant = matches!(self.when, When::Instant(_));
        match &mut self.expected {
            Expected::Window(_, series) => {
                series.insert(labels, (series.len() + 1, points));
            }
            Expected::Series(_) if is_instant && points.len() > 1 => {
                return Err("expecting multiple values in instant evaluation not allowed. \
                            consider using 'expect range vector' directive to enable a range \
                            vector result for an instant query"
                    .to_owned());
            }
            Expected::Series(series) => {
                series.insert(labels, (series.len() + 1, points));
            }
            Expected::Scalar(_) | Expected::String(_) => {
                return Err("series follow an expected string".to_owned());
            }
        }
        Ok(false)
    }
}

/// ` from 10s to 1m step 10s`
fn window(text: &str) -> Option<Result<Steps, String>> {
    let (start, rest) = after_word(text, "from")?;
    let (end, rest) = after_word(rest, "to")?;
    let (step, _) = after_word(rest, "step")?;
    Some(parse_steps([start, end, step]))
}

/// A line that is nothing but a number.
fn number(line: &str) -> Result<f64, std::num::ParseFloatError> {
    let digits: String = line.chars().filter(|c| *c != '_').collect();
    if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X"))
        && let Ok(value) = u64::from_str_radix(hex, 16)
    {
        return Ok(value as f64);
    }
    digits.parse()
}
