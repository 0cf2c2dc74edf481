//! What a recording rule writes: results in, samples out. Pure.

use std::collections::BTreeSet;

use model::{LabelsBuilder, METRIC_NAME};

use crate::{Sample, file};

/// A rule that cannot be evaluated; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("vector contains metrics with the same labelset after applying rule labels")]
    DuplicateLabels,
    #[error("exceeded limit of {limit} with {count} series")]
    LimitExceeded { limit: usize, count: usize },
}

/// `samples` under the name and labels of `rule`.
pub fn record(
    rule: &file::Rule,
    limit: Option<usize>,
    samples: Vec<Sample>,
) -> Result<Vec<Sample>, Error> {
    let mut seen = BTreeSet::new();
    let mut recorded = Vec::with_capacity(samples.len());
    for sample in samples {
        let mut labels = LabelsBuilder::new(&sample.labels);
        labels.set(METRIC_NAME, &rule.name);
        for (name, value) in &rule.labels {
            labels.set(name, value);
        }
        let labels = labels.build();
        if !seen.insert(labels.clone()) {
            return Err(Error::DuplicateLabels);
        }
        recorded.push(Sample { labels, value: sample.value });
    }
    match limit {
        Some(limit) if recorded.len() > limit => {
            Err(Error::LimitExceeded { limit, count: recorded.len() })
        }
        _ => Ok(recorded),
    }
}
