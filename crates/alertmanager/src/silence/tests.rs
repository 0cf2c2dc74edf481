mod sequences;

use proptest::prelude::*;
use serde_json::Value;

use super::{
    Limits, Pattern, Query, Record, Silence, Silences, State, decode, encode, store::can_update,
    validate, validate_pattern,
};
use crate::{
    alert::fingerprint,
    matcher::Mode,
    testing::{
        base, does_not_apply, expect, labels, mode, pattern, pattern_sets, run_table, silence,
        text, texts, time,
    },
};

fn record(node: &Value) -> Record {
    Record { silence: silence(&node["silence"]), expires_at: time(&node["expires_at"]) }
}

fn state(name: &Value) -> State {
    match text(name) {
        "active" => State::Active,
        "pending" => State::Pending,
        _ => State::Expired,
    }
}

#[test]
fn states_are_upstreams() {
    run_table("silences/current_state", &[], |_, case| {
        expect(silence(case).state(base()).as_str(), text(&case["state"]))
    });
    run_table("silences/filter_by_state", &[], |_, case| {
        let states: Vec<State> =
            case["states"].as_array().expect("a list").iter().map(state).collect();
        let mut silences = empty();
        insert(&mut silences, Silence { id: "a".to_owned(), ..silence(&case["silence"]) });
        let query = Query { ids: None, states: &states };
        let found = silences.query(&query, base()).map_err(|error| error.to_string())?;
        expect(found.len() == 1, case["keep"] == true)
    });
}

#[test]
fn silences_are_validated_as_upstream() {
    run_table("silences/validate", &[], |_, case| {
        let outcome = validate(&silence(&case["silence"]), mode(&case["mode"]));
        if case["valid"] == true {
            return expect(outcome, Ok(()));
        }
        let error = outcome.err().unwrap_or_default();
        match case["error"].as_str() {
            Some(wanted) => expect(error, wanted),
            None => expect(error.contains(text(&case["error_contains"])), true)
                .map_err(|_| format!("{error:?}")),
        }
    });
    run_table("silences/validate_matcher", &[], |_, case| {
        if case["matcher"]["name"].is_null() || case["matcher"]["pattern"].is_null() {
            return does_not_apply("what is no UTF-8 can't become a matcher");
        }
        let outcome = validate_pattern(&pattern(&case["matcher"]), mode(&case["mode"]));
        match outcome {
            Ok(_) => expect(true, case["valid"] == true),
            Err(error) => match case["error_contains"].as_str() {
                Some(wanted) if error.contains(wanted) => Ok(()),
                _ => Err(error),
            },
        }
    });
}

#[test]
fn updates_are_in_place_where_upstreams_are() {
    run_table("silences/can_update", &[], |_, case| {
        let (old, new) = (silence(&case["existing"]), silence(&case["update"]));
        expect(can_update(&old, &new, base()), case["can_update_in_place"] == true)
    });
}

#[test]
fn matcher_sets_match_as_upstream() {
    run_table("silences/match_labels", &[], |cases, case| {
        let labels = labels(&cases.whole["labels"]);
        let mut silences = empty();
        let matcher_sets = pattern_sets(&case["matcher_sets"]);
        insert(&mut silences, Silence { matcher_sets, ..active("a") });
        let by = silences.mutes(fingerprint(&labels), &labels, base());
        expect(!by.is_empty(), case["matches"] == true)
    });
}

#[test]
fn queries_by_id_answer_as_upstream() {
    run_table("silences/query_ids", &[], |_, case| {
        let mut silences = empty();
        for id in texts(&case["stored"]) {
            insert(&mut silences, active(&id));
        }
        let ids = case["ids"].as_array().map(|_| texts(&case["ids"]));
        let found = match silences.query(&Query { ids: ids.as_deref(), states: &[] }, base()) {
            Ok(found) => found,
            Err(error) => {
                let wanted = text(&case["error_contains"]);
                return expect(!wanted.is_empty() && error.to_string().contains(wanted), true);
            }
        };
        let keeps = case["filter_keeps"].as_array().map(|_| texts(&case["filter_keeps"]));
        let mut ids: Vec<&str> = found.iter().map(|silence| silence.id.as_str()).collect();
        ids.retain(|id| keeps.as_ref().is_none_or(|keeps| keeps.iter().any(|keep| keep == id)));
        ids.sort_unstable();
        let mut wanted = texts(&case["result"]);
        wanted.sort_unstable();
        expect(ids, wanted)
    });
}

#[test]
fn versions_tell_what_is_new_as_upstream() {
    run_table("silences/query_since_version", &[], |_, case| {
        let mut silences = empty();
        for entry in case["index"].as_array().expect("a list") {
            let version = entry["version"].as_u64().expect("a number");
            silences.appeared.push((version, text(&entry["id"]).to_owned()));
        }
        let since = case["since"].as_u64().expect("a number");
        let mut ids: Vec<&str> =
            silences.appeared_since(since).iter().map(|(_, id)| id.as_str()).collect();
        ids.sort_unstable();
        let mut wanted = texts(&case["ids_any_order"]);
        wanted.sort_unstable();
        expect(ids, wanted)
    });
}

