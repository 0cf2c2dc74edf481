//! A text of metrics, by family.

use std::collections::BTreeMap;

use exposition::{Entry, Parser};
use model::{Labels, LabelsBuilder, METRIC_NAME, MetricType};

/// A metric with all that belongs to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Family {
    pub(super) name: String,
    /// `None` without a `# TYPE` line.
    pub(super) kind: Option<MetricType>,
    pub(super) has_help: bool,
    /// Series as written: a histogram has one for each bucket.
    pub(super) series: Vec<Labels>,
}

/// Reads the text format; the error is what is wrong, and where.
pub(super) fn read(body: &[u8]) -> Result<Vec<Family>, exposition::Error> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for entry in Parser::text(body) {
        match entry? {
            Entry::Type { metric, kind } => {
                families.entry(metric.into_owned()).or_default().kind = Some(kind);
            }
            Entry::Help { metric, .. } => {
                families.entry(metric.into_owned()).or_default().has_help = true;
            }
            Entry::Series(series) => {
                let mut labels = LabelsBuilder::new(&Labels::empty());
                for (name, value) in &series.labels()? {
                    labels.set(name, value);
                }
                let labels = labels.build();
                let name = family_of(&families, labels.metric_name()).to_owned();
                families.entry(name).or_default().series.push(labels);
            }
            _ => {}
        }
    }
    let named = families.into_iter().map(|(name, family)| Family { name, ..family });
    let mut families: Vec<Family> = named.collect();
    families.retain(|family| !family.series.is_empty());
    Ok(families)
}

/// The family that a series of this name belongs to: `x_bucket` to the histogram `x`.
fn family_of<'a>(families: &BTreeMap<String, Family>, series: &'a str) -> &'a str {
    let is = |name: &str, kinds: &[MetricType]| {
        families.get(name).and_then(|family| family.kind).is_some_and(|kind| kinds.contains(&kind))
    };
    let histograms = [MetricType::Histogram, MetricType::GaugeHistogram];
    let both = [MetricType::Histogram, MetricType::GaugeHistogram, MetricType::Summary];
    for (suffix, kinds) in [("_bucket", &histograms[..]), ("_count", &both), ("_sum", &both)] {
        if let Some(name) = series.strip_suffix(suffix)
            && is(name, kinds)
        {
            return name;
        }
    }
    series
}

impl Family {
    pub(super) fn is(&self, kind: MetricType) -> bool {
        self.kind == Some(kind)
    }

    /// Whether nobody has said what it is.
    pub(super) fn is_untyped(&self) -> bool {
        self.kind.is_none_or(|kind| kind == MetricType::Unknown)
    }

    /// The metrics of this family: those whose labels differ, those of the format left out.
    pub(super) fn metrics(&self) -> Vec<Labels> {
        let of_format = |label: &str| {
            label == METRIC_NAME
                || (label == "le" && self.is(MetricType::Histogram))
                || (label == "quantile" && self.is(MetricType::Summary))
        };
        let mut metrics: Vec<Labels> =
            self.series.iter().map(|labels| labels.filter(|label| !of_format(label))).collect();
        if self.is(MetricType::Histogram) || self.is(MetricType::Summary) {
            metrics.sort();
            metrics.dedup();
        }
        metrics
    }
}
