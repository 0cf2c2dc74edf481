//! `check rules`: rule files, or rules on standard input.

use std::{
    collections::BTreeSet,
    fmt,
    io::{Read as _, Write as _},
    path::Path,
};

use model::names::ValidationScheme;
use rules::file::{self, Group, Pairs};

use crate::{
    Exit, World,
    arguments::{CheckRules, Global},
    check::describe,
};

/// What came of checking some files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Something is wrong, be it only in the linter's eyes.
    pub(super) failed: bool,
    pub(super) has_errors: bool,
}

/// Rules of one name and the same labels: they would write the same series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Duplicate {
    pub(crate) name: String,
    pub(crate) labels: Pairs,
}

pub(crate) fn run(global: &Global, world: &mut World, check: &CheckRules) -> anyhow::Result<Exit> {
    check.lint.warn(&mut world.stdout)?;
    let findings = if check.files.is_empty() {
        check_stdin(global, world, check)?
    } else {
        let files: Vec<String> =
            check.files.iter().map(|file| file.display().to_string()).collect();
        check_files(global, world, check, &files, ValidationScheme::Utf8)?
    };
    Ok(match findings {
        Findings { has_errors: true, .. } => Exit::Failure,
        Findings { failed: true, .. } if check.lint.fatal => Exit::Lint,
        _ => Exit::Success,
    })
}

fn check_stdin(global: &Global, world: &mut World, check: &CheckRules) -> anyhow::Result<Findings> {
    writeln!(world.stdout, "Checking standard input")?;
    let mut text = String::new();
    world.stdin.read_to_string(&mut text)?;
    let parsed = parse(global, check, &text, ValidationScheme::Utf8);
    let mut findings = Findings::default();
    report(world, check, parsed.map_err(|problems| lines(&problems, "")), &mut findings)?;
    Ok(findings)
}

/// Checks rule files and says what is in each.
pub(super) fn check_files(
    global: &Global,
    world: &mut World,
    check: &CheckRules,
    files: &[String],
    names: ValidationScheme,
) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    for file in files {
        writeln!(world.stdout, "Checking {file}")?;
        let parsed = match world.runtime.disk.read_to_string(Path::new(file)) {
            Ok(text) => parse(global, check, &text, names)
                .map_err(|problems| lines(&problems, &format!("{file}: "))),
            Err(error) => Err(vec![format!("{file}: open {file}: {}", describe(&error))]),
        };
        report(world, check, parsed, &mut findings)?;
    }
    Ok(findings)
}

/// What is wrong, each behind the file; unknown fields are one complaint with a line for each.
fn lines(problems: &[file::Problem], prefix: &str) -> Vec<String> {
    const UNKNOWN: &str = "yaml: unmarshal errors:\n";
    let mut lines: Vec<String> = Vec::new();
    let mut in_unknown = false;
    for problem in problems {
        let text = problem.to_string();
        match (text.strip_prefix(UNKNOWN), lines.last_mut()) {
            (Some(field), Some(last)) if in_unknown => {
                last.push('\n');
                last.push_str(field);
            }
            (field, _) => {
                in_unknown = field.is_some();
                lines.push(format!("{prefix}{text}"));
            }
        }
    }
    lines
}

/// Reads a rule file as the server would.
pub(crate) fn parse(
    global: &Global,
    check: &CheckRules,
    text: &str,
    names: ValidationScheme,
) -> Result<Vec<Group>, Vec<file::Problem>> {
    let syntax = global.syntax;
    let options = file::Options {
        names,
        ignore_unknown_fields: check.ignore_unknown_fields,
        check_expr: &|expr| match promql_syntax::parse(expr, &syntax) {
            Ok(expr) => Ok(expr.to_string()),
            Err(errors) => Err(errors.to_string()),
        },
    };
    file::parse(text, &options).map(|parsed| parsed.groups)
}

fn report(
    world: &mut World,
    check: &CheckRules,
    parsed: Result<Vec<Group>, Vec<String>>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    match parsed {
        Err(problems) => {
            *findings = Findings { failed: true, has_errors: true };
            writeln!(world.stderr, "  FAILED:")?;
            for problem in problems {
                writeln!(world.stderr, "{problem}")?;
            }
        }
        Ok(groups) => {
            let duplicates =
                if check.lint.duplicate_rules { duplicates(&groups) } else { Vec::new() };
            if duplicates.is_empty() {
                let n_rules: usize = groups.iter().map(|group| group.rules.len()).sum();
                writeln!(world.stdout, "  SUCCESS: {n_rules} rules found")?;
            } else {
                findings.failed = true;
                complain(world, &duplicates)?;
            }
        }
    }
    writeln!(world.stdout)?;
    Ok(())
}

fn complain(world: &mut World, duplicates: &[Duplicate]) -> anyhow::Result<()> {
    let err = &mut world.stderr;
    writeln!(err, "  FAILED:")?;
    writeln!(err, "lint error {} duplicate rule(s) found.", duplicates.len())?;
    for duplicate in duplicates {
        write!(err, "{duplicate}")?;
    }
    writeln!(err, "Might cause inconsistency while recording expressions")?;
    Ok(())
}

/// Each name with labels that stands more than once, sorted.
pub(crate) fn duplicates(groups: &[Group]) -> Vec<Duplicate> {
    let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    for rule in groups.iter().flat_map(|group| &group.rules) {
        let rule = Duplicate { name: rule.name.clone(), labels: rule.labels.clone() };
        if !seen.insert(rule.clone()) {
            repeated.insert(rule);
        }
    }
    repeated.into_iter().collect()
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Metric: {}\nLabel(s):", self.name)?;
        for (name, value) in &self.labels {
            writeln!(f, "\t{name}: {value}")?;
        }
        Ok(())
    }
}
