//! Upstream's acceptance scripts.

use conformance::{Score, text};

use super::subject::{Memory, script_options};
use crate::Options;

const SCRIPTS: &[&str] = &[
    "aggregators",
    "at_modifier",
    "collision",
    "duration_expression",
    "extended_vectors",
    "fill-modifier",
    "functions",
    "histograms",
    "info",
    "limit",
    "literals",
    "name_label_dropping",
    "native_histograms",
    "operators",
    "range_queries",
    "selectors",
    "staleness",
    "start_timestamps",
    "subquery",
    "trig_functions",
    "type_and_unit",
];

/// Evaluations that do not give what upstream gives, by `script:line`, and why.
const KNOWN: &[(&str, &str)] = &[(
    "aggregators:481",
    "the syntax tree holds text, in which a byte that is no UTF-8 has become U+FFFD",
)];

#[test]
fn scripts_give_what_upstream_gives() {
    run_all(SCRIPTS, script_options(), KNOWN);
}

#[test]
fn script_gives_what_upstream_gives_without_delayed_name_removal() {
    let options = Options { delayed_name_removal: false, ..script_options() };
    run_all(&["extra/delayed_name_removal_disabled"], options, &[]);
}

fn run_all(scripts: &[&str], options: Options, known: &[(&str, &str)]) {
    let mut score = Score::new("prometheus/promqltest");
    for script in scripts {
        let Some(text) = text(&format!("prometheus/promqltest/{script}.test")) else { return };
        let mut subject = Memory::new(options.clone());
        let report = promqltest::run(&text, &mut subject).expect("upstream's scripts parse");
        eprint_score(script, report.passed, report.failures.len());
        for failure in report.failures {
            score.add(format!("{script}:{}", failure.line), Err(failure.error));
        }
        for idx in 0..report.passed {
            score.add(format!("{script}#{idx}"), Ok(()));
        }
    }
    score.finish(known);
}

#[expect(clippy::print_stderr, reason = "tests report to whoever runs them")]
fn eprint_score(script: &str, passed: usize, failed: usize) {
    eprintln!("{script}.test: {passed} of {}", passed + failed);
}
