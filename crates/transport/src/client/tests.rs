use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Request as Incoming, response::IntoResponse, routing::any};
use http::{StatusCode, header};
use runtime::{Disk as _, Network as _, Simulation};
use tokio_util::sync::CancellationToken;

use super::{Authentication, Client, Config, Header, Limits, Proxy, Request, Secret, SigV4, Tls};
use crate::server;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), body_bytes: 1000 };

/// Says what it was asked: method, path, and the headers that matter here.
async fn echo(request: Incoming) -> String {
    let mut out = format!("{} {}\n", request.method(), request.uri());
    for name in ["host", "authorization", "proxy-authorization", "x-one", "content-type"] {
        for value in request.headers().get_all(name) {
            out.push_str(&format!("{name}: {}\n", value.to_str().expect("it is text")));
        }
    }
    let body = axum::body::to_bytes(request.into_body(), 1000).await.expect("it is short");
    out + std::str::from_utf8(&body).expect("it is text")
}

/// `/to/<status>/<url>` redirects there.
async fn redirect(request: Incoming) -> impl IntoResponse {
    let rest = request.uri().path().strip_prefix("/to/").expect("the route says so").to_owned();
    let (status, url) = rest.split_once('/').expect("the route says so");
    let status = StatusCode::from_bytes(status.as_bytes()).expect("a status");
    (status, [(header::LOCATION, url.to_owned())])
}

fn router() -> Router {
    let big = any(async || vec![b'x'; 2000]);
    let hang = any(async || std::future::pending::<()>().await);
    let zipped = any(async || {
        let bytes = include_bytes!("test_data/hello.gz").as_slice();
        ([(header::CONTENT_ENCODING, "gzip")], bytes)
    });
    Router::new()
        .route("/to/{*rest}", any(redirect))
        .route("/round", any(async || (StatusCode::FOUND, [(header::LOCATION, "/round")])))
        .route("/big", big)
        .route("/hang", hang)
        .route("/zipped", zipped)
        .fallback(echo)
}

/// The answer as text, with the status in front unless it is 200.
async fn ask(simulation: &Simulation, config: Config, request: Request) -> String {
    let client = match Client::new(config, simulation.runtime()) {
        Ok(client) => client,
        Err(error) => return format!("error: {error}"),
    };
    let stop = CancellationToken::new();
    let mut servers = tokio::task::JoinSet::new();
    for host in ["home", "sub.home", "away"] {
        let listener = simulation.network.host(host).listen(":80").await.expect("it is free");
        let clock = simulation.clock.clone();
        let limits = server::Limits::default();
        servers.spawn(server::serve(vec![listener], router(), limits, clock, stop.clone()));
    }
    let hangs = request.url.path() == "/hang";
    let sent = client.send(request, &LIMITS);
    let time_passes = async {
        if hangs {
            simulation.clock.run_for(Duration::from_secs(60)).await;
        }
    };
    let (response, ()) = tokio::join!(sent, time_passes);
    stop.cancel();
    simulation.clock.run_for(Duration::from_secs(60)).await;
    while servers.join_next().await.is_some() {}
    match response.and_then(|response| Ok((response.status, response.decoded(100)?))) {
        Ok((status, body)) => {
            let body = String::from_utf8(body.to_vec()).expect("it is text");
            if status == StatusCode::OK { body } else { format!("{status}\n{body}") }
        }
        Err(error) => format!("error: {error}"),
    }
}

fn check_request(config: Config, request: Request, expected: &str) {
    let simulation = Simulation::new(1);
    let mut file = simulation.disk.create("password".as_ref()).expect("there is room");
    file.write_all(b"from file\n").expect("there is room");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
    assert_eq!(runtime.block_on(ask(&simulation, config, request)).trim(), expected.trim());
}

fn get(url: &str) -> Request {
    Request::get(url.parse().expect("a URL"))
}

fn check(config: Config, url: &str, expected: &str) {
    check_request(config, get(url), expected);
}

fn bearer() -> Config {
    let credentials = Some(Secret::Inline("t0ken".to_owned()));
    let scheme = "Bearer".to_owned();
    let authentication = Authentication::Authorization { scheme, credentials };
    Config { authentication, ..Config::default() }
}

#[test]
fn credentials_go_with_the_request() {
    check(bearer(), "http://home/a?b=c", "GET /a?b=c\nhost: home\nauthorization: Bearer t0ken");
    let basic = Authentication::Basic {
        username: Some(Secret::Inline("joe".to_owned())),
        password: Some(Secret::File("password".into())),
    };
    check(
        Config { authentication: basic, ..Config::default() },
        "http://home/",
        "GET /\nhost: home\nauthorization: Basic am9lOmZyb20gZmlsZQ==",
    );
    check(
        Config::default(),
        "http://joe:secr%65t@home/",
        "GET /\nhost: home\nauthorization: Basic am9lOnNlY3JldA==",
    );
    let values = vec![Secret::Inline("1".to_owned()), Secret::Inline("2".to_owned())];
    let headers = vec![Header { name: "X-One".to_owned(), values }];
    check(
        Config { headers, ..Config::default() },
        "http://home/",
        "GET /\nhost: home\nx-one: 1\nx-one: 2",
    );
}

