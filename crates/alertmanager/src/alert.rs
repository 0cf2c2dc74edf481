//! An alert as an Alertmanager keeps it: identity, merging, order.

pub(crate) mod file;
mod limit;
mod store;

use std::{collections::BTreeMap, fmt, sync::Arc};

use model::Labels;

use crate::{matcher::Mode, time::Time};

pub use limit::Bucket;
pub(crate) use store::Change;
pub use store::Store;

/// What tells one label set from another: FNV-1a over its pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// What is said about an alert, by name. Unlike labels, values may be empty.
pub type Annotations = Arc<BTreeMap<String, String>>;

/// An alert: its labels tell it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub labels: Labels,
    pub annotations: Annotations,
    pub starts_at: Time,
    /// When it is over, or will be if nobody repeats it; `None` while it is told as firing.
    pub ends_at: Option<Time>,
    pub generator_url: String,
    pub updated_at: Time,
    /// Whether the end is ours, because the sender said none.
    pub is_timeout: bool,
}

impl Alert {
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.labels)
    }

    pub fn name(&self) -> &str {
        self.labels.value("alertname")
    }

    pub fn is_resolved_at(&self, now: Time) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// What two reports of the same alert say together; the order does not matter.
    pub fn merge(&self, other: &Alert, now: Time) -> Alert {
        let (newer, older) =
            if other.updated_at > self.updated_at { (other, self) } else { (self, other) };
        let mut merged = newer.clone();
        merged.starts_at = newer.starts_at.min(older.starts_at);
        if newer.is_resolved_at(now) {
            // Both say that it is over: the later end is the true one.
            if older.is_resolved_at(now) {
                merged.ends_at = newer.ends_at.max(older.ends_at);
            }
        } else if older.ends_at > newer.ends_at && !older.is_timeout {
            merged.ends_at = older.ends_at;
        }
        merged
    }

    /// Whether both were firing at one moment.
    fn overlaps(&self, older: &Alert) -> bool {
        let inside =
            |moment: Option<Time>| moment > Some(older.starts_at) && moment < older.ends_at;
        inside(self.ends_at) || inside(Some(self.starts_at))
    }

    /// Why the alert can't be taken, in upstream's words.
    pub fn validate(&self, mode: Mode) -> Result<(), String> {
        if self.ends_at.is_some_and(|end| end < self.starts_at) {
            return Err("start time must be before end time".to_owned());
        }
        if self.labels.is_empty() {
            return Err("at least one label pair required".to_owned());
        }
        let labels = self.labels.iter().map(|(name, _)| name);
        validate_names(labels, mode).map_err(|reason| format!("invalid label set: {reason}"))?;
        validate_names(self.annotations.keys().map(String::as_str), mode)
            .map_err(|reason| format!("invalid annotations: {reason}"))
    }
}

fn validate_names<'a>(mut names: impl Iterator<Item = &'a str>, mode: Mode) -> Result<(), String> {
    match names.find(|name| !mode.is_label_name(name)) {
        Some(name) => Err(format!("invalid name {}", model::labels::quote(name))),
        None => Ok(()),
    }
}

pub fn fingerprint(labels: &Labels) -> Fingerprint {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in hashed_bytes(labels) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    Fingerprint(hash)
}

/// What the notification log remembers of an alert.
pub fn log_hash(labels: &Labels) -> u64 {
    let bytes: Vec<u8> = hashed_bytes(labels).collect();
    xxhash_rust::xxh64::xxh64(&bytes, 0)
}

fn hashed_bytes(labels: &Labels) -> impl Iterator<Item = u8> {
    labels
        .iter()
        .flat_map(|(name, value)| name.bytes().chain([0xff]).chain(value.bytes()).chain([0xff]))
}

/// `{a="b", c="d"}`, as keys of groups print label sets: names always bare.
pub fn print_labels(labels: &Labels) -> String {
    let quote = model::labels::quote;
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// The order of notifications: by `job`, then `instance`, then all labels.
pub fn compare(a: &Labels, b: &Labels) -> std::cmp::Ordering {
    for name in ["job", "instance"] {
        match (a.get(name), b.get(name)) {
            (Some(left), Some(right)) if left != right => return left.cmp(right),
            // Upstream asks "is less" from one side only: who has the label goes first.
            (Some(_), None) => return std::cmp::Ordering::Less,
            (None, Some(_)) => return std::cmp::Ordering::Greater,
            _ => {}
        }
    }
    compare_labels(a, b)
}

/// Smaller sets first; then by the values of the names in order.
pub fn compare_labels(a: &Labels, b: &Labels) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| {
        for ((name_a, value_a), (name_b, value_b)) in a.iter().zip(b.iter()) {
            let order = match name_a.cmp(name_b) {
                // The set that lacks the smaller name is the greater one.
                std::cmp::Ordering::Equal => value_a.cmp(value_b),
                unequal => unequal,
            };
            if order.is_ne() {
                return order;
            }
        }
        std::cmp::Ordering::Equal
    })
}

/// How logs count a batch of alerts, the most frequent first: `CPUHigh: 2, DiskFull: 1`.
pub fn summarize<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in alerts {
        *counts.entry(alert.name()).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    // Stable, so that names of the same count stay in order.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let parts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    parts.join(", ")
}

/// Sixteen hex digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests;
