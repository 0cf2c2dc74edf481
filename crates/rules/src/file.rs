//! Rule files: text in, groups of rules out, or everything that is wrong with it.

mod raw;
#[cfg(test)]
mod tests;
mod validate;

use std::{collections::BTreeMap, fmt, time::Duration};

use model::names::ValidationScheme;

/// Names and values as written; unlike in a label set, an empty value counts: it removes a label.
pub type Pairs = BTreeMap<String, String>;

/// Rules that are evaluated in order, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub name: String,
    /// The global interval if not given.
    pub interval: Option<Duration>,
    /// The global offset if not given.
    pub query_offset: Option<Duration>,
    /// A rule that yields more series or alerts fails. `None` is without limit.
    pub limit: Option<usize>,
    pub rules: Vec<Rule>,
}

/// A rule as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The metric that it records, or the alert.
    pub name: String,
    /// The query, in the printer's form.
    pub expr: String,
    /// The rule's own labels over its group's.
    pub labels: Pairs,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Recording,
    Alerting(Alerting),
}

/// What only alerting rules have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alerting {
    /// `for`: how long an alert is pending.
    pub hold: Duration,
    pub keep_firing_for: Duration,
    pub annotations: Pairs,
}

/// How to read a rule file.
pub struct Options<'a> {
    /// Which names of labels and metrics are good.
    pub names: ValidationScheme,
    pub ignore_unknown_fields: bool,
    /// The query in its printed form, or why it is none: `rules` does not know the language.
    pub check_expr: &'a dyn Fn(&str) -> Result<String, String>,
}

/// A place in the file, from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: u64,
    pub column: u64,
}

/// One thing that is wrong with a rule file; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub position: Option<Position>,
    /// The other of two fields that contradict each other.
    pub alternative: Option<Position>,
    pub rule: Option<RulePlace>,
    pub message: String,
}

/// Which rule a problem is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePlace {
    pub group: String,
    /// From one.
    pub number: usize,
    pub name: String,
}

/// What a file held: its groups, and whether more documents followed, which are not read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    pub groups: Vec<Group>,
    pub has_more_documents: bool,
}

/// Reads a rule file. Only the first YAML document counts.
pub fn parse(text: &str, options: &Options<'_>) -> Result<Parsed, Vec<Problem>> {
    let (document, has_more_documents) = first_document(text);
    let (file, unknown) = raw::parse(document)?;
    if !options.ignore_unknown_fields && !unknown.is_empty() {
        return Err(unknown);
    }
    let groups = validate::validate(&file, options)?;
    Ok(Parsed { groups, has_more_documents })
}

/// The text up to the end of the first document, and whether there was an end.
fn first_document(text: &str) -> (&str, bool) {
    let mut has_content = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let is_marker = line.trim_end() == "---" || line.starts_with("--- ");
        if is_marker && has_content {
            return (text.get(..start).unwrap_or(text), true);
        }
        let bare = line.trim();
        has_content |= is_marker || !(bare.is_empty() || bare.starts_with(['#', '%']));
        start += line.len();
    }
    (text, false)
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for position in [self.position, self.alternative].iter().flatten() {
            write!(f, "{position}: ")?;
        }
        if let Some(RulePlace { group, number, name }) = &self.rule {
            let quote = model::labels::quote;
            write!(f, "group {}, rule {number}, {}: ", quote(group), quote(name))?;
        }
        f.write_str(&self.message)
    }
}
