//! How a query ends, and what the engine does for callers.

use std::time::Duration;

use super::subject::{Memory, Times, script_options};
use crate::{Cancel, ErrorKind, Options, QueryOptions, Value};

const LOAD: &str = "
load 10s
  requests_total{job=\"a\", instance=\"1\"} 0+10x100
  requests_total{job=\"a\", instance=\"2\"} 0+20x100
  requests_total{job=\"b\", instance=\"1\"} 0+30x100
  limits{job=\"a\"} 100
  latency_bucket{le=\"1\"} 0+1x100
  latency_bucket{le=\"2\"} 0+3x100
  latency_bucket{le=\"+Inf\"} 0+4x100
";

/// `expected` has a line for each sample.
fn check(query: &str, expected: &str) {
    let memory = Memory::new(Options { delayed_name_removal: false, ..script_options() });
    let memory = memory.with(LOAD);
    let result = memory.ask(query, Times::Instant(600_000), &QueryOptions::default());
    let result = result.unwrap_or_else(|error| panic!("{query}: {error}"));
    let Value::Vector(samples) = result.value else { panic!("{query}: no vector") };
    let mut lines: Vec<String> = samples
        .iter()
        .map(|sample| match &sample.value {
            crate::SampleValue::Float(value) => format!("{} {value}", sample.labels),
            crate::SampleValue::Histogram(value) => format!("{} {value}", sample.labels),
        })
        .collect();
    lines.sort_unstable();
    let mut expected: Vec<&str> = expected.lines().map(str::trim).collect();
    expected.retain(|line| !line.is_empty());
    assert_eq!(lines, expected, "{query}");
}

#[test]
fn everyday_queries() {
    check(
        "sum by (job) (rate(requests_total[1m]))",
        r#"
        {job="a"} 3
        {job="b"} 3
        "#,
    );
    check("topk(1, requests_total)", r#"{__name__="requests_total", instance="1", job="b"} 1800"#);
    check(
        "requests_total / on (job) group_left limits offset 9m30s",
        r#"
        {instance="1", job="a"} 6
        {instance="2", job="a"} 12
        "#,
    );
    check("max_over_time(sum(rate(requests_total[1m]))[5m:1m])", "{} 6");
    check("histogram_quantile(0.5, rate(latency_bucket[1m]))", "{} 1.5");
    check(r#"absent(nothing{job="x", instance=~"y"})"#, r#"{job="x"} 1"#);
}

#[test]
fn of_two_zeros_the_negative_one_is_less() {
    check("clamp_max(vector(-0), 0)", "{} -0");
    check("clamp_max(vector(0), -0)", "{} -0");
    check("clamp_min(vector(-0), 0)", "{} 0");
    check("clamp_min(vector(0), -0)", "{} 0");
}

fn error_of(options: Options, query: &str, query_options: &QueryOptions) -> (ErrorKind, String) {
    let memory = Memory::new(options).with(LOAD);
    let error = memory.ask(query, Times::Instant(600_000), query_options).expect_err(query);
    (error.kind(), error.to_string())
}

#[test]
fn canceled_query_ends() {
    let cancel = Cancel::default();
    cancel.cancel();
    let options = QueryOptions { cancel, ..QueryOptions::default() };
    let (kind, text) = error_of(script_options(), "sum(requests_total)", &options);
    assert_eq!(kind, ErrorKind::Canceled);
    assert_eq!(text, "query was canceled in query queue");
}

#[test]
fn query_out_of_time_ends() {
    let options = Options { timeout: Duration::ZERO, ..script_options() };
    let (kind, text) = error_of(options, "requests_total", &QueryOptions::default());
    assert_eq!(kind, ErrorKind::Timeout);
    assert_eq!(text, "query timed out in query queue");
}

#[test]
fn too_many_samples_end_the_query() {
    let options = Options { samples_max: 2, ..script_options() };
    let (kind, _) = error_of(options, "requests_total", &QueryOptions::default());
    assert_eq!(kind, ErrorKind::Execution);
}

#[test]
fn bad_queries_are_the_callers_fault() {
    let options = QueryOptions::default();
    assert_eq!(error_of(script_options(), "sum(", &options).0, ErrorKind::Parse);
}

#[test]
fn shards_keep_the_order_and_every_series() {
    let mut load = String::from("load 10s\n");
    for idx in 0..1000 {
        load.push_str(&format!("  many{{idx=\"{idx}\"}} 0+{idx}x60\n"));
    }
    let options = Options { samples_max: 50_000_000, ..script_options() };
    let memory = Memory::new(options).with(&load);
    let times = Times::Range { start: 300_000, end: 600_000, step: 10_000 };
    let ask = |query: &str| memory.ask(query, times, &QueryOptions::default()).expect("it runs");
    let Value::Matrix(series) = ask("increase(many[1m])").value else { panic!("no matrix") };
    assert_eq!(series.len(), 1000);
    assert!(series.is_sorted_by(|a, b| a.labels < b.labels));
    let Value::Matrix(sums) = ask("sum(increase(many[1m]))").value else { panic!("no matrix") };
    let expected = f64::from((0..1000).sum::<i32>() * 6);
    assert!(sums[0].floats.iter().all(|point| point.value == expected), "{:?}", sums[0].floats);
    assert_eq!(sums[0].floats.len(), 31);
}

/// A store whose only series is broken.
struct Broken;

impl storage::Queryable for Broken {
    fn querier(&self, _: model::TimeRange) -> storage::Result<Box<dyn storage::Querier>> {
        Ok(Box::new(Broken))
    }
}

impl storage::Querier for Broken {
    fn select(
        &self,
        _: bool,
        _: &storage::SelectHints,
        _: &[model::Matcher],
    ) -> storage::Result<storage::SeriesSet> {
        let series = vec![std::sync::Arc::new(Broken) as std::sync::Arc<dyn storage::Series>];
        Ok(storage::SeriesSet { series, warnings: vec!["half of it".to_owned()] })
    }

    fn label_values(
        &self,
        _: &str,
        _: &storage::LabelHints,
        _: &[model::Matcher],
    ) -> storage::Result<storage::LabelValues> {
        Ok(storage::LabelValues::default())
    }

    fn label_names(
        &self,
        _: &storage::LabelHints,
        _: &[model::Matcher],
    ) -> storage::Result<storage::LabelValues> {
        Ok(storage::LabelValues::default())
    }
}

impl storage::Series for Broken {
    fn labels(&self) -> model::Labels {
        panic!("out of bounds")
    }

    fn read(&self, _: model::TimeRange, columns: &mut storage::Columns) -> storage::Result<()> {
        columns.push(600_000, 1.0);
        Ok(())
    }
}

#[test]
fn a_panic_ends_only_its_query() {
    let memory = Memory::new(Options { concurrency_max: 1, ..script_options() }).with(LOAD);
    let time = model::Timestamp::from_millis(600_000);
    let options = QueryOptions::default();
    let error = memory.engine.instant(&Broken, "up", time, &options).expect_err("it is broken");
    assert_eq!(error.to_string(), "unexpected error: out of bounds");
    assert!(memory.ask("limits", Times::Instant(600_000), &options).is_ok());
}

#[test]
fn deep_and_endless_queries_end() {
    let memory = Memory::new(script_options()).with(LOAD);
    let ask = |query: &str| memory.ask(query, Times::Instant(600_000), &QueryOptions::default());
    let sum = vec!["limits"; 3000].join(" + ");
    let minus = format!("{}limits", "-".repeat(3000));
    let parens = format!("{}limits{}", "(".repeat(3000), ")".repeat(3000));
    let calls = format!("{}limits{}", "abs(".repeat(3000), ")".repeat(3000));
    for query in [&sum, &minus, &parens, &calls] {
        drop(ask(query));
    }
    let error = ask("max_over_time(nothing[100y:1ms])").expect_err("nobody has the time");
    assert_eq!(error.kind(), ErrorKind::Execution);
}

/// Blocks each query until it is told to go on.
struct Slow {
    arrived: std::sync::mpsc::SyncSender<()>,
    go_on: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

impl storage::Queryable for Slow {
    fn querier(&self, _: model::TimeRange) -> storage::Result<Box<dyn storage::Querier>> {
        self.arrived.send(()).expect("the test waits");
        self.go_on.lock().expect("nobody panics").recv().expect("the test goes on");
        Ok(Box::new(storage::MemoryStorage::default()))
    }
}

#[test]
fn queries_wait_for_their_turn() {
    use std::sync::{Arc, Mutex, mpsc::sync_channel};
    let clock = runtime::Simulation::new(0).clock;
    let options =
        Options { concurrency_max: 1, timeout: Duration::from_secs(2), ..script_options() };
    let engine = crate::Engine::new(options, Arc::clone(&clock) as Arc<dyn runtime::Clock>);
    let time = model::Timestamp::from_millis(0);
    let ((arrived, arrivals), (go_on, goes_on)) = (sync_channel(1), sync_channel(1));
    let slow = Slow { arrived, go_on: Mutex::new(goes_on) };
    let default = QueryOptions::default();
    std::thread::scope(|scope| {
        let ask = || engine.instant(&slow, "up", time, &default);
        let first = scope.spawn(ask);
        arrivals.recv().expect("the first query runs");
        // It may be much, by its text alone.
        let ask_much = || engine.instant(&slow, "sum_over_time(up[1d])", time, &default);
        let second = scope.spawn(ask_much);
        // However often the second query looks, it is not let in.
        while !second.is_finished() {
            clock.advance(Duration::from_secs(3));
            std::thread::yield_now();
        }
        let error = second.join().expect("no panic").expect_err("there is no room");
        assert_eq!(error.to_string(), "query timed out in query queue");
        go_on.send(()).expect("the first query waits");
        let error = first.join().expect("no panic").expect_err("its time is over, too");
        assert_eq!(error.kind(), ErrorKind::Timeout);
    });
}

#[test]
fn what_is_small_does_not_wait() {
    use std::sync::{Mutex, mpsc::sync_channel};
    let memory = Memory::new(Options { concurrency_max: 1, ..script_options() }).with(LOAD);
    let ((arrived, arrivals), (go_on, goes_on)) = (sync_channel(1), sync_channel(1));
    let slow = Slow { arrived, go_on: Mutex::new(goes_on) };
    let time = model::Timestamp::from_millis(0);
    let default = QueryOptions::default();
    std::thread::scope(|scope| {
        let ask = || memory.engine.instant(&slow, "up", time, &default);
        let first = scope.spawn(ask);
        arrivals.recv().expect("the first query runs");
        let ask =
            |query: &str| memory.ask(query, Times::Instant(600_000), &QueryOptions::default());
        assert!(ask("limits").is_ok());
        go_on.send(()).expect("the first query waits");
        assert!(first.join().expect("no panic").is_ok());
    });
}

#[test]
fn a_query_ends_before_it_takes_too_much_memory() {
    let check = |memory_max: u64, query: &str, fits: bool| {
        let samples_max = 10_000_000;
        let options = Options { memory_max, samples_max, ..script_options() };
        let memory = Memory::new(options).with("load 10s\n  m 0+1x100");
        let outcome = memory.ask(query, Times::Instant(600_000), &QueryOptions::default());
        match outcome {
            Ok(_) => assert!(fits, "{query} fits into {memory_max} bytes"),
            Err(error) => {
                assert!(!fits, "{query} within {memory_max} bytes: {error}");
                let text = format!(
                    "query processing would take more than {memory_max} bytes of memory in query \
                     execution"
                );
                assert_eq!(error.to_string(), text);
            }
        }
    };
    check(1 << 20, "m", true);
    check(100, "m", false);
    // Few samples, but room for many steps.
    check(16 << 20, "max_over_time(vector(1)[10d:1s])", false);
    check(1 << 30, "max_over_time(vector(1)[10d:1s])", true);
    check(0, "max_over_time(vector(1)[10d:1s])", true);
}

#[test]
fn labels_do_not_explode() {
    let memory = Memory::new(script_options()).with(LOAD);
    let mut query = "label_replace(vector(1), \"a\", \"0123456789abcdef\", \"\", \"\")".to_owned();
    for _ in 0..40 {
        query = format!("label_replace({query}, \"a\", \"$1$1\", \"a\", \"(.*)\")");
    }
    let outcome = memory.ask(&query, Times::Instant(600_000), &QueryOptions::default());
    let error = outcome.expect_err("a terabyte is too long for a label");
    assert_eq!(error.to_string(), "label_replace() would make a label of more than 16 MiB");
}

#[test]
fn a_query_says_how_it_was_answered() {
    fn draw(node: &crate::PlanNode, depth: usize, out: &mut String) {
        let crate::PlanNode { node: name, detail, rows, .. } = node;
        out.push_str(&format!("{}{name} {detail}: {rows}\n", "  ".repeat(depth)));
        node.children.iter().for_each(|child| draw(child, depth + 1, out));
    }
    let memory =
        Memory::new(script_options()).with("load 10s\n  m{a=\"1\"} 0+1x100\n  m{a=\"2\"} 0+2x100");
    let options = QueryOptions { explain: true, ..QueryOptions::default() };
    let query = "sum by (a) (rate(m[1m] offset 10s)) / on () group_left sum(m) + 1";
    let result = memory.ask(query, Times::Instant(600_000), &options).expect("it is fine");
    let mut drawn = String::new();
    draw(&result.plan.expect("it was asked for"), 0, &mut drawn);
    let expected = "\
query 1 steps: 2
  + : 2
    / on () group_left: 2
      sum by (a): 2
        rate : 2
          window [1m] {__name__=\"m\"} offset 10s: 2
            index 1 matchers: 2
      sum : 1
        select {__name__=\"m\"}: 2
          index 1 matchers: 2
    number 1: 1
";
    assert_eq!(drawn, expected);
    let result = memory.ask(query, Times::Instant(600_000), &QueryOptions::default());
    assert_eq!(result.expect("it is fine").plan, None);
}

#[test]
fn complaints_of_the_storage_are_passed_on() {
    let memory = Memory::new(script_options());
    let time = model::Timestamp::from_millis(0);
    let options = QueryOptions::default();
    let result = memory.engine.instant(&Broken, "up", time, &options).expect("nothing is there");
    assert_eq!(result.warnings, ["half of it"]);
}
