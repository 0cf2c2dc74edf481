use std::{sync::Arc, time::Duration};

use model::{Labels, TimeRange};
use runtime::Simulation;
use serde_json::Value;
use storage::{MemoryStorage, Querier, Queryable};

use crate::prometheus::{
    State,
    tests::{get, load::load, state},
};

fn labels(value: &Value) -> Labels {
    super::encoding::labels(value)
}

/// The lines of a page, sorted within each family.
fn sorted(page: &str) -> Vec<Vec<String>> {
    let mut families: Vec<Vec<String>> = Vec::new();
    for line in page.lines() {
        match families.last_mut() {
            Some(family) if !line.starts_with("# TYPE") => family.push(line.to_owned()),
            _ => families.push(vec![line.to_owned()]),
        }
    }
    families.iter_mut().for_each(|family| family.sort());
    families
}

/// Has nothing yet.
struct NotReady;

impl Queryable for NotReady {
    fn querier(&self, _: TimeRange) -> storage::Result<Box<dyn Querier>> {
        Err(storage::Error::NotReady)
    }
}

fn run(case: &Value, lookback: Duration) -> Result<(), String> {
    let storage = MemoryStorage::default();
    let loaded = case["load"].as_str().ok_or("protobuf is not written")?;
    load(&storage, loaded);
    let simulation = Simulation::new(1);
    let now = Duration::from_millis(case["now_ms"].as_u64().expect("a time"));
    simulation.clock.set_now(now);
    let external = labels(&case["external_labels"]);
    let query = case["query_string"].as_str().expect("a text");
    let query = query.replace('\'', "%27").replace('{', "%7B").replace('}', "%7D");
    let url = format!("/federate?{query}");
    let not_ready = get(State { storage: Arc::new(NotReady), ..state() }, &url);
    if case["code_when_storage_not_ready"].as_u64() != Some(not_ready.status.as_u16().into()) {
        return Err(format!("{} while the storage is not ready", not_ready.status));
    }
    let state = State {
        storage: Arc::new(storage),
        runtime: simulation.runtime(),
        external_labels: Arc::new(move || external.clone()),
        lookback_delta: lookback,
        ..state()
    };
    let answer = get(state, &url);
    let is_same = case["code"].as_u64() == Some(u64::from(answer.status.as_u16()))
        && sorted(&answer.body) == sorted(case["body"].as_str().expect("a text"));
    if is_same { Ok(()) } else { Err(format!("{} {}", answer.status, answer.body)) }
}

#[test]
fn federation() {
    let Some(table) = conformance::cases("prometheus/federate/federate.json") else { return };
    let mut score = conformance::Score::new("federate/federate");
    let lookback_ms = table.whole["lookback_delta_ms"].as_u64().expect("a number");
    for case in &table.cases {
        let name = case["name"].as_str().expect("a text");
        score.add(name, run(case, Duration::from_millis(lookback_ms)));
    }
    score.finish(&[("native histograms in protobuf", "protobuf is not written")]);
}
