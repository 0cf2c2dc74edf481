use std::{path::Path, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use http::{HeaderValue, header::AUTHORIZATION};
use runtime::{Network as _, Simulation};
use tokio_util::sync::CancellationToken;

use super::{ClientAuth, Guard, Rate, Settings, Tls, rate::Bucket};
use crate::{
    client::{self, Client, Config, Request, Secret, TlsVersion},
    server::{Limits, serve_guarded},
};

/// A name, a certificate that it signs itself, and the key.
struct Identity {
    certificate: String,
    key: String,
}

fn identity(name: &str) -> Identity {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("it is easy");
    Identity { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
}

fn hash(password: &str) -> String {
    bcrypt::hash_with_salt(password, 4, [7; 16]).expect("the cost is allowed").to_string()
}

/// Text for a file: words that a test can write without a parser of YAML.
fn parse(text: &str, folder: &Path) -> Result<Settings, String> {
    let mut settings = Settings::default();
    for word in text.split_whitespace() {
        match word {
            "users" => drop(settings.users.insert("joe".to_owned(), hash("secret"))),
            "headers" => {
                drop(settings.headers.insert("X-Frame-Options".to_owned(), "deny".to_owned()));
            }
            "broken" => return Err("broken".to_owned()),
            "tls" => settings.tls = Some(tls(folder, ClientAuth::NoClientCert)),
            "verify" => settings.tls = Some(tls(folder, ClientAuth::RequireAndVerifyClientCert)),
            "any" => settings.tls = Some(tls(folder, ClientAuth::RequireAnyClientCert)),
            san => {
                settings.tls.as_mut().expect("after TLS").client_allowed_sans.push(san.to_owned())
            }
        }
    }
    Ok(settings)
}

fn tls(folder: &Path, client_auth: ClientAuth) -> Tls {
    Tls {
        certificate: Secret::File(folder.join("crt")),
        key: Secret::File(folder.join("key")),
        client_auth,
        client_ca: Some(Secret::File(folder.join("ca"))),
        client_allowed_sans: Vec::new(),
        min_version: TlsVersion::Tls12,
        max_version: TlsVersion::Tls13,
        cipher_suites: Vec::new(),
        curve_preferences: Vec::new(),
    }
}

struct World {
    simulation: Simulation,
    server: Option<tokio::task::JoinHandle<()>>,
    stop: CancellationToken,
}

impl World {
    /// A server that says `hello`, behind a guard that is told `text`.
    async fn start(files: &[(&str, &str)]) -> World {
        let simulation = Simulation::new(1);
        let mut world = World { simulation, server: None, stop: CancellationToken::new() };
        for (path, text) in files {
            world.write(path, text).await;
        }
        let runtime = world.simulation.runtime();
        let guard = Guard::new(Path::new("/web"), parse, runtime).expect("the file is right");
        let listener =
            world.simulation.network.host("server").listen(":80").await.expect("it is free");
        let router = Router::new().route("/", get("hello"));
        let (clock, stop) = (world.simulation.clock.clone(), world.stop.clone());
        let guard = Some(Arc::new(guard));
        let serving = serve_guarded(vec![listener], router, Limits::default(), clock, stop, guard);
        world.server = Some(tokio::spawn(serving));
        world
    }

    async fn write(&self, path: &str, text: &str) {
        let disk: &dyn runtime::Disk = &self.simulation.disk;
        disk.write_atomically(Path::new(path), text.as_bytes()).expect("memory has room");
        // So that the next version has another time.
        self.simulation.clock.run_for(Duration::from_millis(10)).await;
    }

    /// Status, headers that matter, and body; or why there is none. On a new connection.
    async fn ask(
        &self,
        scheme: &str,
        tls: client::Tls,
        authorization: Option<&'static str>,
    ) -> String {
        let config = Config { tls, ..Config::default() };
        let client =
            Client::new(config, self.simulation.runtime()).expect("the settings are right");
        let mut request = Request::get(format!("{scheme}://server:80/").parse().expect("a URL"));
        if let Some(value) = authorization {
            request.headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
        }
        let limits = client::Limits { timeout: Duration::from_secs(5), body_bytes: 1000 };
        match client.send(request, &limits).await {
            Err(error) => error.to_string(),
            Ok(response) => {
                let mut out = format!("{}", response.status.as_u16());
                for name in ["www-authenticate", "x-frame-options"] {
                    for value in response.headers.get_all(name) {
                        out.push_str(&format!(" {name}={}", value.to_str().expect("it is text")));
                    }
                }
                format!("{out} {}", String::from_utf8_lossy(&response.body).trim_end())
            }
        }
    }

    async fn end(mut self) {
        self.stop.cancel();
        self.simulation.clock.run_for(Duration::from_secs(60)).await;
        self.server.take().expect("it was started").await.expect("no panic");
    }
}

#[tokio::test]
async fn users_are_asked_and_the_file_is_read_again() {
    let world = World::start(&[("/web", "users headers")]).await;
    let plain = client::Tls::default;
    let (right, wrong) = ("Basic am9lOnNlY3JldA==", "Basic am9lOndyb25n");
    let refused = "401 www-authenticate=Basic x-frame-options=deny Unauthorized";
    assert_eq!(world.ask("http", plain(), None).await, refused);
    assert_eq!(world.ask("http", plain(), Some(wrong)).await, refused);
    for _ in 0..2 {
        assert_eq!(world.ask("http", plain(), Some(right)).await, "200 x-frame-options=deny hello");
    }
    world.write("/web", "").await;
    assert_eq!(world.ask("http", plain(), None).await, "200 hello");
    world.write("/web", "broken").await;
    assert_eq!(world.ask("http", plain(), None).await, "500 Internal Server Error");
    world.end().await;
}

#[tokio::test]
async fn certificates_are_read_again() {
    let (old, new) = (identity("server"), identity("server"));
    let files = [("/web", "tls"), ("/crt", &old.certificate), ("/key", &old.key)];
    let world = World::start(&files).await;
    let trusts = |ca: &Identity| client::Tls {
        ca: Some(Secret::Inline(ca.certificate.clone())),
        ..client::Tls::default()
    };
    assert_eq!(world.ask("https", trusts(&old), None).await, "200 hello");
    world.write("/crt", &new.certificate).await;
    world.write("/key", &new.key).await;
    assert_eq!(world.ask("https", trusts(&new), None).await, "200 hello");
    assert!(world.ask("https", trusts(&old), None).await.contains("tls: "));
    world.end().await;
}

#[tokio::test]
async fn clients_show_their_certificates() {
    let (server, friend, stranger) = (identity("server"), identity("friend"), identity("x"));
    let run = async |text: &str, client: Option<&Identity>| {
        let files = [
            ("/web", text),
            ("/crt", &server.certificate),
            ("/key", &server.key),
            ("/ca", &friend.certificate),
        ];
        let world = World::start(&files).await;
        let inline = |pem: &String| Some(Secret::Inline(pem.clone()));
        let tls = client::Tls {
            ca: inline(&server.certificate),
            certificate: client.and_then(|client| inline(&client.certificate)),
            key: client.and_then(|client| inline(&client.key)),
            ..client::Tls::default()
        };
        let answer = world.ask("https", tls, None).await;
        world.end().await;
        answer
    };
    assert_eq!(run("verify", Some(&friend)).await, "200 hello");
    assert_ne!(run("verify", Some(&stranger)).await, "200 hello");
    assert_ne!(run("verify", None).await, "200 hello");
    assert_eq!(run("any", Some(&stranger)).await, "200 hello");
    assert_ne!(run("any", None).await, "200 hello");
    assert_eq!(run("verify friend", Some(&friend)).await, "200 hello");
    assert_ne!(run("verify foe", Some(&friend)).await, "200 hello");
}

#[tokio::test]
async fn certificates_that_may_sign_others_are_trusted_themselves() {
    let (one, other) = (authority("one", 4000), authority("other", 4000));
    let old = authority("old", 1990);
    let run = async |both: &Identity, trusted: &Identity| {
        let files = [
            ("/web", "verify"),
            ("/crt", &both.certificate),
            ("/key", &both.key),
            ("/ca", &trusted.certificate),
        ];
        let world = World::start(&files).await;
        let inline = |pem: &String| Some(Secret::Inline(pem.clone()));
        let tls = client::Tls {
            ca: inline(&trusted.certificate),
            certificate: inline(&both.certificate),
            key: inline(&both.key),
            server_name: "one".to_owned(),
            ..client::Tls::default()
        };
        let answer = world.ask("https", tls, None).await;
        world.end().await;
        answer
    };
    assert_eq!(run(&one, &one).await, "200 hello");
    assert_ne!(run(&one, &other).await, "200 hello");
    // The right certificate under another name.
    assert!(run(&other, &other).await.contains("not valid for name"));
    assert_ne!(run(&old, &old).await, "200 hello");
}

/// What `openssl req -x509` makes: it signs itself, may sign others, and is good up to a year.
fn authority(name: &str, year: i32) -> Identity {
    let mut wanted = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
    wanted.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    wanted.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = rcgen::KeyPair::generate().expect("there is entropy");
    let certificate = wanted.self_signed(&key).expect("it is easy").pem();
    Identity { certificate, key: key.serialize_pem() }
}

#[test]
fn a_rate_allows_bursts() {
    let rate = Rate { interval: Duration::from_secs(1), burst: 2 };
    let mut bucket = Bucket::default();
    let at = |seconds: u64| Duration::from_secs(100 + seconds);
    let taken: Vec<_> =
        [0, 0, 0, 1, 1, 9, 9, 9].map(|seconds| bucket.take(&rate, at(seconds))).to_vec();
    assert_eq!(taken, [true, true, false, true, false, true, true, false]);
}
