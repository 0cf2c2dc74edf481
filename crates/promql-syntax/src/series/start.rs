//! Start timestamps of samples: `x{job="a"}@st -1m+15sx2 _`.

use model::{Labels, duration, labels::quote};

use crate::{
    Errors,
    ast::Span,
    error::{Complaint, locate},
    lex::Lexer,
    parse_metric,
    token::Kind,
};

/// The start timestamps of a series, for the samples on the next line of its script.
#[derive(Debug, Clone, PartialEq)]
pub struct StartTimestamps {
    pub labels: Labels,
    /// Milliseconds from the sample to its start timestamp; `None` where a sample has none.
    pub offsets: Vec<Option<i64>>,
}

/// How many offsets a line may describe.
const OFFSETS_MAX: usize = 4_000_000;

/// Parses a line with start timestamps; `None` if it is some other line.
pub fn parse_start_timestamps(line: &str) -> Result<Option<StartTimestamps>, Errors> {
    let line = line.trim_start();
    let Some((metric, rest)) = metric_end(line).and_then(|end| line.split_at_checked(end)) else {
        return Ok(None);
    };
    match rest.strip_prefix("@st") {
        Some(sequence) if sequence.is_empty() || sequence.starts_with([' ', '\t']) => {
            let labels = parse_metric(metric)?;
            Ok(Some(StartTimestamps { labels, offsets: parse_start_timestamp_sequence(sequence)? }))
        }
        _ => Ok(None),
    }
}

/// Where the metric at the beginning of `line` ends.
fn metric_end(line: &str) -> Option<usize> {
    let mut lexer = Lexer::for_series(line.as_bytes());
    let mut token = lexer.next();
    if token.kind.names_metric() {
        let name = token;
        // Whether braces follow, and not what else does, which is no series description.
        if line.as_bytes().get(name.span.end) != Some(&b'{') {
            return Some(name.span.end);
        }
        token = lexer.next();
    }
    while !matches!(token.kind, Kind::RightBrace | Kind::End | Kind::Error) {
        token = lexer.next();
    }
    (token.kind == Kind::RightBrace).then_some(token.span.end)
}

/// Parses what follows `@st`: `-1m`, `-1mx4`, `-1m+15sx2`, `_`, `_x3`, with spaces between.
pub fn parse_start_timestamp_sequence(text: &str) -> Result<Vec<Option<i64>>, Errors> {
    let mut offsets = Vec::new();
    for item in text.split_ascii_whitespace() {
        if let Err(problem) = push_item(item, &mut offsets) {
            // The item is a part of the text, so the difference is where it stands.
            let start = item.as_ptr().addr() - text.as_ptr().addr();
            let span = Span { start, end: start + item.len() };
            let message = format!("invalid start timestamp {}: {problem}", quote(item));
            return Err(locate(text.as_bytes(), vec![Complaint::new(span, message)]));
        }
    }
    Ok(offsets)
}

fn push_item(item: &str, offsets: &mut Vec<Option<i64>>) -> Result<(), String> {
    // No unit has an `x` in it.
    let (value, times) = match item.split_once('x') {
        Some((value, times)) => (value, Some(repetitions(times, offsets.len())?)),
        None => (item, None),
    };
    if value == "_" {
        if times == Some(0) {
            return Err("a gap of no steps".to_owned());
        }
        offsets.extend(std::iter::repeat_n(None, times.unwrap_or(1)));
        return Ok(());
    }
    let step_at = value.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-'));
    let (first, step) = match step_at.and_then(|(at, _)| value.split_at_checked(at)) {
        Some((first, step)) => (first, Some(signed_millis(step)?)),
        None => (value, None),
    };
    if step.is_some() && times.is_none() {
        return Err("a step needs a number of repetitions".to_owned());
    }
    let mut offset = signed_millis(first)?;
    offsets.push(Some(offset));
    for _ in 0..times.unwrap_or(0) {
        offset = offset.saturating_add(step.unwrap_or(0));
        offsets.push(Some(offset));
    }
    Ok(())
}

fn repetitions(text: &str, n_before: usize) -> Result<usize, String> {
    let times = text.parse::<usize>().map_err(|error| format!("repetitions: {error}"))?;
    match times < OFFSETS_MAX.saturating_sub(n_before) {
        true => Ok(times),
        false => Err(format!("more than {OFFSETS_MAX} values")),
    }
}

fn signed_millis(text: &str) -> Result<i64, String> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let duration = duration::parse(length).map_err(|error| error.to_string())?;
    let millis = i64::try_from(duration.as_millis()).map_err(|_| "too long".to_owned())?;
    Ok(sign * millis)
}
