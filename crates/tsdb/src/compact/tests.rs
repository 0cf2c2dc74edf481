//! Upstream's tables of what is compacted, and how.

use std::path::Path;

use blocks::{Block, Chunk, Meta, Writer};
use chunks::{Encoding, XorChunk};
use conformance::Score;
use model::Labels;
use runtime::{Disk, Simulation};
use serde_json::Value;
use storage::Columns;
use ulid::Ulid;

use super::{
    merge::merge,
    plan::{plan, ranges, split_by_range},
};

const DIRECTORY: &str = "data";

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}

#[test]
fn which_blocks_are_compacted() {
    let table = "prometheus/tsdb/compaction_plan.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let blocks = list(&case["blocks"]);
        let meta = |(idx, block): (usize, &Value)| {
            let ulid = Ulid::from_parts(idx as u64, 0);
            let mut meta = Meta::new(ulid, number(&block["min_time"]), number(&block["max_time"]));
            meta.stats.num_series = block["num_series"].as_u64().unwrap_or(0);
            meta.stats.num_tombstones = block["num_tombstones"].as_u64().unwrap_or(0);
            meta.compaction.failed = block["compaction_failed"] == true;
            if block["from_stale_series"] == true {
                meta.compaction.hints.push("from-stale-series".to_owned());
            }
            meta
        };
        let metas: Vec<Meta> = blocks.iter().enumerate().map(meta).collect();
        let ranges: Vec<i64> = list(&case["ranges"]).iter().map(number).collect();
        let planned = plan(&metas, &ranges);
        let planned: Vec<&Value> =
            planned.iter().map(|ulid| &blocks[ulid.timestamp_ms() as usize]["name"]).collect();
        let expected: Vec<&Value> = list(&case["plan"]).iter().collect();
        score.add(format!("{idx} {}", case["name"]), same(planned, expected));
    }
    score.finish(&[]);
}

#[test]
fn which_blocks_fall_into_one_range() {
    let table = "prometheus/tsdb/split_by_range.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for (idx, case) in data.cases.iter().enumerate() {
        let meta =
            |block: &Value| Meta::new(Ulid::from_parts(0, 0), number(&block[0]), number(&block[1]));
        let metas: Vec<Meta> = list(&case["blocks"]).iter().map(meta).collect();
        let groups = split_by_range(&metas.iter().collect::<Vec<_>>(), number(&case["range"]));
        let found: Vec<Vec<(i64, i64)>> = groups
            .iter()
            .map(|group| group.iter().map(|meta| (meta.min_time, meta.max_time)).collect())
            .collect();
        let range = |block: &Value| (number(&block[0]), number(&block[1]));
        let expected: Vec<Vec<(i64, i64)>> = list(&case["groups"])
            .iter()
            .map(|group| list(group).iter().map(range).collect())
            .collect();
        score.add(idx.to_string(), same(found, expected));
    }
    score.finish(&[]);
}

#[test]
fn lengths_of_blocks() {
    let hour = 3_600_000;
    let hours = |ranges: Vec<i64>| ranges.iter().map(|range| range / hour).collect::<Vec<_>>();
    assert_eq!(hours(ranges(2 * hour, 36 * hour)), [2, 6, 18]);
    assert_eq!(hours(ranges(2 * hour, 31 * 24 * hour)), [2, 6, 18, 54, 162, 486]);
    assert_eq!(hours(ranges(2 * hour, hour)), [2]);
}

type Samples = Vec<(i64, f64)>;

fn samples(value: &Value) -> Samples {
    let sample =
        |sample: &Value| (number(&sample["timestamp_ms"]), conformance::float(&sample["value"]));
    list(value).iter().map(sample).collect()
}

/// The chunks of a series, spelled out or as a run of one sample a millisecond.
fn chunks_of(value: &Value) -> Vec<Samples> {
    if value.is_array() {
        return list(value).iter().map(samples).collect();
    }
    let times: Vec<i64> = (number(&value["first_ms"])..=number(&value["last_ms"])).collect();
    let per_chunk = number(&value["samples_per_chunk"]) as usize;
    times.chunks(per_chunk).map(|times| times.iter().map(|time| (*time, 0.0)).collect()).collect()
}

