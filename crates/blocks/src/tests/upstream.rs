//! Upstream's tables and fixtures.

use std::collections::BTreeMap;

use conformance::Score;
use model::{Labels, MatchKind, Matcher, TimeRange};
use runtime::{Runtime, Simulation};
use serde_json::Value;
use storage::{Columns, Queryable as _, SelectHints};
use ulid::Ulid;

use super::{chunk_of, write};
use crate::{Block, Compaction, Interval, Intervals, Meta, Stats};

type Content = BTreeMap<Labels, Vec<(i64, f64)>>;

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().expect("labels are an object");
    Labels::from_pairs(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str().expect("a value"))))
}

fn samples(value: &Value) -> Vec<(i64, f64)> {
    let sample = |sample: &Value| {
        (sample["timestamp_ms"].as_i64().expect("a time"), conformance::float(&sample["value"]))
    };
    list(value).iter().map(sample).collect()
}

fn expected(series: &Value) -> Content {
    list(series).iter().map(|s| (labels(&s["labels"]), samples(&s["samples"]))).collect()
}

fn content(block: &Block, range: TimeRange, matchers: &[Matcher]) -> Content {
    let querier = block.querier(range).expect("a block answers");
    let set = querier.select(true, &SelectHints::new(range), matchers).expect("it selects");
    let mut content = Content::new();
    for series in set.series {
        let mut columns = Columns::default();
        series.read(range, &mut columns).expect("it reads");
        let samples = columns.times.iter().copied().zip(columns.values.iter().copied()).collect();
        content.insert(series.labels(), samples);
    }
    content
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}

#[test]
fn a_block_of_index_version_1() {
    let table = "prometheus/tsdb/fixtures.json";
    let Some(data) = conformance::cases(table) else { return };
    let case = &data.cases[0];
    let path = format!("prometheus/tsdb/{}", case["path"].as_str().expect("a path"));
    let Some(path) = conformance::path(&path) else { return };
    let block = Block::open(&*Runtime::real().disk, &path).expect("it opens");
    let found = content(&block, TimeRange::ALL, &[]);
    assert_eq!(found, expected(&case["content"]));
    for (labels, samples) in found {
        let matchers: Vec<_> = labels.iter().map(|(n, v)| Matcher::equal(n, v)).collect();
        assert_eq!(content(&block, TimeRange::ALL, &matchers).get(&labels), Some(&samples));
    }
}

#[test]
fn questions_to_a_block() {
    let table = "prometheus/tsdb/block_query.json";
    let Some(data) = conformance::cases(table) else { return };
    let simulation = Simulation::new(1);
    let disk = simulation.runtime().disk;
    let series = list(&data.whole["data"]).iter().map(|series| {
        let chunks = list(&series["chunks"]).iter().map(|chunk| chunk_of(samples(chunk)));
        (labels(&series["labels"]), chunks.collect())
    });
    let directory = write(&*disk, series.collect());
    let block = Block::open(&*disk, &directory).expect("it opens");
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let time = |key: &str| case[key].as_i64().expect("a time");
        let range = TimeRange::from_millis(time("min_time"), time("max_time"));
        let matchers = list(&case["matchers"]).iter().map(|matcher| {
            let text = |key: &str| matcher[key].as_str().expect("a text");
            let kind = if text("type") == "=" { MatchKind::Equal } else { MatchKind::Regex };
            Matcher::new(kind, text("name"), text("value")).expect("the pattern is right")
        });
        let found = content(&block, range, &matchers.collect::<Vec<_>>());
        score.add(idx.to_string(), same(found, expected(&case["series"])));
    }
    let not_trimmed = "our querier always cuts to its range";
    score.finish(&[("6", not_trimmed), ("7", not_trimmed)]);
}

#[test]
fn tombstone_intervals() {
    let table = "prometheus/tsdb/tombstone_intervals.json";
    let Some(data) = conformance::cases(table) else { return };
    let pair = |value: &Value| {
        let time = |idx: usize| value[idx].as_i64().expect("a time");
        Interval { start: time(0), end: time(1) }
    };
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let sorted = list(&case["intervals"]).iter().map(pair).collect();
        let mut intervals = Intervals::of_sorted(sorted);
        match case["operation"].as_str() {
            Some("add") => intervals.add(pair(&case["interval"])),
            _ => intervals.truncate_before(case["timestamp"].as_i64().expect("a time")),
        }
        let found: Vec<Interval> = intervals.iter().copied().collect();
        score.add(idx.to_string(), same(found, list(&case["result"]).iter().map(pair).collect()));
    }
    score.finish(&[]);
}

#[test]
fn what_merged_blocks_say_of_themselves() {
    let table = "prometheus/tsdb/merge_block_meta.json";
    let Some(data) = conformance::cases(table) else { return };
    let id = |value: &Value| Ulid::from_parts(value.as_u64().expect("an id"), 0);
    let time = |value: &Value| value.as_i64().expect("a time");
    let texts = |value: &Value| -> Vec<String> {
        list(value).iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    };
    let meta = |block: &Value| Meta {
        ulid: id(&block["id"]),
        min_time: time(&block["min_time"]),
        max_time: time(&block["max_time"]),
        stats: Stats::default(),
        compaction: Compaction {
            level: block["level"].as_u64().expect("a level") as u32,
            sources: list(&block["sources"]).iter().map(id).collect(),
            hints: texts(&block["hints"]),
            ..Compaction::default()
        },
        version: 1,
    };
    let mut score = Score::new(table);
    for case in &data.cases {
        let parents: Vec<Meta> = list(&case["blocks"]).iter().map(meta).collect();
        let result = &case["result"];
        let merged = Meta::merged(Ulid::from_parts(1000, 0), &parents.iter().collect::<Vec<_>>());
        let mut outcome = same(texts(&result["hints"]), merged.compaction.hints.clone());
        if result.get("id").is_some() {
            let range = (merged.min_time, merged.max_time, merged.compaction.level);
            let level = result["level"].as_u64().expect("a level") as u32;
            let expected = (time(&result["min_time"]), time(&result["max_time"]), level);
            let sources: Vec<Ulid> = list(&result["sources"]).iter().map(id).collect();
            let found: Vec<Ulid> = merged.compaction.parents.iter().map(|p| p.ulid).collect();
            let parents: Vec<Ulid> =
                list(&result["parents"]).iter().map(|parent| id(&parent["id"])).collect();
            outcome = outcome
                .and(same(range, expected))
                .and(same(&merged.compaction.sources, &sources))
                .and(same(found, parents));
        }
        score.add(case["name"].as_str().expect("a name"), outcome);
    }
    score.finish(&[]);
}
