//! Upstream's own cases of trees whose texts are templates.

use conformance::Score;
use serde_json::Value;
use settings::{decode::Setting as _, yaml::Yaml};

use crate::payload::render;

/// The input as YAML, which has keys that are no texts.
fn to_yaml_text(input: &Value) -> String {
    let Some(entries) = input["map_entries"].as_array() else { return input.to_string() };
    let entries: Vec<String> =
        entries.iter().map(|entry| format!("{}: {}", entry[0], entry[1])).collect();
    format!("{{{}}}", entries.join(", "))
}

fn check(case: &Value) -> Result<(), String> {
    let node = settings::yaml::parse(&to_yaml_text(&case["input"])).unwrap();
    let tree = match node.filter(|node| !node.is_null()) {
        Some(node) => Yaml::decode(&node, &mut Default::default()).unwrap().unwrap(),
        None => Yaml::Null,
    };
    let appends = case["template_function"] == "append -templated";
    let mut expand = |text: &str| {
        Ok::<_, String>(if appends { format!("{text}-templated") } else { text.to_owned() })
    };
    let found = render(&tree, &mut expand)?;
    if found == case["output"] { Ok(()) } else { Err(found.to_string()) }
}

#[test]
fn texts_become_what_they_render_to() {
    let Some(table) = conformance::cases("alertmanager/templates/payload_trees.json") else {
        return;
    };
    let mut score = Score::new("templates/payload_trees");
    for case in &table.cases {
        score.add(case["name"].as_str().unwrap(), check(case));
    }
    score.finish(&[(
        "map converts keys and drops non-string",
        "trees keep keys as texts, so that a number as a key stays where upstream drops it",
    )]);
}
