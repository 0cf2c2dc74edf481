//! The text format as series and metadata of remote write.

use std::collections::BTreeMap;

use exposition::{Entry, Parser};
use model::{Labels, LabelsBuilder, MetricType, Timestamp};

/// What a text holds.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// Each line is a series of one sample, in the order of the text within a family.
    pub(crate) samples: Vec<(Labels, Timestamp, f64)>,
    /// By family.
    pub(crate) metadata: BTreeMap<String, Metadata>,
}

#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) kind: MetricType,
    pub(crate) help: String,
}

/// Reads a text; samples without a time are of `now`, and all get the labels of `extra`.
pub(crate) fn parse(
    body: &[u8],
    extra: &[(String, String)],
    now: Timestamp,
) -> anyhow::Result<Pushed> {
    let mut pushed = Pushed::default();
    for entry in Parser::text(body) {
        match entry? {
            Entry::Type { metric, kind } => {
                pushed.metadata.entry(metric.into_owned()).or_default().kind = kind;
            }
            Entry::Help { metric, help } => {
                let metadata = pushed.metadata.entry(metric.into_owned()).or_default();
                metadata.help = help.into_owned();
            }
            Entry::Series(series) => {
                let mut labels = LabelsBuilder::new(&Labels::empty());
                for (name, value) in &series.labels()? {
                    labels.set(name, value);
                }
                keep_bounds(series.raw, &mut labels);
                for (name, value) in extra {
                    labels.set(name, value);
                }
                let time = series.timestamp.unwrap_or(now);
                pushed.samples.push((labels.build(), time, series.value));
            }
            _ => {}
        }
    }
    Ok(pushed)
}

/// Who scrapes writes bounds and quantiles in one form; who pushes leaves them as they are.
fn keep_bounds(raw: &[u8], labels: &mut LabelsBuilder) {
    let has_bounds = ["le", "quantile"].iter().any(|name| !labels.get(name).is_empty());
    if !has_bounds {
        return;
    }
    let text = std::str::from_utf8(raw).ok();
    let Some(written) = text.and_then(|text| promql_syntax::parse_metric(text).ok()) else {
        return;
    };
    for name in ["le", "quantile"] {
        if let Some(value) = written.get(name) {
            labels.set(name, value);
        }
    }
}

impl Pushed {
    /// The metadata of the family that a series of this name belongs to.
    pub(crate) fn metadata_of(&self, name: &str) -> Option<&Metadata> {
        let family = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| {
            let metadata = self.metadata.get(name.strip_suffix(suffix)?)?;
            let grouped = [MetricType::Histogram, MetricType::Summary];
            grouped.contains(&metadata.kind).then_some(metadata)
        });
        family.or_else(|| self.metadata.get(name))
    }
}
