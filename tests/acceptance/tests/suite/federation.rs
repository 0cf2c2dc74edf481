//! The seed's federation, in both directions.

use std::time::Duration;

use acceptance::{query_result, wait_for};

use crate::bed::{Bed, scrape_config};

fn federation_config(source: u16) -> String {
    format!(
        "global: {{scrape_interval: 1s}}\n\
         scrape_configs:\n  - job_name: federate\n    honor_labels: true\n\
         \x20   metrics_path: /federate\n    params:\n      'match[]':\n        - '{{job=~\"kubernetes.*\"}}'\n\
         \x20   static_configs:\n      - targets: [\"127.0.0.1:{source}\"]\n"
    )
}

/// What was scraped by the federated server arrives under its own labels.
fn check(federating_port: u16, host_port: u16) {
    let expected = format!("127.0.0.1:{host_port}");
    wait_for("a federated series", Duration::from_secs(30), || {
        let result = query_result(federating_port, "node_load1{job=\"kubernetes-nodes\"}");
        result.iter().any(|series| series["metric"]["instance"] == expected.as_str()).then_some(())
    });
    assert!(query_result(federating_port, "node_load1{job=\"federate\"}").is_empty());
}

#[test]
fn vesta_federates_from_vesta_and_upstream_in_both_directions() {
    let bed = Bed::new();
    let host = bed.host();
    let scraping = scrape_config("kubernetes-nodes", &[host.port]);
    let ours = bed.vesta_server("ours", &scraping);
    let from_ours = bed.vesta_server("from-ours", &federation_config(ours.port));
    check(from_ours.port, host.port);
    let Some(theirs) = bed.prometheus("theirs", &scraping) else {
        return acceptance::skip("federation with upstream", "prometheus");
    };
    let ours_from_theirs = bed.vesta_server("ours-from-theirs", &federation_config(theirs.port));
    check(ours_from_theirs.port, host.port);
    let theirs_from_ours = bed.prometheus("theirs-from-ours", &federation_config(ours.port));
    check(theirs_from_ours.expect("it was there a moment ago").port, host.port);
}
