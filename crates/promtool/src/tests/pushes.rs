//! Commands that send and collect: `push metrics`, `debug`, `query analyze`.

use conformance::Score;
use model::Timestamp;
use runtime::Runtime;
use serde_json::Value;

use super::{
    requests::{Asked, SERVER, with_server},
    world::{FOLDER, promtool},
};
use crate::{push, query::analyze};

#[tokio::test]
async fn metrics_are_pushed_as_upstream_does() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/push_metrics.json")) else { return };
    let mut score = Score::new("promtool/push_metrics");
    for case in &table.cases {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let (job, message) = (text("job_label"), text("protobuf_message"));
        let args = [
            "push",
            "metrics",
            &format!("--label=job={job}"),
            &format!("--protobuf_message={message}"),
            SERVER,
        ];
        let (found, asked) =
            with_server(&args, &text("metrics"), |_| (204, String::new()), None).await;
        let content_type = text("content_type_contains");
        let is_right = case["exit_code"] == found.exit_code
            && asked.is_empty() == (case["request_sent"] == false)
            && asked.iter().all(|asked| {
                asked.path == "/api/v1/write"
                    && asked.headers["content-type"].to_str().unwrap().contains(&content_type)
            });
        let outcome = if is_right { Ok(()) } else { Err(format!("{found:?} {asked:?}")) };
        score.add(text("name"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn texts_become_series_and_metadata() {
    let file = "prometheus/util/metrics_text_to_write_request.json";
    let Some(table) = conformance::cases(file) else { return };
    let mut score = Score::new("util/metrics_text_to_write_request");
    for (idx, case) in table.cases.iter().enumerate() {
        // The parser of scrapes takes no blanks before a line.
        let text: Vec<&str> = case["text"].as_str().unwrap().lines().map(str::trim).collect();
        let text = text.join("\n") + "\n";
        let extra = [("job".to_owned(), "promtool".to_owned())];
        let parsed = push::parse(text.as_bytes(), &extra, Timestamp::default());
        let outcome = match (&case["error"], parsed) {
            (Value::String(error), Err(found)) if *error == found.to_string() => Ok(()),
            (Value::Null, Ok(pushed)) if is_same(case, &pushed) => Ok(()),
            (_, found) => Err(format!("{found:?}")),
        };
        score.add(idx.to_string(), outcome);
    }
    score.finish(&[
        ("1", "refused, but in the words of the parser of scrapes"),
        ("2", "the parser of scrapes knows info, which is more than upstream's for pushing"),
    ]);
}

fn is_same(case: &Value, pushed: &push::Pushed) -> bool {
    let series = pushed.samples.iter().map(|(labels, time, value)| {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let sample = serde_json::json!({"value": value, "timestamp_ms": time.as_millis()});
        (Value::from(labels), sample)
    });
    let wanted = case["series"].as_array().unwrap();
    let same_series = series.clone().count() == wanted.len()
        && series.zip(wanted).all(|((labels, sample), wanted)| {
            let (a, b) = (&sample, &wanted["samples"][0]);
            labels == wanted["labels"]
                && a["timestamp_ms"] == b["timestamp_ms"]
                && a["value"].as_f64() == b["value"].as_f64()
        });
    let metadata = pushed.metadata.iter().map(|(family, metadata)| {
        let kind = metadata.kind.as_str().to_uppercase();
        serde_json::json!({"family": family, "type": kind, "help": metadata.help})
    });
    same_series && metadata.collect::<Vec<_>>() == *case["metadata"].as_array().unwrap()
}

/// The messages byte by byte, as the fields are numbered upstream.
#[tokio::test]
async fn messages_are_protobuf() {
    for (message, expected) in [
        (
            "prometheus.WriteRequest",
            b"\x0a\x26\x0a\x0d\x0a\x08__name__\x12\x01a\x0a\x08\x0a\x03job\x12\x01b\
              \x12\x0b\x09\0\0\0\0\0\0\x08@\x10\x04\x1a\x08\x08\x02\x12\x01a\x22\x01h"
                .as_slice(),
        ),
        (
            "io.prometheus.write.v2.Request",
            b"\x22\0\x22\x08__name__\x22\x01a\x22\x03job\x22\x01b\x22\x01h\
              \x2a\x19\x0a\x04\x01\x02\x03\x04\x12\x0b\x09\0\0\0\0\0\0\x08@\x10\x04\
              \x2a\x04\x08\x02\x18\x05",
        ),
    ] {
        let protocol = format!("--protobuf_message={message}");
        let args = ["push", "metrics", "--label=job=b", &protocol, SERVER];
        let text = "# HELP a h\n# TYPE a gauge\na 3 4\n";
        let (found, asked) = with_server(&args, text, |_| (200, String::new()), None).await;
        assert_eq!(found.exit_code, 0, "{found:?}");
        let body = snap::raw::Decoder::new().decompress_vec(&asked[0].body).unwrap();
        assert_eq!(body, expected, "{message}");
    }
}

#[tokio::test]
async fn refused_metrics_are_a_failure() {
    let answer = |_: &Asked| (400, "out of order".to_owned());
    let (found, _) = with_server(&["push", "metrics", SERVER], "a 1\n", answer, None).await;
    let expected = "  FAILED: server returned HTTP status 400 Bad Request: out of order\n";
    assert_eq!((found.stderr.as_str(), found.exit_code), (expected, 1));
}

#[tokio::test]
async fn debug_information_is_packed() {
    let disk = Runtime::simulated(1).disk;
    let answer = |_: &Asked| (200, "up 1\n".to_owned());
    let (found, asked) =
        with_server(&["debug", "metrics", SERVER], "", answer, Some(disk.clone())).await;
    assert_eq!(
        found.stdout,
        "collecting: http://prometheus:9090/metrics\n\
         Compiling debug information complete, all files written in \"debug.tar.gz\".\n"
    );
    assert_eq!(asked[0].path, "/metrics");
    let packed = disk.read("debug.tar.gz".as_ref()).unwrap();
    let mut tar = Vec::new();
    stdx::capped::gunzip(&packed, 1 << 20, &mut tar).unwrap();
    assert_eq!(
        (&tar[..11], &tar[512..517], tar.len()),
        (&b"metrics.txt"[..], &b"up 1\n"[..], 2048)
    );
    // A server without profiles says so.
    let answer = |_: &Asked| (404, String::new());
    let (found, _) = with_server(&["debug", "pprof", SERVER], "", answer, None).await;
    assert_eq!(found.exit_code, 1);
    assert!(found.stderr.starts_with("error completing debug command: get "), "{found:?}");
}

#[test]
fn buckets_in_use_are_counted() {
    let file = format!("{FOLDER}/analyze_histogram.json");
    let Some(table) = conformance::cases(&file) else { return };
    let mut score = Score::new("promtool/analyze_histogram");
    for (idx, case) in table.cases.iter().enumerate() {
        let series: Vec<Value> = case["matrix"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| serde_json::json!({"metric": it["labels"], "values": it["values"]}))
            .collect();
        let counts = analyze::bucket_counts(&series.iter().collect::<Vec<_>>());
        let usage = analyze::usage(&counts, series.len()).unwrap();
        let wanted = &case["statistics"];
        let is_right = case["bucket_counts_by_time_index"] == serde_json::json!(counts)
            && wanted["min_populated"] == usage.min
            && wanted["avg_populated"].as_f64() == Some(usage.average)
            && wanted["max_populated"] == usage.max
            && wanted["total"] == usage.total;
        let outcome = if is_right { Ok(()) } else { Err(format!("{counts:?} {usage:?}")) };
        score.add(idx.to_string(), outcome);
    }
    score.finish(&[]);
}

#[tokio::test]
async fn only_histograms_are_analyzed() {
    let server = format!("--server={SERVER}");
    let args = ["query", "analyze", &server, "--type=gauge", "--match=up"];
    let found = promtool(Runtime::simulated(1), &args, "").await;
    let expected = "analyze type is gauge, must be 'histogram'\n";
    assert_eq!((found.stderr.as_str(), found.exit_code), (expected, 1));
}

#[tokio::test]
async fn histograms_in_use_are_shown() {
    let bucket = |le: &str, values: &str| {
        format!(r#"{{"metric":{{"__name__":"h_bucket","a":"b","le":"{le}"}},"values":[{values}]}}"#)
    };
    let series = [
        bucket("+Inf", r#"[1,"3"],[2,"4"]"#),
        bucket("1", r#"[1,"3"],[2,"3"]"#),
        bucket("0.5", r#"[1,"0"],[2,"0"]"#),
    ];
    let data = format!(r#"{{"resultType":"matrix","result":[{}]}}"#, series.join(","));
    let body = format!(r#"{{"status":"success","data":{data}}}"#);
    let answer = move |_: &Asked| (200, body.clone());
    let server = format!("--server={SERVER}");
    let args = ["query", "analyze", &server, "--type=histogram", "--match=h_bucket"];
    let (found, _) = with_server(&args, "", answer, None).await;
    assert!(found.stdout.contains("\n- h_bucket{a=\"b\"} (classic): 1/1.500/2/3\n"), "{found:?}");
    let summary = "Classic histogram series (1 in total):\n- min populated: 1/1.000/1\n\
                   - avg populated: 1/1.000/1\n- max populated: 2/2.000/2\n- total: 3/3.000/3\n";
    assert!(found.stdout.ends_with(summary), "{found:?}");
}
