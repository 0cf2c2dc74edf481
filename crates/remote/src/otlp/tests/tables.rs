//! Upstream's tables for OTLP.

use std::collections::BTreeMap;

use conformance::{Score, cases, float};
use model::{
    Labels, Metadata, MetricType,
    histogram::{CounterResetHint, Histogram, Span},
};
use serde_json::{Value as Json, json};
use storage::HistogramValue;
use telemetry::Reading;

use super::world::{Takes, World, options};
use crate::otlp::{
    Options, Promoted, Settings, Strategy, histograms, json,
    point::{Buckets, Explicit, Exponential, millis},
    protobuf,
    sink::Value,
    translate::{Report, Translator},
};

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, want {want:?}")) }
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a request in JSON is translated to, and what is said about it.
fn translate(request: &Json, settings: &Settings, options: &Options) -> (Takes, Report) {
    let mut takes = Takes::default();
    let mut translator = Translator::new(settings, options, None, &mut takes);
    let text = request.to_string();
    json::walk(text.as_bytes(), &mut translator).expect("it is a request");
    let report = translator.finish();
    (takes, report)
}

#[test]
fn requests_become_samples() {
    let table = "prometheus/otlp/write.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let strategy = text(&case["config"]["translation_strategy"]);
        let strategy = Strategy::parse(strategy).expect("a strategy");
        let settings = Settings { strategy, ..Settings::default() };
        let type_and_unit_labels = case["type_and_unit_labels"] == true;
        let options = Options { type_and_unit_labels, ..options() };
        let (takes, report) = translate(&cases.whole["request"], &settings, &options);
        let outcome = same("failure", report.failure, None).and_then(|()| {
            let want = case["samples"].as_array().expect("a list");
            same("count", takes.0.len(), want.len())?;
            takes.0.iter().zip(want).try_for_each(|(got, want)| check_sample(got, want))
        });
        score.add(format!("{} {type_and_unit_labels}", text(&case["name"])), outcome);
    }
    score.finish(&[]);
}

fn check_sample(got: &super::world::Taken, want: &Json) -> Result<(), String> {
    same("family", got.family.as_str(), text(&want["family"]))?;
    same("labels", &got.labels, &labels(&want["labels"]))?;
    let metadata = &want["metadata"];
    let kind = got.metadata.kind.as_str();
    same("type", kind, text(&metadata["type"]))?;
    same("unit", got.metadata.unit.as_str(), text(&metadata["unit"]))?;
    same("help", got.metadata.help.as_str(), text(&metadata["help"]))?;
    same("start", got.start, want["start_timestamp_ms"].as_i64().unwrap_or_default())?;
    same("time", got.time, want["timestamp_ms"].as_i64().expect("a time"))?;
    match &got.value {
        Value::Float(value) => same("value", *value, float(&want["value"]))?,
        Value::Histogram(HistogramValue::Integer(value)) => {
            same("histogram", &**value, &histogram(&want["histogram"]))?;
        }
        Value::Histogram(other) => return Err(format!("a float histogram: {other:?}")),
    }
    let exemplars = got.exemplars.iter().map(|exemplar| {
        json!({
            "labels": exemplar.labels.iter().collect::<BTreeMap<_, _>>(),
            "value": exemplar.value,
            "timestamp_ms": exemplar.time.as_millis(),
        })
    });
    let want = want["exemplars"].as_array().cloned().unwrap_or_default();
    let want = want.into_iter().map(|mut exemplar| {
        exemplar["value"] = float(&exemplar["value"]).into();
        exemplar
    });
    same("exemplars", exemplars.collect::<Vec<_>>(), want.collect::<Vec<_>>())
}

fn labels(pairs: &Json) -> Labels {
    let pairs = pairs.as_object().expect("labels").iter();
    Labels::from_pairs(pairs.map(|(name, value)| (name, text(value))))
}

fn spans(value: &Json) -> Vec<Span> {
    let number = |value: &Json| value.as_i64().expect("a number");
    let span = |span: &Json| Span {
        offset: number(&span["offset"]) as i32,
        length: number(&span["length"]) as u32,
    };
    value.as_array().map(|spans| spans.iter().map(span).collect()).unwrap_or_default()
}

