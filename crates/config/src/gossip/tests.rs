use std::path::Path;

use transport::client::Secret;

use super::{parse_client, parse_server};

const FILE: &str = "
tls_server_config:
  cert_file: node.crt
  key_file: /etc/node.key
  client_ca_file: ca.crt
  client_auth_type: VerifyClientCertIfGiven
tls_client_config:
  ca_file: ca.crt
  server_name: am
";

#[test]
fn both_ends_are_read() {
    let folder = Path::new("/etc/am");
    let server = parse_server(FILE, folder).expect("a good file");
    let tls = server.tls.expect("it speaks TLS");
    assert_eq!(tls.certificate, Secret::File("/etc/am/node.crt".into()));
    assert_eq!(tls.key, Secret::File("/etc/node.key".into()));
    let client = parse_client(FILE, folder).expect("a good file");
    assert_eq!(client.ca, Some(Secret::File("/etc/am/ca.crt".into())));
    assert_eq!(client.server_name, "am");
}

#[test]
fn both_ends_must_be_there() {
    let check = |text: &str, expected: &str| {
        let server = parse_server(text, Path::new("")).err();
        let client = parse_client(text, Path::new("")).err();
        let error = server.or(client).expect("something is missing");
        assert!(error.contains(expected), "{error}");
    };
    check("{}", "missing 'tls_server_config' entry");
    check("tls_server_config: {cert_file: a, key_file: b}", "missing 'tls_client_config' entry");
    check("tls_server_config: {cert_file: a}\ntls_client_config: {}", "missing key_file");
    check("unknown: 1", "unknown");
}
