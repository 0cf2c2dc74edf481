use conformance::Score;
use serde_json::Value;

use super::{HttpClient, Tls};
use crate::decode::{Setting as _, Style, from_str};
use crate::yaml::Yaml;

fn read(case: &Value) -> String {
    let file = case["file"].as_str().unwrap();
    conformance::text(&format!("prometheus/common/{file}")).expect("the table was found there")
}

fn refused(result: Result<(), String>, case: &Value) -> Result<(), String> {
    let wanted = case["error_contains"].as_str().unwrap();
    match result {
        Ok(()) => Err("was accepted".to_owned()),
        Err(message) if message.contains(wanted) => Ok(()),
        Err(message) => Err(format!("{wanted} is not in: {message}")),
    }
}

#[test]
fn bad_http_settings_are_refused() {
    let Some(table) = conformance::cases("prometheus/common/http_client_config_bad.json") else {
        return;
    };
    let mut score = Score::new("common/http_client_config_bad");
    for case in &table.cases {
        let result = from_str::<HttpClient>(&read(case)).map(drop).map_err(|e| e.to_string());
        score.add(case["file"].as_str().unwrap(), refused(result, case));
    }
    score.finish(&[]);
}

#[test]
fn tls_settings_are_read() {
    let Some(table) = conformance::cases("prometheus/common/tls_config.json") else { return };
    let mut score = Score::new("common/tls_config");
    for case in &table.cases {
        let result = from_str::<Tls>(&read(case)).map_err(|e| e.to_string());
        let outcome = match result {
            result if case["error_contains"].is_string() => refused(result.map(drop), case),
            Err(message) => Err(message),
            Ok(tls) => differences(&tls.encode(Style::Whole), &case["expected"]),
        };
        score.add(case["file"].as_str().unwrap(), outcome);
    }
    score.finish(&[]);
}

/// The table lists what is not the default.
fn differences(found: &Yaml, wanted: &Value) -> Result<(), String> {
    let Yaml::Map(pairs) = found else { return Err("no map".to_owned()) };
    let given: Vec<(&str, String)> = pairs
        .iter()
        .filter(|(_, value)| *value != Yaml::Bool(false))
        .map(|(key, value)| (key.as_str(), crate::yaml::print(value).trim().to_owned()))
        .collect();
    let wanted: Vec<(&str, String)> = wanted
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str().map_or(value.to_string(), str::to_owned)))
        .collect();
    let same = given.len() == wanted.len() && wanted.iter().all(|pair| given.contains(pair));
    if same { Ok(()) } else { Err(format!("{given:?} instead of {wanted:?}")) }
}

#[test]
fn bearer_token_becomes_authorization() {
    let http: HttpClient = from_str("bearer_token: abc").unwrap();
    assert_eq!(
        crate::yaml::print(&http.encode(Style::Shown)),
        "\
authorization:
  type: Bearer
  credentials: <secret>
follow_redirects: true
enable_http2: true
"
    );
    assert!(!format!("{http:?}").contains("abc"));
}
