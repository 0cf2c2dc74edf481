use std::{collections::HashMap, time::Duration};

use runtime::random::SeededRandom;
use serde_json::Value;

use super::{Limits, Record, Silence, Silences, state};
use crate::{
    alert::fingerprint,
    matcher::Mode,
    testing::{
        base, duration, expect, labels, pattern_sets, repeated, run_table, seconds_after, silence,
        text, text_map, texts, time,
    },
    time::Time,
};

struct World {
    silences: Silences,
    now: Time,
    random: SeededRandom,
    /// Silences by the name that the case gives them, as returned.
    named: HashMap<String, Silence>,
}

#[test]
fn sequences_end_as_upstream() {
    run_table(
        "silences/sequences",
        &[(
            "16 GC goes on over broken entries",
            "an index entry without a silence can't come to be here",
        )],
        |_, case| {
            let limits = Limits {
                silences: case["max_silences"].as_u64().map(|max| max as usize),
                bytes: case["max_silence_size_bytes"].as_u64().map(|max| max as usize),
            };
            let retention = duration(&case["retention_s"]);
            let mut world = World {
                silences: Silences::new(retention, limits, Mode::Classic),
                now: base(),
                random: SeededRandom::new(1),
                named: HashMap::new(),
            };
            preload(&mut world, case, retention);
            for (idx, step) in case["steps"].as_array().expect("a list").iter().enumerate() {
                run(&mut world, step).map_err(|error| format!("step {idx} {step}: {error}"))?;
            }
            Ok(())
        },
    );
}

fn preload(world: &mut World, case: &Value, retention: Duration) {
    let mut insert = |record: Record| {
        world.named.insert(record.silence.id.clone(), record.silence.clone());
        world.silences.load(&super::encode([&record]), base()).expect("our own bytes");
    };
    for node in case["preloaded"].as_object().into_iter().flat_map(|map| map.values()) {
        let silence = silence(node);
        let expires_at = time(&node["expires_at"]).or_else(|| Some(silence.ends_at? + retention));
        insert(Record { silence, expires_at });
    }
    for (id, expiry) in case["preloaded_with_expiry"].as_object().into_iter().flatten() {
        let silence = Silence { id: id.clone(), ..Silence::default() };
        insert(Record { silence, expires_at: time(expiry) });
    }
    for group in case["preloaded_groups"].as_array().into_iter().flatten() {
        let (prefix, _) = text(&group["ids"]).split_once('-').expect("a name");
        for idx in 0..group["count"].as_u64().expect("a number") {
            let silence = Silence { id: format!("{prefix}-{idx}"), ..silence(group) };
            let expires_at = silence.ends_at.map(|end| end + retention);
            insert(Record { silence, expires_at });
        }
    }
}

fn run(world: &mut World, step: &Value) -> Result<(), String> {
    let is = |key: &str| !step[key].is_null();
    let now = world.now;
    if is("advance_s") {
        world.now = seconds_after(now, step["advance_s"].as_f64().expect("a number"));
        return Ok(());
    }
    if is("set") {
        return set(world, step);
    }
    if is("expire") {
        let id = id_of(world, text(&step["expire"]));
        return world.silences.expire(&id, now).map(|_| ()).map_err(|error| error.to_string());
    }
    if is("max_silences") {
        world.silences.limits.silences = step["max_silences"].as_u64().map(|max| max as usize);
        return Ok(());
    }
    if is("gc") {
        let (removed, complaints) = world.silences.collect_garbage(now);
        for wanted in texts(&step["error_contains"]) {
            expect(complaints.iter().any(|it| it.contains(&wanted)), true)?;
        }
        return expect(Some(removed as u64), step["removed"].as_u64());
    }
    if is("mutes") {
        let labels = labels(&step["mutes"]);
        let by = world.silences.mutes(fingerprint(&labels), &labels, now);
        expect(!by.is_empty(), step["muted"] == true)?;
        return check_cache(world, &step["mutes"], step);
    }
    if is("alert_garbage_collected") {
        let gone = labels(&step["alert_garbage_collected"]);
        world.silences.forget(&[fingerprint(&gone)]);
        let asked = if is("cache_entry_of") { "cache_entry_of" } else { "alert_garbage_collected" };
        return check_cache(world, &step[asked], step);
    }
    if is("stored_count") {
        return expect(Some(world.silences.len() as u64), step["stored_count"].as_u64());
    }
    if is("stored_ids") {
        let mut ids: Vec<&String> = world.silences.stored.keys().collect();
        ids.sort_unstable();
        return expect(ids, texts(&step["stored_ids"]).iter().collect::<Vec<_>>());
    }
    if is("count") {
        for (name, count) in step["count"].as_object().expect("a map") {
            let found = world.silences.count(state(&Value::from(name.as_str())), now);
            expect(Some(found as u64), count.as_u64())?;
        }
        return Ok(());
    }
    if is("state_of") {
        let found = find(world, text(&step["state_of"]))?.state(now);
        return expect(found, state(&step["state"]));
    }
    if is("silence") {
        let found = find(world, text(&step["silence"]))?.clone();
        return match step["annotations"].is_object() {
            true => expect(found.annotations, text_map(&step["annotations"])),
            false => check_silence(&found, &step["is"]),
        };
    }
    if is("stored") {
        return check_stored(world, &step["stored"]);
    }
    if is("insert_broken") {
        let record = Record { silence: silence(&step["insert_broken"]), expires_at: None };
        world.silences.load(&super::encode([&record]), now).expect("our own bytes");
        return Ok(());
    }
    Err("an unknown step".to_owned())
}

