//! Arguments that are conditions or labels.

use std::collections::BTreeMap;

use alertmanager::matcher::{Matcher, Mode};
use model::{MatchKind, labels::quote};

/// The arguments, the first of which may be the bare value of `alertname`.
pub(crate) fn with_alertname(mode: Mode, mut arguments: Vec<String>) -> Vec<String> {
    if let Some(first) = arguments.first_mut().filter(|it| mode.parse_matcher(it, "cli").is_err()) {
        *first = format!("alertname={}", quote(first));
    }
    arguments
}

pub(crate) fn parse_matchers(mode: Mode, arguments: &[String]) -> anyhow::Result<Vec<Matcher>> {
    let matchers = arguments.iter().map(|argument| mode.parse_matcher(argument, "cli"));
    Ok(matchers.collect::<Result<_, _>>()?)
}

/// Pairs such as `severity=critical`.
pub(crate) fn parse_labels(
    mode: Mode,
    arguments: &[String],
    complaint: &str,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for matcher in parse_matchers(mode, arguments)? {
        anyhow::ensure!(matcher.kind == MatchKind::Equal, "{complaint}");
        labels.insert(matcher.name, matcher.value);
    }
    Ok(labels)
}
