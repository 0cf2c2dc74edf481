use std::sync::Arc;

use model::{
    FloatHistogram, Labels, Timestamp,
    histogram::{CounterResetHint, Span},
};
use serde_json::Value;
use storage::Columns;

use crate::prometheus::{
    engine::{
        Answer, Exemplar, QueryError, Sample, SampleValue, Series, SeriesExemplars,
        Value as QueryValue,
    },
    json::Json,
    respond::{Error, ErrorKind, Success},
    tests::{fakes, get, state},
};

pub(super) fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().expect("labels are an object");
    Labels::from_pairs(pairs.iter().map(|(name, value)| (name, value.as_str().expect("a text"))))
}

pub(super) fn histogram(value: &Value) -> FloatHistogram {
    // What is absent is zero.
    let float = |key: &str| value.get(key).map_or(0.0, conformance::float);
    let spans = |key: &str| -> Vec<Span> {
        let span = |span: &Value| Span {
            offset: span["offset"].as_i64().expect("a number") as i32,
            length: span["length"].as_u64().expect("a number") as u32,
        };
        value[key].as_array().into_iter().flatten().map(span).collect()
    };
    let floats = |key: &str| -> Vec<f64> {
        value[key].as_array().into_iter().flatten().map(conformance::float).collect()
    };
    FloatHistogram {
        counter_reset_hint: CounterResetHint::Unknown,
        schema: value["schema"].as_i64().expect("a number") as i32,
        zero_threshold: float("zero_threshold"),
        zero_count: float("zero_count"),
        count: float("count"),
        sum: float("sum"),
        positive_spans: spans("positive_spans"),
        negative_spans: spans("negative_spans"),
        positive_buckets: floats("positive_buckets"),
        negative_buckets: floats("negative_buckets"),
        custom_values: floats("custom_values"),
    }
}

fn query_value(case: &Value) -> QueryValue {
    let series = case["series"].as_array().expect("series are a list");
    match case["result_type"].as_str().expect("a text") {
        "vector" => QueryValue::Vector(
            series
                .iter()
                .map(|series| Sample {
                    labels: labels(&series["labels"]),
                    time: Timestamp::from_millis(series["timestamp_ms"].as_i64().expect("a time")),
                    value: SampleValue::Float(conformance::float(&series["value"])),
                })
                .collect(),
        ),
        "matrix" => QueryValue::Matrix(series.iter().map(matrix_series).collect()),
        other => panic!("what is a {other}?"),
    }
}

fn matrix_series(series: &Value) -> Series {
    let mut columns = Columns::default();
    for point in series["floats"].as_array().into_iter().flatten() {
        columns.push(point[0].as_i64().expect("a time"), conformance::float(&point[1]));
    }
    for point in series["histograms"].as_array().into_iter().flatten() {
        columns.histogram_times.push(point[0].as_i64().expect("a time"));
        columns.histograms.push(Arc::new(histogram(&point[1])));
    }
    Series { labels: labels(&series["labels"]), columns }
}

pub(super) fn exemplar(value: &Value) -> Exemplar {
    Exemplar {
        labels: labels(&value["labels"]),
        value: conformance::float(&value["value"]),
        time: Timestamp::from_millis(value["timestamp_ms"].as_i64().expect("a time")),
    }
}

fn series_exemplars(value: &Value) -> SeriesExemplars {
    let exemplars = value["exemplars"].as_array().expect("exemplars are a list");
    SeriesExemplars {
        labels: labels(&value["series"]),
        exemplars: exemplars.iter().map(exemplar).collect(),
    }
}

