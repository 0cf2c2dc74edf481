//! Sorted lists of series, and what can be done with several of them.

/// A sorted list without repetitions, wherever it lies: in memory, or big-endian in a mapped file.
pub trait SortedList<Id>: Copy {
    fn len(self) -> usize;

    /// The element at `idx`, which is less than [`SortedList::len`].
    fn get(self, idx: usize) -> Id;

    fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn iter(self) -> impl Iterator<Item = Id> {
        (0..self.len()).map(move |idx| self.get(idx))
    }
}

impl<Id: Copy> SortedList<Id> for &[Id] {
    fn len(self) -> usize {
        <[Id]>::len(self)
    }

    fn get(self, idx: usize) -> Id {
        self[idx]
    }
}

/// Keeps of `ids` what is in `other` too.
pub fn intersect<Id: Copy + Ord>(ids: &mut Vec<Id>, other: impl SortedList<Id>) {
    let mut from = 0;
    ids.retain(|id| find(other, &mut from, *id));
}

/// Keeps of `ids` what is not in `other`.
pub fn subtract<Id: Copy + Ord>(ids: &mut Vec<Id>, other: impl SortedList<Id>) {
    let mut from = 0;
    ids.retain(|id| !find(other, &mut from, *id));
}

/// Whether two lists share an element.
pub fn intersects<Id: Copy + Ord>(a: impl SortedList<Id>, b: impl SortedList<Id>) -> bool {
    fn any<Id: Copy + Ord>(short: impl SortedList<Id>, long: impl SortedList<Id>) -> bool {
        let mut from = 0;
        short.iter().any(|id| find(long, &mut from, id))
    }
    if a.len() < b.len() { any(a, b) } else { any(b, a) }
}

/// What is in any of the lists.
pub fn union<Id: Copy + Ord, L: SortedList<Id>>(lists: &[L]) -> Vec<Id> {
    let mut all = Vec::with_capacity(lists.iter().map(|list| list.len()).sum());
    for list in lists {
        all.extend(list.iter());
    }
    // Stable sorting merges the runs that are there; the other one would not notice them.
    all.sort();
    all.dedup();
    all
}

/// Whether `id` is in `list`; looks from `from` on, in steps that double, and moves it there.
fn find<Id: Copy + Ord>(list: impl SortedList<Id>, from: &mut usize, id: Id) -> bool {
    let n_elements = list.len();
    let (mut low, mut step) = (*from, 1);
    while low + step < n_elements && list.get(low + step) < id {
        low += step;
        step *= 2;
    }
    let mut high = (low + step + 1).min(n_elements);
    while low < high {
        let middle = low + (high - low) / 2;
        if list.get(middle) < id {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *from = low;
    low < n_elements && list.get(low) == id
}

#[cfg(test)]
mod tests {
    use super::{intersect, intersects, subtract, union};

    fn check(a: &[u32], b: &[u32], both: &[u32], only_a: &[u32], any: &[u32]) {
        let (mut intersected, mut subtracted) = (a.to_vec(), a.to_vec());
        intersect(&mut intersected, b);
        subtract(&mut subtracted, b);
        assert_eq!(intersected, both, "{a:?} ∩ {b:?}");
        assert_eq!(subtracted, only_a, "{a:?} ∖ {b:?}");
        assert_eq!(union(&[a, b]), any, "{a:?} ∪ {b:?}");
        assert_eq!(intersects(a, b), !both.is_empty());
    }

    #[test]
    fn lists_are_combined_as_sets() {
        check(&[], &[], &[], &[], &[]);
        check(&[1], &[], &[], &[1], &[1]);
        check(&[], &[1], &[], &[], &[1]);
        check(&[1, 2, 3], &[2], &[2], &[1, 3], &[1, 2, 3]);
        check(
            &[1, 5, 9],
            &[0, 1, 2, 3, 4, 6, 7, 8, 9],
            &[1, 9],
            &[5],
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        );
        check(&[7, 8], &[1, 2, 3, 4, 5, 6, 7], &[7], &[8], &[1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn long_lists_agree_with_a_plain_search() {
        let a: Vec<u32> = (0..1000).filter(|n| n % 7 != 0).collect();
        let b: Vec<u32> = (0..1000).filter(|n| n % 3 == 0).collect();
        let both: Vec<u32> = a.iter().filter(|n| b.contains(n)).copied().collect();
        let mut intersected = a.clone();
        intersect(&mut intersected, &b[..]);
        assert_eq!(intersected, both);
    }
}