fn integers(value: &Json) -> Vec<i64> {
    let numbers = value.as_array().into_iter().flatten();
    numbers.map(|number| number.as_i64().expect("a whole number")).collect()
}

fn counts(value: &Json) -> Vec<u64> {
    integers(value).into_iter().map(|count| count as u64).collect()
}

fn floats(value: &Json) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(float).collect()
}

fn histogram(value: &Json) -> Histogram {
    let whole = |name: &str| value[name].as_u64().unwrap_or_default();
    let number = |name: &str| value.get(name).map(float).unwrap_or_default();
    Histogram {
        counter_reset_hint: CounterResetHint::Unknown,
        schema: value["schema"].as_i64().unwrap_or_default() as i32,
        zero_threshold: number("zero_threshold"),
        zero_count: whole("zero_count"),
        count: whole("count"),
        sum: number("sum"),
        positive_spans: spans(&value["positive_spans"]),
        negative_spans: spans(&value["negative_spans"]),
        positive_buckets: integers(&value["positive_buckets"]),
        negative_buckets: integers(&value["negative_buckets"]),
        custom_values: floats(&value["custom_values"]),
    }
}

fn attributes(pairs: &Json) -> Json {
    let pairs = pairs.as_object().into_iter().flatten();
    pairs.map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect()
}

#[test]
fn attributes_become_labels() {
    let table = "prometheus/otlp/labels.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        score.add(text(&case["name"]), check_labels(case));
    }
    score.finish(&[
        (
            "Successful conversion with some attributes ignored and with scope promotion",
            "which attributes of points are left out is no setting: nothing but __name__ ever is",
        ),
        (
            "Successful conversion with some attributes ignored",
            "which attributes of points are left out is no setting: nothing but __name__ ever is",
        ),
    ]);
}

fn check_labels(case: &Json) -> Result<(), String> {
    let config = &case["config"];
    let texts = |list: &Json| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|item| text(item).to_owned()).collect()
    };
    let is = |name: &str| config[name] == true;
    let settings = Settings {
        promoted: match is("promote_all_resource_attributes") {
            true => Promoted::AllBut(texts(&config["ignore_resource_attributes"])),
            false => Promoted::Only(texts(&config["promote_resource_attributes"])),
        },
        promote_scope_metadata: is("promote_scope_metadata"),
        label_name_underscore_sanitization: is("label_name_underscore_sanitization"),
        label_name_preserve_multiple_underscores: is("label_name_preserve_multiple_underscores"),
        ..Settings::default()
    };
    let name = case["metric_name"].as_str().unwrap_or("test_metric");
    let scope = &case["scope"];
    let unit = text(&case["metadata"]["unit"]);
    let request = json!({"resourceMetrics": [{
        "resource": {"attributes": attributes(&case["resource_attributes"])},
        "scopeMetrics": [{
            "scope": {
                "name": text(&scope["name"]),
                "version": text(&scope["version"]),
                "attributes": attributes(&scope["attributes"]),
            },
            "schemaUrl": text(&scope["schema_url"]),
            "metrics": [{"name": name, "unit": unit, "gauge": {"dataPoints": [{
                "timeUnixNano": "1000000", "attributes": attributes(&case["attributes"]),
            }]}}],
        }],
    }]});
    let type_and_unit_labels = case["type_and_unit_labels"] == true;
    let settings = Settings { strategy: Strategy::UnderscoreEscapingWithoutSuffixes, ..settings };
    let options = Options { type_and_unit_labels, ..options() };
    let (takes, report) = translate(&request, &settings, &options);
    same("failure", report.failure, None)?;
    let got = &takes.0.first().ok_or("no sample")?.labels;
    match case.get("labels") {
        Some(want) => same("labels", got, &labels(want))?,
        None => {
            for (name, value) in labels(&case["labels_include"]).iter() {
                same(name, got.get(name), Some(value))?;
            }
        }
    }
    let warnings: Vec<String> = report.warnings.into_iter().map(|(_, text)| text).collect();
    same("warnings", warnings, texts(&case["collision_warnings"]))
}

