//! Zeros where series say that they began.

use model::Timestamp;
use prost::Message as _;
use proto::metrics::{BucketSpan, Histogram, Metric, MetricFamily, MetricType};
use runtime::Clock as _;

use super::world::{Answer, World, expect, job, typed};
use crate::{Config, Options};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0";
const PROTOBUF: &str = "application/vnd.google.protobuf; \
                        proto=io.prometheus.client.MetricFamily; encoding=delimited";

async fn world(config: Config) -> World {
    let options = Options { stores_start_zeros: true, ..Options::default() };
    let world = World::with_options(options);
    world.serve("host", Answer::Silence).await;
    world.apply(vec![config]);
    world.discover("job", &["host:80"]);
    world
}

/// So many seconds before now.
fn ago(world: &World, seconds: i64) -> Timestamp {
    Timestamp::from_millis(world.simulation.clock.now_millis() - seconds * 1000)
}

/// A counter with its start.
fn counter(value: u32, start: Timestamp) -> Answer {
    let start = start.as_millis() as f64 / 1000.0;
    let body = format!("# TYPE c counter\nc_total {value}\nc_created {start}\n# EOF\n");
    typed(OPENMETRICS, body)
}

fn check(world: &World, expected: &str) {
    expect(&world.samples().replace(r#", instance="host:80", job="job""#, ""), expected);
}

#[tokio::test]
async fn a_counter_begins_with_zero() {
    let world = world(job()).await;
    world.answer("host", counter(3, ago(&world, 5)));
    world.run_for(30).await;
    check(&world, r#"{__name__="c_total"} 0 3 3 3"#);
    let start = ago(&world, -1);
    world.run_for(2).await;
    world.answer("host", counter(1, start));
    world.run_for(18).await;
    check(&world, r#"{__name__="c_total"} 0 3 3 3 0 1 1"#);
    let counted = world.counter("prometheus_target_scrapes_sample_out_of_order_total");
    assert_eq!(counted, 0.0);
}

#[tokio::test]
async fn zeros_of_a_scrape_that_was_not_taken_are_stored_with_the_next() {
    let world = world(job()).await;
    let start = ago(&world, 5);
    let seconds = start.as_millis() as f64 / 1000.0;
    let broken = format!("# TYPE c counter\nc_total 3\nc_created {seconds}\nno end\n");
    world.answer("host", typed(OPENMETRICS, broken));
    world.run_for(10).await;
    check(&world, "");
    world.answer("host", counter(3, start));
    world.run_for(10).await;
    check(&world, r#"{__name__="c_total"} 0 3"#);
}

#[tokio::test]
async fn long_ago_and_later_are_no_starts() {
    for seconds in [3 * 3600, -3600] {
        let world = world(job()).await;
        world.answer("host", counter(3, ago(&world, seconds)));
        world.run_for(10).await;
        check(&world, r#"{__name__="c_total"} 3"#);
    }
}

#[tokio::test]
async fn a_native_histogram_begins_with_an_empty_one() {
    let world = world(Config { scrape_native_histograms: true, ..job() }).await;
    let start = ago(&world, 5).as_millis();
    let histogram = Histogram {
        sample_count: 2,
        sample_sum: 3.0,
        schema: 0,
        zero_threshold: 0.001,
        positive_span: vec![BucketSpan { offset: 0, length: 1 }],
        positive_delta: vec![2],
        start_timestamp: Some(proto::Timestamp {
            seconds: start.div_euclid(1000),
            nanos: (start.rem_euclid(1000) * 1_000_000) as i32,
        }),
        ..Histogram::default()
    };
    let family = MetricFamily {
        name: "h".to_owned(),
        r#type: MetricType::Histogram.into(),
        metric: vec![Metric { histogram: Some(histogram), ..Metric::default() }],
        ..MetricFamily::default()
    };
    world.answer("host", typed(PROTOBUF, family.encode_length_delimited_to_vec()));
    world.run_for(20).await;
    let full = "h:{count:2, sum:3, (0.5,1]:2}";
    check(&world, &format!(r#"{{__name__="h"}} h:{{count:0, sum:0}} {full} {full}"#));
}

#[tokio::test]
async fn protobuf_is_asked_for_first() {
    let world = world(job()).await;
    world.answer("host", counter(3, ago(&world, 5)));
    world.run_for(10).await;
    let requests = world.requests.lock().clone();
    assert!(requests[0].contains("accept: application/vnd.google.protobuf;"), "{}", requests[0]);
}

#[tokio::test]
async fn without_the_option_starts_are_samples() {
    let world = World::scraping(job(), Answer::Silence).await;
    world.answer("host", counter(3, Timestamp::from_millis(5000)));
    world.run_for(10).await;
    check(&world, "{__name__=\"c_created\"} 5\n{__name__=\"c_total\"} 3");
}

#[tokio::test]
async fn the_process_may_want_extra_metrics_of_all_jobs() {
    let world = World::with_options(Options { extra_scrape_metrics: true, ..Options::default() });
    world.serve("host", typed(OPENMETRICS, "# EOF\n")).await;
    world.apply(vec![job()]);
    world.discover("job", &["host:80"]);
    world.run_for(10).await;
    assert_eq!(world.last("scrape_timeout_seconds"), 5.0);
}
