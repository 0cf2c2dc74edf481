//! Where is upstream's test data, and how do its cases fare here?
//!
//! The data is not part of this repository: it is looked for in `$VESTA_CONFORMANCE`, then in
//! `../shared/conformance` beside the checkout. Without it the tests say that they were skipped.
//! Start at [`cases`] and [`Score`].

#![expect(clippy::print_stderr, reason = "tests report to whoever runs them")]
#![expect(clippy::disallowed_methods, reason = "test data is read from the real disk")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

/// A JSON file of cases; `whole` holds what stands beside them.
pub struct Cases {
    pub whole: Value,
    pub cases: Vec<Value>,
}

/// The path of a file or folder below the conformance folder, such as
/// `prometheus/relabel/relabel.json`; `None`, said aloud, if the data is not there.
pub fn path(relative: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("VESTA_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance")),
    };
    let path = folder.join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there; set VESTA_CONFORMANCE", path.display());
    None
}

/// The text of a file below the conformance folder.
pub fn text(relative: &str) -> Option<String> {
    let path = path(relative)?;
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The cases of a JSON file below the conformance folder.
pub fn cases(relative: &str) -> Option<Cases> {
    let whole: Value = serde_json::from_str(&text(relative)?)
        .unwrap_or_else(|error| panic!("{relative}: {error}"));
    let cases = whole["cases"].as_array().unwrap_or_else(|| panic!("{relative}: no cases"));
    Some(Cases { cases: cases.clone(), whole })
}

/// A float of the data: a number, or the text `NaN`, `+Inf`, `-Inf`, `StaleNaN`.
pub fn float(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().expect("every JSON number is a float"),
        Value::String(text) => match text.as_str() {
            "NaN" => f64::from_bits(0x7ff8_0000_0000_0001),
            "StaleNaN" => f64::from_bits(0x7ff0_0000_0000_0002),
            "+Inf" | "Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            other => other.parse().unwrap_or_else(|_| panic!("no float: {other:?}")),
        },
        other => panic!("no float: {other}"),
    }
}

/// Bytes of the data: a text, or `{"base64": "…"}`.
pub fn bytes(value: &Value) -> Vec<u8> {
    use base64::Engine as _;
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => {
            let text = other["base64"].as_str().unwrap_or_else(|| panic!("no bytes: {other}"));
            base64::engine::general_purpose::STANDARD.decode(text).expect("the data is base64")
        }
    }
}

/// Counts the cases of one table and holds them against the list of known failures.
pub struct Score {
    table: String,
    passed: usize,
    failed: BTreeMap<String, String>,
}

impl Score {
    pub fn new(table: &str) -> Score {
        Score { table: table.to_owned(), passed: 0, failed: BTreeMap::new() }
    }

    /// Notes how a case went; `name` tells cases apart.
    pub fn add(&mut self, name: impl Into<String>, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(reason) => {
                self.failed.insert(name.into(), reason);
            }
        }
    }

    /// Prints the score and panics unless exactly the cases in `known` failed. Each entry is the
    /// name of a case and why it fails; one that passes by now must leave the list.
    pub fn finish(self, known: &[(&str, &str)]) {
        let total = self.passed + self.failed.len();
        eprintln!("{}: {} of {total}", self.table, self.passed);
        let known: BTreeMap<&str, &str> = known.iter().copied().collect();
        let mut wrong = String::new();
        for (name, reason) in &self.failed {
            match known.get(name.as_str()) {
                Some(why) => eprintln!("  known: {name}: {why}"),
                None => wrong.push_str(&format!("\n  FAILED {name}: {reason}")),
            }
        }
        for name in known.keys().filter(|name| !self.failed.contains_key(**name)) {
            wrong.push_str(&format!("\n  PASSES NOW, take it off the list: {name}"));
        }
        assert!(wrong.is_empty(), "{}: {} of {total}{wrong}", self.table, self.passed);
        assert!(total > 0, "{}: no cases", self.table);
    }
}
