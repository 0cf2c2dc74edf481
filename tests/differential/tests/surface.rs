//! Every path of the API, with good and bad parameters.

#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

use differential::surface;

#[test]
fn all_of_the_surface_is_answered_as_upstream_answers() {
    let Some(report) = surface::ask() else {
        eprintln!("SKIPPED: there is no prometheus on this machine");
        return;
    };
    let n_explained: usize = report.explained.values().sum();
    eprintln!("{} requests, {n_explained} differ by what 3.x changed:", report.asked);
    for (name, count) in &report.explained {
        eprintln!("  {count:3} {name}");
    }
    for request in &report.passing {
        eprintln!("differed at first: {request}");
    }
    assert!(report.asked >= 300, "{}", report.asked);
    assert!(report.wrong.is_empty(), "{}:\n{}", report.wrong.len(), report.wrong.join("\n"));
}
