//! Warnings, infos and failures.

use model::labels::quote;

use crate::{
    Answer,
    script::{Annotation, Annotations, Eval, Outcome},
};

/// Compares the annotations of an answer.
pub(crate) fn check(eval: &Eval, query: &str, answer: &Answer) -> Result<(), String> {
    let place = Place { query: quote(query), line: eval.line };
    let expectations = &eval.expectations;
    if expectations.legacy_warn && answer.warnings.is_empty() {
        return Err(format!("expected warnings evaluating query {place} but got none"));
    }
    if expectations.legacy_info && answer.infos.is_empty() {
        return Err(format!("expected info annotations evaluating query {place} but got none"));
    }
    check_kind(("warn", "warning"), &expectations.warnings, &answer.warnings, &place)?;
    check_kind(("info", "info"), &expectations.infos, &answer.infos, &place)
}

/// A query and its line, as failures name them.
struct Place {
    query: String,
    line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (line {})", self.query, self.line)
    }
}

fn check_kind(
    (short, long): (&str, &str),
    expected: &Annotations,
    got: &[String],
    place: &Place,
) -> Result<(), String> {
    let all = || format!("[{}]", got.join(" "));
    if expected.none && !got.is_empty() {
        let all = all();
        return Err(format!("unexpected {long} annotations evaluating query {place}: {all}"));
    }
    if expected.some.is_empty() {
        return Ok(());
    }
    if got.is_empty() {
        return Err(format!("expected {short} annotations but none were found for query {place}"));
    }
    for wanted in &expected.some {
        if !got.iter().any(|text| wanted.matches(text)) {
            let (wanted, all) = (described(wanted), all());
            return Err(format!(
                "expected {short} annotation matching {wanted} but no matching annotation was \
                 found for query {place}, found: {all}"
            ));
        }
    }
    match got.iter().find(|text| !expected.some.iter().any(|wanted| wanted.matches(text))) {
        Some(text) => {
            let text = quote(text);
            Err(format!("unexpected {short} annotation {text} found for query {place}"))
        }
        None => Ok(()),
    }
}

fn described(wanted: &Annotation) -> String {
    match wanted {
        Annotation::Any => "anything".to_owned(),
        Annotation::Message(message) => format!("message {}", quote(message)),
        Annotation::Pattern(pattern) => format!("pattern {}", quote(pattern.as_str())),
    }
}

/// Compares the error of a query that is expected to fail.
pub(crate) fn check_failure(
    outcome: &Outcome,
    query: &str,
    line: usize,
    error: &str,
) -> Result<(), String> {
    let (Outcome::Legacy(wanted) | Outcome::Fail(wanted)) = outcome;
    if wanted.matches(error) {
        return Ok(());
    }
    let wanted = match (outcome, wanted) {
        (_, Annotation::Any) => return Ok(()),
        (Outcome::Legacy(_), Annotation::Message(message)) => quote(message),
        (Outcome::Legacy(_), Annotation::Pattern(pattern)) => {
            format!("matching pattern {}", quote(pattern.as_str()))
        }
        (Outcome::Fail(_), Annotation::Message(message)) => format!("matching {}", quote(message)),
        (Outcome::Fail(_), Annotation::Pattern(pattern)) => {
            format!("matching {}", quote(pattern.as_str()))
        }
    };
    let place = Place { query: quote(query), line };
    Err(format!("expected error {wanted} evaluating query {place}, but got: {error}"))
}
