//! Upstream's tables of data directories: dumped, and made of other data.

#![expect(clippy::disallowed_methods, reason = "fixtures are read from the real disk")]

use std::{collections::BTreeMap, path::Path, time::Duration};

use conformance::Score;
use model::{Labels, TimeRange, Timestamp};
use promqltest::{LazyLoader, LoadedSeries};
use runtime::Runtime;
use serde_json::Value;
use storage::{Appendable as _, Columns, Queryable as _, SelectHints, SeriesRef};
use tsdb::{Database, Options};

use super::{
    requests::{SERVER, with_seed},
    world::{FOLDER, promtool, whole},
};

fn load(runtime: &Runtime, series: Vec<LoadedSeries>) {
    let database = Database::open(runtime, Path::new("data"), Options::default()).unwrap();
    for LoadedSeries { labels, samples } in series {
        let floats = samples.times.iter().zip(samples.values.iter().map(Ok));
        let histograms = samples.histogram_times.iter().zip(samples.histograms.iter().map(Err));
        let mut all: Vec<_> = floats.chain(histograms).collect();
        all.sort_by_key(|(time, _)| **time);
        for (time, value) in all {
            let time = Timestamp::from_millis(*time);
            let unknown = SeriesRef::UNKNOWN;
            // One by one: a batch with both kinds in one series is another matter.
            let mut appender = database.appender();
            let appended = match value {
                Ok(value) => appender.append(unknown, &labels, time, *value),
                Err(histogram) => {
                    let histogram = (**histogram).clone().into();
                    appender.append_histogram(unknown, &labels, time, histogram)
                }
            };
            appended.unwrap();
            appender.commit().unwrap();
        }
    }
}

/// A series of histograms that the notation of scripts does not have; they print alike as floats.
fn extra_series(series: &Value) -> LoadedSeries {
    let mut samples = Columns::default();
    for pair in series["integer_histograms"].as_array().unwrap() {
        let number = |key: &str| pair[1][key].as_f64().unwrap();
        let histogram = model::FloatHistogram {
            count: number("count"),
            sum: number("sum"),
            zero_count: number("zero_count"),
            zero_threshold: number("zero_threshold"),
            ..model::FloatHistogram::default()
        };
        samples.histogram_times.push(pair[0].as_i64().unwrap());
        samples.histograms.push(histogram.into());
    }
    LoadedSeries { labels: labels(&series["labels"]), samples }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn directories_are_dumped_as_upstream_does() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/tsdb_dump.json")) else { return };
    let mut score = Score::new("promtool/tsdb_dump");
    for case in &table.cases {
        let outcome = check_dump(case).await;
        score.add(case["name"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
}

async fn check_dump(case: &Value) -> Result<(), String> {
    let runtime = Runtime::simulated(1);
    if let Some(script) = case["load"].as_str() {
        let mut series = LazyLoader::new(script).unwrap().take_until(Timestamp::MAX);
        series.extend(case["extra_series"].as_array().into_iter().flatten().map(extra_series));
        load(&runtime, series);
    }
    if let Some(file) = case["import_openmetrics_file"].as_str() {
        let text = std::fs::read(whole(file)).unwrap();
        runtime.disk.write_atomically("in".as_ref(), &text).unwrap();
        let args = ["tsdb", "create-blocks-from", "openmetrics", "in", "data"];
        let found = promtool(runtime.clone(), &args, "").await;
        assert_eq!(found.exit_code, 0, "{found:?}");
    }
    let is_openmetrics = case["format"] == "openmetrics";
    let command = if is_openmetrics { "dump-openmetrics" } else { "dump" };
    let mut args = vec!["tsdb".to_owned(), command.to_owned()];
    args.push(format!("--min-time={}", case["min_time"]));
    args.push(format!("--max-time={}", case["max_time"]));
    for selector in case["match"].as_array().unwrap() {
        args.push(format!("--match={}", selector.as_str().unwrap()));
    }
    args.push("data".to_owned());
    let expected = match case["expected_dump_file"].as_str() {
        Some(file) => std::fs::read_to_string(whole(file)).unwrap(),
        None => case["expected_dump"].as_str().unwrap().to_owned(),
    };
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let found = promtool(runtime.clone(), &words, "").await;
    let same = match case["line_order_significant"] == true {
        true => found.stdout == expected,
        false => sorted(&found.stdout) == sorted(&expected),
    };
    if !same || found.exit_code != 0 {
        return Err(format!("{found:?}"));
    }
    let is_left = runtime.disk.list("data".as_ref()).unwrap();
    let is_left = is_left.iter().any(|entry| entry.name.starts_with("tmp_dbro_sandbox"));
    assert!(!is_left, "the copy of the log was not removed");
    if let Some(file) = case["expected_series_file"].as_str() {
        let expected = std::fs::read_to_string(whole(file)).unwrap();
        let words: Vec<&str> = [words, vec!["--format=seriesjson"]].concat();
        let found = promtool(runtime, &words, "").await;
        if sorted(&found.stdout) != sorted(&expected) {
            return Err(format!("{found:?}"));
        }
    }
    Ok(())
}

/// All samples in blocks below a folder, as the tables write them; and the blocks' times.
fn read_blocks(runtime: &Runtime, folder: &str) -> (Vec<TimeRange>, Vec<(Labels, i64, f64)>) {
    let (mut ranges, mut samples) = (Vec::new(), BTreeMap::new());
    for entry in runtime.disk.list(folder.as_ref()).unwrap_or_default() {
        let path = Path::new(folder).join(&entry.name);
        let block = blocks::Block::open(&*runtime.disk, &path).unwrap();
        ranges.push(block.meta().range());
        let querier = block.querier(TimeRange::ALL).unwrap();
        let all = model::Matcher::new(model::MatchKind::Regex, "__name__", ".*").unwrap();
        let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &[all]).unwrap();
        for series in set.series {
            let mut columns = Columns::default();
            series.read(TimeRange::ALL, &mut columns).unwrap();
            for (time, value) in columns.times.iter().zip(&columns.values) {
                samples.insert((series.labels(), *time), *value);
            }
        }
    }
    let samples = samples.into_iter().map(|((labels, time), value)| (labels, time, value));
    (ranges, samples.collect())
}

fn labels(pairs: &Value) -> Labels {
    let pairs = pairs.as_object().unwrap().iter();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().unwrap())))
}

