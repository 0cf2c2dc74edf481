//! Upstream's tables of remote read.

use std::{sync::Arc, time::Duration};

use base64::Engine as _;
use conformance::{Score, bytes, cases, float};
use http::StatusCode;
use model::{FloatHistogram, Labels, MatchKind, Matcher, TimeRange, Timestamp, histogram::Span};
use serde_json::Value as Json;
use stdx::cursor::Cursor;
use storage::{Columns, MemoryStorage, SelectHints, pack};
use telemetry::Registry;

use super::super::{
    Answer, Config, Options, Server,
    frames::{push_frame, take_frame},
    remote::understand,
    request::{BadRequest, Query, ResponseType, choose},
    response::{chunked, write_series},
};
use crate::{labels::RawLabels, tests::world::compress, wire::Fields, write::Writer};

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, want {want:?}")) }
}

fn labels(json: &Json) -> Labels {
    let pairs = json.as_object().expect("labels").iter();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().expect("a text"))))
}

fn matchers(json: &Json) -> Vec<Matcher> {
    let matcher = |json: &Json| {
        let kind = match json["type"].as_str() {
            Some("=") => MatchKind::Equal,
            Some("!=") => MatchKind::NotEqual,
            Some("=~") => MatchKind::Regex,
            _ => MatchKind::NotRegex,
        };
        let text = |key: &str| json[key].as_str().expect("a text").to_owned();
        Matcher::new(kind, text("name"), text("value")).expect("a good matcher")
    };
    json.as_array().into_iter().flatten().map(matcher).collect()
}

fn range(json: &Json) -> TimeRange {
    let time = |key: &str| json[key].as_i64().expect("a time");
    TimeRange::from_millis(time("start_ms"), time("end_ms"))
}

fn config(external_labels: Labels) -> Config {
    Config {
        name: String::new(),
        url: "http://store/read".parse().expect("it is a URL"),
        timeout: Duration::from_secs(60),
        http: transport::client::Config::default(),
        frame_bytes_max: 50_000_000,
        required_matchers: Labels::empty(),
        read_recent: true,
        filter_external_labels: true,
        external_labels,
        user_agent: String::new(),
    }
}

#[test]
fn the_first_known_response_type_is_chosen() {
    let table = "prometheus/remote/response_type.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in cases.cases.iter().enumerate() {
        let number = |json: &Json| match json.as_str() {
            Some("SAMPLES") => 0,
            Some(_) => 1,
            None => json.as_u64().expect("a number"),
        };
        let accepted: Vec<u64> =
            case["accepted"].as_array().expect("a list").iter().map(number).collect();
        let got = choose(&accepted).map_err(|error: BadRequest| error.to_string());
        let want = match (case["chosen"].as_str(), case["error"].as_str()) {
            (Some("SAMPLES"), _) => Ok(ResponseType::Samples),
            (Some(_), _) => Ok(ResponseType::StreamedXorChunks),
            (None, error) => Err(error.expect("an error").to_owned()),
        };
        score.add(format!("{idx}"), same("type", got, want));
    }
    score.finish(&[]);
}

