//! `ExportMetricsServiceRequest` in JSON.
//!
//! Each list is first only cut into the texts of its items, and each item read when it is its turn:
//! a request of millions of empty braces must not become millions of structures.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize,
    de::{self, Deserializer, Visitor},
};
use serde_json::value::RawValue;

use super::{
    any::{Any, DEPTH_MAX},
    point::{
        Attributes, BUCKETS_MAX, Buckets, Data, Exemplar, Explicit, Exponential, ITEMS_MAX, Kind,
        Metric, Point, Scope, Temporality, Text,
    },
    translate::Translator,
};

/// Why a text is no request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("too many {0}")]
    TooMany(&'static str),
    #[error("{0} is no number that is written so")]
    Encoding(&'static str),
}

type Result<T, E = Malformed> = std::result::Result<T, E>;

/// The texts of a list's items.
type Raw<'a> = Vec<&'a RawValue>;

/// Tells all that `request` says.
pub(super) fn walk(request: &[u8], translator: &mut Translator<'_>) -> Result<()> {
    let request: Request<'_> = serde_json::from_slice(request)?;
    for resource_metrics in request.resource_metrics {
        let resource_metrics: ResourceMetrics<'_> = read(resource_metrics)?;
        let resource = resource_metrics.resource.unwrap_or_default();
        translator.begin_resource(attributes(&resource.attributes)?);
        for scope_metrics in resource_metrics.scope_metrics {
            walk_scope(read(scope_metrics)?, translator)?;
        }
        translator.end_resource();
    }
    Ok(())
}

fn walk_scope(scope_metrics: ScopeMetrics<'_>, translator: &mut Translator<'_>) -> Result<()> {
    let scope = scope_metrics.scope.unwrap_or_default();
    translator.begin_scope(&Scope {
        attributes: attributes(&scope.attributes)?,
        name: scope.name,
        version: scope.version,
        schema_url: scope_metrics.schema_url,
    });
    for metric in scope_metrics.metrics {
        walk_metric(read(metric)?, translator)?;
    }
    Ok(())
}

fn walk_metric(metric: MetricText<'_>, translator: &mut Translator<'_>) -> Result<()> {
    let kinds = [
        (Kind::Gauge, metric.gauge),
        (Kind::Sum, metric.sum),
        (Kind::Histogram, metric.histogram),
        (Kind::Exponential, metric.exponential_histogram),
        (Kind::Summary, metric.summary),
    ];
    let given = kinds.into_iter().find_map(|(kind, data)| Some((kind, data?)));
    let (kind, data) = given.unwrap_or_default();
    translator.begin_metric(&Metric {
        name: metric.name,
        description: metric.description,
        unit: metric.unit,
        kind,
        temporality: data.aggregation_temporality.0,
        is_monotonic: data.is_monotonic,
    });
    for point in data.data_points {
        translator.point(to_point(kind, read(point)?)?);
    }
    translator.end_metric();
    Ok(())
}

fn to_point(kind: Kind, point: PointText<'_>) -> Result<Point<'_>> {
    let bounded = |n_buckets: usize| match n_buckets > BUCKETS_MAX {
        true => Err(Malformed::TooMany("buckets")),
        false => Ok(()),
    };
    let numbers = |counts: Vec<Whole>| counts.into_iter().map(|Whole(n)| n as u64).collect();
    let data = match kind {
        Kind::Gauge | Kind::Sum | Kind::Empty => {
            Data::Number(number(&point.as_double, &point.as_int).unwrap_or_default())
        }
        Kind::Histogram => {
            bounded(point.bucket_counts.len().max(point.explicit_bounds.len()))?;
            Data::Histogram(Explicit {
                count: point.count.0 as u64,
                sum: point.sum.map(|Float(sum)| sum),
                bounds: point.explicit_bounds.into_iter().map(|Float(bound)| bound).collect(),
                counts: numbers(point.bucket_counts),
            })
        }
        Kind::Exponential => {
            let side = |buckets: BucketsText| -> Result<Buckets> {
                bounded(buckets.bucket_counts.len())?;
                let offset = buckets.offset.0 as i32;
                Ok(Buckets { offset, counts: numbers(buckets.bucket_counts) })
            };
            Data::Exponential(Exponential {
                count: point.count.0 as u64,
                sum: point.sum.map(|Float(sum)| sum),
                scale: point.scale.0 as i32,
                zero_count: point.zero_count.0 as u64,
                positive: side(point.positive)?,
                negative: side(point.negative)?,
            })
        }
        Kind::Summary => {
            let mut quantiles = Vec::new();
            for text in few(&point.quantile_values, "quantiles")? {
                let Quantile { quantile, value } = read(text)?;
                quantiles.push((quantile.0, value.0));
            }
            let sum = point.sum.map_or(0.0, |Float(sum)| sum);
            Data::Summary { count: point.count.0 as u64, sum, quantiles }
        }
    };
    let mut exemplars = Vec::new();
    for text in few(&point.exemplars, "exemplars")? {
        exemplars.push(to_exemplar(read(text)?)?);
    }
    Ok(Point {
        attributes: attributes(&point.attributes)?,
        start: point.start_time_unix_nano.0 as u64,
        time: point.time_unix_nano.0 as u64,
        has_no_value: point.flags.0 & 1 == 1,
        exemplars,
        data,
    })
}

fn to_exemplar(exemplar: ExemplarText<'_>) -> Result<Exemplar<'_>> {
    Ok(Exemplar {
        attributes: attributes(&exemplar.filtered_attributes)?,
        time: exemplar.time_unix_nano.0 as u64,
        value: number(&exemplar.as_double, &exemplar.as_int),
        trace_id: Cow::Owned(hex(&exemplar.trace_id)?),
        span_id: Cow::Owned(hex(&exemplar.span_id)?),
    })
}

fn number(double: &Option<Float>, int: &Option<Whole>) -> Option<f64> {
    double.as_ref().map(|Float(value)| *value).or(int.as_ref().map(|Whole(n)| *n as i64 as f64))
}

fn attributes<'a>(texts: &Raw<'a>) -> Result<Attributes<'a>> {
    let mut attributes = Vec::new();
    for text in few(texts, "attributes")? {
        let (key, value) = pair(text, DEPTH_MAX)?;
        attributes.push((key, value.into_text()));
    }
    Ok(attributes)
}

fn pair<'a>(text: &'a RawValue, depth: usize) -> Result<(Text<'a>, Any<'a>)> {
    let KeyValue { key, value } = read(text)?;
    let value = value.map_or(Ok(Any::Empty), |value| any(value, depth))?;
    Ok((key, value))
}

