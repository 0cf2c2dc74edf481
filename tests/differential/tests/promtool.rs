//! Some hundred files are judged by both; more damaged ones with `DAMAGED=1000`, of `SEED=2`.

#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use differential::promtool::{Case, cases, differences, ours, theirs};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn files_are_judged_as_upstream_judges_them() {
    let Some(program) = acceptance::program("promtool") else {
        return acceptance::skip("promtool", "promtool");
    };
    let cases = cases(number("SEED").unwrap_or(1), number("DAMAGED").unwrap_or(40));
    let next = AtomicUsize::new(0);
    let (complaints, n_bad) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let judge = |case: &Case| {
        // The same path for both: it stands in what they say.
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let expected = theirs(&program, folder.path(), case);
        let found = ours(folder.path(), case);
        n_bad.fetch_add(usize::from(expected.exit_code != 0), Ordering::Relaxed);
        let complaint = match (found.is_like(&expected), differences::reason(&case.name)) {
            (true, None) | (false, Some(_)) => return,
            (true, Some(reason)) => format!("is judged the same, though {reason}"),
            (false, None) => format!("ours: {found}\ntheirs: {expected}"),
        };
        let text = case.files.first().map(|(_, text)| &**text).unwrap_or_default();
        let complaint = format!("{}\n{text}{complaint}\n", case.name);
        complaints.lock().expect("nobody panics").push(complaint);
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    judge(case);
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("nobody panics");
    let n_listed: usize = differences::DIFFERENCES.iter().map(|one| one.cases.len()).sum();
    eprintln!(
        "{} files, {} of them bad for upstream: {} are judged otherwise, {n_listed} for a reason",
        cases.len(),
        n_bad.into_inner(),
        complaints.len() + n_listed
    );
    let shown: Vec<_> = complaints.iter().map(String::as_str).collect();
    assert!(complaints.is_empty(), "{}\n{} in all", shown.join("\n"), complaints.len());
}
