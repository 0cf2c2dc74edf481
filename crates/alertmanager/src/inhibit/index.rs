use std::collections::HashMap;

use model::{Labels, MatchKind};

use crate::matcher::Matcher;

/// Which rules a label set can match at all: each rule is filed under the rarest label value that it
/// asks for, so that a look-up for each label of an alert finds them.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By name, then by value; the rules in order.
    by_label: HashMap<String, HashMap<String, Vec<usize>>>,
    /// Rules that ask for no certain value.
    others: Vec<usize>,
}

impl Index {
    /// Files each list of matchers under its place.
    pub(super) fn new<'a>(rules: impl Iterator<Item = &'a [Matcher]> + Clone) -> Index {
        let mut uses: HashMap<(&str, &str), usize> = HashMap::new();
        for matcher in rules.clone().flatten().filter(|matcher| is_certain(matcher)) {
            *uses.entry((&matcher.name, &matcher.value)).or_default() += 1;
        }
        let mut index = Index::default();
        for (rule, matchers) in rules.enumerate() {
            let certain = matchers.iter().filter(|matcher| is_certain(matcher));
            let rarest = certain
                .min_by_key(|matcher| uses.get(&(matcher.name.as_str(), matcher.value.as_str())));
            match rarest {
                Some(matcher) => {
                    let by_value = index.by_label.entry(matcher.name.clone()).or_default();
                    by_value.entry(matcher.value.clone()).or_default().push(rule);
                }
                None => index.others.push(rule),
            }
        }
        index
    }

    /// The rules that `labels` may match, in order.
    pub(super) fn candidates(&self, labels: &Labels) -> Vec<usize> {
        let mut found = self.others.clone();
        if self.by_label.is_empty() {
            return found;
        }
        for (name, value) in labels.iter() {
            let rules = self.by_label.get(name).and_then(|by_value| by_value.get(value));
            found.extend_from_slice(rules.map_or(&[], Vec::as_slice));
        }
        found.sort_unstable();
        found
    }
}

/// Whether only one value of a label that is there passes.
fn is_certain(matcher: &Matcher) -> bool {
    matcher.kind == MatchKind::Equal && !matcher.value.is_empty()
}
