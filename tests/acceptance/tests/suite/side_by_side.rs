//! The same configuration in Vesta and in upstream's server: the same shape and labels.

use std::time::Duration;

use acceptance::{query_result, wait_for};
use serde_json::Value;

use crate::bed::{Bed, scrape_config};

const QUERIES: [&str; 10] = [
    "up",
    "rate(node_cpu_seconds_total[10s])",
    "sum by (mode) (rate(node_cpu_seconds_total[10s]))",
    "topk(3, node_memory_MemTotal_bytes)",
    "histogram_quantile(0.9, rate(prometheus_http_request_duration_seconds_bucket[10s]))",
    "node_load1 * on (instance) group_left (release) node_uname_info",
    "max_over_time(rate(node_cpu_seconds_total{mode=\"user\"}[5s])[10s:1s])",
    "count by (job) ({__name__=~\"node_.+\"})",
    "node_time_seconds - node_time_seconds offset 5s > bool 0",
    "absent(nonsense)",
];

#[test]
fn the_same_questions_get_answers_of_the_same_shape() {
    let bed = Bed::new();
    let host = bed.host();
    let config = scrape_config("node", &[host.port]);
    let Some(theirs) = bed.prometheus("theirs", &config) else {
        return acceptance::skip("side by side", "prometheus");
    };
    let ours = bed.vesta_server("ours", &config);
    for port in [ours.port, theirs.port] {
        wait_for("fifteen scrapes", Duration::from_secs(60), || {
            let count = query_result(port, "count_over_time(up[1m]) > 15");
            (!count.is_empty()).then_some(())
        });
    }
    for query in QUERIES {
        assert_eq!(
            shape(&query_result(ours.port, query)),
            shape(&query_result(theirs.port, query)),
            "{query}"
        );
    }
}

/// The label sets of a result, sorted; the values differ by the moments of the scrapes.
fn shape(result: &[Value]) -> Vec<String> {
    let mut labels: Vec<String> =
        result.iter().map(|series| series["metric"].to_string()).collect();
    labels.sort();
    labels
}
