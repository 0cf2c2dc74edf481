//! A target that misbehaves gets its error; the others go on.

use std::io::Write as _;

use super::world::{Answer, World, expect, job, text, typed};
use crate::{Config, Health};

/// Scrapes a good target beside a bad one and says what became of the bad one.
async fn check(config: Config, bad: Answer, error: &str) -> World {
    let world = World::new();
    world.serve("bad", text("a 1\n")).await;
    world.serve("good", text("a 1\n")).await;
    world.apply(vec![config]);
    world.discover("job", &["bad:80", "good:80"]);
    world.run_for(10).await;
    world.answer("bad", bad);
    world.run_for(25).await;
    let targets = world.targets();
    assert_eq!(targets[0].last_error, error);
    assert_eq!((targets[0].health, targets[1].health), (Health::Down, Health::Up));
    let good = world.series(|name| name == "up");
    assert!(good.lines().any(|line| line.contains("good") && line.contains("1 1 1")), "{good}");
    let bad = world.series(|name| name == "a");
    assert!(bad.lines().any(|line| line.contains("bad") && line.ends_with("1 stale")), "{bad}");
    world
}

#[tokio::test]
async fn broken_body_is_rolled_back() {
    let error = r#"strconv.ParseFloat: parsing "x": invalid syntax while parsing: "a x""#;
    let world = check(job(), text("new 1\na x\n"), error).await;
    expect(&world.series(|name| name == "new"), "");
}

#[tokio::test]
async fn hanging_target_times_out() {
    check(job(), Answer::Silence, r#"Get "http://bad/metrics": context deadline exceeded"#).await;
}

#[tokio::test]
async fn body_without_end_times_out() {
    check(job(), Answer::Endless, r#"Get "http://bad/metrics": context deadline exceeded"#).await;
}

#[tokio::test]
async fn body_shorter_than_promised_is_not_taken() {
    check(job(), Answer::Short, r#"Get "http://bad/metrics": unexpected EOF"#).await;
}

#[tokio::test]
async fn a_type_may_change() {
    let world = World::scraping(job(), text("# TYPE a counter\na 1\n")).await;
    world.run_for(10).await;
    world.answer("host", text("# TYPE a gauge\na 2\n# TYPE a histogram\n"));
    world.run_for(10).await;
    let stored = world.series(|name| name == "a");
    expect(&stored, r#"{__name__="a", instance="host:80", job="job"} 1 2"#);
}

#[tokio::test]
async fn gzip_bomb_is_refused() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![b'\n'; 4 << 20]).unwrap();
    let body = encoder.finish().unwrap();
    assert!(body.len() < 1 << 20);
    let headers = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n".to_owned();
    let bomb = Answer::Body { status: "200 OK", headers, body };
    let config = Config { body_size_limit: 1 << 20, extra_scrape_metrics: true, ..job() };
    let world = check(config, bomb, "body size limit exceeded").await;
    assert!(world.counter("prometheus_target_scrapes_exceeded_body_size_limit_total") >= 2.0);
    let sizes = world.series(|name| name == "scrape_body_size_bytes");
    assert!(sizes.contains("4 -1 -1"), "{sizes}");
}

#[tokio::test]
async fn status_is_told() {
    let headers = String::new();
    let answer = Answer::Body { status: "404 Not Found", headers, body: Vec::new() };
    check(job(), answer, "server returned HTTP status 404 Not Found").await;
}

#[tokio::test]
async fn unknown_content_type_needs_a_fallback() {
    let error = r#"received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target"#;
    check(job(), typed("text/html", "a 2\n"), error).await;

    let fallback = exposition::Protocol::parse("PrometheusText0.0.4");
    let config = Config { fallback_scrape_protocol: fallback, ..job() };
    let world = World::scraping(config, typed("text/html", "a 2\n")).await;
    world.run_for(10).await;
    assert_eq!(world.last_error(), "");
}

#[tokio::test]
async fn nobody_listens() {
    let world = World::new();
    world.apply(vec![job()]);
    world.discover("job", &["nowhere:80"]);
    world.run_for(10).await;
    assert_eq!(
        world.last_error(),
        r#"Get "http://nowhere/metrics": dial tcp nowhere:80: connect: connection refused"#
    );
    assert_eq!(world.last("up"), 0.0);
}

#[tokio::test]
async fn sample_limit_fails_the_scrape() {
    let config = Config { sample_limit: 1, ..job() };
    let world = check(config, text("a 1\nb 1\nc 1\n"), "sample limit exceeded").await;
    assert!(world.counter("prometheus_target_scrapes_exceeded_sample_limit_total") >= 2.0);
    let scraped = world.series(|name| name == "scrape_samples_post_metric_relabeling");
    assert!(scraped.contains("1 3 3"), "{scraped}");
}

#[tokio::test]
async fn label_limits_fail_the_scrape() {
    let config = Config { label_limit: 3, ..job() };
    let error = "label_limit exceeded (metric: b, number of labels: 4, limit: 3)";
    check(config, text("b{x=\"y\"} 1\n"), error).await;

    let config = Config { label_name_length_limit: 8, ..job() };
    let error =
        "label_name_length_limit exceeded (metric: b, label name: ninechars, length: 9, limit: 8)";
    check(config, text("b{ninechars=\"y\"} 1\n"), error).await;

    let config = Config { label_value_length_limit: 8, ..job() };
    let error = r#"label_value_length_limit exceeded (metric: b, label name: x, value: "ninechars", length: 9, limit: 8)"#;
    check(config, text("b{x=\"ninechars\"} 1\n"), error).await;
}

#[tokio::test]
async fn same_label_twice_fails_the_scrape() {
    let error = r#"label name "x" is not unique: invalid sample"#;
    check(job(), text("b{x=\"1\",x=\"2\"} 1\n"), error).await;
}

#[tokio::test]
async fn too_many_targets_are_all_refused() {
    let world = World::new();
    world.serve("a", text("a 1\n")).await;
    world.apply(vec![Config { target_limit: 1, ..job() }]);
    world.discover("job", &["a:80", "b:80"]);
    world.run_for(10).await;
    for target in world.targets() {
        assert_eq!(target.last_error, "target_limit exceeded (number of targets: 2, limit: 1)");
    }
    world.discover("job", &["a:80"]);
    world.run_for(10).await;
    assert_eq!(world.last_error(), "");
}

#[tokio::test]
async fn failures_are_logged_to_the_file_of_the_job() {
    let config = Config { scrape_failure_log_file: Some("/failures.log".into()), ..job() };
    let world = World::scraping(config, text("a \"\n")).await;
    world.run_for(10).await;
    let disk: &dyn runtime::Disk = &world.simulation.disk;
    let log = disk.read_to_string(std::path::Path::new("/failures.log")).unwrap();
    let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["job_name"], "job");
    assert_eq!(line["target"], "http://host:80/metrics");
    assert_eq!(line["msg"], world.last_error());
}
