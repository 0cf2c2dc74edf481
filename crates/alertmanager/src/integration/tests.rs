use super::{
    FailureReason,
    http::{check_status, truncate_in_bytes, truncate_in_runes},
};
use crate::testing::{base, expect, run_table, text};

#[test]
fn texts_are_truncated_as_upstream() {
    run_table("pipeline/truncate", &[], |_, case| {
        let (input, n) = (text(&case["in"]), case["n"].as_u64().expect("a number") as usize);
        let wanted =
            |key: &str| (text(&case[key]["out"]).to_owned(), case[key]["truncated"] == true);
        expect(truncate_in_runes(input, n), wanted("in_runes"))?;
        expect(truncate_in_bytes(input, n), wanted("in_bytes"))
    });
}

#[test]
fn answers_mean_what_they_mean_upstream() {
    run_table("pipeline/retry_and_reasons", &[], |_, case| {
        let status = case["status"].as_u64().unwrap_or_default() as u16;
        if let Some(reason) = case["reason"].as_str().filter(|_| status > 0) {
            return expect(FailureReason::of_status(status).as_str(), reason);
        }
        if case["template"].is_string() {
            return check_route_labels(case);
        }
        let codes = crate::testing::numbers(&case["extra_retry_codes"]);
        let codes: Vec<u16> = codes.into_iter().map(|code| code as u16).collect();
        let details = match case["details_function"].is_string() {
            true => Some(format!("server response is \"{}\"", text(&case["body"]))),
            false => case["body"].as_str().map(str::to_owned),
        };
        let outcome = check_status(status, details.as_deref(), &codes);
        let error = outcome.as_ref().err();
        expect(error.map(|error| error.message.as_str()), case["error"].as_str())?;
        expect(error.is_some_and(|error| error.retry), case["retry"] == true)
    });
}

/// Labels of routes are rendered once: what they say is not a template again.
fn check_route_labels(case: &serde_json::Value) -> Result<(), String> {
    let clock = std::sync::Arc::new(runtime::clock::SimulatedClock::default());
    let template = crate::Template::new(text(&case["external_url"]), clock);
    let data = template.data(&super::Notification {
        group_key: text(&case["group_key"]).to_owned(),
        group_labels: crate::testing::labels(&case["group_labels"]),
        receiver: text(&case["receiver"]).to_owned(),
        alerts: Vec::new(),
        now: base(),
        repeat_interval: std::time::Duration::ZERO,
        reason: super::Reason::FirstNotification,
        route_labels: crate::testing::text_map(&case["route_labels"]),
        store: super::Store::default(),
    });
    let printed = template.text(text(&case["template"]), &data).map_err(|e| e.to_string())?;
    expect(printed, text(&case["output"]))
}
