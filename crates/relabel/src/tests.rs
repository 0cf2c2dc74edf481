use std::collections::BTreeMap;

use conformance::Score;
use model::{Labels, LabelsBuilder, names::ValidationScheme};
use serde_json::{Value, json};

use crate::{RawRule, Rule, apply};

/// A rule from JSON; what is absent is taken from `defaults`.
fn raw(json: &Value, defaults: RawRule) -> RawRule {
    let text = |key: &str, default: String| json[key].as_str().map_or(default, str::to_owned);
    let names = json["source_labels"].as_array().into_iter().flatten();
    RawRule {
        source_labels: names.map(|name| name.as_str().unwrap().to_owned()).collect(),
        separator: text("separator", defaults.separator),
        regex: json["regex"].as_str().map(str::to_owned),
        modulus: json["modulus"].as_u64().unwrap_or_default(),
        target_label: text("target_label", defaults.target_label),
        replacement: text("replacement", defaults.replacement),
        action: text("action", defaults.action),
    }
}

/// Applies rules, written as JSON, to labels; a dropped set is `None`.
fn relabelled(rules: &Value, labels: &Value) -> Option<BTreeMap<String, String>> {
    let rules: Vec<Rule> = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|json| Rule::new(raw(json, RawRule::default()), ValidationScheme::Utf8).unwrap())
        .collect();
    let pairs = labels.as_object().unwrap().iter().map(|(n, v)| (n, v.as_str().unwrap()));
    let mut builder = LabelsBuilder::new(&Labels::from_pairs(pairs));
    let kept = apply(&rules, &mut builder);
    let labels = builder.build();
    kept.then(|| labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
}

