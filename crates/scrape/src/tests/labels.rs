//! Whose labels win, and relabelling.

use super::world::{World, drop_rule, expect, job, text};
use crate::{Config, Manager};

async fn check(config: Config, body: &str, expected: &str) {
    let world = World::scraping(config, text(body)).await;
    world.run_for(10).await;
    assert_eq!(world.last_error(), "");
    expect(&world.samples(), expected);
}

#[tokio::test]
async fn target_wins_unless_the_job_honours_labels() {
    let body = "a{job=\"x\",exported_job=\"y\"} 1\nb{instance=\"\"} 1\n";
    check(
        job(),
        body,
        r#"
        {__name__="a", exported_exported_job="x", exported_job="y", instance="host:80", job="job"} 1
        {__name__="b", instance="host:80", job="job"} 1
        "#,
    )
    .await;
    check(
        Config { honor_labels: true, ..job() },
        body,
        r#"
        {__name__="a", exported_job="y", instance="host:80", job="x"} 1
        {__name__="b", job="job"} 1
        "#,
    )
    .await;
}

#[tokio::test]
async fn changed_relabelling_ends_series() {
    let world = World::scraping(job(), text("a 1\nb 1\n")).await;
    world.run_for(10).await;
    world.apply(vec![Config { metric_relabel_rules: vec![drop_rule("__name__", "a")], ..job() }]);
    world.run_for(20).await;
    expect(
        &world.samples(),
        r#"
        {__name__="a", instance="host:80", job="job"} 1 stale
        {__name__="b", instance="host:80", job="job"} 1 1 1
        "#,
    );
    assert_eq!(world.last("scrape_samples_scraped"), 2.0);
    assert_eq!(world.last("scrape_samples_post_metric_relabeling"), 1.0);
}

#[test]
fn manager_can_be_shared() {
    fn check<T: Send + Sync>() {}
    check::<Manager>();
}