#[tokio::test]
async fn openmetrics_becomes_blocks_as_upstream_makes_them() {
    let file = format!("{FOLDER}/backfill_openmetrics.json");
    let Some(table) = conformance::cases(&file) else { return };
    let mut score = Score::new("promtool/backfill_openmetrics");
    for case in &table.cases {
        score.add(case["name"].as_str().unwrap(), check_import(case).await);
    }
    score.finish(&[]);
}

async fn check_import(case: &Value) -> Result<(), String> {
    let runtime = Runtime::simulated(1);
    let text = case["openmetrics"].as_str().unwrap();
    runtime.disk.write_atomically("in".as_ref(), text.as_bytes()).unwrap();
    let mut args: Vec<String> =
        ["tsdb", "create-blocks-from", "openmetrics", "in", "out"].map(str::to_owned).to_vec();
    if let Some(max @ 1..) = case["max_block_duration_ms"].as_u64() {
        args.push(format!("--max-block-duration={max}ms"));
    }
    for (name, value) in case["labels"].as_object().into_iter().flatten() {
        args.push(format!("--label={name}={}", value.as_str().unwrap()));
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let found = promtool(runtime.clone(), &args, "").await;
    if case["ok"] != true {
        let refused = found.exit_code == 1 && found.stderr.contains("getting min and max");
        return if refused { Ok(()) } else { Err(format!("{found:?}")) };
    }
    let expected = &case["expected"];
    let (ranges, samples) = read_blocks(&runtime, "out");
    let duration = expected["block_duration_ms"].as_i64().unwrap();
    let is_aligned = ranges.iter().all(|range| {
        let slot = |time: Timestamp| time.as_millis().div_euclid(duration);
        slot(range.start) == slot(range.end)
    });
    let mut wanted: Vec<(Labels, i64, f64)> = expected["samples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| {
            let time = sample["timestamp_ms"].as_i64().unwrap();
            (labels(&sample["labels"]), time, conformance::float(&sample["value"]))
        })
        .collect();
    wanted.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let is_right = found.exit_code == 0
        && expected["num_blocks"] == ranges.len()
        && is_aligned
        && samples == wanted;
    if is_right { Ok(()) } else { Err(format!("{found:?} {ranges:?} {samples:?}")) }
}

#[tokio::test]
async fn rules_become_blocks_as_upstream_makes_them() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/backfill_rules.json")) else { return };
    let mut score = Score::new("promtool/backfill_rules");
    for case in &table.cases {
        score.add(case["name"].as_str().unwrap(), check_backfill(case).await);
    }
    score.finish(&[]);
}

/// The mocked answer, as the API writes it.
fn matrix(answer: &Value) -> String {
    let series = answer.as_array().unwrap().iter().map(|series| {
        let values = series["values"].as_array().unwrap().iter().map(|pair| {
            let seconds = pair[0].as_f64().unwrap() / 1000.0;
            serde_json::json!([seconds, pair[1].to_string()])
        });
        serde_json::json!({"metric": series["labels"], "values": values.collect::<Vec<_>>()})
    });
    let result = series.collect::<Vec<_>>();
    let data = serde_json::json!({"resultType": "matrix", "result": result});
    serde_json::json!({"status": "success", "data": data}).to_string()
}

