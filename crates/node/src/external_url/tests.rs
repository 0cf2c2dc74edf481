use super::{Error, compute, route_prefix};

#[test]
fn upstreams_table() {
    let Some(table) = conformance::cases("alertmanager/app/external_url.json") else { return };
    let mut score = conformance::Score::new("external_url");
    for (idx, case) in table.cases.iter().enumerate() {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        // Looking up the host's name is the caller's; this case is about that look-up.
        if case["hostname_lookup_fails"] == true {
            continue;
        }
        let got = compute(text("external_url"), text("listen"), text("hostname"));
        let outcome = match (got, case["rejected"] == true) {
            (Ok(url), false) if url == text("url") => Ok(()),
            (Err(_), true) => Ok(()),
            (got, _) => Err(format!("{got:?}")),
        };
        score.add(format!("{idx}"), outcome);
    }
    score.finish(&[]);
}

#[test]
fn quotes_are_a_common_mistake() {
    assert_eq!(compute("\"http://a\"", "", ""), Err(Error::Quotes));
    assert_eq!(compute("'http://a'", "", ""), Err(Error::Quotes));
}

#[test]
fn the_prefix_is_the_path_of_the_url_unless_given() {
    let check = |given, url, expected| assert_eq!(route_prefix(given, url), expected);
    check("", "http://host:9090", "/");
    check("", "http://host/prometheus", "/prometheus");
    check("", "http://host/a/b", "/a/b");
    check("/", "http://host/prometheus", "/");
    check("metrics/", "http://host/prometheus", "/metrics");
}
