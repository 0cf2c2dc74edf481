//! Several stores as one.

use std::{collections::BTreeSet, hash::BuildHasher as _, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use model::{Labels, Matcher, TimeRange};

use crate::{Columns, LabelHints, LabelValues, Querier, Result, SelectHints, Series, SeriesSet};

#[cfg(test)]
mod tests;

/// Answers from all `parts` as if they were one store. Series of the same labels are one series;
/// of samples of the same time the one of the earlier part stays. Parts that hold older samples
/// are best put first: then nothing has to be moved.
pub fn merge(mut parts: Vec<Box<dyn Querier>>) -> Box<dyn Querier> {
    match parts.len() {
        1 => parts.remove(0),
        _ => Box::new(Merged { parts }),
    }
}

struct Merged {
    parts: Vec<Box<dyn Querier>>,
}

impl Querier for Merged {
    fn select(&self, sorted: bool, hints: &SelectHints, matchers: &[Matcher]) -> Result<SeriesSet> {
        let mut warnings = Vec::new();
        let mut selected: Vec<(Labels, Vec<Arc<dyn Series>>)> = Vec::new();
        let hasher = RandomState::default();
        let mut places: HashTable<usize> = HashTable::new();
        for part in &self.parts {
            let set = part.select(false, hints, matchers)?;
            warnings.extend(set.warnings);
            for series in set.series {
                let labels = series.labels();
                let hash = hasher.hash_one(&labels);
                let is_same = |place: &usize| selected[*place].0 == labels;
                match places.find(hash, is_same) {
                    Some(place) => selected[*place].1.push(series),
                    None => {
                        let rehash = |place: &usize| hasher.hash_one(&selected[*place].0);
                        places.insert_unique(hash, selected.len(), rehash);
                        selected.push((labels, vec![series]));
                    }
                }
            }
        }
        if sorted || hints.limit > 0 {
            // Stable sorting finds out that blocks are sorted already.
            selected.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        if hints.limit > 0 {
            selected.truncate(hints.limit);
        }
        let series = selected.into_iter().map(|(labels, mut parts)| match parts.len() {
            1 => parts.remove(0),
            _ => Arc::new(MergedSeries { labels, parts }),
        });
        Ok(SeriesSet { series: series.collect(), warnings })
    }

    fn label_values(
        &self,
        name: &str,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> Result<LabelValues> {
        self.union(hints, |part| part.label_values(name, hints, matchers))
    }

    fn label_names(&self, hints: &LabelHints, matchers: &[Matcher]) -> Result<LabelValues> {
        self.union(hints, |part| part.label_names(hints, matchers))
    }
}

impl Merged {
    fn union(
        &self,
        hints: &LabelHints,
        ask: impl Fn(&dyn Querier) -> Result<LabelValues>,
    ) -> Result<LabelValues> {
        let (mut values, mut warnings) = (BTreeSet::new(), Vec::new());
        for part in &self.parts {
            let answer = ask(&**part)?;
            values.extend(answer.values);
            warnings.extend(answer.warnings);
        }
        let limit = if hints.limit == 0 { usize::MAX } else { hints.limit };
        Ok(LabelValues { values: values.into_iter().take(limit).collect(), warnings })
    }
}

struct MergedSeries {
    labels: Labels,
    parts: Vec<Arc<dyn Series>>,
}

impl Series for MergedSeries {
    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn read(&self, range: TimeRange, columns: &mut Columns) -> Result<()> {
        let begin = columns.mark();
        for part in &self.parts {
            let split = columns.mark();
            part.read(range, columns)?;
            columns.merge_runs(begin, split);
        }
        Ok(())
    }
}
