mod world;

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    dedup::{Hashes, reason_to_notify},
    muted_by_time,
};
use crate::{
    integration::Reason,
    nflog::{Datum, Entry, ReceiverData},
    testing::{
        base, does_not_apply, duration, expect, labels, numbers, run_table, text, texts, time,
    },
};
use world::{Attempt, Options, World};

fn entry(node: &Value) -> Option<Entry> {
    node.as_object()?;
    Some(Entry {
        timestamp: time(&node["timestamp"]),
        firing_alerts: numbers(&node["firing_alerts"]),
        resolved_alerts: numbers(&node["resolved_alerts"]),
        receiver_data: receiver_data(&node["receiver_data"]),
        ..Entry::default()
    })
}

fn receiver_data(node: &Value) -> ReceiverData {
    let datum = |value: &Value| match value["int"].as_i64() {
        Some(number) => Datum::Int(number),
        None => Datum::Text(text(&value["str"]).to_owned()),
    };
    let entries = node.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), datum(value))).collect()
}

#[test]
fn notifications_are_deduplicated_as_upstream() {
    run_table("pipeline/dedup", &[], |_, case| {
        let hashes =
            Hashes { firing: numbers(&case["firing"]), resolved: numbers(&case["resolved"]) };
        let reason = reason_to_notify(
            entry(&case["entry"]).as_ref(),
            &hashes,
            case["send_resolved"] == true,
            duration(&case["repeat_interval_s"]),
            time(&case["flush_time"]).unwrap_or(base()),
        );
        expect(reason != Reason::None, case["notify"] == true)?;
        match case["reason"].as_str() {
            Some(wanted) => expect(reason.as_str(), wanted),
            None => Ok(()),
        }
    });
}

#[tokio::test]
async fn stages_do_as_upstream() {
    let mut outcomes = Vec::new();
    if let Some(cases) = conformance::cases("alertmanager/pipeline/stages.json") {
        for case in &cases.cases {
            outcomes.push(run_stage(case).await);
        }
    }
    let mut outcomes = outcomes.into_iter();
    run_table("pipeline/stages", &[], |_, _| outcomes.next().expect("one a case"));
}

async fn run_stage(case: &Value) -> Result<(), String> {
    if !case["context_missing"].is_null() {
        return does_not_apply("what is missing there at run time is a field of a type here");
    }
    if !case["log_query_error"].is_null() || !case["log_query_results"].is_null() {
        return does_not_apply("the log can't fail, nor hold two entries of one key");
    }
    match text(&case["stage"]) {
        "retry" => run_retry(case).await,
        "set_notifies" => check_set_notifies(case),
        _ => does_not_apply("how stages follow each other is the order of calls in one function"),
    }
}

async fn run_retry(case: &Value) -> Result<(), String> {
    let attempts = case["attempts"].as_array().cloned().unwrap_or_default();
    let world = World::new(Options {
        send_resolved: case["send_resolved"] == true,
        attempts: attempts.iter().map(Attempt::from_table).collect(),
        ..Options::default()
    })
    .await;
    let ends = case["alert_ends_at"].as_array().expect("a list");
    if case["firing"].as_array().is_some_and(Vec::is_empty) {
        // Something was told before, so that its end is news.
        world.log(Entry { firing_alerts: vec![1], ..Entry::default() });
    }
    let outcome = world.retry(ends).await;
    if let Some(delivered) = case["delivered"].as_array() {
        let wanted: Vec<String> = delivered.iter().map(|idx| format!("alert{idx}")).collect();
        expect(world.delivered(), wanted)?;
    }
    let failed = &case["failed_counter"];
    if failed.is_object() {
        let count = world.failed_with(text(&failed["reason"]));
        expect(Some(count), failed["value"].as_f64())?;
    }
    match (outcome, text(&case["result"])) {
        (Ok(()), "ok") => Ok(()),
        (Err(error), "error") => {
            expect(error.contains(text(&case["error_contains"])), true).map_err(|_| error)
        }
        (outcome, _) => Err(format!("{outcome:?}")),
    }
}

