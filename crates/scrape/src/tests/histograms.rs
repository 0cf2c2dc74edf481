//! What becomes of histograms.

use conformance::Score;
use model::{
    Labels, TargetGroup,
    histogram::{Histogram, Span},
};
use prost::Message as _;
use proto::metrics::{Bucket, BucketSpan, Metric, MetricFamily, MetricType};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use storage::HistogramValue;

use super::world::{Answer, World, expect, job, text, typed};
use crate::{
    Config,
    ingest::{Limits, schema_of_factor},
};

const PROTOBUF: &str = "application/vnd.google.protobuf; \
                        proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// A histogram `h` with five observations, in both forms.
fn both() -> proto::metrics::Histogram {
    proto::metrics::Histogram {
        sample_count: 5,
        sample_sum: 12.0,
        bucket: vec![Bucket { cumulative_count: 3, upper_bound: 2.0, ..Bucket::default() }],
        schema: 1,
        zero_threshold: 0.001,
        zero_count: 1,
        positive_span: vec![BucketSpan { offset: 0, length: 3 }],
        positive_delta: vec![1, 0, 1],
        ..Default::default()
    }
}

fn protobuf(histogram: proto::metrics::Histogram) -> Answer {
    let family = MetricFamily {
        name: "h".to_owned(),
        r#type: MetricType::Histogram.into(),
        metric: vec![Metric { histogram: Some(histogram), ..Metric::default() }],
        ..MetricFamily::default()
    };
    typed(PROTOBUF, family.encode_length_delimited_to_vec())
}

fn native() -> Config {
    Config { scrape_native_histograms: true, ..job() }
}

/// What is stored of one scrape of `answer`, without the target's labels.
async fn check(config: Config, answer: Answer, expected: &str) -> World {
    let world = World::scraping(config, answer).await;
    world.run_for(10).await;
    let labels = r#", instance="host:80", job="job""#;
    expect(&world.samples().replace(labels, ""), expected);
    world
}

const CLASSIC: &str = r#"
    {__name__="h_bucket", le="+Inf"} 5
    {__name__="h_bucket", le="2.0"} 3
    {__name__="h_count"} 5
    {__name__="h_sum"} 12
"#;
const NATIVE: &str = r#"{__name__="h"} h:{count:5, sum:12, [-0.001,0.001]:1, (0.7071067811865475,1]:1, (1,1.414213562373095]:1, (1.414213562373095,2]:2}"#;
const CUSTOM: &str = r#"{__name__="h"} h:{count:5, sum:12, [-Inf,2]:3, (2,+Inf]:2}"#;

#[tokio::test]
async fn each_form_is_stored_if_it_is_wanted() {
    let both_forms = || protobuf(both());
    check(job(), both_forms(), CLASSIC).await;
    check(native(), both_forms(), NATIVE).await;
    let config = Config { always_scrape_classic_histograms: true, ..native() };
    let world = check(config, both_forms(), &format!("{NATIVE}\n{}", CLASSIC.trim())).await;
    assert_eq!(world.last("scrape_samples_scraped"), 5.0);
    assert_eq!(world.last("scrape_samples_post_metric_relabeling"), 5.0);
    assert_eq!(world.last("scrape_series_added"), 5.0);
}

#[tokio::test]
async fn classic_histograms_become_ones_with_custom_buckets() {
    let config = Config { convert_classic_histograms_to_nhcb: true, ..job() };
    check(config.clone(), protobuf(both()), CUSTOM).await;
    let body =
        "# TYPE h histogram\nh_bucket{le=\"2\"} 3\nh_bucket{le=\"+Inf\"} 5\nh_sum 12\nh_count 5\n";
    check(config.clone(), text(body), CUSTOM).await;
    // One with a native form is not converted.
    let config = Config { scrape_native_histograms: true, ..config };
    check(config.clone(), protobuf(both()), NATIVE).await;
    let config = Config { scrape_native_histograms: false, ..config };
    let config = Config { always_scrape_classic_histograms: true, ..config };
    let sorted = format!("{CUSTOM}\n{}", CLASSIC.trim());
    check(config, text(body), &sorted).await;
}

#[tokio::test]
async fn labels_of_the_target_say_what_is_wanted() {
    let world = World::new();
    world.serve("host", protobuf(both())).await;
    world.apply(vec![job()]);
    let labels = [("__address__", "host:80"), ("__scrape_native_histograms__", "true")];
    let group = TargetGroup { targets: vec![Labels::from_pairs(labels)], ..TargetGroup::default() };
    world.manager.set_targets(&BTreeMap::from([("job".to_owned(), vec![Arc::new(group)])]));
    world.run_for(10).await;
    assert!(world.samples().contains("h:{count:5"), "{}", world.samples());
}

