//! The signed claim that stands for a secret: a JSON Web Token with an RSA signature.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use serde_json::{Map, Value, json};

use crate::client::{Error, OAuth2, Result};

/// As long as upstream lets a claim be good.
const LIFETIME_SECONDS: u64 = 10 * 60;

/// `now` in seconds since the epoch, `id` random.
pub(in crate::client) fn sign(
    settings: &OAuth2,
    key: &str,
    now: u64,
    id: [u8; 16],
) -> Result<String> {
    let mut header = json!({});
    if !settings.client_certificate_key_id.is_empty() {
        header["kid"] = json!(settings.client_certificate_key_id);
    }
    let claims = Value::Object(claims(settings, now, id));
    seal(key, &settings.signature_algorithm, header, &claims)
}

/// Signs claims with a key in PEM; `header` is what stands there beside the usual.
pub(in crate::client) fn seal(
    key: &str,
    algorithm: &str,
    mut header: Value,
    claims: &Value,
) -> Result<String> {
    let key = read_key(key)?;
    let (name, algorithm): (_, &'static dyn RsaEncoding) = match algorithm {
        "RS384" => ("RS384", &RSA_PKCS1_SHA384),
        "RS512" => ("RS512", &RSA_PKCS1_SHA512),
        _ => ("RS256", &RSA_PKCS1_SHA256),
    };
    (header["alg"], header["typ"]) = (json!(name), json!("JWT"));
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(algorithm, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| bad("it cannot sign".to_owned()))?;
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

fn claims(settings: &OAuth2, now: u64, id: [u8; 16]) -> Map<String, Value> {
    let either = |first: &str, second: &str| match first {
        "" => json!(second),
        first => json!(first),
    };
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut claims = Map::from_iter([
        ("iss".to_owned(), either(&settings.issuer, &settings.client_id)),
        ("sub".to_owned(), json!(settings.client_id)),
        ("aud".to_owned(), either(&settings.audience, &settings.token_url)),
        ("jti".to_owned(), json!(id)),
        ("iat".to_owned(), json!(now)),
        ("exp".to_owned(), json!(now + LIFETIME_SECONDS)),
    ]);
    if !settings.scopes.is_empty() {
        claims.insert("scope".to_owned(), json!(settings.scopes.join(" ")));
    }
    for (name, value) in &settings.claims {
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        claims.insert(name.clone(), value);
    }
    claims
}

fn read_key(pem: &str) -> Result<RsaKeyPair> {
    let key =
        PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| bad(error.to_string()))?;
    let read = match &key {
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err(bad("it is no RSA key".to_owned())),
    };
    read.map_err(|error| bad(error.to_string()))
}

fn bad(reason: String) -> Error {
    Error::Config { what: "oauth2 client_certificate_key".to_owned(), reason }
}
