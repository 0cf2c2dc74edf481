//! Upstream's tables for the command line tool.

use std::path::PathBuf;

use conformance::Score;
use runtime::{Runtime, disk::RealDisk};
use serde_json::Value;

use crate::{Outcome, World, defaults, run};

const FOLDER: &str = "alertmanager/amtool";

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

async fn amtool(args: &[&str]) -> Outcome {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let runtime = Runtime::real();
    let world = World { runtime, config_files: Vec::new(), user: "me".to_owned(), stdin: None };
    run(&args, world).await
}

#[tokio::test]
async fn configurations_are_checked() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/check_config.json")) else { return };
    let folder = conformance::path(FOLDER).unwrap();
    let mut score = Score::new("amtool/check_config");
    for case in &table.cases {
        let file = folder.join(case["file"].as_str().unwrap());
        let found = amtool(&["check-config", file.to_str().unwrap()]).await;
        let is_right = (case["accepted"] == true) == (found.exit_code == 0);
        let outcome = if is_right { Ok(()) } else { Err(format!("{found:?}")) };
        score.add(case["file"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
}

#[tokio::test]
async fn labels_lead_to_the_receivers_that_upstream_finds() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/routes_test.json")) else { return };
    let folder = conformance::path(FOLDER).unwrap();
    let mut score = Score::new("amtool/routes_test");
    for (idx, case) in table.cases.iter().enumerate() {
        let file =
            format!("--config.file={}", folder.join(case["file"].as_str().unwrap()).display());
        let mut args = vec!["config".to_owned(), "routes".to_owned(), "test".to_owned(), file];
        for (name, value) in case["labels"].as_object().unwrap() {
            args.push(format!("{name}={}", value.as_str().unwrap()));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let found = amtool(&args).await;
        let expected = format!("{}\n", strings(&case["receivers"]).join(","));
        let outcome = if found.stdout == expected { Ok(()) } else { Err(format!("{found:?}")) };
        score.add(idx.to_string(), outcome);
    }
    score.finish(&[]);
}

/// The table's toy commands are not ours; what its files say of flags is checked without them.
#[test]
fn files_of_flags_are_read_as_upstream_reads_them() {
    let Some(table) = conformance::cases(&format!("{FOLDER}/flag_files.json")) else { return };
    let folder = conformance::path(FOLDER).unwrap();
    let mut score = Score::new("amtool/flag_files");
    for (idx, case) in table.cases.iter().enumerate() {
        let files: Vec<PathBuf> =
            strings(&case["config_files"]).iter().map(|file| folder.join(file)).collect();
        let legacy: Vec<(&str, &str)> = case["legacy_keys"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(old, new)| (old.as_str(), new.as_str().unwrap()))
            .collect();
        let read = defaults::read_with(&RealDisk, &files, &legacy);
        score.add(idx.to_string(), check_flags(case, read));
    }
    score.finish(&[]);
}

fn check_flags(case: &Value, read: anyhow::Result<defaults::Defaults>) -> Result<(), String> {
    let found = match read {
        Err(_) if case["loads"] == false => return Ok(()),
        Err(error) => return Err(error.to_string()),
        Ok(_) if case["loads"] == false => return Err("was read".to_owned()),
        Ok(found) => found,
    };
    let args = case["args"].as_array().map(|_| strings(&case["args"])).unwrap_or_default();
    for (flag, expected) in case["flags"].as_object().into_iter().flatten() {
        let given = args.iter().skip_while(|arg| **arg != format!("--{flag}")).nth(1);
        let value = given
            .map_or_else(|| found.get(flag).cloned().unwrap_or_default(), |it| (*it).to_owned());
        if *expected != value {
            return Err(format!("{flag} is {value}"));
        }
    }
    Ok(())
}
