//! Upstream's tests of its script runner, which need an engine to run against.

use conformance::{Score, cases};

use super::subject::{Memory, script_options};

#[test]
fn scripts_pass_or_fail_as_upstream_says() {
    const TABLE: &str = "prometheus/promqltest/extra/script_runner.json";
    let Some(table) = cases(TABLE) else { return };
    let mut score = Score::new(TABLE);
    for (idx, case) in table.cases.iter().enumerate() {
        let text = |key: &str| case[key].as_str();
        let mut subject = Memory::new(script_options());
        let script = text("script").expect("each case has a script");
        let got = promqltest::run_to_first_failure(script, &mut subject).err();
        let outcome = match got.as_deref() == text("error") {
            true => Ok(()),
            false => Err(format!("got {got:?}, expected {:?}", text("error"))),
        };
        score.add(format!("{idx} {}", text("name").unwrap_or_default()), outcome);
    }
    score.finish(&[]);
}
