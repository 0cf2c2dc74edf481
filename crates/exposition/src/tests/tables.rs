//! Upstream's tables.

use conformance::Score;
use model::{
    FloatHistogram, Timestamp,
    histogram::{CounterResetHint, Span},
};
use serde_json::{Value, json};

use crate::{
    Entry, Exemplar, HistogramSeries, Parser, Protocol, Series,
    content_type::{self, Reader},
    nhcb::Converter,
    protobuf::{self, NativeHistogram},
};

fn input(case: &Value) -> Vec<u8> {
    match &case["input_base64"] {
        Value::Null => conformance::bytes(&case["input"]),
        text => conformance::bytes(&json!({ "base64": text })),
    }
}

fn first_error(parser: Parser<'_>) -> Option<String> {
    for entry in parser {
        match entry {
            Ok(Entry::Series(series)) => {
                if let Err(error) = series.labels() {
                    return Some(error.to_string());
                }
            }
            Ok(_) => {}
            Err(error) => return Some(error.to_string()),
        }
    }
    None
}

fn check_errors(table: &str, parser: impl Fn(&[u8]) -> Parser<'_>) {
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let input = input(case);
        let error = first_error(parser(&input));
        let expected = case["error"].as_str();
        let right = !case["must_not_panic"].is_null() || error.as_deref() == expected;
        let outcome = if right { Ok(()) } else { Err(format!("got {error:?}, want {expected:?}")) };
        score.add(String::from_utf8_lossy(&input), outcome);
    }
    score.finish(&[]);
}

#[test]
fn text_errors_are_upstreams() {
    check_errors("textparse/text_format_errors", |body| Parser::text(body));
}

#[test]
fn openmetrics_errors_are_upstreams() {
    check_errors("textparse/openmetrics_errors", |body| Parser::openmetrics(body));
}

/// An entry in the table's form.
fn describe(entry: Entry<'_>, type_and_unit: bool) -> Value {
    let series = match entry {
        Entry::Help { metric, help } => {
            return json!({ "kind": "help", "metric": metric, "help": help });
        }
        Entry::Type { metric, kind } => {
            return json!({ "kind": "type", "metric": metric, "type": kind.as_str() });
        }
        Entry::Unit { metric, unit } => {
            return json!({ "kind": "unit", "metric": metric, "unit": unit });
        }
        Entry::Comment(text) => {
            return json!({ "kind": "comment", "comment": String::from_utf8_lossy(text) });
        }
        Entry::Histogram(histogram) => return describe_histogram(&histogram, type_and_unit),
        Entry::Series(series) => series,
    };
    let mut value = describe_series(&series, type_and_unit);
    value["text"] = json!(String::from_utf8_lossy(series.raw));
    value["value"] = float(series.value);
    if let Some(exemplar) = &series.exemplar {
        value["exemplars"] = json!([describe_exemplar(exemplar)]);
    }
    value
}

fn describe_series(series: &Series<'_>, type_and_unit: bool) -> Value {
    let mut labels =
        if type_and_unit { series.labels_with_type_and_unit() } else { series.labels() }.unwrap();
    labels.sort();
    let mut value = json!({ "kind": "series", "labels": labels });
    let mut set_time = |key: &str, time: Option<Timestamp>| {
        if let Some(time) = time {
            value[key] = json!(time.as_millis());
        }
    };
    set_time("timestamp_ms", series.timestamp);
    set_time("start_timestamp_ms", series.start_timestamp);
    value
}

fn describe_exemplar(exemplar: &Exemplar<'_>) -> Value {
    let labels = exemplar.labels().unwrap();
    let mut described = json!({
        "labels": labels.iter().collect::<Vec<_>>(), "value": float(exemplar.value),
    });
    if let Some(time) = exemplar.timestamp {
        described["timestamp_ms"] = json!(time.as_millis());
    }
    described
}

