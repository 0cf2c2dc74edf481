//! The listener's own TLS, users and headers, asked by the real `curl`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use acceptance::{Process, free_port, program, run, skip, vesta, wait_for};

/// `secret`, by bcrypt.
const HASH: &str = "$2b$04$BQUDBQUDBQUDBQUDBQUDBOIdOain6viPngrsu3cZdCT7F3QPOzaue";

struct Tools {
    curl: PathBuf,
    openssl: PathBuf,
}

fn tools(test: &str) -> Option<Tools> {
    let found = |name| {
        let found = program(name);
        if found.is_none() {
            skip(test, name);
        }
        found
    };
    Some(Tools { curl: found("curl")?, openssl: found("openssl")? })
}

impl Tools {
    /// A certificate for this machine that signs itself, and its key.
    fn certificate(&self, folder: &Path, name: &str) {
        let path = |ending: &str| folder.join(format!("{name}.{ending}")).display().to_string();
        let made = run(
            &self.openssl,
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
                "-subj",
                &format!("/CN={name}"),
                "-addext",
                "subjectAltName=IP:127.0.0.1,DNS:localhost",
                // One of an authority would not be taken from a client.
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-keyout",
                &path("key"),
                "-out",
                &path("crt"),
            ],
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Head and body of the answer; empty without one.
    fn ask(&self, folder: &Path, port: u16, args: &[&str]) -> String {
        let output = Command::new(&self.curl)
            .current_dir(folder)
            .args(["-s", "-i", "-m", "10"])
            .args(args)
            .arg(format!("https://127.0.0.1:{port}/-/healthy"))
            .output()
            .expect("curl runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Starts a program with `web`, its web configuration file, and asks it everything.
fn check(test: &str, role: &str, config: &str, more: &[&str]) {
    let Some(tools) = tools(test) else { return };
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path();
    for name in ["server", "client", "stranger", "renewed"] {
        tools.certificate(folder, name);
    }
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("the test's folder can be written");
    };
    let web = format!(
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
         client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client.crt\n\
         http_server_config:\n  headers: {{X-Frame-Options: deny}}\n\
         basic_auth_users: {{joe: {HASH}}}\n"
    );
    write("web.yml", &web);
    write("config.yml", config);
    let port = free_port();
    let mut args: Vec<String> = vec![role.to_owned()];
    args.extend([
        "--config.file=config.yml".to_owned(),
        "--web.config.file=web.yml".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ]);
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    let process = Process::start(&vesta(), folder, role, &args);

    let joe = ["-u", "joe:secret"];
    let known = ["--cacert", "server.crt", "--cert", "client.crt", "--key", "client.key"];
    let ask = |args: &[&str]| tools.ask(folder, port, args);
    let good = [&known[..], &joe].concat();
    let answer = wait_for("an answer", Duration::from_secs(60), || {
        let answer = ask(&good);
        (!answer.is_empty()).then_some(answer)
    });
    assert!(answer.starts_with("HTTP/2 200"), "{answer}\n{}", process.output());
    assert!(answer.contains("x-frame-options: deny"), "{answer}");
    let answer = ask(&known);
    assert!(answer.starts_with("HTTP/2 401"), "{answer}");
    assert!(answer.contains("www-authenticate: Basic"), "{answer}");
    let answer = ask(&[&known[..], &["-u", "joe:wrong"]].concat());
    assert!(answer.starts_with("HTTP/2 401"), "{answer}");
    let first = ask(&[&good[..], &["--http1.1"]].concat());
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    // Nobody's certificate, none at all, a version that is too old, no TLS.
    let stranger = ["--cacert", "server.crt", "--cert", "stranger.crt", "--key", "stranger.key"];
    assert_eq!(ask(&[&stranger[..], &joe].concat()), "");
    assert_eq!(ask(&[&["--cacert", "server.crt"][..], &joe].concat()), "");
    assert_eq!(ask(&[&good[..], &["--tls-max", "1.1"]].concat()), "");

    // A new certificate and other users are seen without a restart.
    for ending in ["crt", "key"] {
        let (from, to) = (format!("renewed.{ending}"), format!("server.{ending}"));
        std::fs::copy(folder.join(from), folder.join(to)).expect("there is room");
    }
    write("web.yml", &web.replace("joe", "jane"));
    let renewed = ["--cacert", "renewed.crt", "--cert", "client.crt", "--key", "client.key"];
    let answer = ask(&[&renewed[..], &["-u", "jane:secret"]].concat());
    assert!(answer.starts_with("HTTP/2 200"), "{answer}\n{}", process.output());
    let answer = ask(&[&renewed[..], &joe].concat());
    assert!(answer.starts_with("HTTP/2 401"), "{answer}");
}

#[test]
fn a_server_lets_in_who_may_come_in() {
    check(
        "a_server_lets_in_who_may_come_in",
        "server",
        "global: {}\n",
        &["--storage.tsdb.path=data"],
    );
}

#[test]
fn an_alertmanager_lets_in_who_may_come_in() {
    let config = "route: {receiver: x}\nreceivers: [{name: x}]\n";
    let test = "an_alertmanager_lets_in_who_may_come_in";
    check(test, "alertmanager", config, &["--storage.path=data", "--cluster.listen-address="]);
}
