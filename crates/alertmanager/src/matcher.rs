//! Conditions on labels, as routes, silences, inhibition rules and filters write them.

mod classic;
mod lexer;
mod mode;
mod utf8;

use std::{cmp::Ordering, fmt, sync::Arc};

use model::{Labels, MatchKind};

pub use mode::Mode;

/// Why a text is no matcher; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// A condition on the value of one label; an absent label has the value "".
///
/// Unlike the matchers of queries, `.` in a pattern stops at a line feed.
#[derive(Debug, Clone)]
pub struct Matcher {
    pub kind: MatchKind,
    pub name: String,
    pub value: String,
    /// Compiled from `value`, for the two regex kinds.
    regex: Option<Arc<re2::Regex>>,
}

impl Matcher {
    pub fn new(
        kind: MatchKind,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Matcher, re2::Error> {
        let value = value.into();
        let regex = match kind {
            MatchKind::Equal | MatchKind::NotEqual => None,
            MatchKind::Regex | MatchKind::NotRegex => {
                Some(Arc::new(re2::Regex::new(&format!("^(?:{value})$"))?))
            }
        };
        Ok(Matcher { kind, name: name.into(), value, regex })
    }

    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Matcher {
        Matcher { kind: MatchKind::Equal, name: name.into(), value: value.into(), regex: None }
    }

    pub fn matches(&self, value: &str) -> bool {
        match (self.kind, &self.regex) {
            (MatchKind::Equal, _) => self.value == value,
            (MatchKind::NotEqual, _) => self.value != value,
            (MatchKind::Regex, Some(regex)) => regex.is_match(value),
            (MatchKind::NotRegex, Some(regex)) => !regex.is_match(value),
            (MatchKind::Regex | MatchKind::NotRegex, None) => false,
        }
    }
}

/// Whether all of `matchers` accept `labels`.
pub fn all_match(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels.value(&matcher.name)))
}

/// `{a="b",c=~"d"}`, as keys of groups and logs write a list.
pub fn print(matchers: &[Matcher]) -> String {
    let parts: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
    format!("{{{}}}", parts.join(","))
}

/// Whether a bare name may not hold `c`.
fn is_reserved(c: char) -> bool {
    c.is_whitespace() || "{}!=~,\\\"'`".contains(c)
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = self.kind.as_str();
        if self.name.contains(is_reserved) {
            let quote = model::labels::quote;
            return write!(f, "{}{operator}{}", quote(&self.name), quote(&self.value));
        }
        write!(f, "{}{operator}\"", self.name)?;
        for c in self.value.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' => f.write_str("\\\"")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Matcher) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Matcher {}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Matcher) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By name, then value, then kind: the order in which routes print theirs.
impl Ord for Matcher {
    fn cmp(&self, other: &Matcher) -> Ordering {
        (&self.name, &self.value, self.kind).cmp(&(&other.name, &other.value, other.kind))
    }
}

#[cfg(test)]
mod tests;
