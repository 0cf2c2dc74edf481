use model::{
    FloatHistogram,
    histogram::{self, CUSTOM_BUCKETS_SCHEMA, CounterResetHint},
    names::EscapingScheme,
};
use proto::metrics::{
    Bucket, BucketSpan, Histogram, LabelPair, Metric, MetricFamily, MetricType, Untyped,
};

use super::{Sample, SampleValue, classic_buckets};
use crate::expose::protobuf::{encode, label};

pub(super) fn page(
    samples: &[Sample],
    external: &[(String, String)],
    escaping: EscapingScheme,
) -> Vec<u8> {
    let is_same_family = |a: &Sample, b: &Sample| {
        a.labels.metric_name() == b.labels.metric_name() && kind(a) == kind(b)
    };
    encode(samples.chunk_by(is_same_family).map(|samples| {
        let first = samples.first();
        let name = first.map_or("", |sample| sample.labels.metric_name());
        MetricFamily {
            // Escaped as the name of a label is.
            name: label(name, "", escaping).name,
            r#type: first.map_or(MetricType::Untyped, kind).into(),
            metric: samples.iter().map(|sample| metric(sample, external, escaping)).collect(),
            ..MetricFamily::default()
        }
    }))
}

fn kind(sample: &Sample) -> MetricType {
    match &sample.value {
        SampleValue::Float(_) => MetricType::Untyped,
        SampleValue::Histogram(it) if it.counter_reset_hint == CounterResetHint::Gauge => {
            MetricType::GaugeHistogram
        }
        SampleValue::Histogram(_) => MetricType::Histogram,
    }
}

fn metric(sample: &Sample, external: &[(String, String)], escaping: EscapingScheme) -> Metric {
    let labels = sample.labels(external).map(|(name, value)| label(name, value, escaping));
    let label: Vec<LabelPair> = labels.collect();
    let metric = Metric { label, timestamp_ms: sample.time, ..Metric::default() };
    match &sample.value {
        SampleValue::Float(value) => Metric { untyped: Some(Untyped { value: *value }), ..metric },
        SampleValue::Histogram(it) if it.schema == CUSTOM_BUCKETS_SCHEMA => {
            Metric { histogram: Some(classic(it)), ..metric }
        }
        SampleValue::Histogram(it) => Metric { histogram: Some(native(it)), ..metric },
    }
}

/// Custom bounds have no native form in this protocol.
fn classic(histogram: &FloatHistogram) -> Histogram {
    let bucket = |(upper_bound, count)| Bucket {
        cumulative_count_float: count,
        upper_bound,
        ..Bucket::default()
    };
    Histogram {
        sample_count_float: histogram.count,
        sample_sum: histogram.sum,
        bucket: classic_buckets(histogram).into_iter().map(bucket).collect(),
        ..Histogram::default()
    }
}

fn native(histogram: &FloatHistogram) -> Histogram {
    let spans = |spans: &[histogram::Span]| -> Vec<BucketSpan> {
        let span = |span: &histogram::Span| BucketSpan { offset: span.offset, length: span.length };
        spans.iter().map(span).collect()
    };
    let mut message = Histogram {
        sample_count_float: histogram.count,
        sample_sum: histogram.sum,
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        zero_count_float: histogram.zero_count,
        negative_span: spans(&histogram.negative_spans),
        negative_count: histogram.negative_buckets.clone(),
        positive_span: spans(&histogram.positive_spans),
        positive_count: histogram.positive_buckets.clone(),
        ..Histogram::default()
    };
    let looks_classic = message.zero_threshold == 0.0
        && message.zero_count_float == 0.0
        && message.negative_span.is_empty()
        && message.positive_span.is_empty();
    if looks_classic {
        // A span of nothing says that it is native all the same.
        message.positive_span.push(BucketSpan::default());
    }
    message
}
