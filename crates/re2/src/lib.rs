//! Does this string match, as Go's `regexp` would say?
//!
//! Knows nothing of labels. [`Regex`] is anchored or not as the caller chose.

use regex_automata::{Input, meta, util::captures::Captures, util::syntax};

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
    engine: meta::Regex,
}

impl Regex {
    /// Compiles `pattern` as it stands: a search finds it anywhere.
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        Regex::compile(pattern, pattern)
    }

    /// Compiles `^(?s:pattern)$`, the form of matchers and relabelling.
    pub fn anchored(pattern: &str) -> Result<Regex, Error> {
        Regex::compile(pattern, &format!("^(?s:{pattern})$"))
    }

    fn compile(pattern: &str, whole: &str) -> Result<Regex, Error> {
        let engine = meta::Builder::new()
            .configure(meta::Config::new().nfa_size_limit(Some(64 << 20)))
            .syntax(syntax::Config::new())
            .build(whole)
            .map_err(|error| Error { message: error.to_string() })?;
        Ok(Regex { pattern: pattern.to_owned(), engine })
    }

    /// The pattern as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.engine.is_match(text)
    }

    /// Matches `text` and, where it matches, appends `template` to `out` with `$1` and `${name}`
    /// expanded as Go's `Regexp.Expand` does. Says whether it matched.
    pub fn expand(&self, text: &str, template: &str, out: &mut String) -> bool {
        let mut captures = self.engine.create_captures();
        self.engine.captures(Input::new(text), &mut captures);
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
        for captures in self.engine.captures_iter(text) {
            let Some(span) = captures.get_match().map(|found| found.span()) else { continue };
            out.push_str(text.get(last..span.start).unwrap_or_default());
            expand_into(&captures, text, template, &mut out);
            last = span.end;
        }
        out.push_str(text.get(last..).unwrap_or_default());
        out
    }
}

fn expand_into(captures: &Captures, text: &str, template: &str, out: &mut String) {
    captures.interpolate_string_into(text, template, out);
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Regex({:?})", self.pattern)
    }
}
