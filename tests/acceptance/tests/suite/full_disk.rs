//! No room on the disk. A limit on the size of files stands for it: it can be set and lifted for a
//! process that runs, by anybody.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use acceptance::{Process, free_port, get, program, query_result, vesta, wait_for};

use crate::bed::{Bed, scrape_config};

/// The times of all samples of `up`.
fn times(port: u16) -> Vec<f64> {
    let result = query_result(port, "up[10m]");
    let values = result.first().and_then(|series| series["values"].as_array());
    values.into_iter().flatten().filter_map(|pair| pair[0].as_f64()).collect()
}

fn metric(port: u16, name: &str) -> f64 {
    let page = get(port, "/metrics").expect("it runs").body;
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {page}"))
}

/// Lets the process write no file beyond `bytes`.
fn limit(prlimit: &Path, process: &Process, bytes: &str) {
    let pid = process.id().to_string();
    let status = Command::new(prlimit)
        .args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")])
        .status()
        .expect("it can be run");
    assert!(status.success(), "prlimit: {status}");
}

fn newest_segment(data: &Path) -> PathBuf {
    let entries = std::fs::read_dir(data.join("wal")).expect("there is a log");
    let segments = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    segments.max().expect("there is a segment")
}

#[test]
fn without_room_nothing_is_stored_all_is_answered_and_it_ends_by_itself() {
    let Some(prlimit) = program("prlimit") else {
        return acceptance::skip("a disk that is full", "prlimit");
    };
    let bed = Bed::new();
    let host = bed.host();
    let config = scrape_config("node", &[host.port]);
    let port = free_port();
    // A signal tells of the limit; who ignores it gets an error instead.
    let vesta = vesta();
    let script = "trap '' XFSZ; exec \"$0\" server \"$@\"";
    let command = ["-c", script, vesta.to_str().expect("its path is text")];
    let mut server = bed.server(Path::new("/bin/sh"), &command, "full", &config, port);
    wait_for("some scrapes", Duration::from_secs(60), || (times(port).len() >= 3).then_some(()));

    let segment = newest_segment(&bed.path().join("full-data"));
    let len = std::fs::metadata(&segment).expect("it is there").len();
    // A part of the next write still fits.
    limit(&prlimit, &server.process, &(len + 20).to_string());
    let failed = || metric(port, "prometheus_tsdb_wal_writes_failed_total");
    wait_for("three failed writes", Duration::from_secs(60), || (failed() >= 3.0).then_some(()));
    let before = times(port);
    assert!(before.len() >= 3, "what is there is answered: {before:?}");
    let said = server.process.output();
    let name = segment.file_name().and_then(|name| name.to_str()).expect("it is digits");
    assert!(said.contains(&format!("write full-data/wal/{name}: File too large")), "{said}");

    limit(&prlimit, &server.process, "unlimited");
    let newest = before.last().copied().unwrap_or_default();
    wait_for("new samples", Duration::from_secs(60), || {
        (times(port).iter().filter(|time| **time > newest).count() >= 3).then_some(())
    });
    let seen = times(port);
    assert!(before.iter().all(|time| seen.contains(time)), "{before:?} then {seen:?}");
    assert!(server.process.output().contains("writes succeed again"));
    server.process.kill();

    let mut server = bed.server(&vesta, &["server"], "full", &config, port);
    let after = times(port);
    assert!(seen.iter().all(|time| after.contains(time)), "{seen:?} then {after:?}");
    assert_eq!(metric(port, "prometheus_tsdb_wal_corruptions_total"), 0.0, "nothing is torn");
    server.process.kill();
}
