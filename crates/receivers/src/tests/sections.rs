//! Upstream's own cases of sections: what is accepted, what is refused and in which words.

use conformance::Score;
use serde_json::Value;
use settings::{
    decode::{Error, Section, Setting, Style, from_str},
    yaml::Yaml,
};

use crate::{
    discord, email, incidentio, jira, mattermost, msteams, msteamsv2, opsgenie, pagerduty,
    pushover, receiver::for_each_integration, rocketchat, slack, sns, telegram, victorops, webex,
    webhook, wechat,
};

/// The section as JSON, with secrets, or why it is none.
fn read<T: Section + Setting>(text: &str) -> Result<(Value, String), Error> {
    let section: T = from_str(text)?;
    // An empty document is not even looked at; the tables mean an empty map by it.
    let shown = settings::yaml::print(&section.encode(Style::Shown));
    Ok((to_json(&section.encode(Style::Whole)), shown))
}

pub(super) fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::from(*value),
        Yaml::Int(value) => Value::from(*value as i64),
        Yaml::Float(value) => Value::from(*value),
        Yaml::Text(text) => Value::from(text.as_str()),
        Yaml::List(items) | Yaml::FlowList(items) => items.iter().map(to_json).collect(),
        Yaml::Map(pairs) => {
            pairs.iter().map(|(key, value)| (key.clone(), to_json(value))).collect()
        }
    }
}

fn read_entry(integration: &str, text: &str) -> Result<(Value, String), Error> {
    macro_rules! dispatch {
        ($($key:ident: $module:ident),* $(,)?) => {
            match integration {
                $( stringify!($module) => read::<$module::Config>(text), )*
                "mattermost_field" => read::<mattermost::Field>(text),
                other => panic!("{other} is no integration"),
            }
        };
    }
    for_each_integration!(dispatch)
}

/// Absent, null and empty are one to the tables; so are keys that only we print.
fn covers(found: &Value, expected: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || *value == "" || *value == Value::Bool(false);
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| covers(found.get(key).unwrap_or(&Value::Null), value)),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| covers(a, b))
        }
        (found, expected) => found == expected || is_empty(found) && is_empty(expected),
    }
}

fn check(case: &Value) -> Result<(), String> {
    if let Some(kind) = case["message_type"].as_str() {
        return verdict(case, read_entry("wechat", &format!("message_type: {kind}")));
    }
    if let Some(kind) = case["responder_type"].as_str() {
        let matches = opsgenie::is_responder_type(kind);
        return if case["matches"] == matches { Ok(()) } else { Err(format!("{kind}: {matches}")) };
    }
    let integration = case["integration"].as_str().unwrap();
    verdict(case, read_entry(integration, case["yaml"].as_str().unwrap()))
}

fn verdict(case: &Value, result: Result<(Value, String), Error>) -> Result<(), String> {
    let (found, shown) = match result {
        Ok(_) if case["accepted"] != true => return Err("was accepted".to_owned()),
        Ok(found) => found,
        Err(_) if case["rejected"] == true => return Ok(()),
        Err(Error::Broken(broken)) if case["error"] == broken.message => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    for check in case["checks"].as_array().into_iter().flatten() {
        let at = check["path"].as_str().unwrap();
        let value = found.pointer(at).unwrap_or(&Value::Null);
        if !covers(value, &check["equals"]) {
            return Err(format!("{at} is {value}"));
        }
    }
    if let Some(count) = case["details_count"].as_u64() {
        let found = found["details"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(found as u64, count);
    }
    for hidden in case["printed_config"]["must_not_contain"].as_array().into_iter().flatten() {
        assert!(!shown.contains(hidden.as_str().unwrap()), "{shown}");
    }
    Ok(())
}

#[test]
fn entries_are_read_as_upstream_reads_them() {
    let Some(table) = conformance::cases("alertmanager/config/integration_sections.json") else {
        return;
    };
    let mut score = Score::new("config/integration_sections");
    for (idx, case) in table.cases.iter().enumerate() {
        score.add(format!("{idx} {}", case["test"].as_str().unwrap()), check(case));
    }
    score.finish(&[]);
}
