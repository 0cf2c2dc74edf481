//! Some hundred rules over the same recorded data: a minute and a half, for every change.

#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

use differential::mixins;

#[test]
fn hundreds_of_rules_yield_the_same_samples_and_alerts() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let Some(report) = mixins::run(seed.unwrap_or(1)) else {
        return acceptance::skip("rules", "prometheus");
    };
    eprintln!(
        "{} rules in {} groups, {} of them not to be compared {:?}: {} recorded samples, {} of alerts, \
         {} alerts told, {} differences",
        report.rules,
        report.groups,
        report.unlike.len(),
        report.unlike,
        report.recorded,
        report.alerts,
        report.told,
        report.differences.len()
    );
    let shown: Vec<_> = report.differences.iter().take(40).map(String::as_str).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    assert!(report.unlike.len() * 2 < report.groups, "too little was compared");
    assert!(report.recorded > 1_000 && report.told > 50, "too little happened");
}