#[test]
fn redirects_do_not_tell_other_hosts_who_we_are() {
    check(bearer(), "http://home/to/302//b", "GET /b\nhost: home\nauthorization: Bearer t0ken");
    check(bearer(), "http://home/to/302/http://away/b", "GET /b\nhost: away");
    check(
        bearer(),
        "http://home/to/302/http://sub.home/",
        "GET /\nhost: sub.home\nauthorization: Bearer t0ken",
    );
    check(bearer(), "http://sub.home/to/302/http://home/", "GET /\nhost: home");
}

#[test]
fn redirects_keep_the_method_only_if_told_so() {
    let post = |url: &str| Request::post(url.parse().expect("a URL"), "text/plain", "body");
    check_request(Config::default(), post("http://home/to/303//b"), "GET /b\nhost: home");
    check_request(
        Config::default(),
        post("http://home/to/307//b"),
        "POST /b\nhost: home\ncontent-type: text/plain\nbody",
    );
}

#[test]
fn redirects_end() {
    let stays = Config { follow_redirects: false, ..Config::default() };
    check(stays, "http://home/to/302//b", "302 Found");
    check(
        Config::default(),
        "http://home/round",
        "error: Get \"http://home/round\": stopped after 10 redirects",
    );
}

#[test]
fn limits_hold() {
    check(Config::default(), "http://home/big", "error: body size limit exceeded");
    check(
        Config::default(),
        "http://u:p@home/hang",
        "error: Get \"http://u:xxxxx@home/hang\": context deadline exceeded",
    );
}

#[test]
fn gzip_is_decoded() {
    check(Config::default(), "http://home/zipped", "hello");
}

#[test]
fn who_does_not_listen_is_named() {
    check(
        Config::default(),
        "http://home:81/",
        "error: Get \"http://home:81/\": dial tcp home:81: connect: connection refused",
    );
}

#[test]
fn what_cannot_be_done_is_said_at_once() {
    let proxy = Proxy { url: Some("ftp://x".parse().expect("a URL")), ..Proxy::default() };
    check(
        Config { proxy, ..Config::default() },
        "http://home/",
        "error: unable to read proxy_url: unknown proxy scheme \"ftp\"",
    );
    let tls = Tls { ca: Some(Secret::Inline("nonsense".to_owned())), ..Tls::default() };
    check(
        Config { tls, ..Config::default() },
        "http://home/",
        "error: unable to read certificate: no certificate in PEM form",
    );
}

#[test]
fn the_certificate_must_be_signed_and_bear_the_name() {
    let made = rcgen::generate_simple_self_signed(["inner.name".to_owned()]).expect("it is easy");
    let (ca, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let trusts = Tls { ca: Some(Secret::Inline(ca.clone())), ..Tls::default() };
    let check = |tls: Tls, expected: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
        let got = runtime.block_on(ask_tls(Config { tls, ..Config::default() }, &ca, &key));
        assert!(got.contains(expected), "{got}");
    };
    check(trusts.clone(), "not valid for name");
    check(Tls::default(), "UnknownIssuer");
    check(Tls { server_name: "inner.name".to_owned(), ..trusts }, "GET /");
    check(Tls { insecure_skip_verify: true, ..Tls::default() }, "GET /");
}

/// Asks a server whose certificate is `ca`.
async fn ask_tls(config: Config, ca: &str, key: &str) -> String {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let simulation = Simulation::new(1);
    let listener = simulation.network.host("home").listen(":443").await.expect("it is free");
    let chain = vec![CertificateDer::from_pem_slice(ca.as_bytes()).expect("we made it")];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("we made it");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .expect("the pair fits");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let server = async {
        let (stream, _) = listener.accept().await.expect("somebody comes");
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let service = hyper::service::service_fn(|request| {
            let router = router();
            async move { tower::ServiceExt::oneshot(router, request).await }
        });
        let io = hyper_util::rt::TokioIo::new(stream);
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(io, service);
        connection.await.unwrap_or_default();
    };
    let client = Client::new(config, simulation.runtime()).expect("the settings are right");
    let response = async {
        let response = client.send(get("https://home/"), &LIMITS).await;
        drop(client);
        response
    };
    let (response, ()) = tokio::join!(response, server);
    match response {
        Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
        Err(error) => error.to_string(),
    }
}