#[tokio::test]
async fn a_histogram_that_vanished_ends_as_one() {
    let world = World::scraping(native(), protobuf(both())).await;
    world.run_for(20).await;
    world.answer("host", typed(PROTOBUF, ""));
    world.run_for(10).await;
    let stored = world.samples();
    assert!(stored.trim().ends_with("h:stale") && stored.matches("h:{").count() == 2, "{stored}");
    world.answer("host", protobuf(both()));
    world.run_for(10).await;
    world.answer("host", Answer::Silence);
    world.run_for(20).await;
    let stored = world.samples();
    assert_eq!(stored.matches("h:stale").count(), 2, "{stored}");
}

#[tokio::test]
async fn too_many_buckets_are_made_fewer_or_fail_the_scrape() {
    let config = Config { native_histogram_bucket_limit: 2, ..native() };
    let coarser = r#"{__name__="h"} h:{count:5, sum:12, [-0.001,0.001]:1, (0.5,1]:1, (1,2]:3}"#;
    check(config, protobuf(both()), coarser).await;
    let config = Config { native_histogram_min_bucket_factor: 1.5, ..native() };
    check(config, protobuf(both()), coarser).await;
    let config = Config {
        native_histogram_bucket_limit: 1,
        convert_classic_histograms_to_nhcb: true,
        ..job()
    };
    let world = check(config, protobuf(both()), "").await;
    assert_eq!(world.last_error(), "histogram bucket limit exceeded");
    assert_eq!(
        world.counter("prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total"),
        1.0
    );
}

#[tokio::test]
async fn reserved_schemas_are_made_coarser() {
    let mut histogram = both();
    (histogram.schema, histogram.positive_span[0].offset) = (9, 1);
    let expected = r#"{__name__="h"} h:{count:5, sum:12, [-0.001,0.001]:1, (1,1.0027112750502025]:2, (1.0027112750502025,1.0054299011128027]:2}"#;
    check(native(), protobuf(histogram), expected).await;
}

#[tokio::test]
async fn a_histogram_without_sense_fails_the_scrape() {
    let mut histogram = both();
    histogram.sample_count = 7;
    let world = check(native(), protobuf(histogram), "").await;
    assert!(world.last_error().starts_with("5 observations found in buckets, but the Count"));
}

#[test]
fn factors_stand_for_schemas() {
    for (factor, schema) in
        [(0.0, 8), (1.0, 8), (1.001, 8), (1.1, 2), (2.0, 0), (4.0, -1), (1e9, -4)]
    {
        assert_eq!(schema_of_factor(factor), schema, "{factor}");
    }
}

#[test]
fn limits_are_upstreams() {
    let table = "scrape/histogram_limits";
    let Some(data) = conformance::cases(&format!("prometheus/{table}.json")) else { return };
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let integer = HistogramValue::from(histogram(&case["histogram"]));
        let float = HistogramValue::from(integer.to_float());
        for (kind, value) in [("integer", integer), ("float", float)] {
            score.add(format!("{idx} {kind}"), check_limits(case, value));
        }
    }
    score.finish(&[]);
}

fn check_limits(case: &Value, mut histogram: HistogramValue) -> Result<(), String> {
    let limits = Limits {
        n_buckets: case["bucket_limit"].as_u64().unwrap_or_default() as usize,
        schema: case["max_schema"].as_i64().unwrap_or(8) as i32,
    };
    let fits = limits.apply(&mut histogram).map_err(|error| error.to_string())?;
    let n_buckets = case["bucket_count"].as_u64().map(|n| n as usize);
    let schema = case["schema"].as_i64().map(|schema| schema as i32);
    let is_right = fits != (case["error"] == true)
        && (!fits || n_buckets.is_none_or(|n| n == histogram.n_buckets()))
        && (!fits || schema.is_none_or(|schema| schema == histogram.schema()));
    if is_right { Ok(()) } else { Err(format!("{fits} {histogram:?}")) }
}

fn histogram(value: &Value) -> Histogram {
    let list = |key: &str| value[key].as_array().cloned().unwrap_or_default();
    let spans = |key: &str| -> Vec<Span> {
        let span = |span: &Value| Span {
            offset: span["offset"].as_i64().unwrap_or_default() as i32,
            length: span["length"].as_u64().unwrap_or_default() as u32,
        };
        list(key).iter().map(span).collect()
    };
    let deltas = |key: &str| list(key).iter().filter_map(Value::as_i64).collect();
    Histogram {
        schema: value["schema"].as_i64().unwrap_or_default() as i32,
        zero_threshold: value["zero_threshold"].as_f64().unwrap_or_default(),
        zero_count: value["zero_count"].as_u64().unwrap_or_default(),
        count: value["count"].as_u64().unwrap_or_default(),
        sum: value["sum"].as_f64().unwrap_or_default(),
        positive_spans: spans("positive_spans"),
        negative_spans: spans("negative_spans"),
        positive_buckets: deltas("positive_buckets"),
        negative_buckets: deltas("negative_buckets"),
        custom_values: list("custom_values").iter().filter_map(Value::as_f64).collect(),
        ..Histogram::default()
    }
}
