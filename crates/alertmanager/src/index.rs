//! Which lists of matchers a label set can match at all.

use std::collections::HashMap;

use model::{Labels, MatchKind};

use crate::matcher::Matcher;

/// Each list is filed under the rarest label value that it asks for, so that a look-up for each
/// label of an alert finds the few that may match it.
#[derive(Debug)]
pub(crate) struct Index<K> {
    /// By name, then by value.
    by_label: HashMap<String, HashMap<String, Vec<K>>>,
    /// Lists that ask for no certain value.
    others: Vec<K>,
}

impl<K> Default for Index<K> {
    fn default() -> Index<K> {
        Index { by_label: HashMap::new(), others: Vec::new() }
    }
}

impl<K: Clone + Ord> Index<K> {
    pub(crate) fn insert(&mut self, key: K, matchers: &[Matcher]) {
        let rarest = matchers.iter().filter(|it| is_certain(it)).min_by_key(|it| self.at(it).len());
        match rarest {
            Some(matcher) => {
                let by_value = self.by_label.entry(matcher.name.clone()).or_default();
                by_value.entry(matcher.value.clone()).or_default().push(key);
            }
            None => self.others.push(key),
        }
    }

    /// The keys of lists that `labels` may match, in order.
    pub(crate) fn candidates(&self, labels: &Labels) -> Vec<K> {
        let mut found = self.others.clone();
        if !self.by_label.is_empty() {
            for (name, value) in labels.iter() {
                let keys = self.by_label.get(name).and_then(|by_value| by_value.get(value));
                found.extend_from_slice(keys.map_or(&[], Vec::as_slice));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn at(&self, matcher: &Matcher) -> &[K] {
        let by_value = self.by_label.get(&matcher.name);
        by_value.and_then(|it| it.get(&matcher.value)).map_or(&[], Vec::as_slice)
    }
}

/// Whether only one value of a label that is there passes.
fn is_certain(matcher: &Matcher) -> bool {
    matcher.kind == MatchKind::Equal && !matcher.value.is_empty()
}
