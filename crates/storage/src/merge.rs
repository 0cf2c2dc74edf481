//! Several stores as one.

use std::{collections::BTreeSet, hash::BuildHasher as _, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use model::{Labels, Matcher, TimeRange};
use smallvec::{SmallVec, smallvec};

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
        let (mut sets, mut warnings) = (Vec::with_capacity(self.parts.len()), Vec::new());
        for part in &self.parts {
            let set = part.select(false, hints, matchers)?;
            warnings.extend(set.warnings);
            if !set.series.is_empty() {
                sets.push(set.series);
            }
        }
        let mut selected: Vec<Selected> = if sets.len() > 1 {
            join(sets)
        } else {
            let alone = |series: Arc<dyn Series>| Selected { labels: series.labels(), series };
            sets.into_iter().flatten().map(alone).collect()
        };
        if sorted || hints.limit > 0 {
            // Stable sorting finds out that blocks are sorted already.
            selected.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        if hints.limit > 0 {
            selected.truncate(hints.limit);
        }
        let series = selected.into_iter().map(|selected| selected.series).collect();
        Ok(SeriesSet { series, warnings })
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

struct Selected {
    labels: Labels,
    series: Arc<dyn Series>,
}

/// What one series has in several stores.
type Parts = SmallVec<[Arc<dyn Series>; 4]>;

/// Series of the same labels become one.
fn join(sets: Vec<Vec<Arc<dyn Series>>>) -> Vec<Selected> {
    let most = sets.iter().map(Vec::len).max().unwrap_or_default();
    let hasher = RandomState::default();
    // Hashes are kept: a table that grows would hash all labels anew.
    let mut places: HashTable<(u64, usize)> = HashTable::with_capacity(most);
    let mut found: Vec<(Labels, Parts)> = Vec::with_capacity(most);
    for series in sets.into_iter().flatten() {
        let labels = series.labels();
        let hash = hasher.hash_one(&labels);
        match places.find(hash, |(other, place)| *other == hash && found[*place].0 == labels) {
            Some((_, place)) => found[*place].1.push(series),
            None => {
                places.insert_unique(hash, (hash, found.len()), |(hash, _)| *hash);
                found.push((labels, smallvec![series]));
            }
        }
    }
    let merged = |(labels, mut parts): (Labels, Parts)| {
        let series = match parts.len() {
            1 => parts.remove(0),
            _ => Arc::new(MergedSeries { labels: labels.clone(), parts: parts.into_vec() }),
        };
        Selected { labels, series }
    };
    found.into_iter().map(merged).collect()
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
        self.merge(columns, |part, columns| part.read(range, columns))
    }

    fn read_newest(&self, range: TimeRange, columns: &mut Columns) -> Result<()> {
        self.merge(columns, |part, columns| part.read_newest(range, columns))
    }
}

impl MergedSeries {
    fn merge(
        &self,
        columns: &mut Columns,
        read: impl Fn(&dyn Series, &mut Columns) -> Result<()>,
    ) -> Result<()> {
        let begin = columns.mark();
        for part in &self.parts {
            let split = columns.mark();
            read(&**part, columns)?;
            columns.merge_runs(begin, split);
        }
        Ok(())
    }
}
