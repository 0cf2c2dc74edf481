//! What is pushed here, and what is only handed on.

use super::*;

#[tokio::test]
async fn metrics_come_by_otlp_and_are_named_as_the_configuration_says() {
    let mut world = World::new();
    world.write(CONFIG, "otlp: {promote_resource_attributes: [zone]}\n");
    let mut options = options();
    options.web.otlp_receiver = true;
    world.start(|runtime, signals| run(options, runtime, signals));
    world.wait_for("/-/ready", "is Ready").await;
    let path = "/api/v1/otlp/v1/metrics";
    let request = |world: &World, value: u32| {
        let now = world.simulation.runtime().clock.now_millis();
        format!(
            r#"{{"resourceMetrics":[{{"resource":{{"attributes":[
              {{"key":"service.name","value":{{"stringValue":"shop"}}}},
              {{"key":"zone","value":{{"stringValue":"a"}}}}]}},
            "scopeMetrics":[{{"metrics":[{{"name":"http.size","unit":"By","gauge":{{"dataPoints":[
              {{"timeUnixNano":"{now}000000","asInt":"{value}"}}]}}}}]}}]}}]}}"#
        )
    };
    let answer = world.post_json(path, &request(&world, 42)).await.expect("it runs");
    assert_eq!((answer.status, &*answer.body), (200, ""));
    let found = world.wait_for("/api/v1/query?query=http_size_bytes", r#""42""#).await;
    assert!(found.contains(r#""job":"shop","zone":"a""#), "{found}");
    world.wait_for("/api/v1/query?query=target_info", r#""zone":"a""#).await;

    world.write(CONFIG, "otlp: {translation_strategy: NoTranslation}\n");
    assert_eq!(world.post("/-/reload").await.expect("it runs").status, 200);
    world.simulation.clock.advance(Duration::from_secs(1));
    let answer = world.post_json(path, &request(&world, 43)).await.expect("it runs");
    assert_eq!((answer.status, &*answer.body), (200, ""));
    world.wait_for("/api/v1/query?query=%7B%22http.size%22%7D", r#""43""#).await;
    let features = world.get("/api/v1/features").await.expect("it runs").body;
    assert!(features.contains(r#""otlp_write_receiver":true"#), "{features}");
    world.stop().await.expect("a clean end");
}

const AGENT: &str = "
global: {scrape_interval: 1s, external_labels: {from: agent}}
scrape_configs: [{job_name: node, static_configs: [{targets: ['target:9100']}]}]
remote_write: [{url: 'http://remote:9201/write', name: r}]
";

fn agent_options() -> Options {
    let mut options = options();
    options.storage.directory = "data-agent".into();
    options.agent = Some(AgentOptions {
        min_age: Duration::from_secs(300),
        max_age: Duration::from_secs(4 * 3600),
        truncate_frequency: Duration::from_secs(2 * 3600),
    });
    options
}

#[tokio::test]
async fn an_agent_hands_on_and_answers_no_queries() {
    let mut world = World::new();
    world.write(CONFIG, AGENT);
    world.other("target:9100", "answer 42\n").await;
    let written = world.other("remote:9201", "").await;
    world.start(|runtime, signals| run(agent_options(), runtime, signals));
    world.wait_for("/-/ready", "Prometheus Agent is Ready.").await;
    world.until(|| written.lock().iter().any(|r| r.starts_with("POST /write")).then_some(())).await;
    world.wait_for("/api/v1/targets", r#""health":"up""#).await;
    world.wait_for("/metrics", "prometheus_agent_active_series 6").await;
    for path in ["query?query=up", "labels", "label/job/values", "rules", "status/tsdb"] {
        let answer = world.get(&format!("/api/v1/{path}")).await.expect("it runs");
        let want = r#"{"status":"error","errorType":"execution","error":"unavailable with Prometheus Agent"}"#;
        assert_eq!((answer.status, &*answer.body), (422, want), "{path}");
    }
    for (path, status) in [("/agent", 200), ("/targets", 200), ("/query", 404), ("/alerts", 404)] {
        assert_eq!(world.get(path).await.expect("it runs").status, status, "{path}");
    }
    let features = world.get("/api/v1/features").await.expect("it runs").body;
    assert!(features.contains(r#""agent_mode":true"#), "{features}");
    world.stop().await.expect("a clean end");

    // What it knew it knows again.
    world.start(|runtime, signals| run(agent_options(), runtime, signals));
    world.wait_for("/metrics", "prometheus_agent_active_series 6").await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn an_agent_has_no_rules_and_reads_nothing() {
    for (section, name) in [
        ("rule_files: [a.yml]", "rule_files"),
        ("remote_read: [{url: 'http://a/'}]", "remote_read"),
        ("alerting: {alertmanagers: [{static_configs: [{targets: [a]}]}]}", "alerting"),
    ] {
        let mut world = World::new();
        world.write(CONFIG, &format!("{section}\n"));
        world.start(|runtime, signals| run(agent_options(), runtime, signals));
        let error = world.ended().await.expect_err("it is refused").to_string();
        let want = format!("field {name} is not allowed in agent mode");
        assert!(error.ends_with(&want), "{error}");
    }
}
