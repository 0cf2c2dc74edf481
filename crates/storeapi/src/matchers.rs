//! Conditions as they travel.

use model::{MatchKind, Matcher};
use proto::thanos::{LabelMatcher, label_matcher::Type};

pub fn write(matchers: &[Matcher]) -> Vec<LabelMatcher> {
    let write = |matcher: &Matcher| {
        let kind = match matcher.kind {
            MatchKind::Equal => Type::Eq,
            MatchKind::NotEqual => Type::Neq,
            MatchKind::Regex => Type::Re,
            MatchKind::NotRegex => Type::Nre,
        };
        LabelMatcher {
            r#type: kind.into(),
            name: matcher.name.clone(),
            value: matcher.value.clone(),
        }
    };
    matchers.iter().map(write).collect()
}

/// An error is a text for whoever asked.
pub fn read(matchers: &[LabelMatcher]) -> Result<Vec<Matcher>, String> {
    let read = |matcher: &LabelMatcher| {
        let kind = match Type::try_from(matcher.r#type) {
            Ok(Type::Eq) => MatchKind::Equal,
            Ok(Type::Neq) => MatchKind::NotEqual,
            Ok(Type::Re) => MatchKind::Regex,
            Ok(Type::Nre) => MatchKind::NotRegex,
            Err(_) => return Err(format!("unknown label matcher type {}", matcher.r#type)),
        };
        Matcher::new(kind, &matcher.name, &matcher.value).map_err(|error| error.to_string())
    };
    matchers.iter().map(read).collect()
}