fn describe_histogram(histogram: &HistogramSeries<'_>, type_and_unit: bool) -> Value {
    let mut value = describe_series(&histogram.series, type_and_unit);
    value["kind"] = json!("histogram");
    value["text"] = json!(String::from_utf8_lossy(histogram.series.raw));
    let exemplars: Vec<_> = histogram.exemplars.iter().map(describe_exemplar).collect();
    if !exemplars.is_empty() {
        value["exemplars"] = json!(exemplars);
    }
    match &histogram.histogram {
        NativeHistogram::Integer(h) => {
            let hint = h.counter_reset_hint;
            let described = describe_buckets(&h.to_float(), hint);
            value["integer_histogram"] = described;
            value["integer_histogram"]["positive_buckets"] = json!(h.positive_buckets);
            value["integer_histogram"]["negative_buckets"] = json!(h.negative_buckets);
        }
        NativeHistogram::Float(h) => {
            value["float_histogram"] = describe_buckets(h, h.counter_reset_hint);
        }
    }
    value
}

fn describe_buckets(histogram: &FloatHistogram, hint: CounterResetHint) -> Value {
    let spans = |spans: &[Span]| -> Vec<Value> {
        spans.iter().map(|s| json!({ "offset": s.offset, "length": s.length })).collect()
    };
    json!({
        "counter_reset_hint": if hint == CounterResetHint::Gauge { "gauge" } else { "unknown" },
        "schema": histogram.schema,
        "zero_threshold": histogram.zero_threshold,
        "zero_count": histogram.zero_count,
        "count": histogram.count,
        "sum": histogram.sum,
        "positive_spans": spans(&histogram.positive_spans),
        "negative_spans": spans(&histogram.negative_spans),
        "positive_buckets": histogram.positive_buckets,
        "negative_buckets": histogram.negative_buckets,
        "custom_values": histogram.custom_values,
    })
}

/// Fills in what the data leaves out because it is zero or empty, and makes all numbers floats.
fn complete_histogram(described: &mut Value) {
    let mut complete = describe_buckets(&FloatHistogram::default(), CounterResetHint::Unknown);
    for (key, value) in described.as_object().unwrap() {
        complete[key] = value.clone();
    }
    for key in ["schema", "zero_threshold", "zero_count", "count", "sum"] {
        complete[key] = float(conformance::float(&complete[key]));
    }
    for key in ["positive_buckets", "negative_buckets", "custom_values"] {
        let buckets = complete[key].as_array().unwrap().iter();
        complete[key] = buckets.map(|bucket| float(conformance::float(bucket))).collect();
    }
    *described = complete;
}

/// All numbers are floats here, so that they compare.
fn float(value: f64) -> Value {
    if value.is_nan() { json!("NaN") } else { json!(value) }
}

/// Makes entries comparable: only the wanted keys, and all values floats.
fn comparable(entries: &[Value], keys: Option<&Vec<Value>>) -> Vec<Value> {
    let mut entries = entries.to_vec();
    for entry in &mut entries {
        let object = entry.as_object_mut().unwrap();
        object.retain(|key, _| keys.is_none_or(|keys| keys.contains(&json!(key))));
        for key in ["integer_histogram", "float_histogram"] {
            object.get_mut(key).into_iter().for_each(complete_histogram);
        }
        if let Some(value) = object.get_mut("value") {
            *value = float(conformance::float(value));
        }
        for exemplar in
            object.get_mut("exemplars").and_then(Value::as_array_mut).into_iter().flatten()
        {
            exemplar["value"] = float(conformance::float(&exemplar["value"]));
        }
    }
    entries
}

