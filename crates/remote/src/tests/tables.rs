//! Upstream's tables for the receiving side.

use base64::Engine as _;
use conformance::{Score, bytes, cases};
use model::{
    FloatHistogram, Labels,
    histogram::{Histogram, Span},
};
use serde_json::Value as Json;
use storage::HistogramValue;

use super::{
    messages::{Raw, histogram, label, sample},
    world::{self, Sample, Store, Value, World, compress},
};
use crate::{Message, ReceiverOptions, Written, labels::RawLabels};

/// The bytes of a message in a table: its own, or those of a fixture.
fn payload(case: &Json) -> Vec<u8> {
    let Json::String(name) = case else { return base64(&case["protobuf"]) };
    let fixtures = cases("prometheus/remote/fixtures.json").expect("it lies beside the tables");
    let is_it = |fixture: &&Json| fixture["name"] == name.as_str();
    base64(&fixtures.cases.iter().find(is_it).expect("the fixture is there")["protobuf"])
}

fn base64(text: &Json) -> Vec<u8> {
    let text = text.as_str().expect("base64");
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, want {want:?}")) }
}

#[test]
fn headers_decide_whether_a_request_is_taken() {
    let table = "prometheus/remote/write_headers.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in cases.cases.iter().enumerate() {
        let accepted = case["accepted_messages"].as_array().expect("a list").iter();
        let accepted = accepted.map(|name| Message::parse(name.as_str().expect("a name")));
        let options = ReceiverOptions {
            accepted: accepted.collect::<Result<_, _>>().expect("they exist"),
            type_and_unit_labels: false,
            metadata: false,
        };
        let store = Store::default();
        let receiver = world::receiver(&store, options);
        let header = |name| case["headers"][name].as_str().unwrap_or_default();
        let message = receiver.message(header("Content-Type"), header("Content-Encoding"));
        let (status, text) = match message {
            Ok(message) => {
                let outcome = receiver.write(message, &compress(&payload(&case["payload"])));
                (outcome.status, outcome.text)
            }
            Err(unsupported) => (415, unsupported.to_string()),
        };
        let outcome = same("status", u64::from(status), case["status"].as_u64().expect("a code"))
            .and_then(|()| match case["body"].as_str() {
                Some(body) => same("body", text.trim(), body),
                None => Ok(()),
            })
            .and_then(|()| same("stored", store.0.lock().stored.is_empty(), status != 204));
        score.add(format!("{idx} {}", case["name"]), outcome);
    }
    score.finish(&[]);
}

#[test]
fn version2_writes_what_is_good() {
    let table = "prometheus/remote/write_version2.json";
    let Some(cases) = cases(table) else { return };
    let fixture = stored_fixture();
    let mut score = Score::new(table);
    for case in &cases.cases {
        score.add(case["name"].as_str().expect("a name"), check_version2(case, &fixture));
    }
    score.finish(&[(
        "All timeseries accepted/ct_enabled",
        "start timestamps do not become zero samples",
    )]);
}

fn check_version2(case: &Json, fixture: &[Sample]) -> Result<(), String> {
    let world = World::with(case["options"]["type_and_unit_labels"].as_bool().unwrap_or_default());
    let error = |name| case["storage_errors"][name].as_str().map(str::to_owned);
    {
        let mut store = world.store.0.lock();
        store.append_error = error("append_sample");
        store.histogram_error = error("append_histogram");
        store.commit_error = error("commit");
        store.refuses_exemplars = error("append_exemplar").is_some();
    }
    let outcome = world.write(Message::Version2, &payload(&case["payload"]));
    same("status", u64::from(outcome.status), case["status"].as_u64().expect("a code"))?;
    if let Some(body) = case["body"].as_str() {
        same("body", outcome.text.trim(), body.trim())?;
    }
    if let Some(written) = case.get("written") {
        let count = |name: &str| written[name].as_u64().expect("a count");
        let want = Written {
            samples: count("samples"),
            histograms: count("histograms"),
            exemplars: count("exemplars"),
        };
        same("written", outcome.written, Some(want))?;
    }
    let stored = &world.store.0.lock().stored;
    if case["stored"] == "fixture" {
        if case["options"]["start_timestamp_zero_samples"] == true {
            return Err("zero samples are missing".to_owned());
        }
        same("stored", stored.as_slice(), fixture)?;
    }
    if let Some(labels) = case["stored_labels"].as_object() {
        let pairs = labels.iter().map(|(name, value)| (name, value.as_str().expect("a text")));
        let stored: Vec<&Labels> = stored.iter().map(|(labels, ..)| labels).collect();
        same("labels", stored, vec![&Labels::from_pairs(pairs)])?;
    }
    Ok(())
}

