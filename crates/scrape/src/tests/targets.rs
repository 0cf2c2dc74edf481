//! Targets that come, stay and go.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{Labels, TargetGroup};

use super::world::{World, drop_rule, expect, job, text};
use crate::Config;

#[tokio::test]
async fn target_that_is_gone_ends_late() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.run_for(10).await;
    world.discover("job", &[]);
    world.run_for(15).await;
    expect(&world.samples(), r#"{__name__="a", instance="host:80", job="job"} 1"#);
    world.run_for(10).await;
    expect(&world.samples(), r#"{__name__="a", instance="host:80", job="job"} 1 stale"#);
    expect(
        &world.series(|name| name == "up"),
        r#"{__name__="up", instance="host:80", job="job"} 1 stale"#,
    );
    let times = world.times("a");
    assert_eq!(times[1] - times[0], 10_000);
}

#[tokio::test]
async fn target_behind_a_socket_is_scraped_there() {
    let world = World::new();
    world.serve_socket("/run/app.sock", text("a 1\n")).await;
    world.apply(vec![job()]);
    let target = [("__address__", "app:80"), ("__unix_socket__", "/run/app.sock")];
    let group = TargetGroup { targets: vec![Labels::from_pairs(target)], ..Default::default() };
    world.manager.set_targets(&BTreeMap::from([("job".to_owned(), vec![Arc::new(group)])]));
    world.run_for(10).await;
    expect(&world.samples(), r#"{__name__="a", instance="app:80", job="job"} 1"#);
    let requests = world.requests.lock().concat();
    assert!(requests.contains("host: app\r\n"), "{requests}");
}

#[tokio::test]
async fn target_that_comes_back_does_not_end() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.run_for(10).await;
    world.discover("job", &[]);
    world.run_for(5).await;
    world.discover("job", &["host:80"]);
    world.run_for(35).await;
    let samples = world.samples();
    assert!(!samples.contains("stale"), "{samples}");
}

#[tokio::test]
async fn target_with_another_interval_goes_on() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.run_for(10).await;
    world.apply(vec![Config { scrape_interval: Duration::from_secs(60), ..job() }]);
    world.run_for(120).await;
    expect(&world.samples(), r#"{__name__="a", instance="host:80", job="job"} 1 1 1"#);
}

#[tokio::test]
async fn stopping_ends_nothing() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.run_for(10).await;
    world.manager.stop().await;
    world.run_for(60).await;
    expect(&world.samples(), r#"{__name__="a", instance="host:80", job="job"} 1"#);
}

#[tokio::test]
async fn removed_job_ends_its_series() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.run_for(10).await;
    world.apply(Vec::new());
    world.run_for(30).await;
    expect(&world.samples(), r#"{__name__="a", instance="host:80", job="job"} 1 stale"#);
    assert!(world.manager.pools().is_empty());
}

#[tokio::test]
async fn reload_keeps_the_rhythm() {
    let world = World::scraping(job(), text("a 1\n")).await;
    for _ in 0..6 {
        world.run_for(5).await;
        world.apply(vec![Config { honor_labels: true, ..job() }]);
        world.discover("job", &["host:80"]);
        world.run_for(5).await;
        world.apply(vec![job()]);
    }
    let times = world.times("a");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 10_000), "{times:?}");
    assert_eq!(times.len(), 6);
}

#[tokio::test]
async fn same_target_twice_is_scraped_once() {
    let world = World::scraping(job(), text("a 1\n")).await;
    world.discover("job", &["host:80", "host:80"]);
    world.run_for(10).await;
    assert_eq!(world.requests.lock().len(), 1);
    assert_eq!(world.targets().len(), 1);
}

#[tokio::test]
async fn discovered_targets_are_taken_up_at_once_then_now_and_then() {
    let world = World::new();
    world.serve("host", text("a 1\n")).await;
    world.apply(vec![job()]);
    let group = |address: &str| {
        let targets = vec![model::Labels::from_pairs([("__address__", address)])];
        let group = model::TargetGroup { targets, ..Default::default() };
        std::sync::Arc::new(std::collections::BTreeMap::from([(
            "job".to_owned(),
            vec![std::sync::Arc::new(group)],
        )]))
    };
    let (sender, updates) = tokio::sync::watch::channel(Default::default());
    let instances = || -> Vec<String> {
        let targets = world.targets();
        targets.iter().map(|target| target.labels.value("instance").to_owned()).collect()
    };
    let run = world.manager.run(updates);
    let script = async {
        world.run_for(1).await;
        assert_eq!(instances(), [""; 0]);
        sender.send_replace(group("host:80"));
        world.run_for(1).await;
        assert_eq!(instances(), ["host:80"]);
        sender.send_replace(group("b:80"));
        world.run_for(1).await;
        assert_eq!(instances(), ["host:80"]);
        world.run_for(5).await;
        assert_eq!(instances(), ["b:80"]);
        drop(sender);
        world.run_for(10).await;
    };
    tokio::join!(run, script);
}

#[tokio::test]
async fn dropped_targets_are_kept_up_to_the_limit() {
    let world = World::new();
    let config = Config { relabel_rules: vec![drop_rule("__address__", "b.*")], ..job() };
    let kept = || {
        let pool = world.manager.pools().remove(0);
        let addresses = pool.dropped.iter().map(|labels| labels.value("__address__").to_owned());
        (addresses.collect::<Vec<_>>(), pool.n_dropped)
    };
    world.apply(vec![config.clone()]);
    world.discover("job", &["a:80", "b1:80", "b2:80"]);
    assert_eq!(kept(), (vec!["b1:80".to_owned(), "b2:80".to_owned()], 2));
    world.apply(vec![Config { keep_dropped_targets: 1, ..config }]);
    assert_eq!(kept(), (vec!["b1:80".to_owned()], 2));
}

#[tokio::test]
async fn parameters_and_path_are_asked_for() {
    let params = [("module".to_owned(), vec!["a b".to_owned(), "c".to_owned()])].into();
    let config =
        Config { params, metrics_path: "/probe".to_owned(), enable_compression: false, ..job() };
    let world = World::scraping(config, text("a 1\n")).await;
    world.run_for(10).await;
    let request = world.requests.lock().remove(0);
    assert!(request.starts_with("get /probe?module=a+b&module=c http/1.1\r\n"), "{request}");
    assert!(request.contains("accept-encoding: identity\r\n"), "{request}");
}

#[tokio::test]
async fn job_that_cannot_work_changes_nothing() {
    let world = World::scraping(job(), text("a 1\n")).await;
    let mut broken = Config { job_name: "broken".to_owned(), ..job() };
    broken.http.tls.ca = Some(transport::client::Secret::File("/nowhere".into()));
    let error = world.manager.apply(vec![broken], &model::Labels::empty()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("error creating HTTP client for job \"broken\": "), "{text}");
    world.run_for(10).await;
    assert_eq!(world.last("up"), 1.0);
}
