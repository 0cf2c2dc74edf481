//! `/status/self_metrics`: the server's own metrics in protobuf's JSON.

use std::sync::Arc;

use axum::extract::State;
use telemetry::{Family, Kind, Metric, Reading};

use crate::prometheus::{
    Api,
    json::{Json, Object},
    params::Form,
    respond::{Error, Result, Success},
};

pub(in crate::prometheus) async fn self_metrics(State(api): State<Arc<Api>>, form: Form) -> Result {
    let pattern = match form.first("metric_name_pattern") {
        "" => None,
        text => Some(
            re2::Regex::anchored(text)
                .map_err(|error| Error::bad_parameter("metric_name_pattern", error))?,
        ),
    };
    let mut families = api.registry.gather();
    families.retain(|family| pattern.as_ref().is_none_or(|pattern| pattern.is_match(&family.name)));
    Ok(Success::json(|json| json.array(&families, write)))
}

fn write(json: &mut Json, family: &Family) {
    let (kind, reading_key) = match family.kind {
        Kind::Counter => ("COUNTER", "counter"),
        Kind::Gauge => ("GAUGE", "gauge"),
        Kind::Summary => ("SUMMARY", "summary"),
        Kind::Untyped => ("UNTYPED", "untyped"),
        Kind::Histogram => ("HISTOGRAM", "histogram"),
    };
    json.object(|object| {
        object.string("name", &family.name);
        object.string("help", &family.help);
        object.string("type", kind);
        object.key("metric").array(&family.metrics, |json, metric| {
            json.object(|object| write_metric(object, reading_key, metric));
        });
    });
}

fn write_metric(object: &mut Object<'_>, reading_key: &str, metric: &Metric) {
    if !metric.labels.is_empty() {
        object.key("label").array(&metric.labels, |json, (name, value)| {
            json.object(|label| {
                label.string("name", name);
                label.string("value", value);
            });
        });
    }
    object.key(reading_key).object(|object| match &metric.reading {
        Reading::Value(value) => number(object.key("value"), *value),
        Reading::Histogram { buckets, sum, count } => {
            write_counts(object, *sum, *count);
            object.key("bucket").array(buckets, |json, bucket| {
                json.object(|object| {
                    object.string("cumulativeCount", &bucket.cumulative_count.to_string());
                    number(object.key("upperBound"), bucket.upper_bound);
                });
            });
        }
        Reading::Summary { quantiles, sum, count } => {
            write_counts(object, *sum, *count);
            object.key("quantile").array(quantiles, |json, (quantile, value)| {
                json.object(|object| {
                    number(object.key("quantile"), *quantile);
                    number(object.key("value"), *value);
                });
            });
        }
    });
}

/// Numbers of 64 bits are texts in protobuf's JSON.
fn write_counts(object: &mut Object<'_>, sum: f64, count: u64) {
    object.string("sampleCount", &count.to_string());
    number(object.key("sampleSum"), sum);
}

fn number(json: &mut Json, value: f64) {
    match value {
        f64::INFINITY => json.string("Infinity"),
        f64::NEG_INFINITY => json.string("-Infinity"),
        value if value.is_nan() => json.string("NaN"),
        value => json.float(value),
    }
}
