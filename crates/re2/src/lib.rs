//! Does this string match, as Go's `regexp` would say?
//!
//! Reads Go's syntax itself, because Rust's differs in what it accepts and, in silence, in what
//! that means; the automaton is `regex-automata`'s. A pattern that is a literal, a set of them or
//! literals with anything in between needs no automaton. Knows nothing of labels. Start at
//! [`Regex`].

mod fast;
mod parse;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use regex_automata::{Input, meta, util::captures::Captures};
use regex_syntax::hir::{Hir, Look};

use self::fast::Plan;

/// More memory than this makes a pattern too large.
const AUTOMATON_BYTES_MAX: usize = 64 << 20;

/// A pattern that Go's `regexp` would reject; the text is Go's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {message}")]
pub struct Error {
    pub message: String,
}

/// A compiled pattern in Go's syntax.
#[derive(Clone)]
pub struct Regex {
    pattern: String,
    hir: Hir,
    plan: Plan,
    prefix: String,
    /// Made when it is first needed, which for most plans is never.
    automaton: OnceLock<meta::Regex>,
}

impl Regex {
    /// Compiles `pattern` as it stands: a search finds it anywhere.
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        Regex::compile(pattern, parse::parse(pattern, false).map_err(Error::of)?, false)
    }

    /// Compiles `^(?s:pattern)$`, the form of relabelling; errors show that form.
    pub fn anchored(pattern: &str) -> Result<Regex, Error> {
        let whole = format!("^(?s:{pattern})$");
        Regex::compile(pattern, parse::parse(&whole, false).map_err(Error::of)?, true)
    }

    /// As [`Regex::anchored`], but an error shows `pattern` alone, as upstream's matchers do.
    pub fn matcher(pattern: &str) -> Result<Regex, Error> {
        let hir = parse::parse(pattern, true).map_err(Error::of)?;
        let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        Regex::compile(pattern, whole, true)
    }

    fn compile(pattern: &str, hir: Hir, is_anchored: bool) -> Result<Regex, Error> {
        let plan = if is_anchored { fast::plan(&hir) } else { Plan::Automaton };
        let prefix = if is_anchored { fast::prefix(&hir) } else { String::new() };
        let automaton = OnceLock::new();
        if plan == Plan::Automaton {
            let built = automaton_of(&hir).map_err(|_| Error {
                message: parse::Error::TooLarge(pattern.to_owned()).to_string(),
            })?;
            automaton.get_or_init(|| built);
        }
        Ok(Regex { pattern: pattern.to_owned(), hir, plan, prefix, automaton })
    }

    /// The pattern as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// All texts that an anchored pattern matches, if they are few.
    pub fn set(&self) -> Option<&[String]> {
        match &self.plan {
            Plan::Set(texts) => Some(texts),
            _ => None,
        }
    }

    /// What each text that an anchored pattern matches begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether an anchored pattern matches every text.
    pub fn matches_everything(&self) -> bool {
        matches!(&self.plan, Plan::Parts { prefix, middle, suffix }
            if prefix.is_empty() && middle.is_empty() && suffix.is_empty())
    }

    #[inline]
    pub fn is_match(&self, text: &str) -> bool {
        match &self.plan {
            Plan::Set(texts) => texts.iter().any(|one| one == text),
            Plan::Parts { prefix, middle, suffix } => matches_parts(text, prefix, middle, suffix),
            Plan::NotEmpty => !text.is_empty(),
            Plan::Automaton => text.starts_with(&*self.prefix) && self.automaton().is_match(text),
        }
    }

    /// Matches `text` and, where it matches, appends `template` to `out` with `$1` and `${name}`
    /// expanded as Go's `Regexp.Expand` does. Says whether it matched.
    pub fn expand(&self, text: &str, template: &str, out: &mut String) -> bool {
        let automaton = self.automaton();
        let mut captures = automaton.create_captures();
        automaton.captures(Input::new(text), &mut captures);
        if !captures.is_match() {
            return false;
        }
        expand_into(&captures, text, template, out);
        true
    }

    /// Replaces all matches as Go's `ReplaceAllString` does.
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut last = 0;
        for captures in self.automaton().captures_iter(text) {
            let Some(span) = captures.get_match().map(|found| found.span()) else { continue };
            out.push_str(text.get(last..span.start).unwrap_or_default());
            expand_into(&captures, text, template, &mut out);
            last = span.end;
        }
        out.push_str(text.get(last..).unwrap_or_default());
        out
    }

    fn automaton(&self) -> &meta::Regex {
        self.automaton.get_or_init(|| {
            automaton_of(&self.hir).expect("a pattern that needs no automaton has a small one")
        })
    }
}

impl Error {
    fn of(error: parse::Error) -> Error {
        Error { message: error.to_string() }
    }
}

fn automaton_of(hir: &Hir) -> Result<meta::Regex, Box<meta::BuildError>> {
    let config = meta::Config::new().nfa_size_limit(Some(AUTOMATON_BYTES_MAX));
    meta::Builder::new().configure(config).build_from_hir(hir).map_err(Box::new)
}

fn matches_parts(text: &str, prefix: &str, middle: &[String], suffix: &str) -> bool {
    let Some(mut rest) = text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix))
    else {
        return false;
    };
    for part in middle {
        let Some((_, behind)) = rest.split_once(part.as_str()) else { return false };
        rest = behind;
    }
    true
}

fn expand_into(captures: &Captures, text: &str, template: &str, out: &mut String) {
    captures.interpolate_string_into(text, template, out);
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Regex({:?})", self.pattern)
    }
}
