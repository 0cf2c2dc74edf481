//! The web configuration file: TLS, users and headers of our own listener.

use std::{collections::BTreeMap, path::Path};

use model::labels::quote;
use settings::{
    decode::{Section, Setting as _, from_str},
    record,
    values::{FilePath, Secret},
};
use transport::{
    client::{Secret as Pem, TlsVersion},
    server::guard::{ClientAuth, Rate, Settings, Tls},
};

record! {
    /// The file as it is written.
    pub struct File: "web.Config" {
        tls_server_config: TlsServer,
        http_server_config: HttpServer,
        basic_auth_users: BTreeMap<String, Secret>,
        rate_limit: RateLimit,
    }
}

record! {
    pub struct TlsServer: "web.TLSConfig" {
        cert: String,
        key: Secret,
        client_ca: String,
        cert_file: FilePath,
        key_file: FilePath,
        client_auth_type: String,
        client_ca_file: FilePath,
        cipher_suites: Vec<String>,
        curve_preferences: Vec<String>,
        min_version: String,
        max_version: String,
        prefer_server_cipher_suites: bool,
        client_allowed_sans: Vec<String>,
    }
}

record! {
    pub struct HttpServer: "web.HTTPConfig" {
        http2: bool = always,
        headers: BTreeMap<String, String>,
    }
}

record! {
    pub struct RateLimit: "web.RateLimiterConfig" {
        interval: String,
        burst: u64,
    }
}

/// The headers that may be set, and the values that each may have; none means any.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

impl Section for File {
    fn defaults() -> File {
        File { http_server_config: HttpServer::defaults(), ..File::default() }
    }
}

impl File {
    /// Refuses headers that may not be set, or not to their value.
    pub fn check_headers(&self) -> Result<(), String> {
        let headers = &self.http_server_config.headers;
        headers.iter().try_for_each(|(name, value)| check_header(name, value))
    }
}

impl Section for TlsServer {}
impl Section for RateLimit {}

impl Section for HttpServer {
    fn defaults() -> HttpServer {
        HttpServer { http2: true, headers: BTreeMap::new() }
    }
}

/// What `text` asks of the listener. Paths are relative to `folder`.
pub fn parse(text: &str, folder: &Path) -> Result<Settings, String> {
    let mut file: File = from_str(text).map_err(|error| error.to_string())?;
    let folder = folder.display().to_string();
    file.set_directory(if folder.is_empty() { "." } else { &folder });
    let tls = &file.tls_server_config;
    file.check_headers()?;
    for hash in file.basic_auth_users.values() {
        check_hash(&hash.0)?;
    }
    Ok(Settings {
        tls: (*tls != TlsServer::default()).then(|| to_tls(tls)).transpose()?,
        http2: file.http_server_config.http2,
        headers: file.http_server_config.headers.clone(),
        users: file
            .basic_auth_users
            .iter()
            .map(|(name, hash)| (name.clone(), hash.0.clone()))
            .collect(),
        rate: to_rate(&file.rate_limit)?,
    })
}

pub(crate) fn to_tls(tls: &TlsServer) -> Result<Tls, String> {
    let either = |text: &str, path: &FilePath| match (text.is_empty(), path.is_empty()) {
        (false, true) => Ok(Some(Pem::Inline(text.to_owned()))),
        (true, false) => Ok(Some(Pem::File(path.0.clone().into()))),
        (true, true) => Ok(None),
        (false, false) => Err(()),
    };
    let twice = |name: &str| format!("cannot specify both {name} and {name}_file");
    let certificate = either(&tls.cert, &tls.cert_file).map_err(|()| twice("cert"))?;
    let key = either(&tls.key.0, &tls.key_file).map_err(|()| twice("key"))?;
    let client_ca = either(&tls.client_ca, &tls.client_ca_file).map_err(|()| twice("client_ca"))?;
    let client_auth = match tls.client_auth_type.as_str() {
        "" | "NoClientCert" => ClientAuth::NoClientCert,
        "RequestClientCert" => ClientAuth::RequestClientCert,
        "RequireAnyClientCert" | "RequireClientCert" => ClientAuth::RequireAnyClientCert,
        "VerifyClientCertIfGiven" => ClientAuth::VerifyClientCertIfGiven,
        "RequireAndVerifyClientCert" => ClientAuth::RequireAndVerifyClientCert,
        other => return Err(format!("invalid ClientAuth: {other}")),
    };
    if client_ca.is_some() && client_auth == ClientAuth::NoClientCert {
        return Err("client CA's have been configured without a Client Auth Policy".to_owned());
    }
    Ok(Tls {
        certificate: certificate.ok_or("missing cert_file")?,
        key: key.ok_or("missing key_file")?,
        client_auth,
        client_ca,
        client_allowed_sans: tls.client_allowed_sans.clone(),
        min_version: version(&tls.min_version, TlsVersion::Tls12)?,
        max_version: version(&tls.max_version, TlsVersion::Tls13)?,
        cipher_suites: tls.cipher_suites.clone(),
        curve_preferences: tls.curve_preferences.clone(),
    })
}

fn version(name: &str, default: TlsVersion) -> Result<TlsVersion, String> {
    Ok(match name {
        "" => default,
        "TLS10" => TlsVersion::Tls10,
        "TLS11" => TlsVersion::Tls11,
        "TLS12" => TlsVersion::Tls12,
        "TLS13" => TlsVersion::Tls13,
        other => return Err(format!("unknown TLS version: {other}")),
    })
}

fn to_rate(rate: &RateLimit) -> Result<Option<Rate>, String> {
    if rate.interval.is_empty() {
        return Ok(None);
    }
    let interval = receivers::values::GoDuration::parse(&rate.interval)?;
    Ok((!interval.0.is_zero()).then_some(Rate { interval: interval.0, burst: rate.burst }))
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let Some((_, values)) = HEADERS.iter().find(|(known, _)| *known == name) else {
        return Err(format!("HTTP header {} can not be configured", quote(name)));
    };
    if !values.is_empty() && !value.is_empty() && !values.contains(&value) {
        let values: Vec<String> = values.iter().map(|value| quote(value)).collect();
        let (values, value) = (values.join(" "), quote(value));
        return Err(format!(
            "invalid value for {name}. Expected one of: [{values}], but got: {value}"
        ));
    }
    Ok(())
}

/// Refuses what cannot be a password's hash.
fn check_hash(hash: &str) -> Result<(), String> {
    let mut parts = hash.split('$').skip(1);
    let is_known = matches!(parts.next(), Some("2" | "2a" | "2b" | "2x" | "2y"));
    let cost = parts.next().and_then(|cost| cost.parse::<u32>().ok());
    if hash.len() < 59 || !is_known {
        return Err("crypto/bcrypt: a hash in basic_auth_users is no bcrypt hash".to_owned());
    }
    match cost {
        Some(4..=31) => Ok(()),
        _ => Err("crypto/bcrypt: the cost of a hash is outside allowed range (4,31)".to_owned()),
    }
}

#[cfg(test)]
mod tests;
