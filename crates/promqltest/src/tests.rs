//! Upstream's tables, and scripts against a subject that answers from a list.

use std::time::Duration;

use conformance::{Score, cases, float};
use model::{Labels, Timestamp};
use serde_json::Value as Json;

use crate::{
    Answer, Command, LazyLoader, LoadedSeries, MemoryLoader, Mode, Sample, Script, Subject, Value,
    almost_equal, check_sorted, migrate, run, run_to_first_failure,
};

/// Runs `check` over the cases of a table; all must pass.
fn check_table(table: &str, check: impl Fn(&Json) -> Result<(), String>) {
    let path = format!("prometheus/{table}.json");
    let Some(cases) = cases(&path) else { return };
    let mut score = Score::new(&path);
    for (idx, case) in cases.cases.iter().enumerate() {
        let name = case["name"].as_str().or(case["input"].as_str()).unwrap_or_default();
        score.add(format!("{idx} {name}"), check(case));
    }
    score.finish(&[]);
}

fn same<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got:?}, expected {expected:?}")) }
}

fn labels(value: &Json) -> Labels {
    let pairs = value.as_object().expect("a map").iter();
    Labels::from_pairs(pairs.map(|(name, value)| (name, value.as_str().expect("a text"))))
}

#[test]
fn floats_are_almost_equal() {
    check_table("util/almost_equal", |case| {
        let got = almost_equal(float(&case["a"]), float(&case["b"]), float(&case["epsilon"]));
        same(Some(got), case["equal"].as_bool())
    });
}

#[test]
fn matrices_are_sorted() {
    check_table("promqltest/extra/matrix_sorted", |case| {
        let series: Vec<Labels> =
            case["series_labels"].as_array().expect("a list").iter().map(labels).collect();
        let got = check_sorted(series.iter()).err();
        same(got.as_deref(), case["error"].as_str())
    });
}

#[test]
fn old_commands_become_expect_lines() {
    check_table("promqltest/extra/legacy_syntax_migration", |case| {
        let mode = match case["mode"].as_str() {
            Some("basic") => Mode::Basic,
            Some("strict") => Mode::Strict,
            _ => Mode::Tolerant,
        };
        let got = migrate(case["input"].as_str().expect("a text"), mode);
        same(Some(got.as_str()), case["output"].as_str())
    });
}

#[test]
fn lines_with_start_timestamps() {
    check_table("promqltest/extra/start_timestamp_load_lines", |case| {
        let lines: Vec<&str> =
            case["lines"].as_array().expect("a list").iter().filter_map(Json::as_str).collect();
        let script = Script::parse(&lines.join("\n"));
        if case["ok"] != true {
            return same(script.is_err(), true);
        }
        let script = script.map_err(|error| error.to_string())?;
        let [Command::Load(load)] = script.commands.as_slice() else {
            return Err("expected one load command".to_owned());
        };
        let samples = &load.series()?[0].samples;
        let got: Vec<(i64, i64, f64)> = (0..samples.times.len())
            .map(|idx| (samples.times[idx], samples.start_time(idx), samples.values[idx]))
            .collect();
        let expected: Vec<(i64, i64, f64)> = case["samples"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|sample| {
                let millis = |key: &str| sample[key].as_i64().expect("a time");
                (millis("timestamp_ms"), millis("start_timestamp_ms"), float(&sample["value"]))
            })
            .collect();
        same(got, expected)
    });
}

#[test]
fn blocks_are_loaded_step_by_step() {
    check_table("promqltest/extra/lazy_loader", |case| {
        let mut lazy = LazyLoader::new(case["load"].as_str().expect("a text"))
            .map_err(|error| error.to_string())?;
        let mut loaded = MemoryLoader::default();
        for step in case["steps"].as_array().expect("a list") {
            let until = step["load_until_ms"].as_i64().expect("a time");
            loaded.load(lazy.take_until(Timestamp::from_millis(until)));
            if step["check_only_no_error"] == true {
                continue;
            }
            for series in step["series"].as_array().expect("a list") {
                let expected: Vec<(i64, f64)> = series["floats"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|point| (point[0].as_i64().expect("a time"), float(&point[1])))
                    .collect();
                same(floats(&loaded, &labels(&series["labels"])), expected)?;
            }
        }
        Ok(())
    });
}