async fn check_backfill(case: &Value) -> Result<(), String> {
    let runtime = Runtime::simulated(1);
    let seconds = |key: &str| case[key].as_i64().unwrap() / 1000;
    let mut args = vec![
        "tsdb".to_owned(),
        "create-blocks-from".to_owned(),
        "rules".to_owned(),
        format!("--url={SERVER}"),
        format!("--start={}", seconds("start_ms")),
        format!("--end={}", seconds("end_ms")),
        "--output-dir=out".to_owned(),
        format!("--eval-interval={}ms", case["eval_interval_ms"]),
        format!("--max-block-duration={}ms", case["max_block_duration_ms"]),
    ];
    for idx in 0..case["rule_files"].as_array().unwrap().len() {
        args.push(format!("rules{idx}.yml"));
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let body = matrix(&case["query_range_answer"]);
    let n_runs = case["run_count"].as_u64().unwrap();
    for run in 1..=n_runs {
        let files = case["rule_files"].as_array().unwrap();
        let prepare = |disk: &dyn runtime::Disk| {
            for (idx, text) in files.iter().enumerate() {
                let path = format!("rules{idx}.yml");
                disk.write_atomically(path.as_ref(), text.as_str().unwrap().as_bytes()).unwrap();
            }
        };
        prepare(&*runtime.disk);
        let body = body.clone();
        let answer = move |_: &_| (200, body.clone());
        let (found, _) = with_seed(run, &args, "", answer, Some(runtime.disk.clone())).await;
        let n_blocks = read_blocks(&runtime, "out").0.len() as u64;
        let per_run = case["blocks_per_run"].as_u64();
        if found.exit_code != 0 || per_run.is_some_and(|per_run| n_blocks != per_run * run) {
            return Err(format!("{n_blocks} blocks, {found:?}"));
        }
    }
    let (_, samples) = read_blocks(&runtime, "out");
    let series: std::collections::BTreeSet<&Labels> =
        samples.iter().map(|(labels, ..)| labels).collect();
    let count = |key: &str, count: usize| case[key].is_null() || case[key] == count;
    let wanted = case["every_series_labels"].as_object();
    let has_labels = wanted
        .is_none_or(|_| series.iter().all(|found| **found == labels(&case["every_series_labels"])));
    let is_right =
        count("series_count", series.len()) && count("sample_count", samples.len()) && has_labels;
    if is_right { Ok(()) } else { Err(format!("{samples:?}")) }
}

/// Compared with the real promtool 2.42, but for the word before the number of series, and the
/// order of what counts the same.
#[tokio::test]
async fn blocks_are_listed_and_analyzed() {
    let runtime = Runtime::simulated(1);
    let text = "# TYPE a counter\na_total{x=\"1\"} 1 1565133713.989\na_total{x=\"1\"} 2 1565133723.989\n# EOF\n";
    runtime.disk.write_atomically("in".as_ref(), text.as_bytes()).unwrap();
    let args = ["tsdb", "create-blocks-from", "openmetrics", "-r", "in", "out"];
    let found = promtool(runtime.clone(), &args, "").await;
    let (titles, row) = found.stdout.trim_end().split_once('\n').unwrap();
    assert_eq!(
        titles,
        "BLOCK ULID                  MIN TIME                       MAX TIME                       DURATION     NUM SAMPLES  NUM CHUNKS   NUM SERIES   SIZE"
    );
    let (ulid, rest) = row.split_once("  ").unwrap();
    assert!(
        rest.starts_with("2019-08-06 23:21:53 +0000 UTC  2019-08-06 23:22:03 +0000 UTC  10.001s      2            1            1            "),
        "{rest}"
    );
    let listed = promtool(runtime.clone(), &["tsdb", "list", "-r", "out"], "").await;
    assert_eq!(listed.stdout, found.stdout);
    let analyzed = promtool(runtime.clone(), &["tsdb", "analyze", "out", ulid], "").await;
    assert_eq!(
        analyzed.stdout,
        format!(
            "Block ID: {ulid}\nDuration: 10.001s\nTotal Series: 1\nLabel names: 2\n\
             Postings (unique label pairs): 2\nPostings entries (total label pairs): 2\n\n\
             Label pairs most involved in churning:\n0 __name__=a_total\n0 x=1\n\n\
             Label names most involved in churning:\n0 __name__\n0 x\n\n\
             Most common label pairs:\n1 __name__=a_total\n1 x=1\n\n\
             Label names with highest cumulative label value length:\n7 __name__\n1 x\n\n\
             Highest cardinality labels:\n1 __name__\n1 x\n\n\
             Highest cardinality metric names:\n1 a_total\n"
        )
    );
    let found = promtool(runtime, &["tsdb", "list", "nowhere"], "").await;
    let expected = "opening the db dir: stat nowhere: no such file or directory\n";
    assert_eq!((found.stderr.as_str(), found.exit_code), (expected, 1));
}

#[tokio::test]
async fn benchmarks_run() {
    let args = ["tsdb", "bench", "write", "--metrics=10", "--scrapes=3", "--out=bench"];
    let found = promtool(Runtime::simulated(1), &args, "").await;
    assert!(found.stdout.contains(" > total samples=30\n"), "{found:?}");
}

#[test]
fn longest_blocks_are_those_of_compaction() {
    use crate::tsdb::block_duration;
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    for (max, expected) in [(0, 2), (2, 2), (5, 2), (6, 6), (53, 18), (1 << 20, 2 * 19683)] {
        assert_eq!(block_duration(hours(max)), hours(expected), "{max}");
    }
}
