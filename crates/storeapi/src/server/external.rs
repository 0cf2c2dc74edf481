//! External labels, which series have for others only.

use grpc::Status;
use model::{Labels, Matcher};

/// The labels that series are shown with.
pub(super) struct External<'a> {
    added: Labels,
    removed: &'a [String],
}

impl<'a> External<'a> {
    /// `removed` are names that the other side does not want to see, whoever they come from.
    pub(super) fn new(external: &Labels, removed: &'a [String]) -> External<'a> {
        let added = external.filter(|name| !removed.iter().any(|removed| removed == name));
        External { added, removed }
    }

    pub(super) fn is_removed(&self, name: &str) -> bool {
        self.removed.iter().any(|removed| removed == name)
    }

    /// External labels win over those of the series.
    pub(super) fn apply(&self, labels: Labels) -> Labels {
        let is_touched = |name: &str| self.is_removed(name) || self.added.get(name).is_some();
        let touches = labels.iter().any(|(name, _)| is_touched(name));
        if self.added.is_empty() && !touches {
            return labels;
        }
        let own = labels.iter().filter(|(name, _)| !is_touched(name));
        merge_sorted(own, self.added.iter())
    }
}

/// External labels win; for what is no series.
pub(super) fn extend(labels: &Labels, external: &Labels) -> Labels {
    External::new(external, &[]).apply(labels.clone())
}

/// Two sorted runs with no name in common.
fn merge_sorted<'a>(
    a: impl Iterator<Item = (&'a str, &'a str)>,
    b: impl Iterator<Item = (&'a str, &'a str)>,
) -> Labels {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    Labels::from_sorted(std::iter::from_fn(|| match (a.peek(), b.peek()) {
        (Some((first, _)), Some((second, _))) if second < first => b.next(),
        (Some(_), _) => a.next(),
        (None, _) => b.next(),
    }))
}

/// The matchers that are left for the storage once those of external labels are decided; nothing
/// if none of our series can be meant.
pub(super) fn decide(matchers: Vec<Matcher>, external: &Labels) -> Option<Vec<Matcher>> {
    let decided = |matcher: &Matcher| external.get(&matcher.name);
    let is_ours =
        matchers.iter().all(|matcher| decided(matcher).is_none_or(|value| matcher.matches(value)));
    is_ours.then(|| matchers.into_iter().filter(|matcher| decided(matcher).is_none()).collect())
}

/// As [`decide`], for requests that must name something else, too.
pub(super) fn decide_series(
    matchers: Vec<Matcher>,
    external: &Labels,
) -> Result<Option<Vec<Matcher>>, Status> {
    match decide(matchers, external) {
        Some(left) if left.is_empty() => {
            Err(Status::invalid_argument("no matchers specified (excluding external labels)"))
        }
        left => Ok(left),
    }
}
