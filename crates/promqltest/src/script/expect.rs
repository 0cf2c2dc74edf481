//! Failures, annotations and order that an evaluation must show.

use re2::Regex;

/// What is expected beside the value.
#[derive(Debug, Default)]
pub(crate) struct Expectations {
    /// Positions in an instant vector count.
    pub(crate) ordered: bool,
    pub(crate) fail: Option<Outcome>,
    pub(crate) warnings: Annotations,
    pub(crate) infos: Annotations,
    /// `eval_warn`, `eval_info`: at least one, whatever it says.
    pub(crate) legacy_warn: bool,
    pub(crate) legacy_info: bool,
}

/// How the query must fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// `eval_fail`, maybe with `expected_fail_message` or `expected_fail_regexp`.
    Legacy(Annotation),
    Fail(Annotation),
}

/// What annotations of one kind are expected.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    /// `expect no_warn`
    pub(crate) none: bool,
    pub(crate) some: Vec<Annotation>,
}

/// What a text must be.
#[derive(Debug)]
pub(crate) enum Annotation {
    Any,
    Message(String),
    Pattern(Regex),
}

impl Annotation {
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Annotation::Any => true,
            Annotation::Message(message) => message == text,
            Annotation::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

impl Expectations {
    /// Takes the suffix of `eval_fail` and its like; `false` if there is no such one.
    pub(super) fn set_legacy(&mut self, suffix: &str) -> bool {
        match suffix {
            "_fail" => self.fail = Some(Outcome::Legacy(Annotation::Any)),
            "_warn" => self.legacy_warn = true,
            "_info" => self.legacy_info = true,
            "_ordered" => self.ordered = true,
            _ => return false,
        }
        true
    }

    /// Takes a line if it is about failures, annotations or order.
    pub(super) fn read(&mut self, line: &str) -> Result<bool, String> {
        if let Some(Outcome::Legacy(legacy)) = &mut self.fail {
            if let Some(message) = line.strip_prefix("expected_fail_message") {
                *legacy = Annotation::Message(message.trim().to_owned());
                return Ok(true);
            }
            if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
                *legacy = pattern_of(pattern.trim(), "expected_fail_regexp")?;
                return Ok(true);
            }
        }
        let Some(rest) = line.strip_prefix("expect").filter(|rest| rest.starts_with([' ', '\t']))
        else {
            return Ok(false);
        };
        self.read_expect(rest.trim())?;
        Ok(true)
    }

    fn read_expect(&mut self, text: &str) -> Result<(), String> {
        let invalid = || {
            "invalid expect statement, must match `expect <type> <match_type>: <string>` format"
                .to_owned()
        };
        let (kind, rest) = super::split_word(text);
        let wanted = match rest.trim() {
            "" => Annotation::Any,
            rest => {
                let (form, text) = rest.split_once(':').ok_or_else(invalid)?;
                match form {
                    "msg" => Annotation::Message(text.trim().to_owned()),
                    "regex" => pattern_of(text.trim(), "expect")?,
                    _ => return Err(invalid()),
                }
            }
        };
        match kind {
            "ordered" => self.ordered = true,
            "fail" if matches!(self.fail, Some(Outcome::Fail(_))) => {
                return Err(
                    "invalid expect lines, multiple expect fail lines are not allowed".to_owned()
                );
            }
            "fail" => self.fail = Some(Outcome::Fail(wanted)),
            "warn" => self.warnings.some.push(wanted),
            "info" => self.infos.some.push(wanted),
            "no_warn" => self.warnings.none = true,
            "no_info" => self.infos.none = true,
            _ => return Err(invalid()),
        }
        for (annotations, name) in [(&self.warnings, "warn"), (&self.infos, "info")] {
            if annotations.none && !annotations.some.is_empty() {
                return Err(format!(
                    "invalid expect lines, {name} and no_{name} cannot be used together"
                ));
            }
        }
        Ok(())
    }
}

fn pattern_of(pattern: &str, place: &str) -> Result<Annotation, String> {
    Regex::new(pattern)
        .map(Annotation::Pattern)
        .map_err(|error| format!("invalid regexp '{pattern}' for {place}: {error}"))
}

/// A quoted string, as queries write it.
pub(super) fn string(text: &str) -> Result<String, String> {
    use promql_syntax::ast::Expr;
    if text.is_empty() {
        return Err(
            "expected string literal not valid - a quoted string literal is required".to_owned()
        );
    }
    match promql_syntax::parse(text, &promql_syntax::Options::default()) {
        Ok(Expr::String(string)) => Ok(string.value),
        _ => Err("expected string literal not valid - check that the string is correctly quoted"
            .to_owned()),
    }
}
