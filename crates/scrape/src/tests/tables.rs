//! Upstream's tables.

use std::{collections::BTreeMap, time::Duration};

use conformance::Score;
use model::{Labels, TargetGroup, names::ValidationScheme};
use relabel::{RawRule, Rule};
use serde_json::{Map, Value};

use crate::{
    Config,
    labels::{self, Outcome},
};

fn label_set(value: &Value) -> Option<Labels> {
    let pairs = value.as_object()?.iter().map(|(name, value)| Some((name, value.as_str()?)));
    Some(Labels::from_pairs(pairs.collect::<Option<Vec<_>>>()?))
}

fn config(settings: &Value) -> Config {
    let text = |key: &str| settings[key].as_str().unwrap_or_default().to_owned();
    let millis = |key: &str| Duration::from_millis(settings[key].as_u64().unwrap_or_default());
    Config {
        job_name: text("job_name"),
        scheme: text("scheme"),
        metrics_path: text("metrics_path"),
        scrape_interval: millis("scrape_interval_ms"),
        scrape_timeout: millis("scrape_timeout_ms"),
        convert_classic_histograms_to_nhcb: settings["convert_classic_histograms_to_nhcb"] == true,
        relabel_rules: settings["relabel_configs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(rule)
            .collect(),
        ..Config::default()
    }
}

fn rule(raw: &Value) -> Rule {
    let text = |key: &str| raw[key].as_str().map(str::to_owned);
    let sources = raw["source_labels"].as_array().cloned().unwrap_or_default();
    let raw = RawRule {
        source_labels: sources.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        regex: text("regex"),
        target_label: text("target_label").unwrap_or_default(),
        replacement: text("replacement").unwrap_or_else(|| "$1".to_owned()),
        action: text("action").unwrap_or_default(),
        ..RawRule::default()
    };
    Rule::new(raw, ValidationScheme::Utf8).expect("upstream's rules are fine")
}

#[test]
fn target_labels_are_upstreams() {
    let Some(data) = conformance::cases("prometheus/scrape/target_labels.json") else { return };
    let mut score = Score::new("scrape/target_labels");
    for (idx, case) in data.cases.iter().enumerate() {
        let outcome = match label_set(&case["target_labels"]) {
            Some(labels) => check_labels(case, labels),
            None => Err("labels are UTF-8 here".to_owned()),
        };
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[("6", "labels are UTF-8 here: a value that is not cannot even be discovered")]);
}

fn check_labels(case: &Value, labels: Labels) -> Result<(), String> {
    let group = TargetGroup { targets: vec![labels], ..TargetGroup::default() };
    let (outcomes, errors) = labels::targets(&config(&case["config"]), &group);
    if let Some(error) = case["error"].as_str() {
        let error = format!("instance 0 in group : {error}");
        return if errors == [error] { Ok(()) } else { Err(format!("{errors:?}")) };
    }
    match outcomes.as_slice() {
        [Outcome::Target(target)]
            if Some(&target.labels) == label_set(&case["labels"]).as_ref()
                && Some(&target.discovered) == label_set(&case["discovered_labels"]).as_ref() =>
        {
            Ok(())
        }
        other => Err(format!("{other:?} {errors:?}")),
    }
}

#[test]
fn target_url_is_upstreams() {
    let Some(data) = conformance::cases("prometheus/scrape/target_url.json") else { return };
    let mut score = Score::new("scrape/target_url");
    for (idx, case) in data.cases.iter().enumerate() {
        let params = case["config_params"].as_object().cloned().unwrap_or_default();
        let config = Config { params: params_of(&params), ..Config::default() };
        let labels = label_set(&case["labels"]).expect("the labels are text");
        let url = labels::url(&config, &labels);
        let outcome = if url == case["url"] { Ok(()) } else { Err(url) };
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[]);
}

fn params_of(params: &Map<String, Value>) -> BTreeMap<String, Vec<String>> {
    let values = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    params.iter().map(|(name, value)| (name.clone(), values(value))).collect()
}

/// The configurations of this table are YAML, which is not read here; what differs between them is
/// one rule.
#[test]
fn targets_from_group_are_upstreams() {
    let Some(data) = conformance::cases("prometheus/scrape/targets_from_group.json") else {
        return;
    };
    let mut score = Score::new("scrape/targets_from_group");
    for case in &data.cases {
        let rule = |action: &str, regex: &str| {
            vec![self::rule(&serde_json::json!({ "action": action, "regex": regex }))]
        };
        let name = case["name"].as_str().unwrap();
        let relabel_rules = match name {
            "labelkeep" => rule("labelkeep", "foo"),
            "labeldrop" => rule("labeldrop", "__address__"),
            _ => Vec::new(),
        };
        let config = Config { relabel_rules, ..Config::default() };
        let targets = case["targets"].as_array().unwrap();
        let targets = targets.iter().filter_map(label_set).collect();
        let group = TargetGroup { targets, ..TargetGroup::default() };
        let (outcomes, errors) = labels::targets(&config, &group);
        let right =
            serde_json::json!(errors) == case["errors"] && outcomes.len() == case["accepted"];
        let outcome = if right { Ok(()) } else { Err(format!("{outcomes:?} {errors:?}")) };
        score.add(name, outcome);
    }
    score.finish(&[]);
}