/// What the fixture of version 2 stores, by a receiver that is tested beside it.
fn stored_fixture() -> Vec<Sample> {
    let world = World::new();
    let payload = payload(&Json::from("write request version 2"));
    assert_eq!(world.write(Message::Version2, &payload).status, 204);
    let stored = world.store.0.lock().stored.clone();
    let times: Vec<i64> = stored.iter().map(|(_, time, _)| *time).collect();
    assert_eq!(times, [10, 10, 20, 30, 40, 20, 50, 60, 70, 80]);
    let contents = world.store.0.lock();
    let exemplars = contents.exemplars.iter();
    let exemplars: Vec<_> =
        exemplars.map(|e| (e.labels.to_string(), e.value, e.time.as_millis())).collect();
    let want = [("{f=\"g\"}".to_owned(), 1.0, 10), ("{h=\"i\"}".to_owned(), 2.0, 20)];
    assert_eq!(exemplars, want);
    drop(contents);
    stored
}

/// The integer histogram of the fixtures, and its float form.
pub(super) fn some_histogram() -> HistogramValue {
    HistogramValue::Integer(Box::new(Histogram {
        schema: 2,
        count: 3,
        sum: 20.0,
        zero_threshold: 1e-128,
        positive_spans: vec![Span { offset: 0, length: 1 }],
        negative_spans: vec![Span { offset: 0, length: 1 }],
        positive_buckets: vec![1],
        negative_buckets: vec![2],
        ..Histogram::default()
    }))
}

fn to_float(value: &HistogramValue) -> HistogramValue {
    HistogramValue::Float(Box::new(value.to_float()))
}

#[test]
fn version1_refuses_what_is_out_of_order() {
    let table = "prometheus/remote/write_version1_out_of_order.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let world = World::new();
        let series = || Raw::default().message(1, label("__name__", "test_metric"));
        let stored = Raw::default().message(1, series().message(2, sample(100, 1.0)));
        assert_eq!(world.write(Message::Version1, &stored.0).status, 204);
        let time = case["timestamp_ms"].as_i64().expect("a time");
        let series = match case["kind"].as_str() {
            Some("sample") => series().message(2, sample(time, 1.0)),
            Some("exemplar") => {
                let exemplar = Raw::default().message(1, label("f", "g")).double(2, 1.0);
                series().message(3, exemplar.varint(3, time as u64))
            }
            _ => series()
                .message(4, histogram(&some_histogram(), time))
                .message(4, histogram(&to_float(&some_histogram()), 1)),
        };
        let outcome = world.write(Message::Version1, &Raw::default().message(1, series).0);
        let want = case["status"].as_u64().expect("a code");
        let name = format!("{} {}", case["name"], case["kind"]);
        score.add(name, same("status", u64::from(outcome.status), want));
    }
    score.finish(&[]);
}

fn read_histogram(json: &Json) -> HistogramValue {
    let spans = |key: &str| -> Vec<Span> {
        let span = |span: &Json| Span {
            offset: span["offset"].as_i64().unwrap_or_default() as i32,
            length: span["length"].as_u64().unwrap_or_default() as u32,
        };
        json[key].as_array().into_iter().flatten().map(span).collect()
    };
    let deltas = |key: &str| -> Vec<i64> {
        json[key].as_array().into_iter().flatten().filter_map(Json::as_i64).collect()
    };
    let float = |key: &str| json[key].as_f64().unwrap_or_default();
    HistogramValue::Integer(Box::new(Histogram {
        counter_reset_hint: Default::default(),
        schema: json["schema"].as_i64().unwrap_or_default() as i32,
        zero_threshold: float("zero_threshold"),
        zero_count: json["zero_count"].as_u64().unwrap_or_default(),
        count: json["count"].as_u64().unwrap_or_default(),
        sum: float("sum"),
        positive_spans: spans("positive_spans"),
        negative_spans: spans("negative_spans"),
        positive_buckets: deltas("positive_buckets"),
        negative_buckets: deltas("negative_buckets"),
        custom_values: {
            let bounds = json["custom_values"].as_array();
            bounds.into_iter().flatten().filter_map(Json::as_f64).collect()
        },
    }))
}

