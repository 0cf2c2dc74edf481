//! What a recording rule writes: results in, samples out. Pure.

use hashbrown::HashSet;
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
    let mut recorded: Vec<Sample> = Vec::with_capacity(samples.len());
    for sample in samples {
        let mut labels = LabelsBuilder::new(&sample.labels);
        labels.set(METRIC_NAME, &rule.name);
        for (name, value) in &rule.labels {
            labels.set(name, value);
        }
        recorded.push(Sample { labels: labels.build(), value: sample.value });
    }
    if !are_distinct(&recorded) {
        return Err(Error::DuplicateLabels);
    }
    match limit {
        Some(limit) if recorded.len() > limit => {
            Err(Error::LimitExceeded { limit, count: recorded.len() })
        }
        _ => Ok(recorded),
    }
}

fn are_distinct(samples: &[Sample]) -> bool {
    let mut seen = HashSet::with_capacity(samples.len());
    samples.iter().all(|sample| seen.insert(&sample.labels))
}