fn floats(loaded: &MemoryLoader, labels: &Labels) -> Vec<(i64, f64)> {
    use storage::{Querier as _, SelectHints};
    let everything = SelectHints::new(model::TimeRange::ALL);
    let set = loaded.storage().select(true, &everything, &[]).expect("memory does not fail");
    let mut columns = storage::Columns::default();
    for series in set.series.iter().filter(|series| series.labels() == *labels) {
        series.read(model::TimeRange::ALL, &mut columns).expect("memory does not fail");
    }
    columns.times.into_iter().zip(columns.values).collect()
}

/// Knows no query language: each query is a number, which is the answer, or fails.
#[derive(Default)]
struct Parrot;

impl Subject for Parrot {
    fn clear(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn load(&mut self, _: Vec<LoadedSeries>) -> Result<(), String> {
        Ok(())
    }

    fn instant(&mut self, query: &str, _: Timestamp) -> Result<Answer, String> {
        let value = query.parse().map_err(|_| format!("cannot say {query}"))?;
        Ok(Answer {
            value: Value::Vector(vec![(Labels::empty(), Sample::Float(value))]),
            warnings: Vec::new(),
            infos: vec!["PromQL info: said as heard (1:1)".to_owned()],
        })
    }

    fn range(
        &mut self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<Answer, String> {
        let value = query.parse().map_err(|_| format!("cannot say {query}"))?;
        let times = std::iter::successors(Some(start), |time| Some(*time + step));
        let floats = times.take_while(|time| *time <= end).map(|time| (time, value)).collect();
        let series = crate::Series { floats, ..crate::Series::default() };
        let (warnings, infos) = (Vec::new(), Vec::new());
        Ok(Answer { value: Value::Matrix(vec![series]), warnings, infos })
    }
}

fn check_script(script: &str, expected: Result<(), &str>) {
    let got = run_to_first_failure(script, &mut Parrot);
    assert_eq!(got.as_ref().map_err(String::as_str).copied(), expected, "{script}");
}

#[test]
fn scripts_pass_or_say_why_not() {
    check_script("eval instant at 1m 3\n  {} 3", Ok(()));
    check_script("# nothing\n\nclear\n\nload 5m\n  a 1 2\n\neval instant at 0 3\n  {} 3", Ok(()));
    check_script(
        "eval instant at 1m 3\n  {} 4",
        Err("error in eval 3 (line 1): expected 4 for {} but got 3"),
    );
    check_script("eval range from 0 to 2m step 1m 7\n  {} 7x2", Ok(()));
    check_script("eval instant at 0 x\n  expect fail regex: ^cannot say x", Ok(()));
    check_script(
        "eval instant at 0 3\n  expect no_info\n  {} 3",
        Err("unexpected info annotations evaluating query \"3\" (line 1): \
             [PromQL info: said as heard (1:1)]"),
    );
    check_script("evaluate 3", Err("line 1: invalid command \"evaluate 3\""));
}

#[test]
fn evaluations_are_counted() {
    let script = "eval instant at 0 1\n {} 1\n\neval instant at 0 2\n {} 3\n\neval instant at 0 x";
    let report = run(script, &mut Parrot).expect("the script is right");
    assert_eq!(report.passed, 1);
    let lines: Vec<usize> = report.failures.iter().map(|failure| failure.line).collect();
    assert_eq!(lines, [4, 7]);
}

#[test]
fn every_script_of_upstream_is_understood() {
    let Some(folder) = conformance::path("prometheus/promqltest") else { return };
    let mut n_evals = 0;
    #[expect(clippy::disallowed_methods, reason = "test data is read from the real disk")]
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be listed").path();
        if path.extension().is_some_and(|extension| extension == "test") {
            let text = std::fs::read_to_string(&path).expect("the file can be read");
            let script = Script::parse(&text);
            let script = script.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            n_evals += script.n_evals();
        }
    }
    assert_eq!(n_evals, 2214);
}
