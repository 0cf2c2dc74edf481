//! What a kill at any moment leaves behind.

use std::{path::Path, time::Duration};

use acceptance::{free_port, program, query_result, vesta, wait_for};
use serde_json::Value;

use crate::bed::{Bed, scrape_config};

/// All samples of `up`, as time and value.
fn samples(port: u16) -> Vec<(f64, String)> {
    let result = query_result(port, "up[10m]");
    let values = result.first().and_then(|series| series["values"].as_array());
    let sample = |pair: &Value| (pair[0].as_f64().unwrap_or_default(), pair[1].to_string());
    values.into_iter().flatten().map(sample).collect()
}

#[test]
fn what_was_answered_before_a_kill_is_answered_afterwards_by_us_and_by_upstream() {
    let bed = Bed::new();
    let host = bed.host();
    let config = scrape_config("node", &[host.port]);
    let port = free_port();
    let mut seen = Vec::new();
    for round in 1..=3 {
        let mut server = bed.server(&vesta(), &["server"], "ours", &config, port);
        wait_for("three more scrapes", Duration::from_secs(60), || {
            (samples(port).len() >= seen.len() + 3).then_some(())
        });
        let before = samples(port);
        assert!(seen.iter().all(|sample| before.contains(sample)), "round {round} lost samples");
        seen = before;
        server.process.kill();
    }
    let mut server = bed.server(&vesta(), &["server"], "ours", &config, port);
    let after = samples(port);
    assert!(seen.iter().all(|sample| after.contains(sample)), "the last kill lost samples");
    server.process.kill();

    let Some(prometheus) = program("prometheus") else {
        return acceptance::skip("upstream opens our directory", "prometheus");
    };
    copy(&bed.path().join("ours-data"), &bed.path().join("theirs-data"));
    let theirs = bed.server(&prometheus, &[], "theirs", "", free_port());
    let read_by_upstream = samples(theirs.port);
    assert!(seen.iter().all(|sample| read_by_upstream.contains(sample)), "upstream misses samples");
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the test's folder can be written");
    for entry in std::fs::read_dir(from).expect("the data directory is there").flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else if entry.file_name() != "lock" {
            std::fs::copy(&source, &target).expect("the test's folder can be written");
        }
    }
}
