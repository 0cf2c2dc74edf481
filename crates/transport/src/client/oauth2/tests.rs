use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, response::IntoResponse, routing::post};
use http::{HeaderMap, StatusCode, header};
use parking_lot::Mutex;
use runtime::{Network as _, Simulation};
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Authentication, Client, Config, Limits, OAuth2, Request, Secret},
    server,
};

/// What the token server was asked.
type Asked = Arc<Mutex<Vec<String>>>;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), body_bytes: 1000 };

/// Takes credentials in the form only, gives tokens that are good for a minute.
async fn give_token(
    State(asked): State<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let number = asked.lock().len();
    let has_header = headers.contains_key(header::AUTHORIZATION);
    asked.lock().push(if has_header { format!("header {body}") } else { body.clone() });
    if has_header {
        return (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#).into_response();
    }
    if body.contains("wrong") {
        let answer = r#"{"error":"invalid_client","error_description":"who?"}"#;
        return (StatusCode::UNAUTHORIZED, answer).into_response();
    }
    format!(r#"{{"access_token":"t{number}","token_type":"bearer","expires_in":60}}"#)
        .into_response()
}

/// Sends a request each half minute with tokens of `settings`: what arrived, and what was asked.
async fn ask(settings: OAuth2, n_requests: usize) -> (Vec<String>, Vec<String>) {
    let simulation = Simulation::new(1);
    let asked = Asked::default();
    let echo = |headers: HeaderMap| async move {
        String::from_utf8_lossy(headers[header::AUTHORIZATION].as_bytes()).into_owned()
    };
    let router =
        Router::new().route("/token", post(give_token).with_state(asked.clone())).fallback(echo);
    let listener = simulation.network.listen(":80").await.expect("it is free");
    let (clock, stop) = (simulation.clock.clone(), CancellationToken::new());
    let limits = server::Limits::default();
    let server = tokio::spawn(server::serve(vec![listener], router, limits, clock, stop.clone()));
    let authentication = Authentication::OAuth2(Box::new(settings));
    let config = Config { authentication, ..Config::default() };
    let client = Client::new(config, simulation.runtime()).expect("the settings are right");
    let mut seen = Vec::new();
    for _ in 0..n_requests {
        let request = Request::get("http://127.0.0.1/".parse().expect("a URL"));
        seen.push(match client.send(request, &LIMITS).await {
            Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
            Err(error) => error.to_string(),
        });
        simulation.clock.run_for(Duration::from_secs(30)).await;
    }
    stop.cancel();
    drop(client);
    simulation.clock.run_for(Duration::from_secs(60)).await;
    server.await.expect("no panic");
    let asked = asked.lock().clone();
    (seen, asked)
}

fn settings(secret: &str) -> OAuth2 {
    OAuth2 {
        client_id: "me".to_owned(),
        client_secret: Some(Secret::Inline(secret.to_owned())),
        token_url: "http://127.0.0.1/token".to_owned(),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        endpoint_params: vec![("k".to_owned(), "v w".to_owned())],
        ..OAuth2::default()
    }
}

#[tokio::test]
async fn a_token_is_kept_while_it_is_good() {
    let (seen, asked) = ask(settings("s&cret"), 4).await;
    // The first way is refused; from then on the second is taken.
    assert_eq!(seen, ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"]);
    let form = "grant_type=client_credentials&scope=a+b&k=v+w";
    let with_secret = format!("{form}&client_id=me&client_secret=s%26cret");
    assert_eq!(asked, [format!("header {form}"), with_secret.clone(), with_secret]);
}

#[tokio::test]
async fn a_refusal_is_passed_on() {
    let (seen, _) = ask(settings("wrong"), 1).await;
    let call = "Post \"http://127.0.0.1/token\"";
    assert_eq!(seen, [format!("{call}: oauth2: \"invalid_client\" \"who?\"")]);
}

#[tokio::test]
async fn assertions_are_signed_with_the_key() {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use rcgen::PublicKeyData as _;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("there is randomness");
    let settings = OAuth2 {
        grant_type: super::JWT_BEARER.to_owned(),
        client_certificate_key: Some(Secret::Inline(key.serialize_pem())),
        client_certificate_key_id: "k1".to_owned(),
        claims: vec![("extra".to_owned(), "[1]".to_owned())],
        ..settings("")
    };
    let (seen, asked) = ask(settings, 1).await;
    assert_eq!(seen, ["Bearer t0"]);
    let assertion = asked[0].split(['&', '=']).nth(3).expect("it follows the grant's type");
    let parts: Vec<_> = assertion.split('.').collect();
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).expect("it is base64");
    assert_eq!(decode(parts[0]), br#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#);
    let claims: serde_json::Value = serde_json::from_slice(&decode(parts[1])).expect("it is JSON");
    assert_eq!(claims["iss"], "me");
    assert_eq!(claims["aud"], "http://127.0.0.1/token");
    assert_eq!(claims["scope"], "a b");
    assert_eq!(claims["extra"], serde_json::json!([1]));
    let algorithm = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
    let public =
        aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, key.subject_public_key_info());
    let signed = format!("{}.{}", parts[0], parts[1]);
    assert!(public.verify(signed.as_bytes(), &decode(parts[2])).is_ok());
}