fn any<'a>(text: &'a RawValue, depth: usize) -> Result<Any<'a>> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Malformed::TooMany("values within values"));
    };
    let value: AnyText<'a> = read(text)?;
    if let Some(text) = value.string_value {
        return Ok(Any::Text(text));
    }
    if let Some(value) = value.bool_value {
        return Ok(Any::Bool(value));
    }
    if let Some(Whole(value)) = value.int_value {
        return Ok(Any::Int(value as i64));
    }
    if let Some(Float(value)) = value.double_value {
        return Ok(Any::Double(value));
    }
    if let Some(list) = value.array_value {
        let items = few(&list.values, "values in a list")?;
        let items: Vec<Any<'_>> =
            items.iter().map(|item| any(item, depth)).collect::<Result<_>>()?;
        return Ok(Any::list(&items));
    }
    if let Some(map) = value.kvlist_value {
        let pairs = few(&map.values, "values in a map")?;
        let pairs: BTreeMap<_, _> =
            pairs.iter().map(|text| pair(text, depth)).collect::<Result<_>>()?;
        return Ok(Any::map(&pairs));
    }
    if let Some(text) = value.bytes_value {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| Malformed::Encoding("base64"))?;
        return Ok(Any::Bytes(Cow::Owned(bytes)));
    }
    Ok(Any::Empty)
}

fn few<'a, 'b>(texts: &'b Raw<'a>, what: &'static str) -> Result<&'b [&'a RawValue]> {
    if texts.len() > ITEMS_MAX { Err(Malformed::TooMany(what)) } else { Ok(texts) }
}

fn read<'a, T: Deserialize<'a>>(text: &'a RawValue) -> Result<T> {
    Ok(serde_json::from_str(text.get())?)
}

fn hex(text: &str) -> Result<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    match bytes {
        Some(bytes) if rest.is_empty() => Ok(bytes),
        _ => Err(Malformed::Encoding("hex")),
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default, rename = "resourceMetrics", alias = "resource_metrics")]
    resource_metrics: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResourceMetrics<'a> {
    #[serde(borrow)]
    resource: Option<Resource<'a>>,
    #[serde(borrow, rename = "scopeMetrics", alias = "scope_metrics")]
    scope_metrics: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resource<'a> {
    #[serde(borrow)]
    attributes: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScopeMetrics<'a> {
    #[serde(borrow)]
    scope: Option<ScopeText<'a>>,
    #[serde(borrow)]
    metrics: Raw<'a>,
    #[serde(borrow, rename = "schemaUrl", alias = "schema_url")]
    schema_url: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScopeText<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    attributes: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MetricText<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    description: Cow<'a, str>,
    #[serde(borrow)]
    unit: Cow<'a, str>,
    #[serde(borrow)]
    gauge: Option<DataText<'a>>,
    #[serde(borrow)]
    sum: Option<DataText<'a>>,
    #[serde(borrow)]
    histogram: Option<DataText<'a>>,
    #[serde(borrow, rename = "exponentialHistogram", alias = "exponential_histogram")]
    exponential_histogram: Option<DataText<'a>>,
    #[serde(borrow)]
    summary: Option<DataText<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DataText<'a> {
    #[serde(borrow, rename = "dataPoints", alias = "data_points")]
    data_points: Raw<'a>,
    #[serde(rename = "aggregationTemporality", alias = "aggregation_temporality")]
    aggregation_temporality: TemporalityText,
    #[serde(rename = "isMonotonic", alias = "is_monotonic")]
    is_monotonic: bool,
}

