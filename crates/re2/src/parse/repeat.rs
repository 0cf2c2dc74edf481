use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::{Error, Parser, Result};

const REPEAT_MAX: u32 = 1000;

impl<'p> Parser<'p> {
    /// Reads a repetition and applies it; false, with nothing read, for a brace that stands for
    /// itself.
    pub(super) fn repeat(&mut self, last_repetition: Option<&'p str>) -> Result<bool> {
        let before = self.rest;
        let Some((min, max, rest)) = operator(before) else { return Ok(false) };
        self.rest = rest;
        let bounds = min.zip(max).filter(|(min, max)| {
            let is_backwards = max.is_some_and(|max| *min > max);
            !is_backwards && max.unwrap_or(*min) <= REPEAT_MAX
        });
        let Some((min, max)) = bounds else {
            return Err(Error::RepeatCount(self.read_since(before).to_owned()));
        };
        let mut greedy = !self.flags.swap_greed;
        if self.rest.starts_with('?') {
            self.skip(1);
            greedy = !greedy;
        }
        let operator = self.read_since(before).to_owned();
        if let Some(last) = last_repetition {
            return Err(Error::NestedRepetition(self.read_since(last).to_owned()));
        }
        let Some(sub) = self.sequence.pop() else { return Err(Error::MissingArgument(operator)) };
        let repeated = Hir::repetition(Repetition { min, max, greedy, sub: Box::new(sub) });
        if before.starts_with('{') && !repeats_at_most(&repeated, REPEAT_MAX) {
            return Err(Error::RepeatCount(operator));
        }
        self.sequence.push(repeated);
        Ok(true)
    }
}

/// How often, at least and at most; nothing for a number that is far too large.
type Bounds<'p> = (Option<u32>, Option<Option<u32>>, &'p str);

fn operator(text: &str) -> Option<Bounds<'_>> {
    let rest = text.get(1..)?;
    match text.as_bytes().first()? {
        b'*' => Some((Some(0), Some(None), rest)),
        b'+' => Some((Some(1), Some(None), rest)),
        b'?' => Some((Some(0), Some(Some(1)), rest)),
        _ => braces(rest),
    }
}

/// What stands behind `{`: `n}`, `n,}` or `n,m}`.
fn braces(text: &str) -> Option<Bounds<'_>> {
    let (min, rest) = number(text)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, min.map(Some), rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, Some(None), rest));
    }
    let (max, rest) = number(rest)?;
    Some((min, max.map(Some), rest.strip_prefix('}')?))
}

/// A number without leading zeros; nothing as its value if it is far too large.
fn number(text: &str) -> Option<(Option<u32>, &str)> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(n_digits)?;
    let has_leading_zero = n_digits > 1 && digits.starts_with('0');
    if n_digits == 0 || has_leading_zero {
        return None;
    }
    Some((digits.parse().ok().filter(|number| *number < 100_000_000), rest))
}

/// Whether repetitions within repetitions multiply to no more than `limit`.
fn repeats_at_most(hir: &Hir, limit: u32) -> bool {
    let mut stack = vec![(hir, limit)];
    while let Some((hir, mut limit)) = stack.pop() {
        if let HirKind::Repetition(repetition) = hir.kind() {
            let times = repetition.max.unwrap_or(repetition.min);
            if times > limit {
                return false;
            }
            limit = limit.checked_div(times).unwrap_or(limit);
        }
        stack.extend(hir.kind().subs().iter().map(|sub| (sub, limit)));
    }
    true
}