/// Writes a histogram at 1 ms with either version.
fn write_histogram(value: &HistogramValue, message: Message) -> (u16, String, Vec<Sample>) {
    let world = World::new();
    let histogram = histogram(value, 1);
    let request = match message {
        Message::Version1 => {
            let series = Raw::default().message(1, label("__name__", "test"));
            Raw::default().message(1, series.message(4, histogram))
        }
        Message::Version2 => {
            let series = Raw::default().bytes(1, [1, 2]).message(3, histogram);
            let symbols = ["", "__name__", "test"].iter();
            symbols.fold(Raw::default(), |raw, text| raw.bytes(4, text)).message(5, series)
        }
    };
    let outcome = world.write(message, &request.0);
    let stored = world.store.0.lock().stored.clone();
    (outcome.status, outcome.text, stored)
}

#[test]
fn histograms_that_make_no_sense_are_refused() {
    let table = "prometheus/remote/histogram_rejection.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        for message in Message::ALL {
            let value = read_histogram(&case["histogram"]);
            let (status, text, _) = write_histogram(&value, message);
            let part = case["body_contains"].as_str().expect("a text");
            let outcome = same("status", u64::from(status), case["status"].as_u64().expect("code"))
                .and_then(|()| match text.contains(part) {
                    true => Ok(()),
                    false => Err(text),
                });
            score.add(format!("{} {message}", case["name"]), outcome);
        }
    }
    score.finish(&[]);
}

#[test]
fn histograms_that_are_too_fine_become_coarser() {
    let table = "prometheus/remote/histogram_resolution_reduction.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        // The table leaves out what the checks want to add up.
        let count = |mut value: HistogramValue| {
            if let HistogramValue::Integer(histogram) = &mut value {
                histogram.count = histogram.to_float().positive_buckets.iter().sum::<f64>() as u64
                    + histogram.to_float().negative_buckets.iter().sum::<f64>() as u64;
            }
            value
        };
        let (sent, stored) =
            (count(read_histogram(&case["sent"])), count(read_histogram(&case["stored"])));
        for message in Message::ALL {
            for (kind, sent, stored) in [
                ("integer", sent.clone(), stored.clone()),
                ("float", to_float(&sent), to_float(&stored)),
            ] {
                let (status, text, got) = write_histogram(&sent, message);
                let values: Vec<Value> = got.into_iter().map(|(_, _, value)| value).collect();
                let outcome = same("status", (status, text), (204, String::new()))
                    .and_then(|()| same("stored", values, vec![Value::Histogram(stored)]));
                score.add(format!("{message} {kind}"), outcome);
            }
        }
    }
    score.finish(&[]);
}

#[test]
fn histograms_keep_their_reset_hints_and_forms() {
    let table = "prometheus/remote/histogram_reset_hints.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for (number, case) in cases.cases.iter().enumerate() {
        use model::histogram::CounterResetHint::{Gauge, NotReset, Reset, Unknown};
        // The numbers are those of the messages; the table has their names, which we do not keep.
        let (number, want) = match case["hint"].as_str() {
            Some("reset") => (1, Reset),
            Some("not_reset") => (2, NotReset),
            Some("gauge") => (3, Gauge),
            _ => (number as u64 - number as u64, Unknown),
        };
        for value in [some_histogram(), to_float(&some_histogram())] {
            let raw = histogram(&value, 5).varint(14, number);
            let read = crate::histogram::read(&raw.0).expect("it is well-formed");
            let hint = match &read.value {
                HistogramValue::Integer(histogram) => histogram.counter_reset_hint,
                HistogramValue::Float(histogram) => histogram.counter_reset_hint,
            };
            let outcome = same("hint", hint, want).and_then(|()| same("time", read.time, 5));
            let is_float = matches!(value, HistogramValue::Float(_));
            score.add(format!("{} float={is_float}", case["hint"]), outcome);
        }
    }
    score.finish(&[]);
}

#[test]
fn histogram_messages_read_as_what_they_were_made_of() {
    let table = "prometheus/remote/histogram_conversion.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let integer = read_histogram(&case["integer"]);
        let float: HistogramValue = HistogramValue::Float(Box::new(read_float(&case["float"])));
        for (name, value) in [("integer", integer), ("float", float)] {
            let read = crate::histogram::read(&histogram(&value, 1).0).expect("it is well-formed");
            score.add(name, same("histogram", read.value, value).and(same("time", read.time, 1)));
        }
    }
    score.finish(&[]);
}

