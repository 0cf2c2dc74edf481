use std::{path::Path, time::Duration};

use serde_json::Value;

use super::super::tests::{ALERT, CONFIG, WEBHOOK, options};
use crate::{
    alertmanager::{Options, run},
    testing::{Requests, World},
};

const FILE: &str = "events.jsonl";

async fn world(outputs: &str) -> (World, Requests) {
    let mut world = World::new();
    world.write(CONFIG, &format!("{WEBHOOK}event_recorder:\n{outputs}"));
    let options = Options { features: "event-recorder".to_owned(), ..options() };
    let posted = world.other("record:80", "").await;
    world.start(|runtime, signals| run(options, runtime, signals));
    world.wait_for("/-/ready", "OK").await;
    (world, posted)
}

async fn live(world: &mut World) {
    let notified = world.other("hook:5001", "").await;
    world.post_json("/api/v2/alerts", ALERT).await.expect("it runs");
    world.until(|| (!notified.lock().is_empty()).then_some(())).await;
    let silence = r#"{"matchers": [{"name": "alertname", "value": "B.*", "isRegex": true}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z",
        "createdBy": "me", "comment": "work"}"#;
    world.post_json("/api/v2/silences", silence).await.expect("it runs");
    world.simulation.clock.run_for(Duration::from_secs(70)).await;
}

/// The kinds of the events, in order.
fn kinds(lines: &str) -> Vec<String> {
    let kind = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("it is JSON");
        assert_eq!(event["instance"], "vesta:9093");
        let data = event["data"].as_object().expect("an object");
        data.keys().next().expect("one kind").clone()
    };
    lines.lines().map(kind).collect()
}

fn read(world: &World, path: &str) -> String {
    let disk = world.simulation.runtime().disk;
    disk.read_to_string(Path::new(path)).expect("it was written")
}

#[tokio::test]
async fn what_happens_is_written_line_by_line() {
    let (mut world, _) = world("  file_outputs: [{path: events.jsonl}]\n").await;
    live(&mut world).await;
    world.wait_for("/metrics", "alertmanager_event_recorder_queue_length 0").await;
    world.stop().await.expect("a clean end");
    let lines = read(&world, FILE);
    let expected = [
        "alertmanagerStartupEvent",
        "alertCreated",
        "alertGrouped",
        "notification",
        "silenceCreated",
        "silenceMutedAlert",
        "alertmanagerShutdownEvent",
    ];
    assert_eq!(kinds(&lines), expected, "{lines}");
    let notification = lines.lines().nth(3).expect("the fourth line");
    for part in [
        r#""reason":"NOTIFY_REASON_FIRST_NOTIFICATION""#,
        r#""integration":{"name":"webhook"}"#,
        r#""repeatInterval":"14400s""#,
        r#""groupKey":"{}:{alertname=\"Burns\"}""#,
        r#""labels":{"labels":[{"key":"alertname","value":"Burns"},{"key":"severity""#,
    ] {
        assert!(notification.contains(part), "{part} in {notification}");
    }
}

#[tokio::test]
async fn a_file_that_is_moved_away_begins_anew() {
    let (mut world, _) = world("  file_outputs: [{path: events.jsonl}]\n").await;
    world.until(|| read_if_any(&world).then_some(())).await;
    let disk = world.simulation.runtime().disk;
    disk.rename(Path::new(FILE), Path::new("events.1")).expect("it is there");
    live(&mut world).await;
    world.stop().await.expect("a clean end");
    assert_eq!(kinds(&read(&world, "events.1")), ["alertmanagerStartupEvent"]);
    assert_eq!(kinds(&read(&world, FILE))[0], "alertCreated");
}

fn read_if_any(world: &World) -> bool {
    let disk = world.simulation.runtime().disk;
    disk.metadata(Path::new(FILE)).is_ok_and(|metadata| metadata.len > 0)
}

#[tokio::test]
async fn events_are_posted_alone_or_in_batches() {
    let check = async |settings: &str, first: &str| {
        let outputs = format!("  webhook_outputs: [{{url: 'http://record:80/', {settings}}}]\n");
        let (mut world, posted) = world(&outputs).await;
        live(&mut world).await;
        world.until(|| (!posted.lock().is_empty()).then_some(())).await;
        world.stop().await.expect("a clean end");
        let posted = posted.lock().join("\n");
        assert!(posted.contains(first), "{posted}");
        assert!(posted.contains("silenceMutedAlert"), "{posted}");
    };
    check("workers: 1", "\r\n\r\n{\"").await;
    check("batch: true", "\r\n\r\n[{\"").await;
}

#[tokio::test]
async fn nothing_is_recorded_without_the_feature() {
    let mut world = World::new();
    world.write(CONFIG, &format!("{WEBHOOK}event_recorder: {{file_outputs: [{{path: x}}]}}\n"));
    world.start(|runtime, signals| run(options(), runtime, signals));
    world.wait_for("/-/ready", "OK").await;
    live(&mut world).await;
    world.stop().await.expect("a clean end");
    assert!(!world.simulation.runtime().disk.exists(Path::new("x")));
}