/// The body that the case's result becomes.
fn encode(case: &Value) -> String {
    if let Some(exemplars) = case["exemplars"].as_array() {
        let exemplars = exemplars.iter().map(series_exemplars).collect();
        let engine = fakes::Engine { exemplars, ..fakes::Engine::default() };
        let state = crate::prometheus::State { engine: Arc::new(engine), ..state() };
        return get(state, "/api/v1/query_exemplars?query=%7Bfoo%3D%22bar%22%7D").body;
    }
    if let Some(point) = case.get("point") {
        let mut json = Json::default();
        json.raw(r#"{"status":"success","data":["#);
        json.timestamp(point["timestamp_ms"].as_i64().expect("a time"));
        json.raw(",");
        json.value(conformance::float(&point["value"]));
        json.raw("]}");
        return json.finish();
    }
    let answer = Ok(Answer { value: query_value(case), ..Answer::default() });
    let engine = fakes::Engine { answer, ..fakes::Engine::default() };
    let state = crate::prometheus::State { engine: Arc::new(engine), ..state() };
    get(state, "/api/v1/query?query=x").body
}

#[test]
fn json_encoding() {
    let Some(table) = conformance::cases("prometheus/api/json_encoding.json") else { return };
    let mut score = conformance::Score::new("api/json_encoding");
    for (idx, case) in table.cases.iter().enumerate() {
        let got = encode(case);
        let is_same = Some(got.as_str()) == case["body"].as_str();
        score.add(
            format!("{idx}"),
            if is_same { Ok(()) } else { Err(format!("{got}\n wanted {}", case["body"])) },
        );
    }
    score.finish(&[]);
}

#[test]
fn errors_become_status_codes() {
    let Some(table) = conformance::cases("prometheus/api/error_mapping.json") else { return };
    let mut score = conformance::Score::new("api/error_mapping");
    for (idx, case) in table.cases.iter().enumerate() {
        let cause = case["cause"].as_str().expect("a text");
        let text = case["body_contains"].as_str().unwrap_or(cause).to_owned();
        let error = match cause {
            "query storage error" => QueryError::Storage(text),
            "query timeout" | "query timed out" => QueryError::Timeout(text),
            "query canceled" | "request context canceled" | "context canceled" => {
                QueryError::Canceled(text)
            }
            _ => QueryError::Execution(text),
        };
        let engine = fakes::Engine { answer: Err(error), ..fakes::Engine::default() };
        let state = crate::prometheus::State { engine: Arc::new(engine), ..state() };
        let got = get(state, "/api/v1/query?query=x");
        let json = got.json();
        let has_kind = case.get("error_type").is_none_or(|kind| *kind == json["errorType"]);
        let has_text = case["body_contains"].as_str().is_none_or(|text| got.body.contains(text));
        let has_status = case["status"].as_u64() == Some(u64::from(got.status.as_u16()));
        let outcome = if has_kind && has_text && has_status { Ok(()) } else { Err(got.body) };
        score.add(format!("{idx} {cause}"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn content_type_is_json_whatever_is_asked_for() {
    let Some(table) = conformance::cases("prometheus/api/codec_negotiation.json") else { return };
    let mut score = conformance::Score::new("api/codec_negotiation");
    for case in &table.cases {
        let success = Success::json(|json| json.string("test"));
        let response = axum::response::IntoResponse::into_response(success);
        let content_type = response.headers()["content-type"].to_str().expect("it is text");
        let outcome = match case["content_type"] == content_type {
            true => Ok(()),
            false => Err(content_type.to_owned()),
        };
        score.add(case["name"].as_str().expect("a text"), outcome);
    }
    let reason = "other encodings exist only in upstream's own test";
    score.finish(&[
        ("Accept header with single content type which is suitable", reason),
        ("Accept header with multiple content types, all of which are suitable", reason),
        ("Accept header with multiple content types, only one of which is available", reason),
        (
            "Accept header with multiple content types, only one of which can encode the response \
            payload",
            reason,
        ),
    ]);
}

#[test]
fn error_bodies() {
    let Some(table) = conformance::cases("prometheus/api/respond_error.json") else { return };
    let mut score = conformance::Score::new("api/respond_error");
    for case in &table.cases {
        let name = case["error_type"].as_str().expect("a text");
        let message = case["error"].as_str().expect("a text");
        let response =
            axum::response::IntoResponse::into_response(Error::new(ErrorKind::Timeout, message));
        let is_same = name == "timeout"
            && case["status"].as_u64() == Some(u64::from(response.status().as_u16()))
            && case["content_type"] == response.headers()["content-type"].to_str().expect("text");
        score.add(name, if is_same { Ok(()) } else { Err("another kind".to_owned()) });
    }
    score.finish(&[("not_acceptable", "JSON can encode every answer, so this cannot happen")]);
}
