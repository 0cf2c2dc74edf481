//! Upstream's table of the template language.

use std::collections::BTreeMap;

use super::notification::notification;
use crate::{Func, Functions, List, MissingKey, Templates, Type, Value};

const TABLE: &str = "alertmanager/templates/engine_output.json";

#[test]
fn engine_prints_what_upstream_prints() {
    let Some(table) = conformance::cases(TABLE) else { return };
    let data = notification(&table.whole["data"]);
    let mut score = conformance::Score::new(TABLE);
    for case in &table.cases {
        let (template, engine) = (case["template"].as_str(), case["engine"].as_str());
        let (Some(template), Some(engine)) = (template, engine) else { panic!("{case}") };
        let mut templates = Templates::new(functions());
        templates.is_html = engine == "html";
        templates.missing_key = MissingKey::Zero;
        let found = templates.execute_text("", template, &data);
        let outcome = match (case["output"].as_str(), case["error"].as_str(), found) {
            (Some(wanted), _, Ok(found)) if wanted == found => Ok(()),
            (_, Some(wanted), Err(found)) if wanted == found.to_string() => Ok(()),
            (wanted, error, found) => Err(format!("want {:?}, got {found:?}", wanted.or(error))),
        };
        score.add(template, outcome);
    }
    score.finish(&[
        ("{{ call 1 }}", "recorded with Go 1.19; newer Go names the argument, as we do"),
        ("{{ lt 1 \"a\" }}", "recorded with Go 1.19; newer Go names the types, as we do"),
    ]);
}

/// The functions of the recorded program that the table uses.
fn functions() -> Functions {
    let map = |change: fn(&str) -> String| {
        Func::new(&[Type::String], move |args| Ok(Value::from(change(string(&args[0])))))
    };
    BTreeMap::from([
        ("toUpper", map(|text| text.to_uppercase())),
        ("toLower", map(|text| text.to_lowercase())),
        ("title", map(title)),
        (
            "join",
            Func::new(&[Type::String, Type::Named("[]string")], |args| {
                let Value::List(list) = &args[1] else { return Err("no list".to_owned()) };
                let texts: Vec<&str> = list.items.iter().map(string).collect();
                Ok(Value::from(texts.join(string(&args[0]))))
            }),
        ),
        (
            "match",
            Func::new(&[Type::String, Type::String], |args| {
                let regex = re2::Regex::new(string(&args[0])).map_err(|e| e.to_string())?;
                Ok(Value::Bool(regex.is_match(string(&args[1]))))
            }),
        ),
        (
            "reReplaceAll",
            Func::new(&[Type::String, Type::String, Type::String], |args| {
                let regex = re2::Regex::new(string(&args[0])).map_err(|e| e.to_string())?;
                Ok(Value::from(regex.replace_all(string(&args[2]), string(&args[1]))))
            }),
        ),
        (
            "stringSlice",
            Func::variadic(&[Type::String], |args| {
                Ok(Value::List(List::new("[]string", args.iter().cloned())))
            }),
        ),
    ])
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn title(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(' ') {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
    }
    out
}
