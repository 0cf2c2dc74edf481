use exposition::Series;
use model::METRIC_NAME;
use storage::SeriesRef;

use super::{Ingest, IngestError, Value};
use crate::metadata::Line;

/// The family that series belong to, by the lines of metadata before them.
#[derive(Default)]
pub(super) struct Family {
    metric: String,
    has_changed: bool,
}

/// What the names of series may have behind the name of their family.
const SUFFIXES: [&str; 9] =
    ["", "_total", "_created", "_bucket", "_sum", "_count", "_gsum", "_gcount", "_info"];

impl Ingest<'_> {
    pub(super) fn note(&mut self, metric: &str, line: Line<'_>) {
        let is_news = self.memory.metadata.note(self.context.interner, metric, line);
        if !self.context.logs_metadata {
            return;
        }
        if self.family.metric != metric {
            self.family = Family { metric: metric.to_owned(), has_changed: false };
        }
        self.family.has_changed |= is_news;
    }

    /// Takes a sample in, and tells the storage what it means if that is news to it.
    pub(super) fn series_with_metadata(
        &mut self,
        series: &Series<'_>,
        value: Value,
    ) -> Result<Option<SeriesRef>, IngestError> {
        let n_known = self.counts.new_series;
        let found = self.series(series, value)?;
        let is_news = self.family.has_changed || self.counts.new_series > n_known;
        if let Some(found) = found
            && self.context.logs_metadata
            && is_news
            && self.is_of_family(series)?
            && let Some(metadata) =
                self.memory.metadata.get(self.context.interner, &self.family.metric)
        {
            self.appender.append_metadata(found, metadata);
        }
        Ok(found)
    }

    /// Lines of metadata may be missing.
    fn is_of_family(&self, series: &Series<'_>) -> Result<bool, IngestError> {
        let pairs = series.labels()?;
        let name = pairs.iter().find(|(name, _)| name == METRIC_NAME);
        let suffix = name.and_then(|(_, name)| name.strip_prefix(self.family.metric.as_str()));
        Ok(suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix)))
    }
}