/// A point of any kind.
#[derive(Deserialize, Default)]
#[serde(default)]
struct PointText<'a> {
    #[serde(borrow)]
    attributes: Raw<'a>,
    #[serde(rename = "startTimeUnixNano", alias = "start_time_unix_nano")]
    start_time_unix_nano: Whole,
    #[serde(rename = "timeUnixNano", alias = "time_unix_nano")]
    time_unix_nano: Whole,
    flags: Whole,
    #[serde(borrow)]
    exemplars: Raw<'a>,
    #[serde(rename = "asDouble", alias = "as_double")]
    as_double: Option<Float>,
    #[serde(rename = "asInt", alias = "as_int")]
    as_int: Option<Whole>,
    count: Whole,
    sum: Option<Float>,
    #[serde(rename = "bucketCounts", alias = "bucket_counts")]
    bucket_counts: Vec<Whole>,
    #[serde(rename = "explicitBounds", alias = "explicit_bounds")]
    explicit_bounds: Vec<Float>,
    scale: Whole,
    #[serde(rename = "zeroCount", alias = "zero_count")]
    zero_count: Whole,
    positive: BucketsText,
    negative: BucketsText,
    #[serde(borrow, rename = "quantileValues", alias = "quantile_values")]
    quantile_values: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BucketsText {
    offset: Whole,
    #[serde(rename = "bucketCounts", alias = "bucket_counts")]
    bucket_counts: Vec<Whole>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Quantile {
    quantile: Float,
    value: Float,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ExemplarText<'a> {
    #[serde(borrow, rename = "filteredAttributes", alias = "filtered_attributes")]
    filtered_attributes: Raw<'a>,
    #[serde(rename = "timeUnixNano", alias = "time_unix_nano")]
    time_unix_nano: Whole,
    #[serde(rename = "asDouble", alias = "as_double")]
    as_double: Option<Float>,
    #[serde(rename = "asInt", alias = "as_int")]
    as_int: Option<Whole>,
    #[serde(borrow, rename = "traceId", alias = "trace_id")]
    trace_id: Cow<'a, str>,
    #[serde(borrow, rename = "spanId", alias = "span_id")]
    span_id: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeyValue<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AnyText<'a> {
    #[serde(rename = "stringValue", alias = "string_value")]
    string_value: Option<Cow<'a, str>>,
    #[serde(rename = "boolValue", alias = "bool_value")]
    bool_value: Option<bool>,
    #[serde(rename = "intValue", alias = "int_value")]
    int_value: Option<Whole>,
    #[serde(rename = "doubleValue", alias = "double_value")]
    double_value: Option<Float>,
    #[serde(borrow, rename = "arrayValue", alias = "array_value")]
    array_value: Option<Values<'a>>,
    #[serde(borrow, rename = "kvlistValue", alias = "kvlist_value")]
    kvlist_value: Option<Values<'a>>,
    #[serde(rename = "bytesValue", alias = "bytes_value")]
    bytes_value: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Values<'a> {
    #[serde(borrow)]
    values: Raw<'a>,
}

/// A whole number of up to 64 bits, with sign or without: a number, or a text as JavaScript needs.
#[derive(Clone, Copy, Default)]
struct Whole(i128);

#[derive(Clone, Copy, Default)]
struct Float(f64);

#[derive(Clone, Copy, Default)]
struct TemporalityText(Temporality);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Whole, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
        Ok(Whole(number.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number.into()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Whole, E> {
        let number: Option<i128> = text.parse().ok();
        let fits = |number: &i128| (i64::MIN.into()..=u64::MAX.into()).contains(number);
        let is_no_number = || E::invalid_value(de::Unexpected::Str(text), &self);
        number.filter(fits).map(Whole).ok_or_else(is_no_number)
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Float, D::Error> {
        deserializer.deserialize_any(FloatVisitor)
    }
}

struct FloatVisitor;

impl Visitor<'_> for FloatVisitor {
    type Value = Float;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Float, E> {
        Ok(Float(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Float, E> {
        Ok(Float(number as f64))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Float, E> {
        Ok(Float(number as f64))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Float, E> {
        let is_no_number = |_| E::invalid_value(de::Unexpected::Str(text), &self);
        text.parse().map(Float).map_err(is_no_number)
    }
}

impl<'de> Deserialize<'de> for TemporalityText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TemporalityText, D::Error> {
        deserializer.deserialize_any(TemporalityVisitor)
    }
}

struct TemporalityVisitor;

impl Visitor<'_> for TemporalityVisitor {
    type Value = TemporalityText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an aggregation temporality")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<TemporalityText, E> {
        Ok(TemporalityText(Temporality::of_number(number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TemporalityText, E> {
        Ok(TemporalityText(match text {
            "AGGREGATION_TEMPORALITY_DELTA" => Temporality::Delta,
            "AGGREGATION_TEMPORALITY_CUMULATIVE" => Temporality::Cumulative,
            _ => Temporality::Unspecified,
        }))
    }
}
