//! Upstream's tables of configurations.

use alertmanager::{matcher::Mode, time::Time};
use conformance::Score;
use runtime::disk::RealDisk;
use serde_json::Value;

use crate::{
    alertmanager::{Config, Features, InhibitRule, Interval, interval::Times, load, parse},
    decode::{Error as DecodeError, List, Setting as _, Style, from_str},
    yaml::Yaml,
};

fn to_json(yaml: &Yaml) -> Value {
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

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap())
}

/// Holds a loaded configuration against the `checks` of a case.
fn check_values(config: &Config, checks: &Value) -> Result<(), String> {
    let whole = to_json(&config.file.encode(Style::Whole));
    let at = |path: &Value| whole.pointer(path.as_str().unwrap()).cloned().unwrap_or(Value::Null);
    let is_empty = |value: &Value| value.is_null() || *value == "";
    for check in checks.as_array().into_iter().flatten() {
        let found = at(&check["path"]);
        let is_right = if check["empty"] == true {
            is_empty(&found)
        } else if !check["equals_path"].is_null() {
            found == at(&check["equals_path"])
        } else if !check["not_equals_path"].is_null() {
            found != at(&check["not_equals_path"])
        } else {
            found == check["equals"]
        };
        if !is_right {
            return Err(format!("{} is {found}", check["path"]));
        }
    }
    Ok(())
}

fn check_printed(config: &Config, case: &Value) -> Result<(), String> {
    let printed = config.to_yaml();
    let expected = &case["printed_config"];
    if let Some(text) = strings(&expected["must_not_contain"]).find(|text| printed.contains(text)) {
        return Err(format!("{text} is in: {printed}"));
    }
    if let Some(count) = expected["count_of_<secret>"].as_u64() {
        let found = printed.matches("<secret>").count() as u64;
        if found != count {
            return Err(format!("{found} secrets in: {printed}"));
        }
    }
    if case["printed_yaml_loads_again"] == true {
        let again = parse(&printed, Mode::Classic).map_err(|error| error.to_string())?;
        assert_eq!(again.to_yaml(), printed);
    }
    Ok(())
}

fn verdict(case: &Value, result: Result<Config, String>) -> Result<(), String> {
    match result {
        Err(message) if case["loads"] == true => Err(message),
        // Ours may go on to name the line and what would be allowed.
        Err(message) => match (case["error"].as_str(), case["error_contains"].as_str()) {
            (Some(exact), _) if message.starts_with(exact) => Ok(()),
            (None, Some(part)) if message.contains(part) => Ok(()),
            _ => Err(message),
        },
        Ok(_) if case["loads"] == false => Err("was accepted".to_owned()),
        Ok(mut config) => {
            check_values(&config, &case["checks"])?;
            check_printed(&config, case)?;
            if let Some(directory) = case["resolve_relative_to"].as_str() {
                config.file.resolve_paths(directory);
                check_values(&config, &case["checks_after_resolving"])?;
            }
            Ok(())
        }
    }
}

#[test]
fn files_load_as_upstream_loads_them() {
    let Some(table) = conformance::cases("alertmanager/config/load_files.json") else { return };
    let folder = conformance::path("alertmanager/config").unwrap();
    let mut score = Score::new("config/load_files");
    for case in &table.cases {
        let file = case["file"].as_str().unwrap();
        let loaded = load(&RealDisk, &folder.join(file), Mode::Classic);
        let name = format!("{} {file}", case["test"].as_str().unwrap());
        score.add(name, verdict(case, loaded.map_err(|error| error.to_string())));
    }
    score.finish(&[(
        "TestEmptyFieldsAndRegex files/conf.empty-fields.yml",
        "upstream compares what is printed, `<secret>`; the file has another URL than the table",
    )]);
}

#[test]
fn texts_load_as_upstream_loads_them() {
    let Some(table) = conformance::cases("alertmanager/config/load_inline.json") else { return };
    let mut score = Score::new("config/load_inline");
    for (idx, case) in table.cases.iter().enumerate() {
        let parsed = parse(case["yaml"].as_str().unwrap(), Mode::Classic);
        let name = format!("{idx} {}", case["test"].as_str().unwrap());
        score.add(name, verdict(case, parsed.map_err(|error| error.to_string())));
    }
    score.finish(&[]);
}

#[test]
fn features_are_known_by_upstreams_names() {
    let Some(table) = conformance::cases("alertmanager/config/feature_flags.json") else { return };
    let mut score = Score::new("config/feature_flags");
    for case in &table.cases {
        let list = case["enable_feature"].as_str().unwrap();
        let outcome = match Features::parse(list) {
            Ok(_) if case["accepted"] == true => Ok(()),
            Err(message) if case["error"] == message => Ok(()),
            other => Err(format!("{other:?}")),
        };
        score.add(list, outcome);
    }
    score.finish(&[]);
}

