use std::sync::Arc;

use storage::HistogramValue;

use super::series::Sent;

/// A sample on its way.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) series: Arc<Sent>,
    pub(super) time: i64,
    pub(super) value: Value,
    /// The record that it comes from, by its number in the ledger.
    pub(super) record: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Float(f64),
    Histogram(HistogramValue),
}

/// How many samples of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) samples: u64,
    pub(super) histograms: u64,
}

impl Count {
    pub(super) fn of(items: &[Item]) -> Count {
        let histograms =
            items.iter().filter(|item| matches!(item.value, Value::Histogram(_))).count() as u64;
        Count { samples: items.len() as u64 - histograms, histograms }
    }
}

/// Takes out of `items` what is older than `oldest`.
pub(super) fn extract_old(items: &mut Vec<Item>, oldest: i64) -> Vec<Item> {
    items.extract_if(.., |item| item.time < oldest).collect()
}