#[test]
fn exponential_buckets_become_spans() {
    let table = "prometheus/otlp/exponential_bucket_layout.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let offset = case["offset"].as_i64().expect("an offset") as i32;
        let scale_down = case["scale_down_by"].as_u64().expect("a number") as u32;
        let buckets = Buckets { offset, counts: counts(&case["bucket_counts"]) };
        let got = histograms::exponential_layout(&buckets, scale_down);
        let outcome = same("layout", got, Ok((spans(&case["spans"]), integers(&case["deltas"]))));
        score.add(format!("{} by {scale_down}", text(&case["name"])), outcome);
    }
    score.finish(&[]);
}

#[test]
fn explicit_buckets_become_spans() {
    let table = "prometheus/otlp/explicit_bucket_layout.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let got = histograms::explicit_layout(&counts(&case["bucket_counts"]));
        let outcome = same("layout", got, Ok((spans(&case["spans"]), integers(&case["deltas"]))));
        score.add(text(&case["name"]), outcome);
    }
    score.finish(&[]);
}

#[test]
fn exponential_histograms_become_native() {
    let table = "prometheus/otlp/exponential_histogram.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let point = &case["point"];
        let side = |side: &Json| Buckets {
            offset: side["offset"].as_i64().unwrap_or_default() as i32,
            counts: counts(&side["bucket_counts"]),
        };
        let got = histograms::exponential(&Exponential {
            count: point["count"].as_u64().unwrap_or_default(),
            sum: point.get("sum").map(float),
            scale: point["scale"].as_i64().expect("a scale") as i32,
            zero_count: point["zero_count"].as_u64().unwrap_or_default(),
            positive: side(&point["positive"]),
            negative: side(&point["negative"]),
        });
        let outcome = match (got, case["error_contains"].as_str()) {
            (Err(reason), Some(want)) if reason.contains(want) => Ok(()),
            (got, Some(want)) => Err(format!("got {got:?}, want {want:?}")),
            (got, None) => same("histogram", got, Ok(histogram(&case["histogram"]))),
        };
        score.add(text(&case["name"]), outcome);
    }
    score.finish(&[]);
}

#[test]
fn explicit_histograms_get_custom_buckets() {
    let table = "prometheus/otlp/explicit_histogram_to_custom_buckets.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let point = &case["point"];
        let got = histograms::custom(&Explicit {
            count: point["count"].as_u64().expect("a count"),
            sum: point.get("sum").map(float),
            bounds: floats(&point["explicit_bounds"]),
            counts: counts(&point["bucket_counts"]),
        });
        let outcome = same("histogram", got, Ok(histogram(&case["histogram"])));
        score.add(text(&case["name"]), outcome);
    }
    score.finish(&[]);
}

#[test]
fn nanoseconds_become_milliseconds() {
    let table = "prometheus/otlp/timestamps.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let nanos = case["nanoseconds"].as_u64().expect("a number");
        let want = case["milliseconds"].as_i64().expect("a number");
        score.add(nanos.to_string(), same("time", millis(nanos), want));
    }
    score.finish(&[]);
}

#[test]
fn what_is_odd_is_counted() {
    let table = "prometheus/otlp/translation_warnings.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let metric = &case["metric"];
        let points = metric["points"].as_array().expect("a list").iter().map(|point| {
            json!({
                "timeUnixNano": "1000000",
                "asDouble": point["value"].as_f64().unwrap_or_default(),
                "count": point["count"].as_u64().unwrap_or_default(),
                "sum": point["sum"].as_f64().unwrap_or_default(),
                "attributes": attributes(&point["attributes"]),
            })
        });
        let kind = match text(&metric["type"]) {
            "gauge" => "gauge",
            _ => "exponentialHistogram",
        };
        let request = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{
            "name": metric["name"],
            kind: {"aggregationTemporality": 2, "dataPoints": points.collect::<Vec<_>>()},
        }]}]}]});
        let world = World::new();
        let status = world.json(&request.to_string()).status;
        let warning = text(&case["warning"]);
        let outcome = same("status", status, 200)
            .and_then(|()| same("count", counted(&world, warning), float(&case["count"])));
        score.add(text(&case["name"]), outcome);
    }
    score.finish(&[]);
}

