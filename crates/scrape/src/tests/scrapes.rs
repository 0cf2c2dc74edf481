//! What becomes of answers that are fine.

use super::world::{Answer, World, expect, job, text, typed};
use crate::{Config, Health, Options};

#[tokio::test]
async fn samples_are_stored_with_target_labels() {
    let world = World::scraping(job(), text("a{b=\"c\"} 1\nb 2\n")).await;
    world.run_for(20).await;
    expect(
        &world.samples(),
        r#"
        {__name__="a", b="c", instance="host:80", job="job"} 1 1
        {__name__="b", instance="host:80", job="job"} 2 2
        "#,
    );
    let reports = world.series(|name| !name.contains("duration") && name.len() > 1);
    expect(
        &reports,
        r#"
        {__name__="scrape_samples_post_metric_relabeling", instance="host:80", job="job"} 2 2
        {__name__="scrape_samples_scraped", instance="host:80", job="job"} 2 2
        {__name__="scrape_series_added", instance="host:80", job="job"} 2 0
        {__name__="up", instance="host:80", job="job"} 1 1
        "#,
    );
    let target = world.targets().remove(0);
    assert_eq!((target.health, target.last_error.as_str()), (Health::Up, ""));
    assert_eq!(target.url, "http://host:80/metrics");
}

#[tokio::test]
async fn scrapes_keep_their_rhythm() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.run_for(60).await;
    let times = world.times("a");
    assert_eq!(times.len(), 6);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 10_000), "{times:?}");
}

#[tokio::test]
async fn vanished_series_ends() {
    let world = World::scraping(job(), text("a 1\nb 1\n")).await;
    world.run_for(10).await;
    world.answer("host", text("b 2\nc 2\n"));
    world.run_for(10).await;
    world.answer("host", text("b{} 3\na 3\n"));
    world.run_for(10).await;
    expect(
        &world.samples(),
        r#"
        {__name__="a", instance="host:80", job="job"} 1 stale 3
        {__name__="b", instance="host:80", job="job"} 1 2 3
        {__name__="c", instance="host:80", job="job"} 2 stale
        "#,
    );
}

#[tokio::test]
async fn explicit_timestamps_are_kept_and_not_tracked() {
    let body = "a 1 1767225600005\n";
    let world = World::scraping(job(), text(body)).await;
    world.run_for(10).await;
    world.answer("host", text("b 1\n"));
    world.run_for(10).await;
    assert_eq!(world.times("a"), [5]);

    let config = Config { honor_timestamps: false, ..job() };
    let world = World::scraping(config, text(body)).await;
    world.run_for(10).await;
    assert_ne!(world.times("a"), [5]);

    let config = Config { track_timestamps_staleness: true, ..job() };
    let world = World::scraping(config, text(body)).await;
    world.run_for(10).await;
    world.answer("host", text("b 1\n"));
    world.run_for(10).await;
    expect(
        &world.series(|name| name == "a"),
        r#"{__name__="a", instance="host:80", job="job"} 1 stale"#,
    );
}

