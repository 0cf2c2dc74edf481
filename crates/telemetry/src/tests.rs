use std::fmt::Write as _;

use crate::{Reading, Registry};

/// Prints what the registry gathers, a reading a line.
fn check(registry: &Registry, expected: &str) {
    let mut out = String::new();
    for family in registry.gather() {
        for metric in &family.metrics {
            let labels: Vec<_> = metric.labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
            write!(out, "{:?} {}{{{}}} ", family.kind, family.name, labels.join(",")).unwrap();
            match &metric.reading {
                Reading::Value(value) => writeln!(out, "{value}").unwrap(),
                Reading::Histogram { buckets, sum, count } => {
                    for bucket in buckets {
                        write!(out, "{}:{} ", bucket.upper_bound, bucket.cumulative_count).unwrap();
                    }
                    writeln!(out, "sum {sum} count {count}").unwrap();
                }
                Reading::Summary { quantiles, sum, count } => {
                    writeln!(out, "{quantiles:?} sum {sum} count {count}").unwrap();
                }
            }
        }
    }
    assert_eq!(out.trim(), expected.trim());
}

#[test]
fn readings_come_sorted_by_name_and_labels() {
    let registry = Registry::default();
    let requests = registry.counters("requests_total", "Requests.", ["handler", "code"]);
    requests.with(["/b", "200"]).increment();
    requests.with(["/a", "500"]).add(2.0);
    registry.gauge("a_gauge", "A gauge.").set(-1.5);
    check(
        &registry,
        "
Gauge a_gauge{} -1.5
Counter requests_total{code=200,handler=/b} 1
Counter requests_total{code=500,handler=/a} 2
",
    );
}

#[test]
fn histograms_are_cumulative_and_bounds_inclusive() {
    let registry = Registry::default();
    let histogram = registry.histogram("h", "H.", &[1.0, 2.0]);
    for value in [0.5, 1.0, 1.5, 3.0] {
        histogram.observe(value);
    }
    check(&registry, "Histogram h{} 1:2 2:3 sum 6 count 4");
}

#[test]
fn summaries_give_quantiles() {
    let registry = Registry::default();
    let summary = registry.summary("s", "S.", &[0.5, 0.9]);
    for value in 1..=10 {
        summary.observe(f64::from(value));
    }
    check(&registry, "Summary s{} [(0.5, 5.0), (0.9, 9.0)] sum 55 count 10");
}

#[test]
fn families_without_readings_are_left_out() {
    let registry = Registry::default();
    registry.counters("never_total", "Never.", ["x"]);
    check(&registry, "");
}

#[test]
fn this_process_has_memory_and_files() {
    let registry = Registry::default();
    crate::process::register(&registry);
    let names: Vec<_> = registry.gather().into_iter().map(|family| family.name).collect();
    assert!(names.contains(&"process_resident_memory_bytes".to_owned()), "{names:?}");
    assert!(names.contains(&"process_open_fds".to_owned()), "{names:?}");
}
