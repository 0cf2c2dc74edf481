//! From matchers to series.

use std::borrow::Cow;

use model::{MatchKind, Matcher};

pub(crate) use super::postings::intersects;
use super::{
    Index, SeriesId,
    postings::{intersect, subtract, union},
};

/// The series that satisfy all `matchers`, in order of their numbers.
///
/// A matcher that a missing label satisfies cannot name the series that it wants: it names those
/// that it does not want. The others are intersected, smallest list first; then those go.
pub(crate) fn select(index: &Index, matchers: &[Matcher]) -> Vec<SeriesId> {
    let (negative, positive): (Vec<_>, Vec<_>) =
        matchers.iter().partition(|matcher| matcher.matches_empty());
    let mut wanted: Vec<Cow<'_, [SeriesId]>> = Vec::with_capacity(positive.len());
    for matcher in positive {
        let ids = matching(index, matcher);
        if ids.is_empty() {
            return Vec::new();
        }
        wanted.push(ids);
    }
    wanted.sort_by_key(|ids| ids.len());
    let mut wanted = wanted.into_iter();
    let mut ids = wanted.next().map_or_else(|| index.all().to_vec(), Cow::into_owned);
    for other in wanted {
        intersect(&mut ids, &other);
    }
    for matcher in negative {
        if ids.is_empty() {
            break;
        }
        subtract(&mut ids, &not_matching(index, matcher));
    }
    ids
}

/// Series with a value that satisfies the matcher.
fn matching<'a>(index: &'a Index, matcher: &Matcher) -> Cow<'a, [SeriesId]> {
    match matcher.kind {
        MatchKind::Equal => Cow::Borrowed(index.series_with(&matcher.name, &matcher.value)),
        _ => with_values(index, &matcher.name, |value| matcher.matches(value)),
    }
}

/// Series with a value that does not satisfy the matcher.
fn not_matching<'a>(index: &'a Index, matcher: &Matcher) -> Cow<'a, [SeriesId]> {
    match matcher.kind {
        MatchKind::NotEqual => Cow::Borrowed(index.series_with(&matcher.name, &matcher.value)),
        MatchKind::Regex if matcher.value == ".*" => Cow::Borrowed(&[]),
        _ => with_values(index, &matcher.name, |value| !matcher.matches(value)),
    }
}

fn with_values<'a>(
    index: &'a Index,
    name: &str,
    mut wanted: impl FnMut(&str) -> bool,
) -> Cow<'a, [SeriesId]> {
    let lists = index.values(name).filter(|(value, _)| wanted(value)).map(|(_, ids)| ids);
    let lists: Vec<&[SeriesId]> = lists.collect();
    match lists[..] {
        [] => Cow::Borrowed(&[]),
        [one] => Cow::Borrowed(one),
        _ => Cow::Owned(union(lists)),
    }
}
