//! Whatever clients send, they get an answer.

use axum::{body::Body, http::Request};
use proptest::prelude::*;

use super::{super::body, World};

/// Bytes that look enough like JSON to get somewhere.
fn like_json() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"labels\"",
        "\"a\"",
        "\"\"",
        "null",
        "1",
        "-0.5e9",
        "true",
        "\"startsAt\"",
        "\"endsAt\"",
        "\"2026-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59-23:59\"",
        "\"generatorURL\"",
        "\"http://%zz\"",
        "\"matchers\"",
        "\"isRegex\"",
        "\"value\"",
        "\"(\"",
        "\"comment\"",
        "\"createdBy\"",
        "\u{2028}",
        "\\",
        " ",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_body_is_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (alerts, silence) = (body::alerts(&bytes), body::silence(&bytes));
        prop_assert!(alerts.is_ok() || alerts.is_err());
        prop_assert!(silence.is_ok() || silence.is_err());
    }

    #[test]
    fn any_json_is_taken_or_refused(text in like_json()) {
        let world = World::new();
        for path in ["/api/v2/alerts", "/api/v2/silences"] {
            let status = world.post(path, text.clone()).status;
            prop_assert!([200, 400, 404, 422].contains(&status), "{} for {}", status, text);
        }
    }

    #[test]
    fn any_query_is_answered(text in "[ -~]{0,40}") {
        let world = World::new();
        let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for path in ["alerts?filter", "alerts/groups?receiver", "silences?filter", "silence/"] {
            let separator = if path.ends_with('/') { "" } else { "=" };
            let uri = format!("/api/v2/{path}{separator}{query}");
            let request = Request::get(uri).body(Body::empty()).expect("it is a URL");
            let status = world.send(request).status;
            prop_assert!([200, 400, 404, 422].contains(&status), "{} for {}", status, text);
        }
    }
}
