//! Whatever clients ask, they get an answer.

use axum::http::Method;
use proptest::prelude::*;

use super::{ask, state};

const ENDPOINTS: [(&str, &str); 12] = [
    ("/api/v1/query", "time"),
    ("/api/v1/query", "timeout"),
    ("/api/v1/query_range", "step"),
    ("/api/v1/parse_query", "query"),
    ("/api/v1/format_query", "query"),
    ("/api/v1/series", "match[]"),
    ("/api/v1/labels", "start"),
    ("/api/v1/rules", "group_limit"),
    ("/api/v1/status/self_metrics", "metric_name_pattern"),
    ("/api/v1/targets/relabel_steps", "labels"),
    ("/api/v1/metadata", "limit"),
    ("/federate", "match[]"),
];

/// A number, a time, a selector, or anything.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<f64>().prop_map(|number| number.to_string()),
        "-?[0-9_]{1,20}(ms|s|m|h|d|w|y)?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})",
        r#"[a-z]{0,3}[{(\[][a-z=~!",0-9 ]{0,12}[\])}]{0,2}"#,
        ".{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_parameter_is_answered(value in value()) {
        for (path, name) in ENDPOINTS {
            let parameters = [
                ("query", "up"), ("start", "0"), ("end", "1"), ("step", "1"), ("scrapePool", "p"),
                (name, &value),
            ];
            let query: Vec<(String, String)> = parameters
                .into_iter()
                .filter(|(other, text)| *other != name || *text == value)
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect();
            let status = ask(state(), &Method::GET, path, &query).status.as_u16();
            // Time that is over before it begins is a time-out.
            let is_answer = [200, 400].contains(&status) || status == 503 && name == "timeout";
            prop_assert!(is_answer, "{} for {}={:?}", status, name, value);
        }
    }
}
