use std::path::Path;

use super::parse;

const HASH: &str = "$2b$04$BQUDBQUDBQUDBQUDBQUDBOIdOain6viPngrsu3cZdCT7F3QPOzaue";

fn check(text: &str, expected: &str) {
    let parsed = parse(&text.replace("HASH", HASH), Path::new("/etc/web"));
    let printed = match parsed {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => error,
    };
    assert!(printed.contains(expected), "{printed}");
}

#[test]
fn everything_has_a_default() {
    check("", "tls: None, http2: true, headers: {}, users: {}, rate: None");
    let tls = "tls_server_config: {cert_file: a.crt, key_file: /b.key}";
    check(tls, "certificate: \"/etc/web/a.crt\", key: \"/b.key\", client_auth: NoClientCert");
    check(tls, "min_version: Tls12, max_version: Tls13");
}

#[test]
fn mistakes_are_named() {
    check("tls_server_config: {cert_file: a}", "missing key_file");
    check(
        "tls_server_config: {cert_file: a, cert: b, key_file: c}",
        "cannot specify both cert and",
    );
    check(
        "tls_server_config: {cert_file: a, key_file: b, client_auth_type: x}",
        "invalid ClientAuth: x",
    );
    check(
        "tls_server_config: {cert_file: a, key_file: b, min_version: SSL3}",
        "unknown TLS version",
    );
    check("http_server_config: {headers: {X: y}}", "HTTP header \"X\" can not be configured");
    check(
        "http_server_config: {headers: {X-Frame-Options: no}}",
        "Expected one of: [\"deny\" \"same",
    );
    check("basic_auth_users: {joe: secret}", "is no bcrypt hash");
    check("nonsense: 1", "nonsense");
}

#[test]
fn users_headers_and_rate_are_read() {
    check("basic_auth_users: {joe: HASH}", "users: {\"joe\": \"$2b$04");
    check("http_server_config: {http2: false}", "http2: false");
    check(
        "rate_limit: {interval: 100ms, burst: 5}",
        "rate: Some(Rate { interval: 100ms, burst: 5 })",
    );
}
