//! Target groups as JSON and YAML.

use std::{collections::BTreeMap, path::Path};

use model::{Labels, TargetGroup};
use serde::Deserialize;

/// A group as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    targets: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
}

/// The groups in the file at `path`; its ending says how to read it.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<TargetGroup>, String> {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let groups: Vec<Option<RawGroup>> = match ending.to_str() {
        Some("json") => serde_json::from_slice(bytes).map_err(|error| format!("json: {error}"))?,
        Some("yml" | "yaml") => from_yaml(bytes)?,
        _ => return Err(format!("invalid file extension {:?}", ending.display().to_string())),
    };
    let mut parsed = Vec::with_capacity(groups.len());
    for (idx, group) in groups.into_iter().enumerate() {
        let group = group.ok_or_else(|| format!("nil target group item found (index {idx})"))?;
        parsed.push(to_group(group)?);
    }
    Ok(parsed)
}

fn from_yaml(bytes: &[u8]) -> Result<Vec<Option<RawGroup>>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("yaml: {error}"))?;
    // An empty file is a list without groups.
    let groups: Option<Vec<Option<RawGroup>>> =
        serde_saphyr::from_str(text).map_err(|error| format!("yaml: {error}"))?;
    Ok(groups.unwrap_or_default())
}

fn to_group(raw: RawGroup) -> Result<TargetGroup, String> {
    let labels = raw.labels.unwrap_or_default();
    if labels.contains_key("") {
        return Err("\"\" is not a valid label name".to_owned());
    }
    let targets = raw.targets.unwrap_or_default();
    Ok(TargetGroup {
        targets: targets.iter().map(|t| Labels::from_pairs([("__address__", t)])).collect(),
        labels: Labels::from_pairs(labels),
        source: String::new(),
    })
}
