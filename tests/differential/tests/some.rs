//! Some hundred queries, for every change; thousands by hand: `cargo run -p differential`.

#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

use differential::Pair;

#[test]
fn random_queries_are_answered_as_upstream_answers_them() {
    for seed in [1, 2] {
        let Some(pair) = Pair::start(seed) else {
            eprintln!("SKIPPED: there is no prometheus on this machine");
            return;
        };
        let report = pair.ask(0..300);
        assert!(report.filled > report.asked / 3, "most queries should find something: {report:?}");
        assert!(report.differences.is_empty(), "{}", report.differences.join("\n"));
    }
}