fn read_float(json: &Json) -> FloatHistogram {
    let floats = |key: &str| -> Vec<f64> {
        json[key].as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
    };
    let HistogramValue::Integer(common) = read_histogram(json) else { unreachable!() };
    FloatHistogram {
        counter_reset_hint: common.counter_reset_hint,
        schema: common.schema,
        zero_threshold: common.zero_threshold,
        zero_count: json["zero_count"].as_f64().unwrap_or_default(),
        count: json["count"].as_f64().unwrap_or_default(),
        sum: common.sum,
        positive_spans: common.positive_spans,
        negative_spans: common.negative_spans,
        positive_buckets: floats("positive_buckets"),
        negative_buckets: floats("negative_buckets"),
        custom_values: common.custom_values,
    }
}

#[test]
fn type_and_unit_become_labels() {
    let table = "prometheus/remote/type_and_unit_labels_receive.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let mut symbols = vec!["", "unit"];
        symbols[1] = case["metadata_unit"].as_str().expect("a unit");
        let mut refs = Vec::new();
        for (name, value) in case["labels"].as_object().expect("labels") {
            symbols.extend([name, value.as_str().expect("a text")]);
            refs.extend([symbols.len() as u8 - 2, symbols.len() as u8 - 1]);
        }
        let kind = if case["metadata_type"] == "counter" { 1 } else { 2 };
        let series = Raw::default()
            .bytes(1, refs)
            .message(2, sample(1000, 1.0))
            .message(5, Raw::default().varint(1, kind).varint(4, 1));
        let request = symbols.iter().fold(Raw::default(), |raw, text| raw.bytes(4, text));
        let world = World::with(true);
        let outcome = world.write(Message::Version2, &request.message(5, series).0);
        let want = case["stored_labels"].as_object().expect("labels").iter();
        let want = Labels::from_pairs(want.map(|(name, value)| (name, value.as_str().unwrap())));
        let stored = world.store.0.lock().stored.clone();
        let labels: Vec<Labels> = stored.into_iter().map(|(labels, ..)| labels).collect();
        let outcome =
            same("status", outcome.status, 204).and_then(|()| same("labels", labels, vec![want]));
        score.add(case["name"].as_str().expect("a name"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn metadata_refers_to_symbols() {
    use crate::receive::version2::{Metadata, Symbols};
    let table = "prometheus/remote/metadata_version2.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in cases.cases.iter().enumerate() {
        let texts = case["symbols"].as_array().expect("a list").iter();
        let request = texts.fold(Raw::default(), |raw, text| raw.bytes(4, bytes(text))).0;
        let symbols = Symbols::read(&request).expect("it is well-formed");
        let number = |key| case["metadata"][key].as_u64().expect("a number");
        let raw = Raw::default()
            .varint(1, number("type"))
            .varint(3, number("help_ref"))
            .varint(4, number("unit_ref"));
        let metadata = Metadata::read(&raw.0).expect("it is well-formed");
        let outcome = match symbols.check_metadata(&metadata) {
            Ok(()) => {
                let text = |symbol| String::from_utf8_lossy(symbols.text(symbol)).into_owned();
                let got = serde_json::json!({
                    "type": metadata.kind().as_str(),
                    "help": text(metadata.help_ref),
                    "unit": text(metadata.unit_ref),
                });
                same("metadata", &got, &case["expected"])
            }
            Err(error) => match case["error_contains"].as_str() {
                Some(part) if !error.to_string().contains(part) => Err(error.to_string()),
                Some(_) => Ok(()),
                None => same("error", &case["error"], &Json::from(true)),
            },
        };
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn labels_are_checked() {
    let table = "prometheus/remote/label_validation.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let texts: Vec<(Vec<u8>, Vec<u8>)> = case["labels"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|pair| (bytes(&pair[0]), bytes(&pair[1])))
            .collect();
        let mut labels = RawLabels::default();
        texts.iter().for_each(|(name, value)| labels.push(name, value));
        let got = labels.check().err();
        let want = (!case["error"].is_null()).then(|| bytes(&case["error"]));
        score.add(case["name"].to_string(), same("error", got, want));
    }
    score.finish(&[]);
}
