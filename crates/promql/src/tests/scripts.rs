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

/// The scripts are written for delayed removal. Without it, as a server runs by default, only
/// what depends on it may differ.
#[test]
fn scripts_give_the_same_when_names_go_at_once() {
    const NO_NAME: &str = "notes have no metric name then";
    const NAMES: &str = "the name is looked at after an operation that takes it away";
    const BY_SCRIPT: &[(&str, &str, &[usize])] = &[
        ("aggregators", KNOWN[0].1, &[481]),
        ("name_label_dropping", NAMES, &[59, 64, 69, 74, 89, 115, 119, 123]),
        ("type_and_unit", NAMES, &[77, 92, 222, 237]),
        (
            "histograms",
            NO_NAME,
            &[1158, 1163, 1168, 1179, 1184, 1189, 1200, 1205, 1210, 1223, 1228, 1233],
        ),
        (
            "native_histograms",
            NO_NAME,
            &[1616, 1621, 1626, 1631, 1635, 1639, 1644, 1648, 1653, 1908, 1911, 1914, 1917],
        ),
    ];
    let names: Vec<(String, &str)> = BY_SCRIPT
        .iter()
        .flat_map(|(script, why, lines)| {
            lines.iter().map(move |line| (format!("{script}:{line}"), *why))
        })
        .collect();
    let known: Vec<(&str, &str)> = names.iter().map(|(name, why)| (name.as_str(), *why)).collect();
    let options = Options { delayed_name_removal: false, ..script_options() };
    run_all(SCRIPTS, options, &known);
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
