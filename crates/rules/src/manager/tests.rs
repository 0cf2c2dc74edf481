//! Groups on a simulated clock.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{Timestamp, names::ValidationScheme};
use runtime::clock::SimulatedClock;
use storage::MemoryStorage;

use super::{Manager, definitions};
use crate::{
    Query, Sample, SampleValue, Settings, Statuses, World,
    file::{Group, Options, parse},
    tests::world,
};

pub(super) fn groups(text: &str) -> Vec<Group> {
    let check_expr = |text: &str| Ok(text.to_owned());
    let options = Options {
        names: ValidationScheme::Utf8,
        ignore_unknown_fields: false,
        check_expr: &check_expr,
    };
    parse(text, &options).expect("a good file").groups
}

/// Notes the moments at which it is asked; answers one sample, or an error or panic by name.
#[derive(Default)]
struct Asked(Mutex<Vec<(String, i64)>>);

impl Query for Asked {
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<Sample>, String> {
        self.0.lock().expect("no holder panics").push((expr.to_owned(), time.as_millis()));
        match expr {
            "error" => Err("it failed".to_owned()),
            "panic" => panic!("a bug in the engine"),
            _ => Ok(vec![Sample { labels: Default::default(), value: SampleValue::Float(1.0) }]),
        }
    }
}

struct Harness {
    manager: Manager,
    statuses: Statuses,
    clock: Arc<SimulatedClock>,
    asked: Arc<Asked>,
    storage: MemoryStorage,
}

impl Harness {
    fn new() -> Harness {
        let storage = MemoryStorage::default();
        let (world, clock, _) = world::world(&storage);
        let asked = Arc::new(Asked::default());
        let world = World { query: asked.clone(), ..world };
        let manager = Manager::new(world, world::settings());
        Harness { statuses: manager.statuses(), manager, clock, asked, storage }
    }

    async fn update(&mut self, text: &str) {
        let files = vec![("rules.yml".to_owned(), groups(text))];
        self.manager.update(world::settings(), files).await;
    }

    /// Lets time pass second by second until `done`; the work on blocking threads is polled for.
    async fn run_until(&self, done: impl Fn() -> bool) {
        for _ in 0..10_000 {
            for _ in 0..200 {
                if done() {
                    return;
                }
                tokio::task::yield_now().await;
                std::thread::yield_now();
            }
            self.clock.advance(Duration::from_secs(1));
        }
        panic!("nothing happened for hours");
    }

    fn n_asked(&self) -> usize {
        self.asked.0.lock().expect("no holder panics").len()
    }
}

const ONE: &str = "groups: [{name: g, interval: 10s, rules: [{record: a, expr: one}]}]";

#[tokio::test]
async fn groups_run_in_their_slots() {
    let mut harness = Harness::new();
    harness.update(ONE).await;
    assert_eq!(harness.statuses.groups()[0].last_evaluation, None);
    harness.run_until(|| harness.n_asked() >= 3).await;
    let asked = harness.asked.0.lock().expect("no holder panics").clone();
    let settings = world::settings();
    let files = vec![("rules.yml".to_owned(), groups(ONE))];
    let slot = definitions(&settings, files)[0].slot_before(Duration::from_secs(100));
    for (_, time) in &asked {
        assert_eq!(time.rem_euclid(10_000), slot.as_millis() as i64 % 10_000, "{asked:?}");
    }
    assert_eq!(asked[1].1 - asked[0].1, 10_000);
    harness.manager.stop().await;
}

#[tokio::test]
async fn a_file_that_is_named_twice_counts_once() {
    let mut harness = Harness::new();
    let file = || ("rules.yml".to_owned(), groups(ONE));
    harness.manager.update(world::settings(), vec![file(), file()]).await;
    assert_eq!(harness.statuses.groups().len(), 1);
    harness.run_until(|| harness.n_asked() >= 2).await;
    let asked = harness.asked.0.lock().expect("no holder panics").clone();
    assert_eq!(asked[1].1 - asked[0].1, 10_000);
    harness.manager.stop().await;
}