fn check_entries(table: &str) {
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let input = input(case);
        let choice = content_type::choose(case["content_type"].as_str().unwrap(), None);
        let parser = match choice.reader {
            Some(Reader::Text) => Parser::text(&input),
            _ => Parser::openmetrics(&input),
        };
        let parser = match case["skip_created_series"] == true {
            true => parser.with_start_timestamps(),
            false => parser,
        };
        let type_and_unit = case["type_and_unit_labels"] == true;
        let entries: Result<Vec<_>, _> = parser.collect();
        let outcome = entries.map_err(|error| error.to_string()).and_then(|entries| {
            let keys = case["compare_only"].as_array();
            let got: Vec<Value> =
                entries.into_iter().map(|entry| describe(entry, type_and_unit)).collect();
            let (got, want) =
                (comparable(&got, keys), comparable(case["entries"].as_array().unwrap(), keys));
            let differing = got.iter().zip(&want).find(|(got, want)| got != want);
            match differing {
                Some((got, want)) => Err(format!("got {got}\nwant {want}")),
                None if got.len() != want.len() => {
                    Err(format!("{} entries, want {}", got.len(), want.len()))
                }
                None => Ok(()),
            }
        });
        score.add(case["name"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
}

#[test]
fn text_entries_are_upstreams() {
    check_entries("textparse/text_format");
}

#[test]
fn openmetrics_entries_are_upstreams() {
    check_entries("textparse/openmetrics");
}

#[test]
fn content_type_chooses_the_reader() {
    let table = "textparse/content_type";
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let fallback = case["fallback_scrape_protocol"].as_str().and_then(Protocol::parse);
        let choice = content_type::choose(case["content_type"].as_str().unwrap(), fallback);
        let reader = choice.reader.map(|reader| match reader {
            Reader::Text => "text",
            Reader::OpenMetrics => "openmetrics",
            Reader::Protobuf => "protobuf",
        });
        let complaint = choice.complaint.as_deref();
        let right = reader == case["parser"].as_str()
            && match case["error_contains"].as_str() {
                Some(part) => complaint.is_some_and(|complaint| complaint.contains(part)),
                None => complaint.is_none(),
            };
        let outcome = if right { Ok(()) } else { Err(format!("{reader:?}, {complaint:?}")) };
        score.add(case["name"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
}

#[test]
fn response_format_is_known_or_not() {
    let table = "common/response_format";
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let text = case["content_type"].as_str().unwrap();
        let got = match content_type::known(text) {
            Some(Reader::Text) => "text",
            Some(Reader::Protobuf) => "protobuf delimited",
            _ => "unknown",
        };
        let outcome = if got == case["format"] { Ok(()) } else { Err(got.to_owned()) };
        score.add(text, outcome);
    }
    score.finish(&[]);
}

#[test]
fn protobuf_entries_are_upstreams() {
    let table = "textparse/protobuf";
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let name = format!("{idx} {}", case["name"].as_str().unwrap());
        score.add(name, check_protobuf(case));
    }
    score.finish(&[]);
}

fn check_protobuf(case: &Value) -> Result<(), String> {
    let body = match case["input_file"].as_str() {
        Some(file) => {
            let path = conformance::path(&format!("prometheus/textparse/{file}")).unwrap();
            runtime_free_read(&path)
        }
        None => input(case),
    };
    let options = protobuf::Options {
        native_histograms: case["ignore_native_histograms"] != true,
        classic_histograms: case["keep_classic_histograms"] == true,
    };
    let type_and_unit = case["type_and_unit_labels"] == true;
    let mut got = Vec::new();
    let mut take = |entry: Entry<'_>| {
        let mut described = describe(entry, type_and_unit);
        // There is no text in this format.
        described.as_object_mut().unwrap().remove("text");
        got.push(described);
        Ok(())
    };
    let mut converter = Converter::new(options.classic_histograms);
    let read = match case["convert_classic_to_nhcb"] == true {
        true => protobuf::read::<crate::Error>(&body, options, |e| converter.take(e, &mut take))
            .and_then(|()| converter.end(&mut take)),
        false => protobuf::read::<crate::Error>(&body, options, &mut take),
    };
    if case["must_not_panic"] == true {
        return Ok(());
    }
    let error = read.err().map(|error| error.to_string());
    match (&error, case["error_contains"].as_str()) {
        (Some(error), Some(part)) if error.contains(part) => return Ok(()),
        (None, None) => {}
        _ => return Err(format!("{error:?}")),
    }
    compare(&got, case["entries"].as_array().unwrap(), None)
}

/// Says what differs first.
fn compare(got: &[Value], want: &[Value], keys: Option<&Vec<Value>>) -> Result<(), String> {
    let (got, want) = (comparable(got, keys), comparable(want, keys));
    match got.iter().zip(&want).find(|(got, want)| got != want) {
        Some((got, want)) => Err(format!("got {got}\nwant {want}")),
        None if got.len() != want.len() => {
            Err(format!("{} entries, want {}", got.len(), want.len()))
        }
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "test data is read from the real disk")]
fn runtime_free_read(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).expect("the file was found")
}

