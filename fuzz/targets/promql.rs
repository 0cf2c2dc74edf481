//! A query: what is understood is printed as something that means the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use promql_syntax::{Options, format_query, parse, parse_bytes, parse_metric_selector, to_json};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = parse_metric_selector(text);
        let _ = promql_syntax::parse_metric(text);
        let _ = promql_syntax::parse_series(text);
    }
    let Ok(query) = parse_bytes(bytes, &Options::ALL) else { return };
    let _ = (to_json(&query), format_query(&query));
    let printed = query.to_string();
    let again = parse(&printed, &Options::ALL);
    let again = again.unwrap_or_else(|errors| panic!("{printed:?} is printed, but: {errors}"));
    assert_eq!(again.to_string(), printed);
});
