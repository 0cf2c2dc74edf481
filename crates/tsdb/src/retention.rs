//! Which blocks are too old or too many.

use std::collections::BTreeSet;

use blocks::Meta;
use ulid::Ulid;

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Zero for any age.
    pub(crate) age_ms: i64,
    /// Zero for any size.
    pub(crate) bytes: u64,
}

/// Why blocks go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Obsolete {
    /// They have been replaced, or hold nothing.
    pub(crate) replaced: BTreeSet<Ulid>,
    pub(crate) too_old: BTreeSet<Ulid>,
    pub(crate) too_much: BTreeSet<Ulid>,
}

impl Obsolete {
    pub(crate) fn contains(&self, ulid: &Ulid) -> bool {
        [&self.replaced, &self.too_old, &self.too_much].iter().any(|set| set.contains(ulid))
    }
}

/// Which of `blocks`, given with their bytes, have to go; `other_bytes` are taken by the log.
pub(crate) fn obsolete(blocks: &[(&Meta, u64)], other_bytes: u64, limits: Limits) -> Obsolete {
    let mut obsolete = Obsolete::default();
    for (meta, _) in blocks {
        obsolete.replaced.extend(meta.compaction.parents.iter().map(|parent| parent.ulid));
        if meta.compaction.deletable {
            obsolete.replaced.insert(meta.ulid);
        }
    }
    let mut newest_first: Vec<&(&Meta, u64)> =
        blocks.iter().filter(|(meta, _)| !obsolete.replaced.contains(&meta.ulid)).collect();
    newest_first.sort_by_key(|(meta, _)| std::cmp::Reverse(meta.max_time));
    let newest = newest_first.first().map_or(i64::MIN, |(meta, _)| meta.max_time);
    let mut bytes_so_far = other_bytes;
    for (idx, (meta, bytes)) in newest_first.into_iter().enumerate() {
        bytes_so_far = bytes_so_far.saturating_add(*bytes);
        let is_too_old =
            idx > 0 && limits.age_ms > 0 && newest.saturating_sub(meta.max_time) >= limits.age_ms;
        if is_too_old {
            obsolete.too_old.insert(meta.ulid);
        } else if limits.bytes > 0 && bytes_so_far > limits.bytes {
            obsolete.too_much.insert(meta.ulid);
        }
    }
    obsolete
}