fn set(world: &mut World, step: &Value) -> Result<(), String> {
    let node = &step["set"];
    let mut new = match node["copy_of"].as_str() {
        Some(name) => world.named[name].clone(),
        None => Silence::default(),
    };
    let given = silence(node);
    if node["id"].is_string() {
        new.id = given.id;
    }
    if let Some(name) = node["id_of"].as_str() {
        new.id = id_of(world, name);
    }
    if !node["matcher_sets"].is_null() {
        new.matcher_sets = pattern_sets(&node["matcher_sets"]);
    }
    if !node["legacy_matchers"].is_null() {
        new.matcher_sets = given.matcher_sets;
    }
    new.starts_at = given.starts_at.or(new.starts_at);
    if node.get("ends_at").is_some() {
        new.ends_at = given.ends_at;
    }
    if !node["comment"].is_null() {
        new.comment = repeated(&node["comment"]);
    }
    if !node["created_by"].is_null() {
        new.created_by = repeated(&node["created_by"]);
    }
    if !node["annotations"].is_null() {
        new.annotations = text_map(&node["annotations"]);
    }
    let version = world.silences.version();
    if let Some(name) = step["name_even_if_refused"].as_str() {
        world.named.insert(name.to_owned(), new.clone());
    }
    let outcome = world.silences.set(new.clone(), world.now, &world.random);
    let changed = match outcome {
        Ok(changed) => changed,
        Err(error) => {
            let error = error.to_string();
            let wanted = step["error"].as_str().or(step["error_contains"].as_str());
            let wanted = wanted.ok_or_else(|| error.clone())?;
            let matches = match wanted.split_once("{size}") {
                Some((before, after)) => error.starts_with(before) && error.ends_with(after),
                None => error.contains(wanted),
            };
            return expect(matches, true).map_err(|_| error);
        }
    };
    if is_error(step) {
        return Err("no error".to_owned());
    }
    if let Some(changes) = step["version_changes"].as_bool() {
        expect(world.silences.version() != version, changes)?;
    }
    match step["id"].as_str() {
        Some("new") => expect(changed.id != new.id, true)?,
        Some(name) => expect(changed.id.clone(), id_of(world, name))?,
        None => {}
    }
    if let Some(name) = step["name"].as_str() {
        let stored = world.silences.get(&changed.id).expect("it was stored").clone();
        world.named.insert(name.to_owned(), stored);
    }
    Ok(())
}

fn is_error(step: &Value) -> bool {
    !step["error"].is_null() || !step["error_contains"].is_null()
}

fn id_of(world: &World, name: &str) -> String {
    world.named.get(name).map_or(name, |silence| silence.id.as_str()).to_owned()
}

fn find<'a>(world: &'a World, name: &str) -> Result<&'a Silence, String> {
    world.silences.get(&id_of(world, name)).ok_or_else(|| format!("no {name}"))
}

fn check_cache(world: &World, asked: &Value, step: &Value) -> Result<(), String> {
    let is_cached = world.silences.is_cached(fingerprint(&labels(asked)));
    match step["cache_entry"].as_str() {
        Some(wanted) => expect(is_cached, wanted == "filled"),
        None => Ok(()),
    }
}

fn check_silence(found: &Silence, wanted: &Value) -> Result<(), String> {
    let wanted = silence(wanted);
    expect(&found.matcher_sets, &wanted.matcher_sets)?;
    expect(found.starts_at, wanted.starts_at)?;
    expect(found.ends_at, wanted.ends_at)?;
    expect(found.updated_at, wanted.updated_at)?;
    expect(&found.comment, &wanted.comment)
}

fn check_stored(world: &World, wanted: &Value) -> Result<(), String> {
    let Some(wanted) = wanted.as_object() else {
        return expect(world.silences.len(), texts(wanted).len());
    };
    expect(world.silences.len(), wanted.len())?;
    for (name, node) in wanted {
        let id = id_of(world, name);
        let stored = world.silences.stored.get(&id).ok_or_else(|| format!("no {name}"))?;
        check_silence(&stored.record.silence, node).map_err(|error| format!("{name}: {error}"))?;
        expect(stored.record.expires_at, time(&node["expires_at"]))?;
    }
    Ok(())
}
