//! Alerts over a restart.

use super::*;

/// The same disk and receivers after a restart that took `seconds`.
async fn restart(world: World, seconds: u64, is_kill: bool) -> World {
    if !is_kill {
        world.node.stop().await;
    }
    let World { simulation, log, .. } = world;
    simulation.clock.run_for(Duration::from_secs(seconds)).await;
    let mut world = World::with(Options::new("data"), simulation, Arc::new(Alone));
    world.log = log;
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world
}

async fn started() -> World {
    let world = World::new();
    world.apply(ROUTE, &[("a", &[Behaviour::Works])]).await;
    world
}

#[tokio::test]
async fn what_was_about_to_be_told_is_told_after_a_kill() {
    let world = World::new();
    // What goes on after the kill is to have no effect.
    world.apply(ROUTE, &[("a", &[Behaviour::Hangs])]).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 240}));
    world.run_for(10).await;
    let world = restart(world, 30, true).await;
    world.run_for(1).await;
    assert_eq!(world.told(), ["40s a 1+0 first notification"]);
    assert_eq!(world.node.alerts(&AlertFilter::default()).len(), 1);
    world.node.stop().await;
}

#[tokio::test]
async fn what_has_ended_meanwhile_is_told_as_over() {
    let world = started().await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 240}));
    world.run_for(60).await;
    assert_eq!(world.told().len(), 1);
    // Nobody could repeat it while we were away, so it has some time.
    let world = restart(world, 600, false).await;
    world.run_for(299).await;
    assert!(world.told().is_empty());
    world.run_for(700).await;
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with("a 0+1 all alerts resolved"), "{told:?}");
    world.node.stop().await;
}

#[tokio::test]
async fn what_goes_on_is_not_told_again() {
    let world = started().await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 240}));
    world.run_for(60).await;
    assert_eq!(world.told().len(), 1);
    let world = restart(world, 100, false).await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 240_000}));
    world.run_for(2000).await;
    assert!(world.told().is_empty());
    world.node.stop().await;
}

#[tokio::test]
async fn what_others_have_told_as_over_is_not_told_as_firing() {
    let world = started().await;
    world.put(json!({"labels": {"alertname": "A"}, "end": 240}));
    world.run_for(60).await;
    assert_eq!(world.told().len(), 1);
    let (log, receiver) = (world.node.full_state(StateKey::Log), "a");
    let world = restart(world, 100, false).await;
    // Meanwhile another node has told that all is well.
    let mut entry = crate::nflog::decode(&log).expect("our own bytes").remove(0);
    assert_eq!(entry.receiver.group_name, receiver);
    entry.resolved_alerts = std::mem::take(&mut entry.firing_alerts);
    entry.timestamp = Some(world.node.now() - Duration::from_secs(50));
    world.node.merge(StateKey::Log, &crate::nflog::encode([&entry])).expect("good bytes");
    world.run_for(2000).await;
    assert!(world.told().is_empty());
    world.node.stop().await;
}

#[tokio::test]
async fn a_broken_file_does_not_hold_up_a_start() {
    let simulation = Simulation::new(7);
    let disk = simulation.runtime().disk;
    disk.create_directories("data".as_ref()).expect("a directory");
    for bytes in [&b""[..], b"\x05abc", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"] {
        disk.write_atomically("data/alerts".as_ref(), bytes).expect("written");
        let registry = Registry::default();
        let runtime = simulation.runtime();
        let opened = Alertmanager::open(Options::new("data"), runtime, &registry, Arc::new(Alone));
        opened.expect("it starts without");
    }
}

#[test]
fn alerts_are_read_as_they_were_written() {
    let mut alert = crate::testing::alert(&json!({
        "labels": {"alertname": "A", "x": "ä"}, "annotations": {"a": "", "b": "c"},
    }));
    alert.starts_at = crate::Time::parse("2026-01-01T02:03:04.5+01:00").expect("a time");
    alert.generator_url = "http://x".to_owned();
    alert.is_timeout = true;
    let now = crate::testing::base();
    let open_end = Arc::new(alert.clone());
    alert.ends_at = Some(now);
    let alerts = [open_end, Arc::new(alert)];
    let (bytes, n_left_out) = crate::alert::file::encode(&alerts, now);
    assert_eq!(n_left_out, 0);
    let (written_at, read) = crate::alert::file::decode(&bytes).expect("our own bytes");
    assert_eq!(written_at, now);
    assert_eq!(read, alerts.map(|alert| (*alert).clone()));
    assert_eq!(read[0].starts_at.to_rfc3339_nanos(), "2026-01-01T02:03:04.5+01:00");
}
