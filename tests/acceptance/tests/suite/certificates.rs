//! Certificates of servers and clients, good and bad, shown to Vesta and to upstream's server by
//! the real `curl` and `openssl`. Both read their files again for each connection.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use acceptance::{Process, free_port, program, skip, vesta, wait_for};

use crate::authority::{Authority, Lifetime};

/// `secret`, by bcrypt.
const HASH: &str = "$2b$04$BQUDBQUDBQUDBQUDBQUDBOIdOain6viPngrsu3cZdCT7F3QPOzaue";

/// The server's own part of the file.
const SERVER: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// Servers that share a folder, and so their certificates.
struct Bed {
    folder: tempfile::TempDir,
    /// Each with its port; the first is Vesta.
    servers: Vec<(Process, u16)>,
    curl: PathBuf,
    openssl: PathBuf,
}

impl Bed {
    /// Nothing if a tool is missing.
    fn start(test: &str, web: &str) -> Option<Bed> {
        let found = |name| {
            program(name).or_else(|| {
                skip(test, name);
                None
            })
        };
        let (curl, openssl) = (found("curl")?, found("openssl")?);
        let folder = tempfile::tempdir().expect("there is room");
        let bed = Bed { folder, servers: Vec::new(), curl, openssl };
        let ours = Authority::new();
        bed.write("ca.crt", &ours.pem());
        bed.certificate("server", &ours, Lifetime::Now);
        bed.certificate("renewed", &ours, Lifetime::Now);
        bed.certificate("old", &ours, Lifetime::Past);
        bed.certificate("client", &ours, Lifetime::Now);
        bed.certificate("expired", &ours, Lifetime::Past);
        let others = Authority::new();
        bed.write("stranger-ca.crt", &others.pem());
        bed.certificate("stranger", &others, Lifetime::Now);
        bed.write("config.yml", "global: {}\n");
        bed.write("web.yml", web);
        Some(bed.with_servers())
    }