/// How often that category was counted.
fn counted(world: &World, category: &str) -> f64 {
    let name = "prometheus_api_otlp_translation_warnings_total";
    let families = world.registry.gather();
    let family = families.iter().find(|family| family.name == name).expect("it is registered");
    let is_it = |metric: &&telemetry::Metric| {
        metric.labels.iter().any(|(_, value)| value.as_str() == category)
    };
    match family.metrics.iter().find(is_it).map(|metric| &metric.reading) {
        Some(Reading::Value(value)) => *value,
        _ => 0.0,
    }
}

/// A request with a sum and both kinds of histograms.
pub(super) fn protobuf_request() -> Vec<u8> {
    use crate::tests::messages::Raw;
    let number = |value: f64| {
        Raw::default()
            .message(7, Raw::default().bytes(1, "k").message(2, Raw::default().bytes(1, "v")))
            .fixed64(2, 1_000_000)
            .fixed64(3, 2_000_000)
            .double(4, value)
            .message(5, Raw::default().fixed64(2, 2_000_000).fixed64(6, 4).bytes(5, [0xab; 16]))
    };
    let sum = Raw::default().message(1, number(2.5)).varint(2, 2).varint(3, 1);
    let sides = Raw::default().zigzag(1, -1).varint(2, 3);
    let point = Raw::default()
        .fixed64(3, 2_000_000)
        .fixed64(4, 5)
        .double(5, 1.5)
        .zigzag(6, 1)
        .fixed64(7, 2)
        .message(8, sides);
    let exponential = Raw::default().message(1, point).varint(2, 2);
    let point = Raw::default().fixed64(3, 2_000_000).fixed64(4, 3).fixed64(6, 1).fixed64(6, 2);
    let explicit = Raw::default().message(1, point.double(7, 0.5)).varint(2, 2);
    let metric = |name: &str| Raw::default().bytes(1, name).bytes(2, "help").bytes(3, "s");
    let scope = Raw::default()
        .message(1, Raw::default().bytes(1, "lib").bytes(2, "1"))
        .message(2, metric("a").message(7, sum))
        .message(2, metric("b").message(10, exponential))
        .message(2, metric("c").message(9, explicit));
    let service =
        Raw::default().bytes(1, "service.name").message(2, Raw::default().bytes(1, "shop"));
    // The resource comes behind what it is the resource of.
    let resource = Raw::default().message(2, scope).message(1, Raw::default().message(1, service));
    Raw::default().message(1, resource).0
}

/// A request in protobuf is the same as in JSON.
#[test]
fn both_encodings_say_the_same() {
    let settings = Settings { promote_scope_metadata: true, ..Settings::default() };
    let options = options();
    let mut protobuf = Takes::default();
    let mut translator = Translator::new(&settings, &options, None, &mut protobuf);
    protobuf::walk(&protobuf_request(), &mut translator).expect("it is a request");
    assert_eq!(translator.finish().failure, None);
    let json = json!({"resourceMetrics": [{
        "resource": {"attributes": attributes(&json!({"service.name": "shop"}))},
        "scopeMetrics": [{"scope": {"name": "lib", "version": "1"}, "metrics": [
            {"name": "a", "description": "help", "unit": "s", "sum": {
                "aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [{
                    "attributes": attributes(&json!({"k": "v"})), "startTimeUnixNano": "1000000",
                    "timeUnixNano": "2000000", "asDouble": 2.5, "exemplars": [
                        {"timeUnixNano": "2000000", "asInt": "4", "traceId": "ab".repeat(16)}],
                }],
            }},
            {"name": "b", "description": "help", "unit": "s", "exponentialHistogram": {
                "aggregationTemporality": 2, "dataPoints": [{"timeUnixNano": "2000000",
                    "count": "5", "sum": 1.5, "scale": 1, "zeroCount": "2",
                    "positive": {"offset": -1, "bucketCounts": ["3"]}}],
            }},
            {"name": "c", "description": "help", "unit": "s", "histogram": {
                "aggregationTemporality": 2, "dataPoints": [{"timeUnixNano": "2000000",
                    "count": 3, "bucketCounts": [1, 2], "explicitBounds": [0.5]}],
            }},
        ]}],
    }]});
    assert_eq!(protobuf.0, translate(&json, &settings, &options).0.0);
    assert_eq!(protobuf.0.len(), 5);
    let want =
        Metadata { kind: MetricType::Counter, unit: "seconds".to_owned(), help: "help".to_owned() };
    assert_eq!(protobuf.0[0].metadata, want);
}
