//! Signature version 4. Pure.

use aws_lc_rs::{digest, hmac};
use http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, CONTENT_LENGTH, USER_AGENT},
};
use jiff::Timestamp;
use url::Url;

use super::{Credentials, Scope, Unsigned, header_value};
use crate::client::{Error, Result};

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The headers that show who sends the request.
pub(crate) fn sign(
    request: &Unsigned<'_>,
    scope: &Scope<'_>,
    credentials: &Credentials,
) -> Result<HeaderMap> {
    let seconds = i64::try_from(scope.now.as_secs()).unwrap_or_default();
    let time = Timestamp::from_second(seconds).map_err(|error| Error::Config {
        what: "time for an AWS signature".to_owned(),
        reason: error.to_string(),
    })?;
    let (date, time) = (time.strftime("%Y%m%d").to_string(), time.strftime("%Y%m%dT%H%M%SZ"));
    let time = time.to_string();
    let mut added = HeaderMap::new();
    added.insert(DATE, header_value(&time)?);
    if let Some(token) = &credentials.session_token {
        added.insert(SESSION_TOKEN, header_value(token)?);
    }
    let (names, canonical) = canonical(request, &added);
    let Scope { region, service, .. } = scope;
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = hmac(format!("AWS4{}", credentials.secret_key).as_bytes(), &date);
    for part in [region, service, "aws4_request"] {
        key = hmac(key.as_ref(), part);
    }
    let signature = hex(hmac(key.as_ref(), &text).as_ref());
    let access_key = &credentials.access_key;
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    let mut value = header_value(&value)?;
    value.set_sensitive(true);
    added.insert(AUTHORIZATION, value);
    Ok(added)
}

/// The names of the headers that are signed, and the request as it is signed.
fn canonical(request: &Unsigned<'_>, added: &HeaderMap) -> (String, String) {
    // On the way others may change these, and ours is not known yet.
    let is_left_out =
        |name: &HeaderName| [AUTHORIZATION, USER_AGENT, CONTENT_LENGTH].contains(name);
    let mut headers = vec![("host", authority(request.url))];
    let all = request.headers.keys().chain(added.keys());
    for name in all.filter(|name| !is_left_out(name)) {
        let from = if added.contains_key(name) { added } else { request.headers };
        let values = from.get_all(name).iter().map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
        });
        headers.push((name.as_str(), values.collect::<Vec<_>>().join(",")));
    }
    headers.sort();
    headers.dedup_by(|a, b| a.0 == b.0);
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let path: Vec<_> = request.url.path().split('/').map(escape).collect();
    let path = path.join("/");
    let mut query: Vec<_> =
        request.url.query_pairs().map(|(name, value)| (escape(&name), escape(&value))).collect();
    query.sort();
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (method, query, body) = (request.method, query.join("&"), sha256(request.body));
    let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{body}");
    (names, canonical)
}

/// What the header `Host` will be.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

/// All but letters, digits and `-._~` as `%XX`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hmac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
