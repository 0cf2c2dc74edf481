//! What a recording rule writes: labels of results in, labels of series out. Pure.

use model::{Labels, LabelsBuilder, METRIC_NAME};

use crate::file;

/// A rule that cannot be evaluated; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("vector contains metrics with the same labelset after applying rule labels")]
    DuplicateLabels,
    #[error("exceeded limit of {limit} with {count} series")]
    LimitExceeded { limit: usize, count: usize },
}

/// What a result of `rule` with the labels `result` is recorded as.
pub fn labels(rule: &file::Rule, result: &Labels) -> Labels {
    let mut labels = LabelsBuilder::new(result);
    labels.set(METRIC_NAME, &rule.name);
    for (name, value) in &rule.labels {
        labels.set(name, value);
    }
    labels.build()
}

/// Whether `rule` may yield so many series.
pub fn check_limit(limit: Option<usize>, count: usize) -> Result<(), Error> {
    match limit {
        Some(limit) if count > limit => Err(Error::LimitExceeded { limit, count }),
        _ => Ok(()),
    }
}
