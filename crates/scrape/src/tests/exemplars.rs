//! What becomes of exemplars.

use model::{Matcher, TimeRange};
use runtime::Clock as _;
use storage::ExemplarQueryable as _;

use super::world::{World, expect, job, typed};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0";

/// All exemplars as `series {labels} value@milliseconds since the start`.
fn exemplars(world: &World) -> String {
    let all = [vec![Matcher::equal("job", "job")]];
    let found = world.storage.exemplars(TimeRange::ALL, &all).expect("memory does not fail");
    let clock = &world.simulation.clock;
    let start = (clock.now() - clock.monotonic()).as_millis() as i64;
    let mut lines = Vec::new();
    for series in found {
        for exemplar in series.exemplars {
            let (name, time) = (series.labels.metric_name(), exemplar.time.as_millis());
            let time = if time < start { time } else { time - start };
            lines.push(format!("{name} {} {}@{time}", exemplar.labels, exemplar.value));
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn exemplars_are_stored_with_their_series() {
    let body = "a_total 1 # {trace=\"x\"} 0.5 12.5\n# EOF\n";
    let world = World::scraping(job(), typed(OPENMETRICS, body)).await;
    world.run_for(20).await;
    expect(&exemplars(&world), r#"a_total {trace="x"} 0.5@12500"#);
}

#[tokio::test]
async fn exemplars_without_a_time_have_the_scrapes() {
    let body = "a_total 1 # {trace=\"x\"} 0.5\n# EOF\n";
    let world = World::scraping(job(), typed(OPENMETRICS, body)).await;
    world.run_for(10).await;
    let time = world.times("a_total")[0];
    expect(&exemplars(&world), &format!(r#"a_total {{trace="x"}} 0.5@{time}"#));
}

#[tokio::test]
async fn older_exemplars_are_counted_and_left_out() {
    let body = |time| format!("a_total 1 # {{}} 0.5 {time}\n# EOF\n");
    let world = World::scraping(job(), typed(OPENMETRICS, body(20))).await;
    world.run_for(10).await;
    world.answer("host", typed(OPENMETRICS, body(10)));
    world.run_for(10).await;
    expect(&exemplars(&world), "a_total {} 0.5@20000");
    assert_eq!(world.counter("prometheus_target_scrapes_exemplar_out_of_order_total"), 1.0);
    assert_eq!(world.last_error(), "");
}
