use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::{Datum, Entry, Log, ReceiverKey, decode, encode};
use crate::testing::{base, expect, numbers, run_table, text, time};

fn receiver(node: &Value) -> ReceiverKey {
    ReceiverKey {
        group_name: text(&node["group_name"]).to_owned(),
        integration: text(&node["integration"]).to_owned(),
        idx: node["idx"].as_u64().unwrap_or_default() as u32,
    }
}

fn entry(node: &Value, expires_at: &Value) -> Entry {
    Entry {
        group_key: text(&node["group_key"]).as_bytes().to_vec(),
        receiver: receiver(&node["receiver"]),
        timestamp: time(&node["timestamp"]),
        firing_alerts: numbers(&node["firing_alerts"]),
        resolved_alerts: numbers(&node["resolved_alerts"]),
        group_hash: text(&node["group_hash"]).as_bytes().to_vec(),
        resolved: node["resolved"] == true,
        expires_at: time(expires_at),
        ..Entry::default()
    }
}

fn empty() -> Log {
    Log::new(Duration::from_secs(3600))
}

fn content(log: &Log) -> Vec<Entry> {
    decode(&log.encode()).expect("our own bytes")
}

#[test]
fn remote_entries_merge_as_upstream() {
    run_table("nflog/merge", &[], |_, case| {
        let entries = |key: &str| -> Vec<Entry> {
            let list = case[key].as_array().expect("a list").iter();
            list.map(|node| entry(node, &node["expires_at"])).collect()
        };
        let mut log = empty();
        for entry in entries("local") {
            log.merge_entry(entry, base());
        }
        log.merge(&encode(&entries("remote")), base()).map_err(|error| error.to_string())?;
        let mut wanted = entries("merged");
        wanted.sort_by_key(|entry| entry.receiver.to_string());
        expect(content(&log), wanted)
    });
}

#[test]
fn state_is_written_and_read_back() {
    run_table("nflog/coding", &[], |_, case| {
        if let Some(error) = case["error"].as_str() {
            let mut bytes = Vec::new();
            crate::snapshot::write_record(&proto::nflog::MeshEntry::default(), &mut bytes);
            return expect(decode(&bytes).map_err(|e| e.to_string()), Err(error.to_owned()));
        }
        let nodes = case["entries"].as_array().expect("a list").iter();
        let entries: Vec<Entry> =
            nodes.map(|node| entry(&node["entry"], &node["expires_at"])).collect();
        expect(decode(&encode(&entries)).map_err(|e| e.to_string()), Ok(entries))
    });
}

#[test]
fn subsets_are_upstreams() {
    run_table("nflog/subset", &[], |_, case| {
        let entry = Entry {
            firing_alerts: numbers(&case["firing_alerts"]),
            resolved_alerts: numbers(&case["resolved_alerts"]),
            ..Entry::default()
        };
        let subset = numbers(&case["subset"]);
        let found = match case["firing_alerts"].is_null() {
            true => entry.is_resolved_subset(&subset),
            false => entry.is_firing_subset(&subset),
        };
        expect(found, case["is_subset"] == true)
    });
}

#[test]
fn entries_are_forgotten_and_found_as_upstream() {
    run_table("nflog/gc_and_query", &[], |_, case| {
        if case["stored_expiry"].is_object() {
            let mut log = empty();
            let mut bytes = Vec::new();
            for (key, expiry) in case["stored_expiry"].as_object().expect("a map") {
                let group_key = key.as_bytes().to_vec();
                let entry = Entry { group_key, expires_at: time(expiry), ..Entry::default() };
                bytes.extend(encode([&entry]));
            }
            log.load(&bytes).map_err(|error| error.to_string())?;
            let removed = log.collect_garbage(base()).map_err(|error| error.to_string())?;
            expect(Some(removed as u64), case["gc_removed"].as_u64())?;
            return expect(log.len() as u64, 1);
        }
        let mut log = empty();
        for step in case["steps"].as_array().expect("a list") {
            if step["log"].is_object() {
                log.write(entry(&step["log"], &Value::Null), None, base());
                continue;
            }
            let query = &step["query"];
            if query["group_key"].is_null() || query["receiver"].is_null() {
                // Both are asked for by the type of the function here.
                continue;
            }
            let key = text(&query["group_key"]).as_bytes();
            match log.get(key, &receiver(&query["receiver"])) {
                Some(found) => {
                    expect(&found.firing_alerts, &numbers(&step["firing_alerts"]))?;
                    expect(&found.resolved_alerts, &numbers(&step["resolved_alerts"]))?;
                }
                None => expect("not found", text(&step["error"]))?,
            }
        }
        Ok(())
    });
}

#[test]
fn an_entry_without_an_end_stops_the_collection() {
    let mut log = empty();
    log.load(&encode([&Entry::default()])).expect("our own bytes");
    let error = log.collect_garbage(base()).expect_err("no end");
    assert_eq!(error.to_string(), "unexpected zero expiration timestamp");
}

#[test]
fn a_later_entry_is_not_overwritten() {
    let mut log = empty();
    let later = base() + Duration::from_secs(1);
    assert!(log.write(Entry::default(), None, later).is_some());
    assert!(
        log.write(Entry { firing_alerts: vec![1], ..Entry::default() }, None, base()).is_none()
    );
    assert_eq!(content(&log)[0].timestamp, Some(later));
}

#[test]
fn snapshots_of_upstream_are_read_and_written() {
    for name in ["n0.nflog", "n1.nflog"] {
        let path = conformance::path(&format!("alertmanager/cluster/snapshots/{name}"));
        let Some(path) = path else { return };
        #[expect(clippy::disallowed_methods, reason = "test data is read from the real disk")]
        let bytes = std::fs::read(path).expect("a file");
        let entries = decode(&bytes).expect("a snapshot");
        assert!(!entries.is_empty());
        assert_eq!(encode(&entries), bytes, "{name}");
    }
}

/// Entries of few keys and moments, so that they meet.
fn any_entry() -> impl Strategy<Value = Entry> {
    (0..3u8, 0..3i64, -1..3i64, 0..3u64, 0..2i64).prop_map(|(key, at, expiry, hash, datum)| Entry {
        group_key: vec![key],
        timestamp: time(&serde_json::json!(at)),
        firing_alerts: vec![hash],
        receiver_data: [("x".to_owned(), Datum::Int(datum))].into(),
        expires_at: time(&serde_json::json!(expiry)),
        ..Entry::default()
    })
}

proptest! {
    #[test]
    fn merging_is_the_same_in_any_order_and_any_number_of_times(
        entries in prop::collection::vec(any_entry(), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let merge = |entries: &mut dyn Iterator<Item = &Entry>| {
            let mut log = empty();
            for entry in entries {
                log.merge_entry(entry.clone(), base());
            }
            log
        };
        let forward = content(&merge(&mut entries.iter()));
        prop_assert_eq!(&forward, &content(&merge(&mut entries.iter().rev())));
        prop_assert_eq!(&forward, &content(&merge(&mut entries.iter().chain(&entries))));
        let middle = if entries.is_empty() { 0 } else { cut.index(entries.len()) };
        let (left, right) = entries.split_at(middle);
        let mut whole = merge(&mut left.iter());
        whole.merge(&merge(&mut right.iter()).encode(), base()).expect("our own bytes");
        prop_assert_eq!(&forward, &content(&whole));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(entries) = decode(&bytes) {
            encode(&entries);
        }
    }
}
