//! From matchers to series, for whoever keeps an index of labels.

use std::collections::BTreeSet;

use model::{MatchKind, Matcher};
use re2::Regex;

use crate::{
    LabelHints, LabelValues, Result,
    postings::{SortedList, intersect, intersects, subtract, union},
};

/// Knows which series have which labels; series go by numbers that sort.
pub trait LabelIndex {
    type Id: Copy + Ord;
    type List<'a>: SortedList<Self::Id>
    where
        Self: 'a;

    /// All series.
    fn all(&self) -> Result<Self::List<'_>>;

    /// The series with this label; nothing if there is none.
    fn series_with(&self, name: &str, value: &str) -> Result<Option<Self::List<'_>>>;

    /// Shows each value of a label with the series that have it, in any order.
    fn each_value<'a>(
        &'a self,
        name: &str,
        visit: &mut dyn FnMut(&str, Self::List<'a>),
    ) -> Result<()>;

    /// The names of all labels, in any order.
    fn names(&self) -> Vec<&str>;
}

/// A list that lies in the index, or one that was made of several.
enum Found<Id, L> {
    InIndex(L),
    Made(Vec<Id>),
}

impl<Id: Copy + Ord, L: SortedList<Id>> Found<Id, L> {
    fn len(&self) -> usize {
        match self {
            Found::InIndex(list) => list.len(),
            Found::Made(ids) => ids.len(),
        }
    }

    fn into_ids(self) -> Vec<Id> {
        match self {
            Found::InIndex(list) => list.iter().collect(),
            Found::Made(ids) => ids,
        }
    }

    fn keep_in(&self, ids: &mut Vec<Id>) {
        match self {
            Found::InIndex(list) => intersect(ids, *list),
            Found::Made(made) => intersect(ids, &made[..]),
        }
    }

    fn take_from(&self, ids: &mut Vec<Id>) {
        match self {
            Found::InIndex(list) => subtract(ids, *list),
            Found::Made(made) => subtract(ids, &made[..]),
        }
    }
}

type FoundIn<'a, I> = Found<<I as LabelIndex>::Id, <I as LabelIndex>::List<'a>>;

/// The series that satisfy all `matchers`, in order of their numbers.
///
/// A matcher that a missing label satisfies cannot name the series that it wants: it names those
/// that it does not want. The others are intersected, smallest list first; then those go.
pub fn select<I: LabelIndex>(index: &I, matchers: &[Matcher]) -> Result<Vec<I::Id>> {
    let (negative, positive): (Vec<_>, Vec<_>) =
        matchers.iter().partition(|matcher| matcher.matches_empty());
    let mut wanted = Vec::with_capacity(positive.len());
    for matcher in positive {
        let found = matching(index, matcher)?;
        if found.len() == 0 {
            return Ok(Vec::new());
        }
        wanted.push(found);
    }
    wanted.sort_by_key(Found::len);
    let mut wanted = wanted.into_iter();
    let mut ids = match wanted.next() {
        Some(smallest) => smallest.into_ids(),
        None => index.all()?.iter().collect(),
    };
    for other in wanted {
        other.keep_in(&mut ids);
    }
    for matcher in negative {
        if ids.is_empty() {
            break;
        }
        not_matching(index, matcher)?.take_from(&mut ids);
    }
    Ok(ids)
}

/// Series with a value that satisfies the matcher.
fn matching<'a, I: LabelIndex>(index: &'a I, matcher: &Matcher) -> Result<FoundIn<'a, I>> {
    match matcher.kind {
        MatchKind::Equal => with_value(index, &matcher.name, &matcher.value),
        MatchKind::Regex if let Some(values) = set(matcher) => {
            with_any_value(index, &matcher.name, values)
        }
        _ => with_values(index, &matcher.name, |value| matcher.matches(value)),
    }
}

/// Series with a value that does not satisfy the matcher.
fn not_matching<'a, I: LabelIndex>(index: &'a I, matcher: &Matcher) -> Result<FoundIn<'a, I>> {
    match matcher.kind {
        MatchKind::NotEqual => with_value(index, &matcher.name, &matcher.value),
        MatchKind::NotRegex if let Some(values) = set(matcher) => {
            with_any_value(index, &matcher.name, values)
        }
        MatchKind::Regex if matcher.regex().is_some_and(Regex::matches_everything) => {
            Ok(Found::Made(Vec::new()))
        }
        _ => with_values(index, &matcher.name, |value| !matcher.matches(value)),
    }
}

/// The few values that a pattern stands for.
fn set(matcher: &Matcher) -> Option<&[String]> {
    matcher.regex().and_then(Regex::set)
}

fn with_value<'a, I: LabelIndex>(index: &'a I, name: &str, value: &str) -> Result<FoundIn<'a, I>> {
    let list = index.series_with(name, value)?;
    Ok(list.map_or_else(|| Found::Made(Vec::new()), Found::InIndex))
}

fn with_any_value<'a, I: LabelIndex>(
    index: &'a I,
    name: &str,
    values: &[String],
) -> Result<FoundIn<'a, I>> {
    let mut lists = Vec::with_capacity(values.len());
    for value in values {
        lists.extend(index.series_with(name, value)?);
    }
    Ok(join(lists))
}

fn with_values<'a, I: LabelIndex>(
    index: &'a I,
    name: &str,
    mut wanted: impl FnMut(&str) -> bool,
) -> Result<FoundIn<'a, I>> {
    let mut lists = Vec::new();
    index.each_value(name, &mut |value, list| {
        if wanted(value) {
            lists.push(list);
        }
    })?;
    Ok(join(lists))
}

fn join<Id: Copy + Ord, L: SortedList<Id>>(lists: Vec<L>) -> Found<Id, L> {
    match lists[..] {
        [one] => Found::InIndex(one),
        _ => Found::Made(union(&lists)),
    }
}

/// The values of a label among series that satisfy all `matchers`, sorted.
pub fn label_values<I: LabelIndex>(
    index: &I,
    name: &str,
    hints: &LabelHints,
    matchers: &[Matcher],
) -> Result<LabelValues> {
    let mut values = Vec::new();
    if matchers.is_empty() {
        index.each_value(name, &mut |value, _| values.push(value.to_owned()))?;
    } else {
        let ids = select(index, matchers)?;
        index.each_value(name, &mut |value, list| {
            if intersects(list, &ids[..]) {
                values.push(value.to_owned());
            }
        })?;
    }
    values.sort_unstable();
    Ok(limited(values, hints))
}

/// The names of labels among series that satisfy all `matchers`, sorted.
pub fn label_names<I: LabelIndex>(
    index: &I,
    hints: &LabelHints,
    matchers: &[Matcher],
) -> Result<LabelValues> {
    let names = index.names();
    if matchers.is_empty() {
        let names: BTreeSet<&str> = names.into_iter().collect();
        return Ok(limited(names.into_iter().map(str::to_owned), hints));
    }
    let ids = select(index, matchers)?;
    let mut found = BTreeSet::new();
    for name in names {
        let mut is_used = false;
        index.each_value(name, &mut |_, list| is_used = is_used || intersects(list, &ids[..]))?;
        if is_used {
            found.insert(name.to_owned());
        }
    }
    Ok(limited(found, hints))
}

fn limited(values: impl IntoIterator<Item = String>, hints: &LabelHints) -> LabelValues {
    let limit = if hints.limit == 0 { usize::MAX } else { hints.limit };
    LabelValues { values: values.into_iter().take(limit).collect(), warnings: Vec::new() }
}
