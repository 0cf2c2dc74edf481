//! `vesta drill`: what a plain pair loses is seen, and nothing is left behind.

use std::time::Duration;

use acceptance::{Process, program, run, skip, vesta, wait_for};
use rustix::process::{Pid, Signal, kill_process};

use crate::bed::Bed;

/// Runs a drill of a few seconds; its success, and what it printed.
fn drill(args: &[&str]) -> (bool, String) {
    let output = run(&vesta(), &[&["drill", "--duration", "20s"], args].concat());
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a promise was broken, of several of that name to any.
fn is_broken(output: &str, promise: &str) -> bool {
    let mut rows = output.lines().filter(|line| line.starts_with(promise)).peekable();
    assert!(rows.peek().is_some(), "no {promise:?} in\n{output}");
    rows.any(|row| row.contains("BROKEN"))
}

#[test]
fn a_pair_that_acts_as_one_keeps_every_promise() {
    let (success, output) = drill(&["--topology", "pair", "--seed", "1"]);
    assert!(success, "{output}");
    assert!(!output.contains("BROKEN"), "{output}");
}

#[test]
fn a_plain_pair_differs_and_has_gaps() {
    let bed = Bed::new();
    let report = bed.path().join("drill.html");
    let report = report.display().to_string();
    let (success, output) = drill(&["--topology", "plain-pair", "--report", &report]);
    assert!(!success, "{output}");
    assert!(is_broken(&output, "samples at server-"), "{output}");
    assert!(is_broken(&output, "samples, member by member"), "{output}");
    let page = std::fs::read_to_string(report).expect("the report was written");
    assert!(page.contains("samples of target"), "gaps are on the time line");
}

#[test]
fn the_usual_recipe_loses_samples_in_a_failover() {
    if program("prometheus").is_none() {
        return skip("the drill of two Prometheus", "prometheus");
    }
    let (success, output) = drill(&["--topology", "upstream-keepalived", "--remote", "prometheus"]);
    assert!(!success, "{output}");
    assert!(is_broken(&output, "samples at the remote end"), "{output}");
}

#[test]
fn an_interrupted_drill_leaves_nothing_behind() {
    let bed = Bed::new();
    let args = ["drill", "--topology", "plain-pair"].map(str::to_owned);
    let mut process = Process::start(&vesta(), bed.path(), "drill", &args);
    let folder = wait_for("its folder", Duration::from_secs(10), || {
        let output = process.output();
        let (_, rest) = output.split_once("vesta-drill-")?;
        Some(format!("vesta-drill-{}", rest.chars().take(6).collect::<String>()))
    });
    let theirs = || {
        let output = run(&program("ps").expect("every machine has ps"), &["ax", "-o", "args"]);
        String::from_utf8_lossy(&output.stdout).matches(&folder).count()
    };
    wait_for("its servers", Duration::from_secs(30), || (theirs() >= 2).then_some(()));
    let pid = Pid::from_raw(process.id() as i32).expect("a process has an id");
    kill_process(pid, Signal::INT).expect("the drill runs");
    assert!(process.wait(Duration::from_secs(30)).is_some(), "it stops");
    assert_eq!(theirs(), 0, "processes of {folder} are left");
    assert!(!std::env::temp_dir().join(&folder).exists(), "{folder} is left");
}
