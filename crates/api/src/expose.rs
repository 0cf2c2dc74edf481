//! Metrics for scrapers: what one asks for, and how it is written.

mod negotiate;
pub(crate) mod protobuf;
#[cfg(test)]
mod tests;
mod text;

use axum::{
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
pub(crate) use negotiate::{Format, Syntax};
use telemetry::{Bucket, Family, Kind, Metric, Reading, Registry};
pub(crate) use text::{Value, Writer};

/// All metrics of `registry` in the format that the client likes best.
pub fn respond(registry: &Registry, headers: &HeaderMap) -> Response {
    let format = Format::negotiate(headers, Syntax::ALL);
    let families = registry.gather();
    let page = match format.syntax {
        Syntax::Protobuf => {
            let messages = families.iter().map(|family| protobuf::family(family, format.escaping));
            protobuf::encode(messages)
        }
        _ => {
            let mut writer = Writer::new(format);
            families.iter().for_each(|family| write_family(&mut writer, family));
            writer.finish().into_bytes()
        }
    };
    ([(CONTENT_TYPE, format.content_type())], page).into_response()
}

fn write_family(writer: &mut Writer, family: &Family) {
    // OpenMetrics names a family of counters without the suffix that each counter has.
    let name = match family.kind {
        Kind::Counter if writer.is_open_metrics() => {
            family.name.strip_suffix("_total").unwrap_or(&family.name)
        }
        _ => &family.name,
    };
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::Summary => "summary",
        Kind::Untyped if writer.is_open_metrics() => "unknown",
        Kind::Untyped => "untyped",
    };
    writer.head(name, &family.help, kind);
    let suffix = match family.kind {
        Kind::Counter if writer.is_open_metrics() => "_total",
        _ => "",
    };
    for metric in &family.metrics {
        write_metric(writer, name, suffix, metric);
    }
}

fn write_metric(writer: &mut Writer, name: &str, suffix: &str, metric: &Metric) {
    let labels = || metric.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    match &metric.reading {
        Reading::Value(value) => {
            writer.sample(name, suffix, labels(), None, Value::Float(*value), None);
        }
        Reading::Histogram { buckets, sum, count } => {
            let infinite = Bucket { upper_bound: f64::INFINITY, cumulative_count: *count };
            for bucket in buckets.iter().chain([&infinite]) {
                let bound = Some(("le", bucket.upper_bound));
                let count = Value::Count(bucket.cumulative_count);
                writer.sample(name, "_bucket", labels(), bound, count, None);
            }
            writer.sample(name, "_sum", labels(), None, Value::Float(*sum), None);
            writer.sample(name, "_count", labels(), None, Value::Count(*count), None);
        }
        Reading::Summary { quantiles, sum, count } => {
            for (quantile, value) in quantiles {
                let quantile = Some(("quantile", *quantile));
                writer.sample(name, "", labels(), quantile, Value::Float(*value), None);
            }
            writer.sample(name, "_sum", labels(), None, Value::Float(*sum), None);
            writer.sample(name, "_count", labels(), None, Value::Count(*count), None);
        }
    }
}
