use std::{fmt, sync::Arc};

use re2::Regex;

/// How a matcher compares: `=`, `!=`, `=~`, `!~`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchKind {
    Equal,
    NotEqual,
    Regex,
    NotRegex,
}

impl MatchKind {
    pub fn as_str(self) -> &'static str {
        match self {
            MatchKind::Equal => "=",
            MatchKind::NotEqual => "!=",
            MatchKind::Regex => "=~",
            MatchKind::NotRegex => "!~",
        }
    }
}

/// A condition on the value of one label; an absent label has the value "".
#[derive(Debug, Clone)]
pub struct Matcher {
    pub kind: MatchKind,
    pub name: String,
    pub value: String,
    /// Compiled from `value`, for the two regex kinds.
    regex: Option<Arc<Regex>>,
}

impl Matcher {
    /// Builds a matcher; an error if the kind wants a regex and `value` is none.
    pub fn new(
        kind: MatchKind,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Matcher, re2::Error> {
        let value = value.into();
        let regex = match kind {
            MatchKind::Regex | MatchKind::NotRegex => Some(Arc::new(Regex::matcher(&value)?)),
            MatchKind::Equal | MatchKind::NotEqual => None,
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

    /// Whether series without the label satisfy it.
    pub fn matches_empty(&self) -> bool {
        self.matches("")
    }

    /// The compiled pattern of the two regex kinds.
    pub fn regex(&self) -> Option<&Regex> {
        self.regex.as_deref()
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Matcher) -> bool {
        (self.kind, &self.name, &self.value) == (other.kind, &other.name, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if crate::names::is_legacy_label_name(&self.name) {
            write!(f, "{}", self.name)?;
        } else {
            write!(f, "{}", crate::labels::quote(&self.name))?;
        }
        write!(f, "{}{}", self.kind.as_str(), crate::labels::quote(&self.value))
    }
}