fn mode(name: &Value) -> Mode {
    match name.as_str() {
        Some("utf8-strict-mode") => Mode::Utf8Strict,
        Some("classic") => Mode::Classic,
        _ => Mode::Fallback,
    }
}

fn check_value(case: &Value) -> Result<(), String> {
    let text = case["yaml_in"].as_str();
    match case["type"].as_str().unwrap() {
        "inhibit_rule" => {
            let mut rule: InhibitRule =
                from_str(text.unwrap()).map_err(|error| error.to_string())?;
            match rule.resolve(mode(&case["mode"])) {
                Ok(()) => {
                    let equal: Vec<&str> = strings(&case["equal"]).collect();
                    if rule.meaning().equal == equal { Ok(()) } else { Err(format!("{rule:?}")) }
                }
                Err(broken) if case["error"] == broken.message => Ok(()),
                Err(broken) => Err(broken.message),
            }
        }
        "matcher_list" => {
            let printed =
                crate::yaml::print(&super::super::Matchers::default().encode(Style::Whole));
            if case["yaml_out"] == printed { Ok(()) } else { Err(printed) }
        }
        // Alone, a pattern is never read here: only in `match_re`, where null is refused.
        _ => Err("no such value here".to_owned()),
    }
}

#[test]
fn values_are_read_as_upstream_reads_them() {
    let file = "alertmanager/config/regex_matcher_inhibit_values.json";
    let Some(table) = conformance::cases(file) else { return };
    let mut score = Score::new("config/regex_matcher_inhibit_values");
    for (idx, case) in table.cases.iter().enumerate() {
        score.add(format!("{idx} {}", case["test"].as_str().unwrap()), check_value(case));
    }
    let alone =
        "a pattern is a value of match_re only; there empty ones are read and null is refused";
    score.finish(&[
        ("0 TestMarshalRegexpWithNilValue", alone),
        ("1 TestUnmarshalEmptyRegexp", alone),
        ("2 TestUnmarshalNullRegexp", alone),
    ]);
}

/// Wraps a bare list into a document that is a map: only maps are documents here.
fn intervals(text: &str) -> Result<List<Interval>, DecodeError> {
    let node = crate::yaml::parse(text)?.unwrap();
    let mut decoder = crate::decode::Decoder::default();
    let list = List::decode(&node, &mut decoder).map_err(DecodeError::Broken)?;
    Ok(list.unwrap_or_default())
}

fn check_instants<'a>(
    intervals: impl Iterator<Item = &'a Interval>,
    case: &Value,
) -> Result<(), String> {
    let meant: Vec<_> = intervals.map(Interval::meaning).collect();
    for (list, expected) in [("contains", true), ("excludes", false)] {
        for text in strings(&case[list]) {
            let time = Time::parse(text).unwrap();
            if meant.iter().any(|interval| interval.contains(time)) != expected {
                return Err(format!("{text} should be in {list}"));
            }
        }
    }
    Ok(())
}

#[test]
fn intervals_are_read_as_upstream_reads_them() {
    let Some(table) = conformance::cases("alertmanager/timeintervals/yaml_parse.json") else {
        return;
    };
    let mut score = Score::new("timeintervals/yaml_parse");
    for (idx, case) in table.cases.iter().enumerate() {
        let outcome = match intervals(case["yaml"].as_str().unwrap()) {
            Ok(list) if case["error"].is_null() => {
                let printed = crate::yaml::print(&list.encode(Style::Whole));
                assert_eq!(intervals(&printed).unwrap(), list, "{printed}");
                check_instants(list.iter(), case)
            }
            Ok(_) => Err("was accepted".to_owned()),
            Err(DecodeError::Broken(broken)) if case["error"] == broken.message => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        score.add(idx.to_string(), outcome);
    }
    score.finish(&[]);
}

#[test]
fn intervals_contain_what_upstream_says() {
    let Some(table) = conformance::cases("alertmanager/timeintervals/yaml_contains.json") else {
        return;
    };
    let mut score = Score::new("timeintervals/yaml_contains");
    for (idx, case) in table.cases.iter().enumerate() {
        let interval: Interval = from_str(case["yaml"].as_str().unwrap()).unwrap();
        score.add(idx.to_string(), check_instants([interval].iter(), case));
    }
    score.finish(&[]);
}

#[test]
fn times_of_the_day_are_read_as_upstream_reads_them() {
    let Some(table) = conformance::cases("alertmanager/timeintervals/time_range_parse.json") else {
        return;
    };
    let mut score = Score::new("timeintervals/time_range_parse");
    for case in &table.cases {
        let text = case["yaml"].as_str().unwrap();
        let outcome = match from_str::<Times>(text) {
            Ok(times) => {
                let range = times.meaning().unwrap();
                let is_right = case["start_minute"] == range.start_minute
                    && case["end_minute"] == range.end_minute;
                if is_right { Ok(()) } else { Err(format!("{range:?}")) }
            }
            Err(_) if case["rejected"] == true => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        score.add(text, outcome);
    }
    score.finish(&[]);
}