fn check_set_notifies(case: &Value) -> Result<(), String> {
    let mut log = crate::nflog::Log::new(Duration::from_secs(120 * 3600));
    let logged = &case["logged"];
    let entry = Entry {
        group_key: text(&case["group_key"]).as_bytes().to_vec(),
        firing_alerts: numbers(&case["firing"]),
        resolved_alerts: numbers(&case["resolved"]),
        ..Entry::default()
    };
    log.write(entry, Some(duration(&case["repeat_interval_s"]) * 2), base());
    let key = text(&logged["group_key"]).as_bytes();
    let entry = log.get(key, &Default::default()).ok_or("nothing is logged")?;
    expect(&entry.firing_alerts, &numbers(&logged["firing_alerts"]))?;
    expect(&entry.resolved_alerts, &numbers(&logged["resolved_alerts"]))?;
    expect(entry.expires_at, Some(base() + duration(&logged["expiry_s"])))
}

#[tokio::test]
async fn integrations_remember_as_upstream() {
    let mut outcomes = Vec::new();
    if let Some(cases) = conformance::cases("alertmanager/pipeline/receiver_data.json") {
        for case in &cases.cases {
            outcomes.push(run_memory(case).await);
        }
    }
    let mut outcomes = outcomes.into_iter();
    run_table("pipeline/receiver_data", &[], |_, _| outcomes.next().expect("one a case"));
}

async fn run_memory(case: &Value) -> Result<(), String> {
    for step in case["steps"].as_array().expect("a list") {
        let world = World::new(Options {
            send_resolved: case["send_resolved"] == true,
            sets: receiver_data(&step["notifier_sets"]),
            ..Options::default()
        })
        .await;
        if let Some(entry) = entry(&step["log_entry"]) {
            world.log(entry);
        }
        world.put(json!({"alertname": "test"}));
        world.run_for(Duration::from_secs(31)).await;
        if step["notifier_sees"].is_object() {
            expect(world.seen(), Some(receiver_data(&step["notifier_sees"])))?;
        }
        if step["logged"].is_object() {
            expect(world.logged(), Some(receiver_data(&step["logged"])))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn alerts_are_muted_as_upstream() {
    let mut outcomes = Vec::new();
    if let Some(cases) = conformance::cases("alertmanager/pipeline/mute_stages.json") {
        for case in &cases.cases {
            outcomes.push(run_mute(case).await);
        }
    }
    let mut outcomes = outcomes.into_iter();
    run_table("pipeline/mute_stages", &[], |_, _| outcomes.next().expect("one a case"));
}

async fn run_mute(case: &Value) -> Result<(), String> {
    if case["intervals"].is_object() {
        let intervals = crate::interval::tests::intervals(&case["intervals"]);
        let (muted_by, reason) = muted_by_time(
            &intervals,
            &texts(&case["active_time_intervals"]),
            &texts(&case["mute_time_intervals"]),
            time(&case["now"]).expect("a time"),
        )?;
        expect(muted_by.clone(), texts(&case["group_muted_by"]))?;
        expect(muted_by.is_empty(), !case["passed"].as_array().expect("a list").is_empty())?;
        return match case["suppressed_reason"].as_str() {
            Some(wanted) => expect(reason, wanted),
            None => Ok(()),
        };
    }
    // A stage that mutes by a label, here and in the other case a silence.
    let world = World::new(Options::default()).await;
    let id = world.silence("mute", ".+");
    let rounds = case["rounds"].as_array().cloned().unwrap_or_else(|| vec![case.clone()]);
    for round in rounds {
        if round["expire_silence_first"] == true {
            world.expire(&id);
        }
        let alerts = round["alerts"].as_array().expect("a list");
        let passed = world.mute(alerts.iter().map(labels).collect()).await;
        let wanted: Vec<_> =
            round["passed"].as_array().expect("a list").iter().map(labels).collect();
        expect(passed, wanted)?;
        expect(Some(world.suppressed("silence")), round["suppressed_counter"].as_f64())?;
    }
    Ok(())
}
