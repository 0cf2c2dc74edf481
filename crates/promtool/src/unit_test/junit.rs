//! Results for machines that show tests: JUnit's XML.

use std::path::Path;

/// The tests of one file.
pub(super) struct Suite {
    name: String,
    /// In local time, without a zone.
    timestamp: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    failures: Vec<String>,
    error: Option<String>,
}

impl Suite {
    pub(super) fn new(path: &Path, now_millis: i64) -> Suite {
        let now = jiff::Timestamp::from_millisecond(now_millis).unwrap_or_default();
        Suite {
            name: path.display().to_string(),
            timestamp: now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            cases: Vec::new(),
        }
    }

    pub(super) fn add_case(&mut self, name: &str, failures: &[String]) {
        let (name, failures) = (name.to_owned(), failures.to_vec());
        self.cases.push(Case { name, failures, error: None });
    }

    /// Notes that no test could be run.
    pub(super) fn abort(&mut self, error: &str) {
        let (name, error) = ("unknown".to_owned(), Some(error.to_owned()));
        self.cases.push(Case { name, failures: Vec::new(), error });
    }
}

pub(super) fn to_xml<'a>(suites: impl Iterator<Item = &'a Suite>) -> String {
    let suites: String = suites.map(suite_to_xml).collect();
    format!("<testsuites>{suites}</testsuites>")
}

fn suite_to_xml(suite: &Suite) -> String {
    let n_failures: usize = suite.cases.iter().map(|case| case.failures.len()).sum();
    let n_errors = suite.cases.iter().filter(|case| case.error.is_some()).count();
    let cases: String = suite.cases.iter().map(case_to_xml).collect();
    format!(
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{n_failures}\" errors=\"{n_errors}\" skipped=\"0\" timestamp=\"{}\">{cases}</testsuite>",
        escape(&suite.name),
        suite.cases.len(),
        suite.timestamp
    )
}

fn case_to_xml(case: &Case) -> String {
    let mut out = format!("<testcase name=\"{}\">", escape(&case.name));
    for failure in &case.failures {
        out.push_str(&format!("<failure>{}</failure>", escape(failure)));
    }
    if let Some(error) = &case.error {
        out.push_str(&format!("<error>{}</error>", escape(error)));
    }
    out + "</testcase>"
}

/// As Go escapes text; what XML has no place for becomes a replacement character.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c if c < ' ' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