#[tokio::test]
async fn same_series_twice_is_counted() {
    let world = World::scraping(job(), text("a 1\na 2\n")).await;
    world.run_for(10).await;
    expect(&world.samples(), r#"{__name__="a", instance="host:80", job="job"} 1"#);
    let name = "prometheus_target_scrapes_sample_duplicate_timestamp_total";
    assert_eq!(world.counter(name), 1.0);
    assert_eq!(world.last("up"), 1.0);
    assert_eq!(world.last("scrape_samples_post_metric_relabeling"), 2.0);
}

#[tokio::test]
async fn samples_far_in_the_future_are_out_of_bounds() {
    let world = World::scraping(job(), text("a 1 1767312000000\n")).await;
    world.run_for(10).await;
    expect(&world.samples(), "");
    assert_eq!(world.counter("prometheus_target_scrapes_sample_out_of_bounds_total"), 1.0);
}

#[tokio::test]
async fn metadata_is_known_by_target() {
    let body = "# TYPE a_seconds gauge\n# HELP a_seconds Some.\n# UNIT a_seconds seconds\na_seconds 1\n# EOF\n";
    let world = World::scraping(job(), typed("application/openmetrics-text", body)).await;
    world.run_for(10).await;
    let metadata = world.targets().remove(0).metadata;
    let known = &metadata["a_seconds"];
    assert_eq!((known.kind.as_str(), &*known.unit, &*known.help), ("gauge", "seconds", "Some."));
    // For a while what is said no more is still known.
    world.answer("host", text("b 1\n"));
    world.run_for(100).await;
    assert_eq!(world.targets().remove(0).metadata.len(), 1);
    world.run_for(20).await;
    assert_eq!(world.targets().remove(0).metadata.len(), 0);
}

#[tokio::test]
async fn request_says_who_asks_for_what() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.run_for(10).await;
    let request = world.requests.lock().remove(0);
    let header = |name: &str| {
        let prefix = format!("{name}: ");
        request.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
    };
    assert!(request.starts_with("get /metrics http/1.1\r\n"), "{request}");
    assert_eq!(
        header("accept"),
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    );
    assert_eq!(header("accept-encoding"), "gzip");
    assert_eq!(header("user-agent"), "prometheus/3.14.0");
    assert_eq!(header("x-prometheus-scrape-timeout-seconds"), "5");
}

#[tokio::test]
async fn extra_metrics_come_and_go_with_the_configuration() {
    let config = Config { extra_scrape_metrics: true, sample_limit: 9, ..job() };
    let world = World::scraping(config, text("a 1\n")).await;
    world.run_for(10).await;
    assert_eq!(world.last("scrape_timeout_seconds"), 5.0);
    assert_eq!(world.last("scrape_sample_limit"), 9.0);
    world.apply(vec![job()]);
    world.run_for(10).await;
    expect(
        &world.series(|name| name == "scrape_body_size_bytes"),
        r#"{__name__="scrape_body_size_bytes", instance="host:80", job="job"} 4 stale"#,
    );
}

#[tokio::test]
async fn protobuf_is_read_with_classic_histograms() {
    // A family of one histogram: two observations, one of them up to 0.5.
    let body = b"\x21\x0a\x01h\x18\x04\x22\x1a\x3a\x18\x08\x02\x11\0\0\0\0\0\0\x08\x40\x1a\x0b\x08\x01\x11\0\0\0\0\0\0\xe0\x3f";
    let headers = "Content-Type: application/vnd.google.protobuf\r\n".to_owned();
    let answer = Answer::Body { status: "200 OK", headers, body: body.to_vec() };
    let world = World::scraping(job(), answer).await;
    world.run_for(20).await;
    assert_eq!(world.last_error(), "");
    expect(
        &world.samples(),
        r#"
        {__name__="h_bucket", instance="host:80", job="job", le="+Inf"} 2 2
        {__name__="h_bucket", instance="host:80", job="job", le="0.5"} 1 1
        {__name__="h_count", instance="host:80", job="job"} 2 2
        {__name__="h_sum", instance="host:80", job="job"} 3 3
        "#,
    );
    assert_eq!(world.targets().remove(0).metadata["h"].kind, model::MetricType::Histogram);
}

#[tokio::test]
async fn the_storage_is_told_what_new_and_changed_series_mean() {
    let world = World::with_options(Options { logs_metadata: true, ..Options::default() });
    world.serve("host", text("# TYPE a counter\n# HELP a One.\na_total 1\nb 1\n")).await;
    world.apply(vec![job()]);
    world.discover("job", &["host:80"]);
    world.run_for(20).await;
    let told = || {
        let told = world.storage.metadata();
        told.iter().map(|(l, m)| format!("{} {}", l.metric_name(), m.help)).collect::<Vec<_>>()
    };
    assert_eq!(told(), ["a_total One."]);
    world.answer("host", text("# TYPE a counter\n# HELP a Two.\na_total 1\na_created 1\n"));
    world.run_for(20).await;
    assert_eq!(told(), ["a_total One.", "a_total Two.", "a_created Two."]);
}