/// Bodies of real targets are read to their end.
#[test]
fn real_bodies_are_read() {
    for file in [
        "1histogram.om.txt",
        "alltypes.5mfs.om.txt",
        "alltypes.237mfs.prom.txt",
        "alltypes.237mfs.nometa.prom.txt",
    ] {
        let path = format!("prometheus/textparse/testdata/{file}");
        let Some(body) = conformance::text(&path) else { return };
        // Some of these files lack the line that real answers end with.
        let openmetrics =
            format!("{}\n# EOF\n", body.trim_end().trim_end_matches("# EOF").trim_end());
        let parser = match file.contains(".om.") {
            true => Parser::openmetrics(openmetrics.as_bytes()),
            false => Parser::text(body.as_bytes()),
        };
        let mut n_read = 0;
        for entry in parser {
            if let Entry::Series(series) = entry.unwrap_or_else(|error| panic!("{file}: {error}")) {
                series.labels().unwrap_or_else(|error| panic!("{file}: {error}"));
                n_read += 1;
            }
        }
        let n_lines =
            body.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(n_read, n_lines, "{file}");
    }
}

#[test]
fn classic_histograms_become_native_ones() {
    let table = "textparse/nhcb";
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let name = format!("{idx} {}", case["name"].as_str().unwrap());
        score.add(name, check_nhcb(case));
    }
    score.finish(&[]);
}

fn check_nhcb(case: &Value) -> Result<(), String> {
    let body = input(case);
    let keeps_classic = case["keep_classic_histograms"] == true;
    let reader = content_type::choose(case["content_type"].as_str().unwrap(), None).reader;
    let has_text = reader != Some(Reader::Protobuf);
    let mut got = Vec::new();
    let mut take = |entry: Entry<'_>| {
        let mut described = describe(entry, false);
        if !has_text {
            described.as_object_mut().unwrap().remove("text");
        }
        got.push(described);
        Ok::<(), crate::Error>(())
    };
    let converts = case["convert_classic_to_nhcb"] == true;
    let mut converter = Converter::new(keeps_classic);
    let mut pass = |entry: Entry<'_>| match converts {
        true => converter.take(entry, &mut take),
        false => take(entry),
    };
    let read = match reader {
        Some(Reader::Protobuf) => {
            let options =
                protobuf::Options { native_histograms: true, classic_histograms: keeps_classic };
            protobuf::read(&body, options, pass)
        }
        Some(Reader::Text) => Parser::text(&body).try_for_each(|entry| pass(entry?)),
        _ => {
            let mut parser = Parser::openmetrics(&body);
            if case["skip_created_series"] == true {
                parser = parser.with_start_timestamps();
            }
            parser.try_for_each(|entry| pass(entry?))
        }
    };
    read.and_then(|()| converter.end(&mut take)).map_err(|error| error.to_string())?;
    if let Some(first) = case["entries_prefix"].as_array() {
        let kinds: Vec<&Value> = got.iter().map(|entry| &entry["kind"]).collect();
        let wanted: Vec<&Value> = first.iter().map(|entry| &entry["kind"]).collect();
        return if kinds.starts_with(&wanted) { Ok(()) } else { Err(format!("{kinds:?}")) };
    }
    compare(&got, case["entries"].as_array().unwrap(), None)
}
