use conformance::Score;
use serde_json::Value;
use settings::decode::{Decoder, Setting, Style};

use super::{GoDuration, HostPort, HttpUrl, SecretTemplateUrl, SecretUrl, TextDuration};

/// Reads a value from YAML and prints it, shown or whole.
fn round_trip<T: Setting>(text: &str, style: Style) -> Result<String, String> {
    let node = settings::yaml::parse(text).map_err(|error| error.to_string())?;
    let node = node.ok_or("no document")?;
    if node.is_null() {
        return Ok("null\n".to_owned());
    }
    let mut decoder = Decoder::default();
    match T::decode(&node, &mut decoder) {
        Ok(Some(value)) => Ok(settings::yaml::print(&value.encode(style))),
        Ok(None) => Err("wrong kind".to_owned()),
        Err(broken) => Err(broken.message),
    }
}

#[test]
fn mail_servers_are_split_as_upstream_splits_them() {
    let Some(table) = conformance::cases("alertmanager/config/host_port.json") else { return };
    let mut score = Score::new("config/host_port");
    for case in &table.cases {
        let text = case["yaml_in"].as_str().unwrap();
        let found = round_trip::<HostPort>(text, Style::Whole);
        let outcome = match found {
            Err(_) if case["rejected"] == true => Ok(()),
            Ok(printed) if case["yaml_out"] == printed => Ok(()),
            other => Err(format!("{other:?}")),
        };
        score.add(text, outcome);
    }
    score.finish(&[]);
}

fn check_url(case: &Value) -> Result<(), String> {
    let style = if case["reveal_secrets"] == true { Style::Whole } else { Style::Shown };
    let read = |text: &str, style| match case["type"].as_str().unwrap() {
        "url" => round_trip::<HttpUrl>(text, style),
        "secret_url" => round_trip::<SecretUrl>(text, style),
        _ => round_trip::<SecretTemplateUrl>(text, style),
    };
    if let Some(printed) = case["yaml_out"].as_str() {
        // An empty URL cannot be read; upstream's test makes one by hand.
        let text = case["value"].as_str().map_or("null".to_owned(), |text| format!("{text:?}"));
        let found = if case["type"] == "url" && case["value"] == "" {
            Ok(settings::yaml::print(&HttpUrl::default().encode(style)))
        } else {
            read(&text, style)
        };
        return if found.as_deref() == Ok(printed) { Ok(()) } else { Err(format!("{found:?}")) };
    }
    // JSON is YAML; upstream reads null as an error in JSON only.
    let Some(text) = case["yaml_in"].as_str().or(case["json_in"].as_str()) else {
        return Err("neither read nor written".to_owned());
    };
    match read(text, Style::Whole) {
        Ok(_) if case["rejected"] == true => Err("was accepted".to_owned()),
        Ok(printed) => match case["value"].as_str() {
            Some(value) if printed != format!("{value}\n") => Err(printed),
            _ => Ok(()),
        },
        Err(error) => {
            if let Some(text) = case["error_must_not_contain"].as_str() {
                assert!(!error.contains(text), "{error}");
            }
            match case["error_contains"].as_str() {
                Some(part) if error.contains(part) => Ok(()),
                None if case["rejected"] == true => Ok(()),
                _ => Err(error),
            }
        }
    }
}

#[test]
fn urls_are_read_and_written_as_upstream_does() {
    let Some(table) = conformance::cases("alertmanager/config/url_values.json") else { return };
    let mut score = Score::new("config/url_values");
    for (idx, case) in table.cases.iter().enumerate() {
        score.add(format!("{idx} {}", case["test"].as_str().unwrap()), check_url(case));
    }
    score.finish(&[
        (
            "14 TestShowMarshalSecretURL",
            "errors hide secret URLs, also where settings are shown whole",
        ),
        ("18 TestUnmarshalNilURL", "null is an error in JSON only, and nothing here reads JSON"),
    ]);
}

#[test]
fn durations_are_go_s() {
    let check = |text: &str, expected: Result<&str, &str>| {
        let found = GoDuration::parse(text).map(|duration| duration.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    };
    check("1h30m", Ok("1h30m0s"));
    check("1.5s", Ok("1.5s"));
    check(".5h", Ok("30m0s"));
    check("100ms", Ok("100ms"));
    check("0", Ok("0s"));
    check("60", Err("time: missing unit in duration \"60\""));
    check("1d", Err("time: unknown unit \"d\" in duration \"1d\""));
    check("-1s", Err("time: invalid duration \"-1s\""));
    check("", Err("time: invalid duration \"\""));
    check("9999999h", Err("time: invalid duration \"9999999h\""));
    assert_eq!(round_trip::<GoDuration>("5", Style::Whole).unwrap(), "5ns\n");
    assert_eq!(round_trip::<GoDuration>("5x", Style::Whole).unwrap_err(), "wrong kind");
    assert_eq!(round_trip::<TextDuration>("90s", Style::Whole).unwrap(), "1m30s\n");
}