#[test]
fn upstream_relabels_so() {
    let Some(table) = conformance::cases("prometheus/relabel/relabel.json") else { return };
    let mut score = Score::new("relabel");
    for (idx, case) in table.cases.iter().enumerate() {
        let got = relabelled(&case["relabel_configs"], &case["input"]);
        let expected: Option<BTreeMap<String, String>> = match &case["output"] {
            Value::Null => None,
            output => Some(serde_json::from_value(output.clone()).unwrap()),
        };
        let outcome =
            if got == expected { Ok(()) } else { Err(format!("{got:?}, not {expected:?}")) };
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn upstream_validates_so() {
    let Some(table) = conformance::cases("prometheus/relabel/validate.json") else { return };
    let mut score = Score::new("relabel validation");
    let empty = RawRule {
        separator: String::new(),
        replacement: String::new(),
        action: String::new(),
        ..RawRule::default()
    };
    for (idx, case) in table.cases.iter().enumerate() {
        let config = &case["config"];
        let names = ValidationScheme::parse(config["name_validation_scheme"].as_str().unwrap());
        let got = Rule::new(raw(config, empty.clone()), names.unwrap().unwrap());
        let outcome = match (got, case["error_contains"].as_str()) {
            (Ok(_), None) => Ok(()),
            (Err(error), Some(part)) if error.to_string().contains(part) => Ok(()),
            (got, expected) => Err(format!("{got:?}, not {expected:?}")),
        };
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn upstream_accepts_these_legacy_targets() {
    let Some(table) = conformance::cases("prometheus/relabel/legacy_target_label.json") else {
        return;
    };
    let mut score = Score::new("relabel legacy target labels");
    for case in &table.cases {
        let target_label = case["target_label"].as_str().unwrap().to_owned();
        // A name without a variable takes another way for `replace`; this one is for all.
        let rule = RawRule {
            replacement: target_label.clone(),
            action: "labelmap".to_owned(),
            ..RawRule::default()
        };
        let is_valid = Rule::new(rule, ValidationScheme::Legacy).is_ok();
        let outcome = if Value::Bool(is_valid) == case["valid"] { Ok(()) } else { Err("".into()) };
        score.add(target_label, outcome);
    }
    score.finish(&[]);
}

#[test]
fn errors_have_upstreams_words() {
    let check = |json: &str, expected: &str| {
        let json: Value = serde_json::from_str(json).unwrap();
        let error =
            Rule::new(raw(&json, RawRule::default()), ValidationScheme::Legacy).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(r#"{"action": "Jump"}"#, r#"unknown relabel action "Jump""#);
    check(
        r#"{"action": "hashmod", "target_label": "a"}"#,
        "relabel configuration for hashmod requires non-zero modulus",
    );
    check(
        r#"{"action": "keepequal", "target_label": "a", "regex": "(.*)"}"#,
        "keepequal action requires only 'source_labels' and `target_label`, and no other fields",
    );
    check(
        r#"{"action": "labeldrop", "source_labels": ["a"]}"#,
        "labeldrop action requires only 'regex', and no other fields",
    );
    check(
        r#"{"action": "uppercase", "target_label": "a", "replacement": "b"}"#,
        "'replacement' can not be set for uppercase action",
    );
    check(r#"{"target_label": "a-b"}"#, r#""a-b" is invalid 'target_label' for replace action"#);
}

#[test]
fn case_is_mapped_character_by_character() {
    let check = |action: &str, input: &str, expected: &str| {
        let rule = RawRule {
            source_labels: vec!["a".to_owned()],
            target_label: "a".to_owned(),
            action: action.to_owned(),
            ..RawRule::default()
        };
        let rule = Rule::new(rule, ValidationScheme::Utf8).unwrap();
        let mut labels = LabelsBuilder::new(&Labels::from_pairs([("a", input)]));
        assert!(apply(&[rule], &mut labels));
        assert_eq!(labels.get("a"), expected);
    };
    check("uppercase", "straße é", "STRAßE É");
    check("lowercase", "ΣΑΣ İ", "σασ i");
}

#[test]
fn each_action_does_what_it_is_called() {
    let check = |rule: Value, expected: Option<Value>| {
        let labels = json!({"a": "x", "b": "x-1", "c_d": "y"});
        let got = relabelled(&json!([rule]), &labels).map(|labels| json!(labels));
        assert_eq!(got, expected, "{rule}");
    };
    let kept = || json!({"a": "x", "b": "x-1", "c_d": "y"});
    let with = |name: &str, value: &str| {
        let mut labels = kept();
        labels[name] = json!(value);
        Some(labels)
    };
    let replace = json!({"source_labels": ["b"], "regex": "(.)-(.)", "target_label": "t_$1",
                         "replacement": "${2}$1"});
    check(replace, with("t_x", "1x"));
    let joined = json!({"source_labels": ["a", "b"], "separator": "+", "target_label": "t"});
    check(joined, with("t", "x+x-1"));
    let other = json!({"source_labels": ["a"], "regex": "y", "target_label": "t"});
    check(other, Some(kept()));
    check(json!({"source_labels": ["a"], "regex": "y", "action": "keep"}), None);
    check(json!({"source_labels": ["a"], "regex": "x", "action": "keep"}), Some(kept()));
    check(json!({"source_labels": ["a"], "regex": "x", "action": "drop"}), None);
    check(
        json!({"source_labels": ["a"], "target_label": "a", "action": "keepequal"}),
        Some(kept()),
    );
    check(json!({"source_labels": ["a"], "target_label": "b", "action": "keepequal"}), None);
    check(json!({"source_labels": ["a"], "target_label": "a", "action": "dropequal"}), None);
    let hashed = json!({"source_labels": ["c_d"], "target_label": "t", "modulus": 1000,
                        "action": "hashmod"});
    // The last eight bytes of the MD5 of "y", as a number, modulo 1000.
    check(hashed, with("t", "269"));
    let mapped = json!({"regex": "c_(.*)", "replacement": "m_$1", "action": "labelmap"});
    check(mapped, with("m_d", "y"));
    check(json!({"regex": "a|c_.*", "action": "labeldrop"}), Some(json!({"b": "x-1"})));
    check(json!({"regex": "a|c_.*", "action": "labelkeep"}), Some(json!({"a": "x", "c_d": "y"})));
    let upper = json!({"source_labels": ["b"], "target_label": "t", "action": "uppercase"});
    check(upper, with("t", "X-1"));
}