fn series_of(value: &Value) -> Vec<(Labels, Vec<Samples>)> {
    let labels = |value: &Value| {
        let pairs = value.as_object().expect("labels are an object");
        Labels::from_pairs(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str().expect("a value"))))
    };
    let mut series: Vec<_> =
        list(value).iter().map(|s| (labels(&s["labels"]), chunks_of(&s["chunks"]))).collect();
    series.sort_by(|(a, _), (b, _)| a.cmp(b));
    series
}

fn write(disk: &dyn Disk, meta: Meta, series: &[(Labels, Vec<Samples>)]) -> Block {
    let mut symbols: Vec<&str> =
        series.iter().flat_map(|(labels, _)| labels.iter().flat_map(|(n, v)| [n, v])).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let number = |text: &str| symbols.binary_search(&text).expect("it is a symbol") as u32;
    let path = Path::new(DIRECTORY).join(meta.ulid.to_string());
    let mut writer = Writer::create(disk, Path::new(DIRECTORY), meta, symbols.iter().copied())
        .expect("it is created");
    for (labels, chunks) in series {
        let chunk = |samples: &Samples| {
            let mut chunk = XorChunk::default();
            samples.iter().for_each(|(time, value)| chunk.append(*time, *value));
            let (start, end) = (samples[0].0, chunk.last_time());
            Chunk { start, end, encoding: Encoding::Xor, bytes: chunk.into_bytes().into() }
        };
        let labels: Vec<_> = labels.iter().map(|(n, v)| (number(n), number(v))).collect();
        let chunks: Vec<_> = chunks.iter().map(chunk).collect();
        writer.add(&labels, &chunks).expect("it is written");
    }
    writer.finish().expect("it is finished");
    Block::open(disk, &path).expect("it opens")
}

fn read(block: &Block) -> Vec<(Labels, Vec<Samples>)> {
    let mut all = Vec::new();
    for series in block.series().expect("it reads") {
        let mut chunks = Vec::new();
        for chunk in series.chunks().expect("it reads") {
            let mut columns = Columns::default();
            chunks::decode(chunk.encoding, &chunk.bytes, &mut columns.times, &mut columns.values)
                .expect("it reads");
            chunks.push(columns.times.into_iter().zip(columns.values).collect());
        }
        all.push((series.labels().expect("it reads"), chunks));
    }
    all
}

#[test]
fn what_merged_blocks_hold() {
    let table = "prometheus/tsdb/populate_block.json";
    let Some(data) = conformance::cases(table) else { return };
    let mut score = Score::new(table);
    for case in &data.cases {
        let simulation = Simulation::new(1);
        let disk = simulation.runtime().disk;
        let (min_time, max_time) = (number(&case["min_time"]), number(&case["max_time"]));
        let sources: Vec<Block> = list(&case["blocks"])
            .iter()
            .enumerate()
            .map(|(idx, series)| {
                let meta = Meta::new(Ulid::from_parts(idx as u64, 0), min_time, max_time);
                write(&*disk, meta, &series_of(series))
            })
            .collect();
        let ulid = Ulid::from_parts(1000, 0);
        let merged = merge(&*disk, Path::new(DIRECTORY), ulid, &sources).expect("it merges");
        let found = merged.map_or(Vec::new(), |meta| {
            let path = Path::new(DIRECTORY).join(meta.ulid.to_string());
            read(&Block::open(&*disk, &path).expect("it opens"))
        });
        let name = case["name"].as_str().expect("a name");
        score.add(name, same(found, series_of(&case["series"])));
    }
    let no_choice = "we always merge all series of a block";
    score.finish(&[
        ("Populate from single block with index reader postings function selecting different series. Expect empty block.", no_choice),
        ("Populate from single block with index reader postings function selecting one series. Expect partial block.", no_choice),
    ]);
}