/// A proxy: the first bytes that come, and then what `reply` says to them, in turn; in the end what
/// comes is given back to whoever sent it, as the other side.
async fn ask_proxy(proxy: &str, url: &str, dialogue: &[(&str, &[u8])]) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let simulation = Simulation::new(1);
    let listener = simulation.network.host("proxy").listen(":3128").await.expect("it is free");
    let headers =
        vec![Header { name: "X-One".to_owned(), values: vec![Secret::Inline("1".to_owned())] }];
    let url_of_proxy = Some(proxy.parse().expect("a URL"));
    let proxy = Proxy { url: url_of_proxy, connect_headers: headers, ..Proxy::default() };
    let config = Config { proxy, ..Config::default() };
    let client = Client::new(config, simulation.runtime()).expect("the settings are right");
    let proxying = async {
        let (mut stream, _) = listener.accept().await.expect("somebody comes");
        for (expected, reply) in dialogue {
            let mut said = vec![0; expected.len()];
            stream.read_exact(&mut said).await.expect("it is said");
            assert_eq!(String::from_utf8_lossy(&said), *expected);
            stream.write_all(reply).await.expect("it is heard");
        }
    };
    let (response, ()) = tokio::join!(client.send(get(url), &LIMITS), proxying);
    match response {
        Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn proxies_pass_requests_on() {
    let request =
        "GET http://far/a?b HTTP/1.1\r\nproxy-authorization: Basic dTpw\r\nhost: far\r\n\r\n";
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".as_slice();
    let answer = ask_proxy("http://u:p@proxy:3128", "http://far/a?b", &[(request, reply)]).await;
    assert_eq!(answer, "hi");
}

#[tokio::test]
async fn proxies_connect_to_whom_speaks_tls() {
    let request = "CONNECT far:443 HTTP/1.1\r\nHost: far:443\r\nX-One: 1\r\n\
                   Proxy-Authorization: Basic dTpw\r\n\r\n";
    let reply = b"HTTP/1.1 403 Forbidden\r\n\r\n".as_slice();
    let answer = ask_proxy("http://u:p@proxy:3128", "https://far/", &[(request, reply)]).await;
    assert_eq!(answer, "Get \"https://far/\": Forbidden");
}

#[tokio::test]
async fn socks_leads_anywhere() {
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".as_slice();
    let dialogue: [(&str, &[u8]); 4] = [
        ("\x05\x01\x02", &[5, 2]),
        ("\x01\x01u\x01p", &[1, 0]),
        ("\x05\x01\x00\x03\x03far\x00\x50", &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ("GET / HTTP/1.1\r\nhost: far\r\n\r\n", reply),
    ];
    let answer = ask_proxy("socks5://u:p@proxy:3128", "http://far/", &dialogue).await;
    assert_eq!(answer, "hi");
}

#[test]
fn requests_are_signed_for_amazon() {
    let authentication = Authentication::SigV4(Box::new(SigV4 {
        region: "eu-west-1".to_owned(),
        access_key: "KEY".to_owned(),
        secret_key: Some(Secret::Inline("secret".to_owned())),
        service: "aps".to_owned(),
        ..SigV4::default()
    }));
    check(
        Config { authentication, ..Config::default() },
        "http://home/a%20b?c=d",
        "GET /a%20b?c=d\nhost: home\nauthorization: AWS4-HMAC-SHA256 \
         Credential=KEY/20260101/eu-west-1/aps/aws4_request, SignedHeaders=host;x-amz-date, \
         Signature=eef7f51766c8dc4b909706eee9013ec6cb9722ef20c83308b2d5c5bf92c46144",
    );
}

#[tokio::test]
async fn socket_files_are_spoken_to() {
    let simulation = Simulation::new(1);
    let listener = simulation.network.listen("unix:/run/x.sock").await.expect("it is free");
    let (clock, stop) = (simulation.clock.clone(), CancellationToken::new());
    let limits = server::Limits::default();
    let server = tokio::spawn(server::serve(vec![listener], router(), limits, clock, stop.clone()));
    let config = Config { unix_socket: Some("/run/x.sock".into()), ..Config::default() };
    let client = Client::new(config, simulation.runtime()).expect("the settings are right");
    let response = client.send(get("http://docker/x"), &LIMITS).await.expect("it is answered");
    assert_eq!(response.body, "GET /x\nhost: docker\n");
    stop.cancel();
    drop(client);
    simulation.clock.run_for(Duration::from_secs(60)).await;
    server.await.expect("no panic");
}

#[tokio::test]
async fn connections_go_to_any_one_address_of_a_name_if_wished() {
    let simulation = Simulation::new(1);
    let addresses = ["10.0.0.1", "10.0.0.2"];
    let parsed = addresses.map(|address| address.parse().expect("an address"));
    simulation.network.set_addresses("many", &parsed);
    let stop = CancellationToken::new();
    let mut servers = tokio::task::JoinSet::new();
    for address in addresses {
        let listener = simulation.network.host(address).listen(":80").await.expect("it is free");
        let (clock, limits) = (simulation.clock.clone(), server::Limits::default());
        let router = Router::new().fallback(any(async move || address));
        let stop = stop.clone();
        servers.spawn(server::serve(vec![listener], router, limits, clock, stop));
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let config = Config { round_robin_dns: true, ..Config::default() };
        let client = Client::new(config, simulation.runtime()).expect("good settings");
        let request = Request::get("http://many/".parse().expect("a URL"));
        let response = client.send(request, &LIMITS).await.expect("it answers");
        seen.insert(String::from_utf8_lossy(&response.body).into_owned());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), addresses);
    stop.cancel();
    while servers.join_next().await.is_some() {}
}
