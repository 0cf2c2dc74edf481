//! Families as protobuf messages, each with its length before it.

use model::names::EscapingScheme;
use prost::Message as _;
use proto::metrics::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
    Summary, Untyped,
};
use telemetry::{Family, Kind, Reading};

use super::negotiate::escape;

pub(crate) fn encode(families: impl IntoIterator<Item = MetricFamily>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for family in families {
        let length = family.encoded_len();
        bytes.reserve(length + prost::length_delimiter_len(length));
        family.encode_length_delimited(&mut bytes).expect("there is room for it");
    }
    bytes
}

pub(crate) fn label(name: &str, value: &str, escaping: EscapingScheme) -> LabelPair {
    LabelPair { name: escape(name, escaping).into_owned(), value: value.to_owned() }
}

pub(super) fn family(family: &Family, escaping: EscapingScheme) -> MetricFamily {
    let kind = match family.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
        Kind::Summary => MetricType::Summary,
        Kind::Untyped => MetricType::Untyped,
    };
    MetricFamily {
        name: escape(&family.name, escaping).into_owned(),
        help: family.help.clone(),
        r#type: kind.into(),
        metric: family.metrics.iter().map(|of| metric(family.kind, of, escaping)).collect(),
        unit: String::new(),
    }
}

fn metric(kind: Kind, metric: &telemetry::Metric, escaping: EscapingScheme) -> Metric {
    let labels = metric.labels.iter().map(|(name, value)| label(name, value, escaping));
    let mut message = Metric { label: labels.collect(), ..Metric::default() };
    match (&metric.reading, kind) {
        (Reading::Value(value), Kind::Counter) => {
            message.counter = Some(Counter { value: *value, ..Counter::default() });
        }
        (Reading::Value(value), Kind::Gauge) => message.gauge = Some(Gauge { value: *value }),
        (Reading::Value(value), _) => message.untyped = Some(Untyped { value: *value }),
        (Reading::Histogram { buckets, sum, count }, _) => {
            let bucket = |bucket: &telemetry::Bucket| Bucket {
                cumulative_count: bucket.cumulative_count,
                upper_bound: bucket.upper_bound,
                ..Bucket::default()
            };
            message.histogram = Some(Histogram {
                sample_count: *count,
                sample_sum: *sum,
                bucket: buckets.iter().map(bucket).collect(),
                ..Histogram::default()
            });
        }
        (Reading::Summary { quantiles, sum, count }, _) => {
            let quantiles = quantiles.iter();
            let quantile =
                |(quantile, value): &(f64, f64)| Quantile { quantile: *quantile, value: *value };
            message.summary = Some(Summary {
                sample_count: *count,
                sample_sum: *sum,
                quantile: quantiles.map(quantile).collect(),
                ..Summary::default()
            });
        }
    }
    message
}
