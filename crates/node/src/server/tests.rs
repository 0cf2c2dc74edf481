//! A whole server on a simulated clock, disk and network.

mod collect;

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::testing::{ADDRESS, World};

pub(crate) const CONFIG: &str = "prometheus.yml";

const SCRAPE: &str = "
global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {cluster: test}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ['target:9100']}]
    relabel_configs: [{source_labels: [a], action: uppercase, target_label: kind}]
";

const RULES: &str = "
groups:
  - name: g
    rules:
      - {record: doubled, expr: 'answer * 2'}
      - {alert: Wrong, expr: 'answer == 42', annotations: {summary: 'it is {{ $value }}'}}
";

/// A server that scrapes `answer 42`.
async fn world() -> World {
    let mut world = World::new();
    world.write(CONFIG, SCRAPE);
    world.write("rules.yml", RULES);
    world.other("target:9100", "answer 42\n").await;
    world.start(|runtime, signals| run(options(), runtime, signals));
    world
}

#[tokio::test]
async fn a_server_scrapes_and_answers() {
    let mut world = world().await;
    world.wait_for("/api/v1/query?query=up", r#""1""#).await;
    let answer = world.wait_for("/api/v1/query?query=answer", r#""42""#).await;
    assert!(answer.contains(r#""instance":"target:9100","job":"node""#), "{answer}");
    world.wait_for("/api/v1/query?query=doubled", r#""84""#).await;
    let path = "/api/v1/query?query=answer";
    let compressed = world.get_compressed(path).await.expect("a whole answer").body;
    assert!(compressed.contains(r#""42""#), "{compressed}");
    let alerts = world.wait_for("/api/v1/alerts", "firing").await;
    assert!(alerts.contains("it is 42"), "{alerts}");
    let targets = world.get("/api/v1/targets").await.expect("it runs").body;
    assert!(targets.contains(r#""health":"up""#), "{targets}");
    let path = "/api/v1/targets/relabel_steps?scrapePool=node&labels=%7B%22a%22:%22b%22%7D";
    let steps = world.get(path).await.expect("it runs").body;
    assert!(steps.contains(r#""kind":"B""#) && steps.contains(r#""keep":true"#), "{steps}");
    let info = world.get("/api/v1/status/runtimeinfo").await.expect("it runs").body;
    for part in [r#""reloadConfigSuccess":true"#, r#""storageRetention":"15d""#] {
        assert!(info.contains(part), "{part} in {info}");
    }
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn who_has_no_password_sees_nothing() {
    let mut world = World::new();
    world.write(CONFIG, "global: {}\n");
    let hash = "$2b$04$BQUDBQUDBQUDBQUDBQUDBOIdOain6viPngrsu3cZdCT7F3QPOzaue";
    world.write("web.yml", &format!("basic_auth_users: {{joe: {hash}}}\n"));
    let mut options = options();
    options.web.config_file = Some("web.yml".into());
    world.start(|runtime, signals| run(options, runtime, signals));
    world.wait_for("/-/healthy", "Unauthorized").await;
    assert_eq!(world.get("/api/v1/query?query=1").await.expect("it runs").status, 401);
    world.stop().await.expect("a clean end");
    world.write("web.yml", "basic_auth_users: {joe: secret}\n");
    let mut options = self::options();
    options.web.config_file = Some("web.yml".into());
    world.start(|runtime, signals| run(options, runtime, signals));
    let error = world.ended().await.expect_err("the file is wrong").to_string();
    assert!(error.starts_with("--web.config.file: web.yml: "), "{error}");
}

#[tokio::test]
async fn targets_are_found_over_http() {
    let mut world = World::new();
    let config = SCRAPE.replace(
        "static_configs: [{targets: ['target:9100']}]",
        "http_sd_configs: [{url: 'http://sd/groups'}]",
    );
    world.write(CONFIG, &config);
    world.write("rules.yml", RULES);
    world.other("target:9100", "answer 42\n").await;
    let groups = r#"[{"targets":["target:9100"],"labels":{"found":"yes"}}]"#;
    world.other_json("sd:80", groups).await;
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/api/v1/query?query=answer", r#""found":"yes""#).await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn samples_survive_a_restart() {
    let mut world = world().await;
    world.wait_for("/api/v1/query?query=answer", r#""42""#).await;
    world.stop().await.expect("a clean end");
    world.write(CONFIG, "global: {scrape_interval: 1m}\n");
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/api/v1/query?query=last_over_time(answer[1h])", r#""42""#).await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn the_head_is_written_at_the_stop_and_read_at_the_start_if_wished() {
    let options = || {
        let mut options = options();
        options.features.push("memory-snapshot-on-shutdown".to_owned());
        options
    };
    let mut world = World::new();
    world.write(CONFIG, SCRAPE);
    world.write("rules.yml", RULES);
    world.other("target:9100", "answer 42\n").await;
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/api/v1/query?query=answer", r#""42""#).await;
    world.stop().await.expect("a clean end");
    let disk = &world.simulation.disk;
    let entries = runtime::Disk::list(disk, &options().storage.directory).expect("it is there");
    let snapshot = entries.iter().find(|entry| entry.name.starts_with("chunk_snapshot."));
    assert!(snapshot.is_some_and(|snapshot| snapshot.is_directory), "{entries:?}");
    world.write(CONFIG, "global: {scrape_interval: 1m}\n");
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/api/v1/query?query=last_over_time(answer[1h])", r#""42""#).await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn a_wrong_file_keeps_the_old_configuration() {
    let mut world = world().await;
    world.wait_for("/-/ready", "Prometheus Server is Ready.").await;
    world.write(CONFIG, "global: {scrape_interval: 1s}\nnonsense: 1\n");
    let answer = world.post("/-/reload").await.expect("it runs");
    assert_eq!(answer.status, 500);
    for part in ["failed to reload config: ", "prometheus.yml", "line 2", "nonsense"] {
        assert!(answer.body.contains(part), "{part:?} in {}", answer.body);
    }
    let shown = world.get("/api/v1/status/config").await.expect("it runs").body;
    assert!(shown.contains("job_name: node"), "{shown}");
    world.wait_for("/metrics", "prometheus_config_last_reload_successful 0").await;

    world.write("rules.yml", "groups: [{name: g, rules: [{record: x, expr: '1 +'}]}]");
    world.write(CONFIG, SCRAPE);
    let answer = world.post("/-/reload").await.expect("it runs");
    assert!(answer.status == 500 && answer.body.contains("rules.yml"), "{answer:?}");
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn a_good_file_takes_effect() {
    let mut world = world().await;
    world.wait_for("/-/ready", "Prometheus Server is Ready.").await;
    world.write(CONFIG, "scrape_configs: [{job_name: other}]\n");
    assert_eq!(world.post("/-/reload").await.expect("it runs").status, 200);
    let shown = world.get("/api/v1/status/config").await.expect("it runs").body;
    assert!(shown.contains("job_name: other") && !shown.contains("job_name: node"), "{shown}");

    world.write(CONFIG, "scrape_configs: [{job_name: third}]\n");
    world.hang_up().await;
    world.wait_for("/api/v1/status/config", "job_name: third").await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn a_rule_file_that_changes_is_read_again_by_itself() {
    let mut world = World::new();
    world.write(CONFIG, SCRAPE);
    world.write("rules.yml", RULES);
    let interval = Some(Duration::from_secs(30));
    let options = Options { auto_reload: interval, ..options() };
    world.start(|runtime, signals| run(options, runtime, signals));
    world.wait_for("/api/v1/rules", "doubled").await;
    world.write("rules.yml", &RULES.replace("doubled", "twice"));
    world.wait_for("/api/v1/rules", "twice").await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn alerts_reach_the_alertmanager_with_external_labels_and_a_link() {
    let mut world = World::new();
    let alerting = "alerting: {alertmanagers: [{static_configs: [{targets: ['am:9093']}]}]}\n";
    world.write(CONFIG, &format!("{SCRAPE}{alerting}"));
    world.write("rules.yml", RULES);
    world.other("target:9100", "answer 42\n").await;
    let posted = world.other("am:9093", "").await;
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.until(|| (!posted.lock().is_empty()).then_some(())).await;
    let request = posted.lock().first().cloned().unwrap_or_default();
    for part in [
        "POST /api/v2/alerts",
        r#""cluster":"test""#,
        r#""alertname":"Wrong""#,
        "http://vesta:9090/graph?g0.expr=answer+%3D%3D+42",
    ] {
        assert!(request.contains(part), "{part:?} in {request}");
    }
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_before_anything_changes() {
    let mut world = world().await;
    world.wait_for("/-/ready", "Prometheus Server is Ready.").await;
    let job = "{job_name: other, authorization: {credentials_ref: a}}";
    world.write(CONFIG, &format!("scrape_configs: [{job}]\n"));
    let answer = world.post("/-/reload").await.expect("it runs");
    assert!(answer.status == 500 && answer.body.contains("secret manager"), "{answer:?}");
    world.wait_for("/api/v1/scrape_pools", r#"["node"]"#).await;
    world.wait_for("/api/v1/notifications", "Configuration reload has failed.").await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn the_administrator_deletes_and_copies() {
    let mut world = world().await;
    world.wait_for("/api/v1/query?query=answer", r#""42""#).await;
    let path = "/api/v1/admin/tsdb/snapshot";
    let snapshot = world.post(path).await.expect("it runs");
    assert!(snapshot.body.contains(r#""name":"20260101T"#), "{snapshot:?}");
    // Nothing new comes, so what is deleted stays away.
    world.write(CONFIG, "global: {}\n");
    assert_eq!(world.post("/-/reload").await.expect("it runs").status, 200);
    let path = "/api/v1/admin/tsdb/delete_series?match[]=answer";
    assert_eq!(world.post(path).await.expect("it runs").status, 204);
    world.wait_for("/api/v1/query?query=last_over_time(answer[1h])", r#""result":[]"#).await;
    let path = "/api/v1/admin/tsdb/clean_tombstones";
    assert_eq!(world.post(path).await.expect("it runs").status, 204);
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn a_wrong_flag_prevents_a_start() {
    let mut world = World::new();
    world.write(CONFIG, "global: {}\n");
    let mut options = options();
    options.web.cors_origin = "(".to_owned();
    world.start(|runtime, signals| run(options, runtime, signals));
    let error = world.ended().await.expect_err("it cannot start");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().starts_with("--web.cors.origin: "), "{error}");
}

/// Parts of the language, each with the feature that opens it.
const OPENED: [(&str, &str); 4] = [
    ("promql-experimental-functions", "sort_by_label(answer,%22job%22)"),
    ("promql-experimental-functions", "limitk(1,answer)"),
    ("promql-extended-range-selectors", "rate(answer[5m]%20anchored)"),
    ("promql-binop-fill-modifiers", "answer%20%2B%20fill(0)%20answer"),
];

#[tokio::test]
async fn features_open_parts_of_the_language() {
    for is_open in [false, true] {
        let mut world = World::new();
        world.write(CONFIG, "global: {}\n");
        let features = OPENED.iter().map(|(feature, _)| (*feature).to_owned());
        let features = if is_open { features.collect() } else { Vec::new() };
        let options = Options { features, ..options() };
        world.start(|runtime, signals| run(options, runtime, signals));
        world.wait_for("/-/ready", "Prometheus Server is Ready.").await;
        for (feature, query) in OPENED {
            let answer = world.get(&format!("/api/v1/query?query={query}")).await;
            let expected = if is_open { 200 } else { 400 };
            let answer = answer.expect("it runs");
            assert_eq!(answer.status, expected, "{feature} {query} {}", answer.body);
        }
        world.stop().await.expect("a clean end");
    }
}

#[test]
fn features_are_those_of_upstream_but_for_what_is_missing() {
    let Some(golden) = conformance::text("prometheus/api/features.json") else { return };
    let golden: BTreeMap<String, BTreeMap<String, bool>> =
        serde_json::from_str(&golden).expect("upstream's table");
    let mut options = options();
    options.web.enable_lifecycle = false;
    options.web.enable_admin_api = false;
    options.web.remote_write_messages = None;
    let ours = features::table(&options);
    let mut score = conformance::Score::new("api/features");
    for (category, expected) in &golden {
        let got = ours.get(category).cloned().unwrap_or_default();
        let mut wrong: Vec<_> =
            expected.iter().filter(|(name, is_on)| got.get(*name) != Some(is_on)).collect();
        wrong.extend(got.iter().filter(|(name, _)| !expected.contains_key(*name)));
        let outcome = if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:?}")) };
        score.add(category, outcome);
    }
    score.finish(&[
        ("prometheus", "labels are not stored as upstream's \"stringlabels\""),
        ("tsdb", "XOR2 chunks are read, not written"),
    ]);
}

#[test]
fn what_the_file_says_of_retention_wins() {
    let check = |flags: (u64, u64), file: &str, expected: &str| {
        let options = config::prometheus::Options::default();
        let (file, _) = config::prometheus::parse(file, &options).expect("a good file");
        let flags = Retention { time: Duration::from_secs(flags.0), bytes: flags.1 };
        assert_eq!(flags.or_by(&file).to_string(), expected);
    };
    check((0, 0), "", "15d");
    check((3600, 0), "", "1h");
    check((0, 10 << 30), "", "10GiB");
    check((3600, 10 << 30), "", "1h or 10GiB");
    check((3600, 0), "storage: {tsdb: {retention: {time: 2d, size: 1MB}}}", "2d or 1MiB");
}

#[tokio::test]
async fn a_wrong_file_prevents_a_start() {
    let mut world = World::new();
    world.write(CONFIG, "global: {scrape_interval: never}\n");
    world.start(|runtime, signals| run(options(), runtime, signals));
    let error = world.ended().await.expect_err("it cannot start");
    assert!(matches!(error, Error::Config { .. }), "{error}");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("prometheus.yml"), "{error}");
}

#[tokio::test]
async fn quit_ends_the_server() {
    let mut world = world().await;
    world.wait_for("/-/ready", "Prometheus Server is Ready.").await;
    let answer = world.post("/-/quit").await.expect("it runs");
    assert_eq!(answer.body, "Requesting termination... Goodbye!");
    world.ended().await.expect("a clean end");
}

pub(crate) fn options() -> Options {
    let seconds = Duration::from_secs;
    Options {
        config_file: CONFIG.into(),
        auto_reload: None,
        web: WebOptions {
            listen_addresses: vec![ADDRESS.to_owned()],
            external_url: "http://vesta:9090".to_owned(),
            route_prefix: "/".to_owned(),
            enable_lifecycle: true,
            enable_admin_api: true,
            otlp_receiver: false,
            remote_write_messages: Some(remote::Message::ALL.to_vec()),
            cors_origin: ".*".to_owned(),
            connections_max: 512,
            read_timeout: seconds(300),
            listeners_max: 16,
            search_limit_max: 10_000,
            page_title: "Vesta".to_owned(),
            consoles: "consoles".into(),
            console_libraries: "console_libraries".into(),
            user_assets: None,
            profiles: None,
            config_file: None,
        },
        storage: StorageOptions {
            directory: "data".into(),
            retention: Retention::default(),
            block_range_min: seconds(2 * 3600),
            block_range_max: None,
            lock: true,
            remote_flush_deadline: seconds(60),
            wal_segment_bytes: 128 << 20,
            wal_compression: WalCompression::Snappy,
            samples_per_chunk: 120,
            upkeep_interval: seconds(60),
            compaction_delay_max: Duration::ZERO,
            uploads_file: None,
            reads_during_replay: ReadsDuringReplay::Wait,
        },
        rules: RuleOptions {
            outage_tolerance: seconds(3600),
            grace_period: seconds(600),
            resend_delay: seconds(60),
            helpers: None,
            catch_up: seconds(3600),
        },
        notifier: NotifierOptions {
            queue_capacity: 10_000,
            batch_size: 256,
            drain_on_shutdown: true,
        },
        query: QueryOptions {
            lookback: seconds(300),
            timeout: seconds(120),
            concurrency_max: 20,
            samples_max: 50_000_000,
            memory_max: 0,
        },
        remote_read: remote::read::Options {
            samples_max: 50_000_000,
            concurrency_max: 10,
            frame_bytes_max: 1 << 20,
        },
        agent: None,
        cluster: None,
        scrape: ScrapeOptions {
            adjust_timestamps: true,
            timestamp_tolerance: Duration::from_millis(2),
            discovery_reload_interval: seconds(5),
        },
        features: Vec::new(),
        flags: BTreeMap::from([("config.file".to_owned(), CONFIG.to_owned())]),
        host_name: "vesta".to_owned(),
    }
}
