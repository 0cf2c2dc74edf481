//! `meta.json`: what a block covers and where it comes from.

use std::path::Path;

use model::TimeRange;
use runtime::Disk;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{Error, Result};

pub(crate) const FILE: &str = "meta.json";
const VERSION: u64 = 1;

const FROM_STALE_SERIES: &str = "from-stale-series";
const FROM_OUT_OF_ORDER: &str = "from-out-of-order";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    pub ulid: Ulid,
    /// Milliseconds; the first sample is not before it.
    pub min_time: i64,
    /// Milliseconds; all samples are before it.
    pub max_time: i64,
    #[serde(default)]
    pub stats: Stats,
    #[serde(default)]
    pub compaction: Compaction,
    pub version: u64,
}

/// Zeros are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stats {
    #[serde(skip_serializing_if = "is_zero")]
    pub num_samples: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub num_float_samples: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub num_histogram_samples: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub num_series: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub num_chunks: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub num_tombstones: u64,
}

/// How often a block was compacted, and what it was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compaction {
    /// 1 for a block out of the head.
    pub level: u32,
    /// The blocks of level 1 that are in it, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub sources: Vec<Ulid>,
    /// It holds no samples and may go.
    #[serde(skip_serializing_if = "is_false")]
    pub deletable: bool,
    /// The blocks that it replaces.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub parents: Vec<Parent>,
    /// A compaction of it failed; it is not tried again.
    #[serde(skip_serializing_if = "is_false")]
    pub failed: bool,
    /// Such as `from-out-of-order`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub hints: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    pub ulid: Ulid,
    pub min_time: i64,
    pub max_time: i64,
}

impl Meta {
    /// Of a block out of the head.
    pub fn new(ulid: Ulid, min_time: i64, max_time: i64) -> Meta {
        let compaction = Compaction { level: 1, sources: vec![ulid], ..Compaction::default() };
        Meta { ulid, min_time, max_time, stats: Stats::default(), compaction, version: VERSION }
    }

    /// The same of a block of late samples.
    #[must_use]
    pub fn from_out_of_order(mut self) -> Meta {
        self.compaction.hints.push(FROM_OUT_OF_ORDER.to_owned());
        self
    }

    /// Takes back that it is a block of late samples.
    pub fn clear_out_of_order(&mut self) {
        self.compaction.hints.retain(|hint| hint != FROM_OUT_OF_ORDER);
    }

    /// The same with one more hint, such as the class of its series; what is made of blocks that
    /// all have it has it, too.
    #[must_use]
    pub fn with_hint(mut self, hint: String) -> Meta {
        self.compaction.hints.push(hint);
        self
    }

    pub fn has_hint(&self, hint: &str) -> bool {
        self.compaction.hints.iter().any(|known| known == hint)
    }

    /// Of a block that replaces `parents`.
    pub fn merged(ulid: Ulid, parents: &[&Meta]) -> Meta {
        let all = || parents.iter().copied();
        let mut sources: Vec<Ulid> =
            all().flat_map(|parent| parent.compaction.sources.iter().copied()).collect();
        sources.sort_unstable();
        sources.dedup();
        let mut hints = Vec::new();
        if all().any(Meta::is_from_stale_series) {
            hints.push(FROM_STALE_SERIES.to_owned());
        }
        let first = parents.first().map(|first| &first.compaction.hints[..]).unwrap_or_default();
        for hint in first.iter().filter(|hint| *hint != FROM_STALE_SERIES) {
            if all().all(|parent| parent.has_hint(hint)) {
                hints.push(hint.clone());
            }
        }
        let as_parent = |parent: &Meta| Parent {
            ulid: parent.ulid,
            min_time: parent.min_time,
            max_time: parent.max_time,
        };
        let compaction = Compaction {
            level: all().map(|parent| parent.compaction.level).max().unwrap_or(0) + 1,
            sources,
            parents: all().map(as_parent).collect(),
            hints,
            ..Compaction::default()
        };
        Meta {
            ulid,
            min_time: all().map(|parent| parent.min_time).min().unwrap_or(0),
            max_time: all().map(|parent| parent.max_time).max().unwrap_or(0),
            stats: Stats::default(),
            compaction,
            version: VERSION,
        }
    }

    pub fn is_from_stale_series(&self) -> bool {
        self.has_hint(FROM_STALE_SERIES)
    }

    pub fn is_from_out_of_order(&self) -> bool {
        self.has_hint(FROM_OUT_OF_ORDER)
    }

    /// From the first to the last millisecond.
    pub fn range(&self) -> TimeRange {
        TimeRange::from_millis(self.min_time, self.max_time.saturating_sub(1))
    }

    pub fn read(disk: &dyn Disk, directory: &Path) -> Result<Meta> {
        let path = directory.join(FILE);
        let text = disk.read(&path).map_err(Error::io("read", &path))?;
        let wrong = |detail: String| Error::Meta { path: path.clone(), detail };
        let meta: Meta = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if meta.version != VERSION {
            return Err(wrong(format!("unexpected meta file version {}", meta.version)));
        }
        Ok(meta)
    }

    pub fn write(&self, disk: &dyn Disk, directory: &Path) -> Result<()> {
        let path = directory.join(FILE);
        let mut text = Vec::new();
        // Upstream indents with tabs.
        let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut json = serde_json::Serializer::with_formatter(&mut text, format);
        self.serialize(&mut json).expect("texts and numbers are JSON");
        disk.write_atomically(&path, &text).map_err(Error::io("write", path))
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Go writes `null` for a list that was never filled.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
