//! Who asked for quiet, about what, and until when.

mod codec;
mod error;
mod mutes;
mod store;
#[cfg(test)]
mod tests;
mod validate;

use std::{collections::BTreeMap, fmt, sync::Arc};

use model::MatchKind;
use proto::silence::matcher::Type;

use crate::{matcher::Matcher, time::Time};

pub use codec::{Record, decode, encode};
pub use error::{Error, ErrorKind};
pub use store::{Changed, Limits, Query, Silences};
pub use validate::{validate, validate_pattern};

/// A silence as users and peers know it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Silence {
    /// A UUID; empty for one that is not stored yet.
    pub id: String,
    /// It is quiet about an alert if all of one set match.
    pub matcher_sets: Vec<Vec<Pattern>>,
    /// `None` in a new one is "now".
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    /// Whoever changed it later is right.
    pub updated_at: Option<Time>,
    pub created_by: String,
    pub comment: String,
    pub annotations: BTreeMap<String, String>,
    /// Not evaluated yet, but handed on.
    pub receiver_matcher_sets: Vec<Vec<Pattern>>,
}

/// A matcher as peers send it: perhaps of an unknown kind, perhaps with a broken regex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The number in `silence.proto`.
    pub type_number: i32,
    pub name: String,
    pub pattern: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Active,
    Pending,
    Expired,
}

impl Silence {
    /// As the API says it: at its end it is over.
    pub fn state(&self, now: Time) -> State {
        match self.state_inside(now) {
            State::Active if self.ends_at <= Some(now) => State::Expired,
            state => state,
        }
    }

    /// As the store decides: at its end it is still active. Upstream has both.
    fn state_inside(&self, now: Time) -> State {
        if self.starts_at.is_some_and(|start| now < start) {
            State::Pending
        } else if self.ends_at >= Some(now) {
            State::Active
        } else {
            State::Expired
        }
    }

    /// As logs show the matchers: `a=b,c=~d`.
    pub fn matchers_text(&self) -> String {
        let patterns: Vec<String> =
            self.matcher_sets.iter().flatten().map(Pattern::to_string).collect();
        patterns.join(",")
    }

    /// The sets ready for matching; `None` if one of the patterns can't be.
    pub fn compile(&self) -> Option<Arc<[Vec<Matcher>]>> {
        let compile_set = |set: &Vec<Pattern>| set.iter().map(Pattern::compile).collect();
        self.matcher_sets.iter().map(compile_set).collect()
    }
}

impl Pattern {
    pub fn new(kind: MatchKind, name: impl Into<String>, pattern: impl Into<String>) -> Pattern {
        let number = match kind {
            MatchKind::Equal => Type::Equal,
            MatchKind::NotEqual => Type::NotEqual,
            MatchKind::Regex => Type::Regexp,
            MatchKind::NotRegex => Type::NotRegexp,
        };
        Pattern { type_number: number as i32, name: name.into(), pattern: pattern.into() }
    }

    /// `None` for a kind that this version doesn't know.
    pub fn kind(&self) -> Option<MatchKind> {
        match Type::try_from(self.type_number).ok()? {
            Type::Equal => Some(MatchKind::Equal),
            Type::NotEqual => Some(MatchKind::NotEqual),
            Type::Regexp => Some(MatchKind::Regex),
            Type::NotRegexp => Some(MatchKind::NotRegex),
        }
    }

    fn compile(&self) -> Option<Matcher> {
        Matcher::new(self.kind()?, self.name.as_str(), self.pattern.as_str()).ok()
    }
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Pending => "pending",
            State::Expired => "expired",
        }
    }
}

/// As logs show it, without quotes.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = self.kind().map_or("?", MatchKind::as_str);
        write!(f, "{}{operator}{}", self.name, self.pattern)
    }
}
