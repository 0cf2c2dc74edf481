//! How long what is kept, and which blocks are too old or too many.

mod classes;

use std::{collections::BTreeSet, time::Duration};

use blocks::Meta;
use model::Matcher;
use ulid::Ulid;

pub(crate) use self::classes::{ClassId, Classes};

/// What is kept, and for how long; the default is upstream's.
#[derive(Debug, Clone, PartialEq)]
pub struct Retention {
    /// Zero for any time.
    pub time: Duration,
    /// How much disk blocks and log may take; zero for any amount.
    pub bytes: u64,
    /// The same as a share of the file system in percent; if it is not zero it counts instead.
    pub percentage: f64,
    /// Series that are kept for a time of their own. A series belongs to the first that selects it.
    pub classes: Vec<RetentionClass>,
}

/// Series that are kept in blocks of their own, for a time of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionClass {
    /// Not empty; what belongs to no class has the empty name.
    pub name: String,
    /// A series belongs to the class if it satisfies all matchers of one of these.
    pub selectors: Vec<Vec<Matcher>>,
    /// Zero for any time.
    pub time: Duration,
}

impl Default for Retention {
    fn default() -> Retention {
        let time = Duration::from_secs(15 * 24 * 3600);
        Retention { time, bytes: 0, percentage: 0.0, classes: Vec::new() }
    }
}

impl Retention {
    /// The longest time for which anything is kept; zero for any time.
    pub(crate) fn longest(&self) -> Duration {
        let times = self.classes.iter().map(|class| class.time).chain([self.time]);
        if times.clone().any(|time| time.is_zero()) {
            return Duration::ZERO;
        }
        times.max().unwrap_or_default()
    }
}

/// What may stay.
pub(crate) struct Limits<'a> {
    /// In milliseconds; zero for any age.
    pub(crate) age_ms: &'a dyn Fn(&Meta) -> i64,
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
pub(crate) fn obsolete(blocks: &[(&Meta, u64)], other_bytes: u64, limits: &Limits<'_>) -> Obsolete {
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
        let age_ms = (limits.age_ms)(meta);
        let is_too_old = idx > 0 && age_ms > 0 && newest.saturating_sub(meta.max_time) >= age_ms;
        if is_too_old {
            obsolete.too_old.insert(meta.ulid);
        } else if limits.bytes > 0 && bytes_so_far > limits.bytes {
            obsolete.too_much.insert(meta.ulid);
        }
    }
    obsolete
}
