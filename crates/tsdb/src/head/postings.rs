//! Sorted lists of series, and what can be done with several of them.

use smallvec::SmallVec;

use super::SeriesId;

/// The series that have a label, in order. Most labels of most installations belong to few
/// series: those need no allocation.
pub(crate) type Postings = SmallVec<[SeriesId; 4]>;

/// Keeps of `ids` what is in `other` too.
pub(crate) fn intersect(ids: &mut Vec<SeriesId>, other: &[SeriesId]) {
    let mut rest = other;
    ids.retain(|id| advance(&mut rest, *id));
}

/// Keeps of `ids` what is not in `other`.
pub(crate) fn subtract(ids: &mut Vec<SeriesId>, other: &[SeriesId]) {
    let mut rest = other;
    ids.retain(|id| !advance(&mut rest, *id));
}

/// Whether two lists share an element.
pub(crate) fn intersects(a: &[SeriesId], b: &[SeriesId]) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let mut rest = long;
    short.iter().any(|id| advance(&mut rest, *id))
}

/// What is in any of the lists.
pub(crate) fn union<'a>(lists: impl IntoIterator<Item = &'a [SeriesId]>) -> Vec<SeriesId> {
    let mut all: Vec<SeriesId> = lists.into_iter().flatten().copied().collect();
    // Stable sorting merges the runs that are there; the other one would not notice them.
    all.sort();
    all.dedup();
    all
}

/// Drops from `rest` what is before `id`, in steps that double; says whether `id` is there.
fn advance(rest: &mut &[SeriesId], id: SeriesId) -> bool {
    let mut step = 1;
    while step < rest.len() && rest[step] < id {
        step *= 2;
    }
    let window = &rest[..rest.len().min(step + 1)];
    let skipped = window.partition_point(|other| *other < id);
    *rest = &rest[skipped..];
    rest.first() == Some(&id)
}
