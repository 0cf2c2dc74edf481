use std::sync::Arc;

use storage::{Exemplar, HistogramValue};

use super::series::Sent;

/// A sample on its way.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) series: Arc<Sent>,
    pub(super) time: i64,
    pub(super) value: Value,
    /// What was scraped with it, or shortly before.
    pub(super) exemplars: Option<Box<[Exemplar]>>,
    /// The record that it comes from, by its number in the ledger.
    pub(super) record: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Float(f64),
    Histogram(HistogramValue),
}

impl Item {
    pub(super) fn exemplars(&self) -> &[Exemplar] {
        self.exemplars.as_deref().unwrap_or_default()
    }
}

/// How many samples of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) samples: u64,
    pub(super) histograms: u64,
    pub(super) exemplars: u64,
}

impl Count {
    pub(super) fn of(items: &[Item]) -> Count {
        let mut count = Count::default();
        for item in items {
            match item.value {
                Value::Float(_) => count.samples += 1,
                Value::Histogram(_) => count.histograms += 1,
            }
            count.exemplars += item.exemplars().len() as u64;
        }
        count
    }
}

/// Takes out of `items` what is older than `oldest`.
pub(super) fn extract_old(items: &mut Vec<Item>, oldest: i64) -> Vec<Item> {
    items.extract_if(.., |item| item.time < oldest).collect()
}
