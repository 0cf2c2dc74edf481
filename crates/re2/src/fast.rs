//! What can be said of a pattern without an automaton.

use regex_syntax::hir::{
    Class, ClassUnicode, Hir, HirKind, Look,
    literal::{ExtractKind, Extractor},
};

/// A pattern stands for so many texts at most, or it is no set.
const SET_MAX: usize = 256;

/// How a pattern that must match a whole text can be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// One of these, in the order of the pattern.
    Set(Vec<String>),
    /// A beginning, an end, and in between these one after the other.
    Parts {
        prefix: String,
        middle: Vec<String>,
        suffix: String,
    },
    NotEmpty,
    /// With an automaton.
    Automaton,
}

/// The plan for a pattern that must match a whole text.
pub(crate) fn plan(hir: &Hir) -> Plan {
    let mut items = Vec::new();
    flatten(hir, &mut items);
    let n_leading = items.iter().take_while(|item| is_look(item, Look::Start)).count();
    items.drain(..n_leading);
    while items.pop_if(|item| is_look(item, Look::End)).is_some() {}
    if let [item] = items[..]
        && is_something(item)
    {
        return Plan::NotEmpty;
    }
    let set = product(items.iter().copied()).and_then(into_strings);
    set.map(Plan::Set).or_else(|| parts(&items)).unwrap_or(Plan::Automaton)
}

/// What each match begins with.
pub(crate) fn prefix(hir: &Hir) -> String {
    let literals = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
    let common = literals.longest_common_prefix().unwrap_or_default();
    // It may end within a character.
    common.utf8_chunks().next().map_or(String::new(), |chunk| chunk.valid().to_owned())
}

/// A sequence as a list, whatever the groups in it.
fn flatten<'h>(hir: &'h Hir, items: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(subs) => subs.iter().for_each(|sub| flatten(sub, items)),
        HirKind::Capture(capture) => flatten(&capture.sub, items),
        HirKind::Empty => {}
        _ => items.push(hir),
    }
}

fn is_look(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(found) if *found == look)
}

/// The texts of a sequence.
fn product<'h>(subs: impl Iterator<Item = &'h Hir>) -> Option<Vec<Vec<u8>>> {
    let mut all = vec![Vec::new()];
    for sub in subs {
        let endings = texts(sub)?;
        if all.len() * endings.len() > SET_MAX {
            return None;
        }
        let mut longer = Vec::with_capacity(all.len() * endings.len());
        for text in &all {
            longer.extend(endings.iter().map(|end| [text.as_slice(), end].concat()));
        }
        all = longer;
    }
    Some(all)
}

/// The texts that a pattern stands for, if they are few.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Class(Class::Unicode(class)) => characters(class),
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Concat(subs) => product(subs.iter()),
        HirKind::Alternation(subs) => {
            let mut all = Vec::new();
            for sub in subs {
                all.extend(texts(sub)?);
                if all.len() > SET_MAX {
                    return None;
                }
            }
            Some(all)
        }
        _ => None,
    }
}

fn characters(class: &ClassUnicode) -> Option<Vec<Vec<u8>>> {
    let n_characters: usize = class.ranges().iter().map(|range| range.len()).sum();
    if n_characters > SET_MAX {
        return None;
    }
    let characters = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    Some(characters.map(|character| character.to_string().into_bytes()).collect())
}

/// Literals with `.*`, which matches newlines too, between them.
fn parts(items: &[&Hir]) -> Option<Plan> {
    let mut literals = vec![Vec::new()];
    for item in items {
        match item.kind() {
            HirKind::Literal(literal) => literals.last_mut()?.extend_from_slice(&literal.0),
            _ if is_anything(item) => literals.push(Vec::new()),
            _ => return None,
        }
    }
    let mut middle = into_strings(literals)?;
    let suffix = middle.pop()?;
    let prefix = if middle.is_empty() { return None } else { middle.remove(0) };
    middle.retain(|literal| !literal.is_empty());
    Some(Plan::Parts { prefix, middle, suffix })
}

fn into_strings(texts: Vec<Vec<u8>>) -> Option<Vec<String>> {
    texts.into_iter().map(|text| String::from_utf8(text).ok()).collect()
}

/// `.*`, also over newlines.
fn is_anything(hir: &Hir) -> bool {
    repeats_any(hir, 0)
}

/// `.+`, also over newlines.
fn is_something(hir: &Hir) -> bool {
    repeats_any(hir, 1)
}

fn repeats_any(hir: &Hir, min: u32) -> bool {
    let HirKind::Repetition(repetition) = hir.kind() else { return false };
    let HirKind::Class(Class::Unicode(class)) = repetition.sub.kind() else { return false };
    let is_any = matches!(class.ranges(), [all] if all.start() == '\0' && all.end() == char::MAX);
    repetition.min == min && repetition.max.is_none() && is_any
}