#[tokio::test]
async fn equal_groups_go_on_and_changed_ones_keep_their_rules() {
    let mut harness = Harness::new();
    harness
        .update("groups: [{name: g, interval: 10s, rules: [{alert: A, expr: one, for: 5m}]}]")
        .await;
    harness.run_until(|| active_at(&harness.statuses).is_some()).await;
    let since = active_at(&harness.statuses);
    harness
        .update(
            "groups: [{name: g, interval: 20s, rules: [{record: x, expr: one}, {alert: A, expr: one, for: 5m}]}]",
        )
        .await;
    harness.run_until(|| harness.statuses.groups()[0].rules[0].last_evaluation.is_some()).await;
    let statuses = harness.statuses.groups();
    assert_eq!(statuses[0].interval, Duration::from_secs(20));
    assert_eq!(statuses[0].rules[1].alerts[0].active_at.as_millis(), since.expect("active"));
    harness.manager.stop().await;
}

fn active_at(statuses: &Statuses) -> Option<i64> {
    let groups = statuses.groups();
    let alert = groups.first()?.rules.last()?.alerts.first().cloned()?;
    Some(alert.active_at.as_millis())
}

#[tokio::test]
async fn removed_groups_end_their_series_after_two_intervals() {
    let mut harness = Harness::new();
    harness.update(ONE).await;
    harness.run_until(|| harness.statuses.groups()[0].last_evaluation.is_some()).await;
    let removed_at = runtime::Clock::now(&*harness.clock);
    harness.update("groups: []").await;
    assert!(harness.statuses.groups().is_empty());
    harness.run_until(|| last_value(&harness.storage).is_some_and(f64::is_nan)).await;
    let waited = runtime::Clock::now(&*harness.clock) - removed_at;
    assert!(waited >= Duration::from_secs(20), "{waited:?}");
    harness.manager.stop().await;
}

fn last_value(storage: &MemoryStorage) -> Option<f64> {
    use storage::{Columns, Querier, SelectHints};
    let range = model::TimeRange::ALL;
    let set = storage.select(true, &SelectHints::new(range), &[]).expect("memory answers");
    let mut columns = Columns::default();
    set.series.first()?.read(range, &mut columns).expect("memory answers");
    columns.values.last().copied()
}

#[tokio::test]
async fn a_rule_that_fails_or_panics_fails_alone() {
    let mut harness = Harness::new();
    harness
        .update(
            "groups: [{name: g, interval: 10s, rules: [{record: a, expr: error}, {record: b, expr: panic}, {record: c, expr: one}]}]",
        )
        .await;
    harness.run_until(|| harness.statuses.groups()[0].last_evaluation.is_some()).await;
    let group = &harness.statuses.groups()[0];
    let errors: Vec<_> = group.rules.iter().map(|rule| rule.last_error.as_deref()).collect();
    assert_eq!(errors, [Some("it failed"), Some("evaluation panicked"), None]);
    harness.manager.stop().await;
}

#[tokio::test]
async fn missed_slots_are_skipped_and_counted() {
    let mut harness = Harness::new();
    harness.update(ONE).await;
    harness.run_until(|| harness.statuses.groups()[0].last_evaluation.is_some()).await;
    harness.clock.advance(Duration::from_secs(45));
    let before = harness.n_asked();
    harness.run_until(|| harness.n_asked() > before).await;
    let missed = harness.manager.world.metrics.iterations_missed.with(["rules.yml;g"]);
    harness.run_until(|| missed.get() > 0.0).await;
    assert!(missed.get() >= 3.0, "{}", missed.get());
    harness.manager.stop().await;
}

#[test]
fn groups_have_their_own_offset_or_the_global_one() {
    let table = "prometheus/rules/query_offset.json";
    let Some(table_cases) = conformance::cases(table) else { return };
    let mut score = conformance::Score::new(table);
    for case in &table_cases.cases {
        let query_offset =
            Duration::from_millis(case["default_query_offset_ms"].as_u64().expect("a duration"));
        let settings = Settings { query_offset, ..world::settings() };
        let files = vec![("f".to_owned(), groups(case["yaml"].as_str().expect("a text")))];
        for definition in definitions(&settings, files) {
            let found = definition.query_offset.unwrap_or(settings.query_offset).as_millis() as u64;
            let wanted = case["expected_query_offset_ms"][&definition.name].as_u64();
            let outcome = if Some(found) == wanted { Ok(()) } else { Err(found.to_string()) };
            score.add(definition.name, outcome);
        }
    }
    score.finish(&[]);
}