#[test]
fn frames_hold_messages() {
    let table = "prometheus/remote/chunked_frames.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let stream = case["stream"].as_str().expect("base64");
        let stream = base64::engine::general_purpose::STANDARD.decode(stream).expect("base64");
        let mut outcome = Ok(());
        if let Some(written) = case["written"].as_array() {
            let mut out = Vec::new();
            written.iter().for_each(|message| push_frame(&mut out, &bytes(message)));
            // Of a message that is too large the table has the beginning.
            outcome = same("stream", out.starts_with(&stream), true);
        }
        let limit = case["size_limit"].as_u64().expect("a number");
        let mut cursor = Cursor::new(&stream);
        let mut read = Vec::new();
        let error = loop {
            match take_frame(&mut cursor, limit) {
                Ok(Some(message)) => read.push(message.to_vec()),
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        let want: Vec<Vec<u8>> =
            case["read"].as_array().expect("a list").iter().map(bytes).collect();
        let outcome = outcome
            .and_then(|()| same("read", read, want))
            .and_then(|()| same("error", error.as_deref(), case["error"].as_str()));
        score.add(case["name"].as_str().expect("a name"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn external_labels_are_asked_for() {
    let table = "prometheus/remote/external_labels_read.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in cases.cases.iter().enumerate() {
        let config = config(labels(&case["external_labels"]));
        let all = TimeRange::ALL;
        let asked = config.query(all, &SelectHints::new(all), &matchers(&case["matchers"]));
        let (query, added) = asked.expect("nothing is required");
        let sort = |mut matchers: Vec<Matcher>| {
            matchers.sort_by(|a, b| a.name.cmp(&b.name));
            matchers
        };
        let added = Json::from(added);
        let outcome =
            same("matchers", sort(query.matchers), sort(matchers(&case["sent_matchers"])))
                .and_then(|()| same("added", &added, &case["added"]));
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[]);
}

/// The part up to what is sent, and what is made of the answer; the network is not in it.
#[test]
fn queries_are_sent_where_they_belong() {
    let table = "prometheus/remote/read_query.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        let required = matchers(&case["required_matchers"]);
        let config = Config {
            required_matchers: Labels::from_pairs(required.iter().map(|m| (&m.name, &m.value))),
            read_recent: case["read_recent"].as_bool().expect("a bool"),
            ..config(labels(&case["external_labels"]))
        };
        let local_start = case["local_storage_start_ms"].as_i64().map(Timestamp::from_millis);
        let asked = config.range_to_ask(range(case), || local_start).and_then(|range| {
            config.query(range, &SelectHints::new(range), &matchers(&case["matchers"]))
        });
        let sent = &case["sent_query"];
        let want = (!sent.is_null()).then(|| (range(sent), matchers(&sent["matchers"])));
        let got = asked.as_ref().map(|(query, _)| (query.range, query.matchers.clone()));
        let outcome = same("query", got, want).and_then(|()| {
            let series = asked.map(|(query, added)| answer(&query, &added)).unwrap_or_default();
            let want = case["series"].as_array().expect("a list").iter().map(labels);
            same("series", series, want.collect())
        });
        score.add(case["name"].as_str().expect("a name"), outcome);
    }
    score.finish(&[]);
}

/// What the table's server has, without the labels that were added.
fn answer(query: &Query, added: &[&str]) -> Vec<Labels> {
    let series = [
        Labels::from_pairs([("a", "b")]),
        Labels::from_pairs([("a", "b3"), ("region", "us")]),
        Labels::from_pairs([("a", "b2"), ("region", "europe")]),
    ];
    let matches = |labels: &Labels| {
        query
            .matchers
            .iter()
            .all(|matcher| labels.get(&matcher.name).is_none_or(|value| matcher.matches(value)))
    };
    let mut found: Vec<Labels> = series
        .into_iter()
        .filter(matches)
        .map(|labels| labels.filter(|name| !added.contains(&name)))
        .collect();
    found.sort();
    found
}

/// `1@0 2@5`
fn columns(samples: &[(i64, f64)]) -> Columns {
    let mut columns = Columns::default();
    samples.iter().for_each(|(time, value)| columns.push(*time, *value));
    columns
}

#[test]
fn answers_are_understood() {
    let table = "prometheus/remote/read_client.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        score.add(case["name"].as_str().expect("a name"), check_client(case));
    }
    score.finish(&[("timeout", "no clock is in this test; the texts are those of the client")]);
}

fn check_client(case: &Json) -> Result<(), String> {
    if case.get("timeout_ms").is_some() {
        return Err("not tried".to_owned());
    }
    let sampled = "application/x-protobuf";
    let streamed = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
    let (status, content_type, body) = match case["response"].as_str() {
        Some("samples") => {
            let mut result = Vec::new();
            let mut out = Writer(&mut result);
            out.message(1, |out| {
                for (name, samples) in
                    [("foo2", [(0, 1.0), (5, 2.0)]), ("foo1", [(0, 3.0), (5, 4.0)])]
                {
                    let labels = Labels::from_pairs([(name, "bar")]);
                    write_series(&labels, &columns(&samples), out);
                }
            });
            (200, sampled, compress(&result))
        }
        Some(_) => {
            let mut stream = Vec::new();
            for idx in 0..3_i64 {
                let samples: Vec<(i64, f64)> =
                    (0..5).map(|at| ((5 * idx + at) * 1000, (idx + at) as f64)).collect();
                let labels = Labels::from_pairs([("foo", "bar")]);
                let chunks = pack(&columns(&samples));
                push_frame(&mut stream, &chunked(&labels, &chunks, idx as usize));
            }
            (200, streamed, stream)
        }
        None => {
            let response = &case["response"];
            let body = response["body"].as_str().unwrap_or_default().as_bytes().to_vec();
            let content_type = response["content_type"].as_str().unwrap_or_default();
            (response["status"].as_u64().expect("a status"), content_type, body)
        }
    };
    let status = StatusCode::from_u16(status as u16).expect("it is valid");
    let answer = understand(&config(Labels::empty()), status, content_type, &body);
    if let Some(part) = case["error_contains"].as_str() {
        let error = answer.err().unwrap_or_default();
        return same("error", error.contains(part), true);
    }
    let mut got = answer?;
    if case["sort"] == true {
        got.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    for (_, columns) in &mut got {
        if case["query"].is_object() {
            columns.cut(storage::Mark::default(), range(&case["query"]));
        }
    }
    let want: Vec<(Labels, Columns)> = case["series"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|series| (labels(&series["labels"]), samples(&series["samples"])))
        .collect();
    same("series", got, want)
}

fn samples(json: &Json) -> Columns {
    let mut columns = Columns::default();
    for sample in json.as_array().into_iter().flatten() {
        columns.push(sample["timestamp"].as_i64().expect("a time"), float(&sample["value"]));
    }
    columns
}

fn histogram(json: &Json) -> FloatHistogram {
    let number = |key: &str| json[key].as_f64().unwrap_or_default();
    let numbers = |key: &str| -> Vec<f64> {
        json[key].as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
    };
    let spans = |key: &str| -> Vec<Span> {
        let span = |span: &Json| Span {
            offset: span["offset"].as_i64().unwrap_or_default() as i32,
            length: span["length"].as_u64().unwrap_or_default() as u32,
        };
        json[key].as_array().into_iter().flatten().map(span).collect()
    };
    FloatHistogram {
        counter_reset_hint: Default::default(),
        schema: json["schema"].as_i64().unwrap_or_default() as i32,
        zero_threshold: number("zero_threshold"),
        zero_count: number("zero_count"),
        count: number("count"),
        sum: number("sum"),
        positive_spans: spans("positive_spans"),
        negative_spans: spans("negative_spans"),
        positive_buckets: numbers("positive_buckets"),
        negative_buckets: numbers("negative_buckets"),
        custom_values: numbers("custom_values"),
    }
}

/// The store of a case of the endpoint's table.
fn store(case: &Json) -> MemoryStorage {
    let storage = MemoryStorage::default();
    for line in case["load"].as_str().expect("a text").lines().skip(1) {
        // `name{foo="bar",baz="qux"} 0+100x119`: the only notation that the table has.
        let (series, values) = line.trim().split_once(' ').expect("a series and values");
        let (name, rest) = series.split_once('{').expect("labels");
        let pairs = rest.trim_end_matches('}').split(',').map(|pair| {
            let (name, value) = pair.split_once('=').expect("a label");
            (name.to_owned(), value.trim_matches('"').to_owned())
        });
        let name = ("__name__".to_owned(), name.to_owned());
        let labels = Labels::from_pairs(pairs.chain([name]));
        let (first, step, n_more) = match values.split_once('+') {
            Some((first, rest)) => {
                let (step, n_more) = rest.split_once('x').expect("a repetition");
                (first, step.parse().expect("a number"), n_more.parse().expect("a number"))
            }
            None => (values, 0.0, 0),
        };
        let first: f64 = first.parse().expect("a number");
        let mut columns = Columns::default();
        for idx in 0..=n_more {
            columns.push(i64::from(idx) * 60_000, first + step * f64::from(idx));
        }
        storage.insert(labels, columns);
    }
    let n_histograms = case["histograms_per_series"].as_u64().expect("a number") as usize;
    let all = cases("prometheus/tsdb/test_float_histograms.json").expect("it lies beside");
    for (name, kind) in
        [("test_histogram_metric1", "exponential"), ("test_nhcb_metric1", "custom_buckets")]
    {
        let mut columns = Columns::default();
        for (idx, json) in
            histograms(&all.whole, &all.cases, kind).iter().take(n_histograms).enumerate()
        {
            columns.histogram_times.push(idx as i64 * 60_000);
            columns.histograms.push(Arc::new(histogram(json)));
        }
        storage.insert(Labels::from_pairs([("__name__", name), ("baz", "qux")]), columns);
    }
    storage
}

fn histograms(whole: &Json, cases: &[Json], kind: &str) -> Vec<Json> {
    match whole[kind].as_array() {
        Some(list) => list.clone(),
        None => cases
            .iter()
            .filter(|case| case["kind"] == kind || case.get(kind).is_some())
            .map(|case| case.get(kind).or(case.get("histogram")).unwrap_or(case).clone())
            .collect(),
    }
}

#[test]
fn queries_of_others_are_answered() {
    let table = "prometheus/remote/read_endpoint.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    for case in &cases.cases {
        score.add(case["name"].as_str().expect("a name"), check_endpoint(case));
    }
    score.finish(&[]);
}

fn check_endpoint(case: &Json) -> Result<(), String> {
    let external = labels(&case["external_labels"]);
    let options = Options {
        samples_max: 1_000_000,
        concurrency_max: 1,
        frame_bytes_max: case["max_bytes_in_frame"].as_u64().unwrap_or(1 << 20) as usize,
    };
    let server = Server::new(
        Arc::new(store(case)),
        options,
        Arc::new(move || external.clone()),
        &Registry::default(),
    );
    let mut request = Vec::new();
    let mut out = Writer(&mut request);
    for query in case["queries"].as_array().expect("a list") {
        let hints = SelectHints::new(range(query));
        let query = Query {
            range: range(query),
            matchers: matchers(&query["matchers"]),
            hints: Some(hints),
        };
        // The first field of a request is the query.
        let bytes = query.to_request();
        let mut fields = Fields::new(&bytes);
        let field = fields.next().expect("well-formed").expect("a query");
        out.bytes_always(1, field.bytes().expect("a message"));
    }
    if !case["accepted_response_types"].as_array().expect("a list").is_empty() {
        out.number_always(2, 1);
    }
    match server.read(&compress(&request)).map_err(|error| error.to_string())? {
        Answer::Samples(block) => check_sampled(case, &block),
        Answer::Stream(stream) => {
            let mut bytes = Vec::new();
            let mut send = |frame: Vec<u8>| {
                bytes.extend(frame);
                true
            };
            stream.run(&mut send).map_err(|error| error.to_string())?;
            check_streamed(case, &bytes)
        }
    }
}

fn check_sampled(case: &Json, block: &[u8]) -> Result<(), String> {
    let answer = understand(
        &config(Labels::empty()),
        StatusCode::OK,
        case["content_type"].as_str().expect("a text"),
        block,
    )?;
    let want = case["results"].as_array().expect("a list").iter().map(|result| {
        let mut columns = samples(&result["samples"]);
        for json in result["histograms"].as_array().into_iter().flatten() {
            columns.histogram_times.push(json["timestamp"].as_i64().expect("a time"));
            columns.histograms.push(Arc::new(histogram(json)));
        }
        (labels(&result["labels"]), columns)
    });
    same("series", answer, want.collect())
}

fn check_streamed(case: &Json, stream: &[u8]) -> Result<(), String> {
    let mut stream = Cursor::new(stream);
    let mut got = Vec::new();
    while let Some(message) = take_frame(&mut stream, 1 << 20).map_err(|error| error.to_string())? {
        got.push(frame(message));
    }
    let want: Vec<Json> = case["frames"].as_array().expect("a list").clone();
    same("frames", got.len(), want.len())?;
    for (idx, (got, want)) in got.iter().zip(&want).enumerate() {
        same(&format!("frame {idx}"), got, want)?;
    }
    Ok(())
}

/// A frame in the table's notation.
fn frame(message: &[u8]) -> Json {
    let (mut query_idx, mut labels, mut chunks) = (0, RawLabels::default(), Vec::new());
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next().expect("well-formed") {
        if field.number == 2 {
            query_idx = field.number().expect("a number");
            continue;
        }
        let mut series = Fields::new(field.bytes().expect("a message"));
        while let Some(field) = series.next().expect("well-formed") {
            let bytes = field.bytes().expect("a message");
            match field.number {
                1 => super::super::request::push_label(&mut labels, bytes).expect("a label"),
                _ => chunks.push(chunk(bytes)),
            }
        }
    }
    let labels: serde_json::Map<String, Json> =
        labels.to_set().iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
    serde_json::json!({"query_index": query_idx, "labels": labels, "chunks": chunks})
}

fn chunk(bytes: &[u8]) -> Json {
    let (mut times, mut encoding, mut data) = ([0, 0], 0, Vec::new());
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next().expect("well-formed") {
        match field.number {
            1 | 2 => times[field.number as usize - 1] = field.number().expect("a number"),
            3 => encoding = field.number().expect("a number"),
            _ => data = field.bytes().expect("bytes").to_vec(),
        }
    }
    let kind = ["UNKNOWN", "XOR", "HISTOGRAM", "FLOAT_HISTOGRAM"][encoding as usize];
    let data = base64::engine::general_purpose::STANDARD.encode(data);
    serde_json::json!({"type": kind, "min_time_ms": times[0], "max_time_ms": times[1], "data": data})
}

/// Chunks of others come in any order.
#[test]
fn samples_of_others_are_sorted() {
    let chunks: Vec<storage::PackedChunk> = [[(10, 1.0), (20, 2.0)], [(5, 3.0), (10, 4.0)]]
        .iter()
        .flat_map(|s| pack(&columns(s)))
        .collect();
    let mut stream = Vec::new();
    push_frame(&mut stream, &chunked(&Labels::from_pairs([("a", "b")]), &chunks, 0));
    let content_type = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
    let answer = understand(&config(Labels::empty()), StatusCode::OK, content_type, &stream);
    let (_, got) = &answer.expect("it is well-formed")[0];
    assert_eq!(*got, columns(&[(5, 3.0), (10, 1.0), (20, 2.0)]));
}

#[test]
fn labels_of_the_series_win() {
    let table = "prometheus/remote/merge_labels.json";
    let Some(cases) = cases(table) else { return };
    let mut score = Score::new(table);
    let set = |json: &Json| {
        let pairs = json.as_array().expect("a list").iter();
        Labels::from_pairs(pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())))
    };
    for (idx, case) in cases.cases.iter().enumerate() {
        let got = super::super::server::merge(&set(&case["primary"]), &set(&case["secondary"]));
        score.add(format!("{idx}"), same("labels", got, set(&case["merged"])));
    }
    score.finish(&[]);
}