#[test]
fn remote_silences_merge_as_upstream() {
    run_table("silences/merge", &[], |_, case| {
        let records = |key: &str| -> Vec<Record> {
            let list = case[key].as_array().expect("a list").iter();
            list.map(|node| Record {
                silence: silence(node),
                expires_at: time(&node["expires_at"]),
            })
            .collect()
        };
        let mut silences = empty();
        for record in records("local") {
            silences.merge_record(record, base());
        }
        let remote = encode(&records("remote"));
        silences.merge(&remote, base()).map_err(|error| error.to_string())?;
        expect(sorted(&silences), records("merged"))
    });
}

#[test]
fn state_is_written_and_read_back() {
    run_table("silences/coding", &[], |_, case| {
        let nodes = case["entries"].as_array().expect("a list");
        if let Some(error) = case["error"].as_str() {
            let mut bytes = Vec::new();
            crate::snapshot::write_record(&proto::silence::MeshSilence::default(), &mut bytes);
            return expect(decode(&bytes).map_err(|e| e.to_string()), Err(error.to_owned()));
        }
        let records: Vec<Record> = nodes.iter().map(record).collect();
        expect(decode(&encode(&records)).map_err(|e| e.to_string()), Ok(records))
    });
}

#[test]
fn old_fields_are_read_and_written_as_upstream() {
    use prost::Message as _;
    use proto::silence as wire;
    let wire_set = |node: &Value| -> Vec<wire::Matcher> {
        let patterns = node.as_array().into_iter().flatten().map(pattern);
        patterns
            .map(|it| wire::Matcher { r#type: it.type_number, name: it.name, pattern: it.pattern })
            .collect()
    };
    let message = |node: &Value, expires_at: &Value| wire::MeshSilence {
        silence: Some(wire::Silence {
            id: text(&node["id"]).to_owned(),
            matchers: wire_set(&node["legacy_matchers"]),
            matcher_sets: node["matcher_sets"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|set| wire::MatcherSet { matchers: wire_set(set) })
                .collect(),
            ..wire::Silence::default()
        }),
        expires_at: time(expires_at).map(|time| time.to_proto()),
    };
    run_table("silences/legacy_fields", &[], |_, case| {
        let read =
            [&case["written"]["silence"], &case["read"]].into_iter().find(|node| !node.is_null());
        if let Some(node) = read {
            let mut bytes = Vec::new();
            let message = message(node, &case["written"]["expires_at"]);
            crate::snapshot::write_record(&message, &mut bytes);
            let read = decode(&bytes).map_err(|error| error.to_string())?;
            let wanted = [&case["read_back"]["silence"], &case["after_reading"]]
                .into_iter()
                .find(|node| !node.is_null())
                .expect("a result");
            return expect(&read[0].silence.matcher_sets, &pattern_sets(&wanted["matcher_sets"]));
        }
        let written = Record { silence: silence(&case["before_writing"]), expires_at: None };
        let bytes = encode([&written]);
        let mut on_wire = wire::MeshSilence::decode_length_delimited(bytes.as_slice())
            .map_err(|error| error.to_string())?;
        let silence = on_wire.silence.as_mut().expect("a silence");
        if case["on_the_wire"].is_object() {
            let wanted = message(&case["on_the_wire"], &Value::Null).silence.expect("a silence");
            expect(&silence.matchers, &wanted.matchers)?;
            return expect(&silence.matcher_sets, &wanted.matcher_sets);
        }
        silence.matcher_sets.clear();
        let mut bytes = Vec::new();
        crate::snapshot::write_record(&on_wire, &mut bytes);
        let read = decode(&bytes).map_err(|error| error.to_string())?;
        let wanted = pattern_sets(&case["after_reading"]["matcher_sets"]);
        expect(&read[0].silence.matcher_sets, &wanted)
    });
}

#[test]
fn snapshots_of_upstream_are_read_and_written() {
    let table = "alertmanager/cluster/snapshots";
    for name in ["n0.silences", "n1.silences", "with-0.34-fields.silences"] {
        let Some(path) = conformance::path(&format!("{table}/{name}")) else { return };
        #[expect(clippy::disallowed_methods, reason = "test data is read from the real disk")]
        let bytes = std::fs::read(path).expect("a file");
        let records = decode(&bytes).expect("a snapshot");
        assert!(!records.is_empty());
        assert_eq!(decode(&encode(&records)).expect("ours"), records, "{name}");
    }
}

#[test]
fn logs_show_silences_as_upstream() {
    run_table("silences/log_line", &[], |_, case| {
        let line = format!("Matchers=\"{}\"", silence(&case["silence"]).matchers_text());
        expect(texts(&case["log_contains"]).contains(&line), true).map_err(|_| line)
    });
}

fn empty() -> Silences {
    Silences::new(std::time::Duration::from_secs(3600), Limits::default(), Mode::Fallback)
}

fn active(id: &str) -> Silence {
    silence(&serde_json::json!({"id": id, "starts_at": -60, "ends_at": 3600, "updated_at": 0}))
}

fn insert(silences: &mut Silences, silence: Silence) {
    let expires_at = time(&serde_json::json!(7200));
    silences.merge_record(Record { silence, expires_at }, base());
}

fn sorted(silences: &Silences) -> Vec<Record> {
    decode(&silences.encode()).expect("our own bytes")
}

/// Silences of few ids, moments and comments, so that they meet.
fn any_record() -> impl Strategy<Value = Record> {
    (0..3u8, 0..3i64, 0..3i64, -1..2i64, "[ab]{1,2}").prop_map(
        |(id, updated_at, end, expires_at, value)| Record {
            silence: Silence {
                matcher_sets: vec![vec![Pattern::new(model::MatchKind::Equal, "a", value)]],
                ..silence(&serde_json::json!({
                    "id": id.to_string(), "updated_at": updated_at, "starts_at": 0, "ends_at": end,
                }))
            },
            expires_at: time(&serde_json::json!(expires_at)),
        },
    )
}

/// What happens to a store of silences.
#[derive(Debug, Clone)]
enum Event {
    /// A silence, or another version of one.
    Silence {
        id: u8,
        pattern: Pattern,
        start: i64,
        end: i64,
    },
    /// An alert with this value of `a` is looked at.
    Ask(String),
    /// So many seconds pass.
    Wait(u64),
    Forget(String),
    Collect,
}

fn any_event() -> impl Strategy<Value = Event> {
    use model::MatchKind::{Equal, NotEqual, Regex};
    let kind = prop::sample::select(&[Equal, Equal, NotEqual, Regex][..]);
    let pattern =
        (kind, "[ab]", "[xy]").prop_map(|(kind, name, value)| Pattern::new(kind, name, value));
    prop_oneof![
        3 => (0..4u8, pattern, -2..4i64, 0..6i64).prop_map(|(id, pattern, start, length)| {
            Event::Silence { id, pattern, start, end: start + length }
        }),
        4 => "[xyz]".prop_map(Event::Ask),
        2 => (0..3u64).prop_map(Event::Wait),
        1 => "[xyz]".prop_map(Event::Forget),
        1 => Just(Event::Collect),
    ]
}

proptest! {
    /// Cache and index answer as a search through everything does.
    #[test]
    fn caches_know_what_a_search_finds(events in prop::collection::vec(any_event(), 0..40)) {
        let mut silences = Silences::new(std::time::Duration::ZERO, Limits::default(), Mode::Fallback);
        let mut now = base();
        for (idx, event) in events.into_iter().enumerate() {
            let of = |value: &str| model::Labels::from_pairs([("a", value)]);
            match event {
                Event::Silence { id, pattern, start, end } => {
                    let at = |seconds: i64| Some(crate::testing::seconds_after(now, seconds as f64));
                    let silence = Silence {
                        id: id.to_string(),
                        matcher_sets: vec![vec![pattern]],
                        starts_at: at(start),
                        ends_at: at(end),
                        updated_at: Some(now + std::time::Duration::from_nanos(idx as u64)),
                        ..Silence::default()
                    };
                    silences.merge_record(Record { silence, expires_at: at(end + 2) }, now);
                }
                Event::Ask(value) => {
                    let labels = of(&value);
                    let found = silences.mutes(fingerprint(&labels), &labels, now);
                    let mut searched: Vec<String> = silences
                        .stored
                        .iter()
                        .filter(|(_, stored)| stored.record.silence.state_inside(now) == State::Active)
                        .filter(|(_, stored)| {
                            let mut sets = stored.matcher_sets.iter().flat_map(|sets| sets.iter());
                            sets.any(|set| crate::matcher::all_match(set, &labels))
                        })
                        .map(|(id, _)| id.clone())
                        .collect();
                    searched.sort();
                    prop_assert_eq!(found, searched);
                }
                Event::Wait(seconds) => now = now + std::time::Duration::from_secs(seconds),
                Event::Forget(value) => silences.forget(&[fingerprint(&of(&value))]),
                Event::Collect => {
                    silences.collect_garbage(now);
                }
            }
        }
    }

    #[test]
    fn merging_is_the_same_in_any_order_and_any_number_of_times(
        records in prop::collection::vec(any_record(), 0..12),
        order in any::<prop::sample::Index>(),
    ) {
        let merge = |records: &mut dyn Iterator<Item = &Record>| {
            let mut silences = empty();
            for record in records {
                silences.merge_record(record.clone(), base());
            }
            silences
        };
        let forward = sorted(&merge(&mut records.iter()));
        prop_assert_eq!(&forward, &sorted(&merge(&mut records.iter().rev())));
        prop_assert_eq!(&forward, &sorted(&merge(&mut records.iter().chain(&records))));
        // (a + b) + c = a + (b + c), the state being what travels.
        let middle = if records.is_empty() { 0 } else { order.index(records.len()) };
        let (left, right) = records.split_at(middle);
        let mut whole = merge(&mut left.iter());
        whole.merge(&merge(&mut right.iter()).encode(), base()).expect("our own bytes");
        prop_assert_eq!(&forward, &sorted(&whole));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // What is read can be written.
        if let Ok(records) = decode(&bytes) {
            encode(&records);
        }
    }
}
