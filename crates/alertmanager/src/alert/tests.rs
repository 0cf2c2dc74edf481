use std::sync::Arc;

use super::{Alert, Bucket, Store, compare, fingerprint, log_hash, summarize};
use crate::{
    integration::group_key_hash,
    testing::{self, alert, base, does_not_apply, expect, labels, mode, run_table, text, time},
};

#[test]
fn reports_of_one_alert_merge_as_upstream() {
    run_table("alerts/merge", &[], |_, case| {
        let (a, b, merged) = (alert(&case["a"]), alert(&case["b"]), alert(&case["merged"]));
        expect(a.merge(&b, base()), merged.clone())?;
        expect(b.merge(&a, base()), merged)
    });
}

#[test]
fn alerts_sort_as_upstream() {
    run_table("alerts/sort", &[], |_, case| {
        let sets = |key: &str| case[key].as_array().expect("a list").iter().map(labels);
        let mut sorted: Vec<_> = sets("input").collect();
        sorted.sort_by(compare);
        expect(sorted, sets("sorted").collect::<Vec<_>>())
    });
}

#[test]
fn logs_count_alerts_as_upstream() {
    run_table("alerts/log_value", &[], |_, case| {
        let names = testing::texts(&case["alertnames"]);
        let alerts: Vec<Alert> = names
            .iter()
            .map(|name| alert(&serde_json::json!({"labels": {"alertname": name}})))
            .collect();
        expect(summarize(&alerts), text(&case["log_value"]))
    });
}

#[test]
fn labels_are_validated_as_upstream() {
    run_table("alerts/label_validation", &[], |_, case| {
        if !case["label_name_base64"].is_null() {
            return does_not_apply("what is no UTF-8 can't become a label");
        }
        let alert = alert(&serde_json::json!({"labels": case["labels"], "ends_at": 1}));
        expect(alert.validate(mode(&case["mode"])).is_ok(), case["valid"] == true)
    });
}

#[test]
fn hashes_are_upstreams() {
    run_table("alerts/hashes", &[], |_, case| {
        let labels = labels(&case["labels"]);
        expect(fingerprint(&labels).to_string(), text(&case["fingerprint"]))?;
        expect(log_hash(&labels).to_string(), text(&case["alert_hash"]))
    });
    run_table("alerts/group_key_hash", &[], |_, case| {
        expect(group_key_hash(text(&case["group_key"])), text(&case["sha256"]))
    });
}

#[test]
fn buckets_limit_as_upstream() {
    run_table("alerts/limit_bucket", &[], |_, case| {
        let mut bucket = Bucket::new(case["capacity"].as_u64().expect("a number") as usize);
        for upsert in case["upserts"].as_array().expect("a list") {
            let id = fingerprint(&labels(&upsert["labels"]));
            let accepted = bucket.upsert(id, time(&upsert["ends_at"]), base());
            expect(accepted, upsert["accepted"] == true)?;
        }
        if let Some(count) = case["count_after"].as_u64() {
            expect(bucket.len() as u64, count)?;
        }
        if let Some(kept) = case["kept_ends_at"].as_array() {
            expect(bucket.ends().collect::<Vec<_>>(), kept.iter().map(time).collect::<Vec<_>>())?;
        }
        match case["is_stale"].as_bool() {
            Some(is_stale) => expect(bucket.is_stale(base()), is_stale),
            None => Ok(()),
        }
    });
}

#[test]
fn store_forgets_as_upstream() {
    run_table("alerts/store", &[], |_, case| {
        let mut store = Store::default();
        for stored in case["stored"].as_array().expect("a list") {
            store.put(alert(stored), base());
        }
        if case["gc"] == true {
            let gone = store.collect_garbage(base());
            expect(Some(gone.len() as u64), case["gc_callback_count"].as_u64())?;
        } else {
            store.remove_if_unmodified(&alert(&case["delete_if_not_modified"]));
        }
        let mut left: Vec<_> = store.iter().map(|(_, alert)| alert.labels.clone()).collect();
        left.sort();
        let mut wanted: Vec<_> =
            case["left"].as_array().expect("a list").iter().map(labels).collect();
        wanted.sort();
        expect(left, wanted)
    });
}

#[test]
fn a_second_firing_replaces_what_is_over() {
    let mut store = Store::default();
    let put = |store: &mut Store, start: i64, end: i64, updated: i64| {
        let alert = alert(&serde_json::json!({
            "labels": {"a": "b"}, "starts_at": start, "ends_at": end, "updated_at": updated,
        }));
        let (_, stored) =
            store.put(alert, testing::seconds_after(base(), updated as f64)).expect("room");
        (stored.starts_at, stored.ends_at)
    };
    let at = |seconds: i64| testing::seconds_after(base(), seconds as f64);
    put(&mut store, 0, 100, 0);
    assert_eq!(put(&mut store, 50, 200, 50), (at(0), Some(at(200))), "they overlap");
    assert_eq!(put(&mut store, 300, 400, 300), (at(300), Some(at(400))), "they don't");
}

#[test]
fn a_name_at_its_limit_takes_only_what_it_knows() {
    let mut store = Store::new(Some(2));
    let mut put = |name: &str, instance: &str| {
        let labels = serde_json::json!({"alertname": name, "instance": instance});
        let alert = alert(&serde_json::json!({"labels": labels, "ends_at": 3600}));
        store.put(alert, base()).is_some()
    };
    assert!(put("A", "1") && put("A", "2"));
    assert!(!put("A", "3"));
    assert!(put("A", "1"), "known");
    assert!(put("B", "3"), "another name");
    let stored: Vec<Arc<Alert>> = store.iter().map(|(_, alert)| alert.clone()).collect();
    assert_eq!(stored.len(), 3);
}

#[test]
fn alerts_are_stored_as_upstream() {
    run_table("alerts/provider", &[], |_, case| {
        let name = text(&case["test"]);
        if name.contains("Subscrib") && name != "TestAlertsSubscribe" {
            return does_not_apply("who wants to know of alerts is called, not sent to");
        }
        let limit = case["pre_store_refuses_new_above"].as_u64().map(|limit| limit as usize);
        let mut store = Store::new(limit);
        let mut now = base();
        let lifetime = case["alerts_end_after_s"].as_f64().unwrap_or(3600.0);
        for step in case["steps"].as_array().expect("a list") {
            for node in step["put"].as_array().into_iter().flatten() {
                let end = Some(testing::seconds_after(now, lifetime));
                store.put(Alert { starts_at: now, ends_at: end, ..alert(node) }, now);
            }
            if let Some(seconds) = step["wait_s"].as_f64() {
                now = testing::seconds_after(now, seconds);
                store.collect_garbage(now);
            }
            if let Some(count) = step["stored_count"].as_u64() {
                expect(store.len() as u64, count)?;
            }
            let stored = ["stored", "pending", "each_subscriber_gets"];
            for wanted in stored.iter().filter_map(|key| step[key].as_array()) {
                let mut found: Vec<_> = store.iter().map(|(_, it)| it.labels.clone()).collect();
                found.sort();
                let mut wanted: Vec<_> = wanted.iter().map(labels).collect();
                wanted.sort();
                expect(found, wanted)?;
            }
            if step["annotations_of"].is_object() {
                let id = fingerprint(&labels(&step["annotations_of"]));
                let found = store.get(id).map(|alert| (*alert.annotations).clone());
                expect(found, Some(testing::text_map(&step["annotations"])))?;
            }
        }
        Ok(())
    });
}
