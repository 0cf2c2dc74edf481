use model::histogram::CUSTOM_BUCKETS_SCHEMA;

use super::{Sample, SampleValue, classic_buckets};
use crate::expose::{Format, Value, Writer};

/// Exponential buckets have no classic form, so histograms that have them are left out.
pub(super) fn page(samples: &[Sample], external: &[(String, String)], format: Format) -> String {
    let mut writer = Writer::new(format);
    let mut head = ("", "");
    for sample in samples {
        let name = sample.labels.metric_name();
        let kind = match &sample.value {
            SampleValue::Float(_) => "untyped",
            SampleValue::Histogram(it) if it.schema == CUSTOM_BUCKETS_SCHEMA => "histogram",
            SampleValue::Histogram(_) => continue,
        };
        if head != (name, kind) {
            writer.head(name, "", kind);
            head = (name, kind);
        }
        write(&mut writer, sample, external);
    }
    writer.finish()
}

fn write(writer: &mut Writer, sample: &Sample, external: &[(String, String)]) {
    let name = sample.labels.metric_name();
    let mut write = |suffix: &str, bound: Option<f64>, value: f64| {
        let bound = bound.map(|bound| ("le", bound));
        let (labels, time) = (sample.labels(external), Some(sample.time));
        writer.sample(name, suffix, labels, bound, Value::Float(value), time);
    };
    match &sample.value {
        SampleValue::Float(value) => write("", None, *value),
        SampleValue::Histogram(histogram) => {
            for (bound, count) in classic_buckets(histogram) {
                write("_bucket", Some(bound), count);
            }
            write("_bucket", Some(f64::INFINITY), histogram.count);
            write("_sum", None, histogram.sum);
            write("_count", None, histogram.count);
        }
    }
}
