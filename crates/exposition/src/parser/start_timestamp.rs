//! Start timestamps of OpenMetrics 1.0, which are series of their own: `<family>_created`.
//!
//! The one of a series may stand before or behind it, so finding it means to look ahead, but never
//! past the end of the family.

use model::{MetricType, Timestamp};

use super::{Entry, Parser, Series};

/// What makes a series of a family; the family's own name stands for all of them.
const SUFFIXES: [&str; 8] =
    ["_created", "_count", "_sum", "_bucket", "_total", "_gcount", "_gsum", "_info"];

#[derive(Debug, Clone, Default)]
pub(super) struct StartTimestamps {
    /// The one that was found last: what it is about, and itself. Forgotten at the first series
    /// that has none, as upstream does.
    newest: Option<(Identity, Timestamp)>,
    /// No `_created` series begins before this byte.
    none_before: usize,
}

/// Family and labels, without those that tell buckets and quantiles apart.
type Identity = (String, Vec<(String, String)>);

impl<'a> Parser<'a> {
    /// Adds the start timestamp; nothing if the series itself is one.
    pub(super) fn with_start_timestamp(&mut self, mut series: Series<'a>) -> Option<Series<'a>> {
        let has_start = matches!(
            series.kind,
            MetricType::Counter | MetricType::Summary | MetricType::Histogram
        );
        if !has_start {
            return Some(series);
        }
        // Who asks for the labels will hear what is wrong with them.
        let Some((name, identity)) = identity(&series) else { return Some(series) };
        if name.ends_with("_created") {
            return None;
        }
        series.start_timestamp = self.start_timestamp(identity);
        Some(series)
    }

    fn start_timestamp(&mut self, identity: Identity) -> Option<Timestamp> {
        let at = self.lexer.at;
        let state = self.start_timestamps.as_mut()?;
        match state.newest.take() {
            Some((known, start)) if known == identity => {
                state.newest = Some((known, start));
                return Some(start);
            }
            _ if at < state.none_before => return None,
            _ => {}
        }
        let mut ahead = Parser { start_timestamps: None, ..self.clone() };
        let found = loop {
            let Some(Ok(Entry::Series(series))) = ahead.next() else { break None };
            let named = self::identity(&series);
            if let Some((_, created)) = named.filter(|(name, _)| name.ends_with("_created")) {
                let millis = (series.value * 1000.0) as i64;
                break Some((created, Timestamp::from_millis(millis)));
            }
        };
        let state = self.start_timestamps.as_mut()?;
        match found {
            Some((created, start)) if created == identity => {
                state.newest = Some((created, start));
                Some(start)
            }
            Some(_) => None,
            None => {
                state.none_before = ahead.line;
                None
            }
        }
    }
}

/// The series' name, and what it has in common with its family.
fn identity(series: &Series<'_>) -> Option<(String, Identity)> {
    let mut labels = Vec::new();
    let mut name = String::new();
    for (label, value) in series.labels().ok()? {
        match (&*label, series.kind) {
            (model::METRIC_NAME, _) => name = value.into_owned(),
            ("le", MetricType::Histogram) | ("quantile", MetricType::Summary) => {}
            _ => labels.push((label.into_owned(), value.into_owned())),
        }
    }
    labels.sort();
    let family = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name);
    Some((name.clone(), (family.to_owned(), labels)))
}
