//! Running a script against a subject.

use std::time::Duration;

use model::{Timestamp, labels::quote};

use crate::{
    Answer, Command, Script, ScriptError, Subject, Value, check, pinned,
    script::{Eval, Expected, When},
};

/// How a script went.
#[derive(Debug, Default)]
pub struct Report {
    /// Evaluations that gave what the script expects.
    pub passed: usize,
    pub failures: Vec<Failure>,
}

/// A command that did not do what the script expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In the script, from one.
    pub line: usize,
    /// What was expected and what came instead, in upstream's words.
    pub error: String,
}

/// Runs all commands of `script`, also after failures.
pub fn run(script: &str, subject: &mut dyn Subject) -> Result<Report, ScriptError> {
    let script = Script::parse(script)?;
    let mut report = Report::default();
    for command in &script.commands {
        match run_command(command, subject) {
            Ok(()) => report.passed += usize::from(matches!(command, Command::Eval(_))),
            Err(failure) => report.failures.push(failure),
        }
    }
    Ok(report)
}

/// Runs `script` as upstream does: up to the first failure, whose text is the error.
pub fn run_to_first_failure(script: &str, subject: &mut dyn Subject) -> Result<(), String> {
    let script = Script::parse(script).map_err(|error| error.to_string())?;
    for command in &script.commands {
        run_command(command, subject).map_err(|failure| failure.error)?;
    }
    Ok(())
}

fn run_command(command: &Command, subject: &mut dyn Subject) -> Result<(), Failure> {
    match command {
        Command::Clear => subject.clear().map_err(|error| Failure { line: 0, error }),
        Command::Load(load) => {
            load.series().and_then(|series| subject.load(series)).map_err(|error| Failure {
                line: load.line,
                error: format!("error in load (line {}): {error}", load.line),
            })
        }
        Command::Eval(eval) => {
            run_eval(eval, subject).map_err(|error| Failure { line: eval.line, error })
        }
    }
}

fn run_eval(eval: &Eval, subject: &mut dyn Subject) -> Result<(), String> {
    let time = match eval.when {
        When::Range(steps) => {
            let answer = subject.range(&eval.query, steps.start, steps.end, steps.step);
            return check_answer(eval, &eval.query, answer, steps.start).map(|_| ());
        }
        When::Instant(time) => time,
    };
    run_instant(eval, subject, &eval.query, time)?;
    // The same again with all selectors nailed to that time, evaluated at other times.
    if let Some(pinned) = pinned::pin(&eval.query, time) {
        for other in pinned::other_times(time) {
            run_instant(eval, subject, &pinned, other)?;
        }
    }
    Ok(())
}

fn run_instant(
    eval: &Eval,
    subject: &mut dyn Subject,
    query: &str,
    time: Timestamp,
) -> Result<(), String> {
    let answer = subject.instant(query, time);
    if check_answer(eval, query, answer, time)? == Outcome::FailedAsExpected {
        return Ok(());
    }
    // The same again as the middle step of a range query.
    let has_no_steps = matches!(eval.expected, Expected::String(_) | Expected::Window(..));
    if has_no_steps || eval.expectations.ordered || pinned::looks_at_range(query) {
        return Ok(());
    }
    const STEP: Duration = Duration::from_secs(60);
    let place = |query: &str| format!("{} (line {})", quote(query), eval.line);
    let answer = subject.range(query, time - STEP, time + STEP, STEP).map_err(|error| {
        format!("error evaluating query {} in range mode: {error}", place(query))
    })?;
    let Value::Matrix(matrix) = answer.value else {
        return Err(format!("query {} in range mode gave no matrix", place(query)));
    };
    check::check_step(eval, &matrix, time)
        .map_err(|error| format!("error in eval {query} (line {}) range mode: {error}", eval.line))
}

#[derive(PartialEq)]
enum Outcome {
    FailedAsExpected,
    Right,
}

fn check_answer(
    eval: &Eval,
    query: &str,
    answer: Result<Answer, String>,
    time: Timestamp,
) -> Result<Outcome, String> {
    let place = || format!("{} (line {})", quote(query), eval.line);
    match (answer, &eval.expectations.fail) {
        (Err(error), Some(outcome)) => {
            check::check_failure(outcome, query, eval.line, &error)?;
            Ok(Outcome::FailedAsExpected)
        }
        (Err(error), None) => Err(format!("error evaluating query {}: {error}", place())),
        (Ok(_), Some(_)) => {
            Err(format!("expected error evaluating query {} but got none", place()))
        }
        (Ok(answer), None) => {
            check::check_annotations(eval, query, &answer)?;
            check::check_value(eval, &answer, time)
                .map_err(|error| format!("error in eval {query} (line {}): {error}", eval.line))?;
            Ok(Outcome::Right)
        }
    }
}