    fn with_servers(mut self) -> Bed {
        let theirs = program("prometheus").map(|theirs| (theirs, "theirs"));
        let programs = [Some((vesta(), "ours")), theirs];
        for (program, name) in programs.into_iter().flatten() {
            let port = free_port();
            let command = if name == "ours" { vec!["server".to_owned()] } else { Vec::new() };
            let flags = [
                "--config.file=config.yml".to_owned(),
                "--web.config.file=web.yml".to_owned(),
                format!("--storage.tsdb.path={name}"),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ];
            let args = [command, flags.to_vec()].concat();
            self.servers.push((Process::start(&program, self.path(), name, &args), port));
            wait_for("a server", Duration::from_secs(60), || {
                std::net::TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
        self
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the test's folder can be written");
    }

    fn certificate(&self, name: &str, authority: &Authority, lifetime: Lifetime) {
        let (certificate, key) = authority.certificate_of(name, lifetime);
        self.write(&format!("{name}.crt"), &certificate);
        self.write(&format!("{name}.key"), &key);
    }

    /// What serves as the server's certificate from now on.
    fn show(&self, name: &str) {
        for ending in ["crt", "key"] {
            let from = self.path().join(format!("{name}.{ending}"));
            std::fs::copy(from, self.path().join(format!("server.{ending}"))).expect("room");
        }
    }

    /// What every server answers to curl: a status, or `refused`.
    fn check(&self, what: &str, args: &[&str], expected: &str) {
        for (server, port) in &self.servers {
            let url = format!("https://127.0.0.1:{port}/-/healthy");
            assert_eq!(self.curl(&url, args), expected, "{what}: {args:?}\n{}", server.output());
        }
    }

    fn curl(&self, url: &str, args: &[&str]) -> String {
        let output = Command::new(&self.curl)
            .current_dir(self.path())
            .args(["-s", "-m", "10", "-o", "answer", "-w", "%{http_code}"])
            .args(args)
            .arg(url)
            .output()
            .expect("curl runs");
        match String::from_utf8_lossy(&output.stdout).trim() {
            "000" => "refused".to_owned(),
            status => status.to_owned(),
        }
    }

    /// What openssl says of a connection to every server.
    fn openssl(&self, args: &[&str]) -> Vec<String> {
        let said = self.servers.iter().map(|(_, port)| {
            let output = Command::new(&self.openssl)
                .current_dir(self.path())
                .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-CAfile", "ca.crt"])
                .args(["-verify_return_error"])
                .args(args)
                .stdin(Stdio::null())
                .output()
                .expect("openssl runs");
            let text = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&text).into_owned()
        });
        said.collect()
    }

    fn check_openssl(&self, args: &[&str], part: &str) {
        for said in self.openssl(args) {
            assert!(said.contains(part), "{part:?} {args:?} in {said}");
        }
    }
}

const TRUSTING: [&str; 2] = ["--cacert", "ca.crt"];

/// Who trusts the server and shows a certificate of its own.
fn showing(name: &str) -> Vec<String> {
    let own =
        ["--cert".to_owned(), format!("{name}.crt"), "--key".to_owned(), format!("{name}.key")];
    TRUSTING.iter().map(|word| (*word).to_owned()).chain(own).collect()
}

#[test]
fn clients_show_certificates_as_the_file_wants_them() {
    let test = "clients_show_certificates_as_the_file_wants_them";
    let Some(bed) = Bed::start(test, SERVER) else { return };
    // Of whom shows none, a good one, a stranger's, one that has expired.
    let table = [
        ("NoClientCert", false, ["200", "200", "200", "200"]),
        ("RequestClientCert", false, ["200", "200", "200", "200"]),
        ("RequireAnyClientCert", false, ["refused", "200", "200", "200"]),
        ("VerifyClientCertIfGiven", true, ["200", "200", "refused", "refused"]),
        ("RequireAndVerifyClientCert", true, ["refused", "200", "refused", "refused"]),
    ];
    for (kind, needs_authority, expected) in table {
        let authority = if needs_authority { "  client_ca_file: ca.crt\n" } else { "" };
        bed.write("web.yml", &format!("{SERVER}  client_auth_type: {kind}\n{authority}"));
        for (client, expected) in ["", "client", "stranger", "expired"].into_iter().zip(expected) {
            let args = if client.is_empty() {
                TRUSTING.iter().map(|word| (*word).to_owned()).collect()
            } else {
                showing(client)
            };
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            bed.check(kind, &args, expected);
        }
    }
    // Another authority is trusted from the next connection on.
    let web = format!("{SERVER}  client_auth_type: RequireAndVerifyClientCert\n");
    bed.write("web.yml", &format!("{web}  client_ca_file: stranger-ca.crt\n"));
    for (client, expected) in [("client", "refused"), ("stranger", "200")] {
        let args = showing(client);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        bed.check("another authority", &args, expected);
    }
}

#[test]
fn certificates_of_the_server_are_read_again() {
    let Some(bed) = Bed::start("certificates_of_the_server_are_read_again", SERVER) else { return };
    bed.check("the first one", &TRUSTING, "200");
    bed.check("an authority that nobody knows", &["--cacert", "stranger-ca.crt"], "refused");
    bed.check_openssl(&[], "CN = server");
    bed.check_openssl(&[], "Verify return code: 0 (ok)");
    bed.show("renewed");
    bed.check("the next one", &TRUSTING, "200");
    bed.check_openssl(&[], "CN = renewed");
    bed.show("old");
    bed.check("one that has expired", &TRUSTING, "refused");
    bed.check_openssl(&[], "certificate has expired");
    bed.check("whoever does not look", &["-k"], "200");
    bed.show("stranger");
    bed.check("a stranger's", &TRUSTING, "refused");
    bed.check("whoever knows the stranger", &["--cacert", "stranger-ca.crt"], "200");
    // A key that does not fit: nobody is answered until it does.
    bed.show("renewed");
    std::fs::copy(bed.path().join("client.key"), bed.path().join("server.key")).expect("room");
    bed.check("another's key", &TRUSTING, "refused");
    bed.write("server.crt", "nonsense\n");
    bed.check("nonsense", &TRUSTING, "refused");
    std::fs::remove_file(bed.path().join("server.crt")).expect("it is there");
    bed.check("none", &TRUSTING, "refused");
    bed.show("renewed");
    bed.check("a good one again", &TRUSTING, "200");
}

#[test]
fn versions_and_protocols_are_those_of_the_file() {
    let test = "versions_and_protocols_are_those_of_the_file";
    let Some(bed) = Bed::start(test, SERVER) else { return };
    let with = |more: &[&'static str]| [&TRUSTING[..], more].concat();
    bed.check_openssl(&["-tls1_3"], "TLSv1.3");
    bed.check_openssl(&["-tls1_2"], "TLSv1.2");
    bed.check_openssl(&["-alpn", "h2,http/1.1"], "ALPN protocol: h2");
    bed.check_openssl(&["-alpn", "http/1.1"], "ALPN protocol: http/1.1");
    bed.check("a version that is too old", &with(&["--tls-max", "1.1"]), "refused");
    bed.write("web.yml", &format!("{SERVER}  min_version: TLS13\n"));
    bed.check("at least 1.3", &with(&["--tlsv1.3"]), "200");
    bed.check("at least 1.3", &with(&["--tls-max", "1.2"]), "refused");
    bed.write("web.yml", &format!("{SERVER}  max_version: TLS12\n"));
    bed.check("at most 1.2", &with(&["--tls-max", "1.2"]), "200");
    bed.check("at most 1.2", &with(&["--tlsv1.3"]), "refused");
    let suite = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n";
    bed.write("web.yml", &format!("{SERVER}  max_version: TLS12\n{suite}"));
    bed.check_openssl(&["-tls1_2"], "ECDHE-ECDSA-AES128-GCM-SHA256");
    let other = ["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"];
    bed.check("another cipher", &with(&other), "refused");
    bed.write("web.yml", "nonsense: 1\n");
    bed.check("a file that makes no sense", &TRUSTING, "refused");
    bed.write("web.yml", SERVER);
    bed.check("a good one again", &TRUSTING, "200");
}

#[test]
fn users_are_those_of_the_file() {
    let users = |names: &[&str]| {
        let users: String = names.iter().map(|name| format!("  {name}: {HASH}\n")).collect();
        format!("{SERVER}basic_auth_users:\n{users}")
    };
    let test = "users_are_those_of_the_file";
    let Some(bed) = Bed::start(test, &users(&["joe"])) else { return };
    let with = |user: &'static str| [&TRUSTING[..], &["-u", user]].concat();
    bed.check("nobody", &TRUSTING, "401");
    bed.check("joe", &with("joe:secret"), "200");
    bed.check("a wrong password", &with("joe:Secret"), "401");
    bed.check("no password", &with("joe:"), "401");
    bed.check("somebody else", &with("jane:secret"), "401");
    let bearer = [&TRUSTING[..], &["-H", "Authorization: Bearer secret"]].concat();
    bed.check("another scheme", &bearer, "401");
    bed.write("web.yml", &users(&["joe", "jane"]));
    bed.check("somebody new", &with("jane:secret"), "200");
    bed.write("web.yml", &users(&["jane"]));
    bed.check("somebody who left", &with("joe:secret"), "401");
    bed.write("web.yml", SERVER);
    bed.check("everybody", &TRUSTING, "200");
}
