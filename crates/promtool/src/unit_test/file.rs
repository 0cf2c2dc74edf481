//! A file of unit tests as written, with what it leaves out filled in.

use std::{collections::BTreeMap, time::Duration};

use model::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};

/// All of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TestFile {
    #[serde(deserialize_with = "list")]
    pub(super) rule_files: Vec<String>,
    #[serde(deserialize_with = "duration")]
    pub(super) evaluation_interval: Option<Duration>,
    #[serde(deserialize_with = "list")]
    pub(super) group_eval_order: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(super) tests: Vec<Test>,
    /// Values may differ by one in the last place.
    pub(super) fuzzy_compare: bool,
}

/// Series, and what must follow from them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Test {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    /// From one sample to the next; the evaluation interval if not given.
    #[serde(deserialize_with = "duration")]
    pub(super) interval: Option<Duration>,
    #[serde(deserialize_with = "moment")]
    pub(super) start_timestamp: Timestamp,
    #[serde(deserialize_with = "list")]
    pub(super) input_series: Vec<InputSeries>,
    #[serde(deserialize_with = "list")]
    pub(super) alert_rule_test: Vec<AlertTest>,
    #[serde(deserialize_with = "list")]
    pub(super) promql_expr_test: Vec<ExprTest>,
    #[serde(deserialize_with = "or_default")]
    pub(super) external_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) external_url: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InputSeries {
    #[serde(deserialize_with = "or_default")]
    pub(super) series: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) values: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AlertTest {
    #[serde(deserialize_with = "since_start")]
    pub(super) eval_time: Duration,
    #[serde(deserialize_with = "or_default")]
    pub(super) alertname: String,
    #[serde(deserialize_with = "list")]
    pub(super) exp_alerts: Vec<ExpectedAlert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExpectedAlert {
    #[serde(deserialize_with = "or_default")]
    pub(super) exp_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) exp_annotations: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExprTest {
    #[serde(deserialize_with = "or_default")]
    pub(super) expr: String,
    #[serde(deserialize_with = "since_start")]
    pub(super) eval_time: Duration,
    #[serde(deserialize_with = "list")]
    pub(super) exp_samples: Vec<ExpectedSample>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExpectedSample {
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) value: f64,
    #[serde(deserialize_with = "or_default")]
    pub(super) histogram: String,
}

/// The names that error messages have for the sections under a key.
const SECTIONS: [(&str, &str); 6] = [
    ("tests", "main.testGroup"),
    ("input_series", "main.series"),
    ("alert_rule_test", "main.alertTestCase"),
    ("exp_alerts", "main.alert"),
    ("promql_expr_test", "main.promqlTestCase"),
    ("exp_samples", "main.sample"),
];

/// Reads a file; a field that nobody knows is an error, unless those are ignored.
pub(super) fn parse(text: &str, ignore_unknown_fields: bool) -> Result<TestFile, String> {
    let mut unknown = Vec::new();
    let file: Option<TestFile> = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        serde_ignored::deserialize(deserializer, |path| unknown.push(path.to_string()))
    })
    .map_err(|error| match error.location() {
        Some(at) => format!("yaml: line {}: {}", at.line(), error.without_snippet()),
        None => format!("yaml: {}", error.without_snippet()),
    })?;
    if ignore_unknown_fields || unknown.is_empty() {
        return Ok(file.unwrap_or_default());
    }
    let lines: Vec<String> =
        unknown.iter().map(|path| format!("\n  {}", complaint(path))).collect();
    Err(format!("yaml: unmarshal errors:{}", lines.concat()))
}

/// `tests.0.bogus` in words.
fn complaint(path: &str) -> String {
    let path = path.replace("?.", "");
    let mut parts = path.rsplit('.');
    let field = parts.next().unwrap_or_default();
    let section = parts.find_map(|part| SECTIONS.iter().find(|(key, _)| *key == part));
    let kind = section.map_or("main.unitTestFile", |(_, kind)| *kind);
    format!("field {field} not found in type {kind} ({path})")
}

/// Null is the default, as in Go.
fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Null is the default in place of one as well.
fn list<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list: Vec<Option<T>> = or_default(deserializer)?;
    Ok(list.into_iter().map(Option::unwrap_or_default).collect())
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    let Some(text) = text else { return Ok(None) };
    let duration = model::duration::parse(&text).map_err(D::Error::custom)?;
    Ok((!duration.is_zero()).then_some(duration))
}

fn since_start<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Ok(duration(deserializer)?.unwrap_or_default())
}

/// Seconds since the epoch, or RFC 3339.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    match text.as_deref() {
        None | Some("") => Ok(Timestamp::default()),
        Some(text) => crate::time::parse(text).map_err(D::Error::custom),
    }
}
