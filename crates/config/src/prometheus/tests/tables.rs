//! Upstream's tables of good and bad files.

use conformance::Score;
use runtime::disk::RealDisk;
use serde_json::Value;

use super::compare::{Unlisted, compare};
use crate::{
    decode::{Setting as _, Style, from_str},
    prometheus::{Config, File, Options, Scrape, ScrapeProtocol, load, parse},
    yaml::Yaml,
};

const FOLDER: &str = "prometheus/config";

/// Loads a file of the table. Paths in the result, or in the error, are as upstream's test sees
/// them: relative to the table.
fn load_case(case: &Value, environment: fn(&str) -> Option<String>) -> Result<Config, String> {
    let folder = conformance::path(FOLDER).expect("the table was found there");
    let path = folder.join(text(case, "file"));
    let agent = case["agent_mode"] == Value::Bool(true);
    load(&RealDisk, &path, &Options { agent, environment })
        .map_err(|error| relative(&error.to_string()))
}

fn relative(text: &str) -> String {
    let folder = conformance::path(FOLDER).expect("the table was found there");
    text.replace(&format!("{}/", crate::values::join(&folder.display().to_string(), ".")), "")
        .replace(&format!("{}/", folder.display()), "")
}

fn relative_tree(yaml: Yaml) -> Yaml {
    match yaml {
        Yaml::Text(text) => Yaml::Text(relative(&text)),
        Yaml::List(items) => Yaml::List(items.into_iter().map(relative_tree).collect()),
        Yaml::Map(pairs) => {
            Yaml::Map(pairs.into_iter().map(|(key, value)| (key, relative_tree(value))).collect())
        }
        other => other,
    }
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no {key} in {case}"))
}

#[test]
fn bad_files_are_refused_in_upstreams_words() {
    let Some(table) = conformance::cases("prometheus/config/bad_files.json") else { return };
    let mut score = Score::new("config/bad_files");
    for case in &table.cases {
        let outcome = match load_case(case, |_| None) {
            Ok(_) => Err("was accepted".to_owned()),
            Err(message) => {
                let parts = case["error_contains"].as_array().unwrap();
                let missing = parts.iter().find(|part| !message.contains(part.as_str().unwrap()));
                missing.map_or(Ok(()), |part| Err(format!("{part} is not in: {message}")))
            }
        };
        score.add(text(case, "file"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn good_files_are_read() {
    let Some(table) = conformance::cases("prometheus/config/good_files.json") else { return };
    let mut score = Score::new("config/good_files");
    for (idx, case) in table.cases.iter().enumerate() {
        score.add(format!("{idx} {}", text(case, "file")), good_file(case));
    }
    score.finish(&[]);
}

fn good_file(case: &Value) -> Result<(), String> {
    let environment: fn(&str) -> Option<String> = match case["environment"]["TEST"].as_str() {
        Some("TestValue") => |name| (name == "TEST").then(|| "TestValue".to_owned()),
        _ => |_| None,
    };
    let config = load_case(case, environment)?;
    let tree = relative_tree(config.file.encode(Style::Whole));
    compare(
        "",
        &case["expected"],
        Some(&tree).filter(|_| case["expected"].is_object()),
        Unlisted::Ignored,
    )?;
    if let Value::Array(_) = &case["resolved_scrape_configs"] {
        let scrapes = config.scrapes.iter().map(|scrape: &Scrape| scrape.encode(Style::Whole));
        let scrapes = relative_tree(Yaml::List(scrapes.collect()));
        compare("scrapes", &case["resolved_scrape_configs"], Some(&scrapes), Unlisted::Empty)?;
    }
    if case["round_trip"].is_string() {
        let again: File =
            from_str(&config.file.to_yaml(Style::Whole)).map_err(|e| e.to_string())?;
        if again != config.file {
            return Err("differs after printing and reading".to_owned());
        }
    }
    let secrets = &case["printed_secrets"];
    if let Some(count) = secrets["occurrences"].as_u64() {
        let printed = config.to_yaml();
        let found = printed.matches(text(secrets, "placeholder")).count() as u64;
        if found != count || printed.contains(text(secrets, "must_not_contain")) {
            return Err(format!("{found} of {count} secrets are hidden"));
        }
    }
    Ok(())
}

#[test]
fn expected_good_files_mean_what_upstream_says() {
    let Some(table) = conformance::cases("prometheus/config/expected_good.json") else { return };
    let mut score = Score::new("config/expected_good");
    for case in &table.cases {
        let outcome = load_case(case, |_| None).and_then(|config| {
            let tree = relative_tree(config.file.encode(Style::Whole));
            // Only the second file's list of rule files is in the table.
            let whole = case["expected"]["global"].is_object();
            let unlisted = if whole { Unlisted::Empty } else { Unlisted::Ignored };
            compare("", &case["expected"], Some(&tree), unlisted)
        });
        score.add(text(case, "file"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn inline_files_mean_what_upstream_says() {
    let Some(table) = conformance::cases("prometheus/config/inline.json") else { return };
    let mut score = Score::new("config/inline");
    for case in &table.cases {
        let outcome = parse(text(case, "yaml"), &Options::default())
            .map_err(|error| error.to_string())
            .and_then(|(file, _)| {
                let tree = file.encode(Style::Whole);
                compare("", &case["expected"], Some(&tree), Unlisted::Ignored)
            });
        score.add(text(case, "yaml"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn extra_scrape_metrics_are_inherited() {
    let Some(table) = conformance::cases("prometheus/config/extra_scrape_metrics.json") else {
        return;
    };
    let mut score = Score::new("config/extra_scrape_metrics");
    for case in &table.cases {
        let (file, _) = parse(text(case, "yaml"), &Options::default()).unwrap();
        let global = file.global.extra_scrape_metrics;
        let job = file.scrape_configs[0].extra_scrape_metrics;
        let wanted = |key: &str| case[key].as_bool();
        let right = global == wanted("expected_global_extra_scrape_metrics")
            && job == wanted("expected_job_extra_scrape_metrics");
        score.add(
            text(case, "name"),
            if right { Ok(()) } else { Err(format!("{global:?} {job:?}")) },
        );
    }
    score.finish(&[]);
}

#[test]
fn protocols_have_media_types() {
    let Some(table) = conformance::cases("prometheus/config/scrape_protocol_media_type.json")
    else {
        return;
    };
    let mut score = Score::new("config/scrape_protocol_media_type");
    for case in &table.cases {
        let protocol = ScrapeProtocol(text(case, "protocol").to_owned());
        let found = protocol.media_type().unwrap_or_default();
        let right = found == text(case, "media_type");
        score.add(text(case, "name"), if right { Ok(()) } else { Err(found.to_owned()) });
    }
    score.finish(&[]);
}
