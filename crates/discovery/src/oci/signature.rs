//! Oracle's signatures: the date, what is asked and who is asked, or what is sent, signed with an
//! RSA key.

use std::time::Duration;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use runtime::Disk;
use url::Url;

use super::ApiKey;

pub(super) struct Signer {
    tenancy: String,
    /// Under which Oracle knows the key.
    key_id: String,
    key: RsaKeyPair,
}

impl Signer {
    pub(super) fn new(settings: &ApiKey, disk: &dyn Disk) -> Result<Signer, String> {
        let ApiKey { tenancy, user, fingerprint, key_file, has_passphrase } = settings;
        if *has_passphrase {
            return Err("oci_sd: encrypted keys are not supported yet".to_owned());
        }
        let bad = |reason: String| format!("oci_sd: read key {}: {reason}", key_file.display());
        let pem = disk.read_to_string(key_file).map_err(|error| bad(error.to_string()))?;
        let key = read_key(&pem).map_err(bad)?;
        Ok(Signer::with_key(tenancy, format!("{tenancy}/{user}/{fingerprint}"), key))
    }

    pub(super) fn with_key(tenancy: &str, key_id: String, key: RsaKeyPair) -> Signer {
        Signer { tenancy: tenancy.to_owned(), key_id, key }
    }

    pub(super) fn tenancy(&self) -> &str {
        &self.tenancy
    }

    /// The headers of a GET; `now` is since the epoch.
    pub(super) fn get(&self, url: &str, now: Duration) -> Result<HeaderMap, String> {
        let url = Url::parse(url).map_err(|error| format!("parse {url:?}: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
        self.sign("get", &url, now, &[("host", host)])
    }

    /// The headers of a POST of JSON.
    pub(super) fn post(&self, url: &str, body: &str, now: Duration) -> Result<HeaderMap, String> {
        let url = Url::parse(url).map_err(|error| format!("parse {url:?}: {error}"))?;
        let hash = digest::digest(&digest::SHA256, body.as_bytes());
        let more = [
            ("content-length", body.len().to_string()),
            ("content-type", "application/json".to_owned()),
            ("x-content-sha256", BASE64_STANDARD.encode(hash)),
        ];
        let mut headers = self.sign("post", &url, now, &more)?;
        for (name, value) in more {
            headers.insert(HeaderName::from_static(name), header_value(&value)?);
        }
        Ok(headers)
    }

    /// The date and a signature over it, the request and `more` headers.
    fn sign(
        &self,
        method: &str,
        url: &Url,
        now: Duration,
        more: &[(&str, String)],
    ) -> Result<HeaderMap, String> {
        let date = http_date(now)?;
        let query = url.query().map_or(String::new(), |query| format!("?{query}"));
        let mut names = "date (request-target)".to_owned();
        let mut signed = format!("date: {date}\n(request-target): {method} {}{query}", url.path());
        for (name, value) in more {
            names.push_str(&format!(" {name}"));
            signed.push_str(&format!("\n{name}: {value}"));
        }
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "oci_sd: the key cannot sign".to_owned())?;
        let mut authorization = header_value(&format!(
            "Signature version=\"1\",headers=\"{names}\",keyId=\"{}\",\
             algorithm=\"rsa-sha256\",signature=\"{}\"",
            self.key_id,
            BASE64_STANDARD.encode(signature)
        ))?;
        authorization.set_sensitive(true);
        Ok(HeaderMap::from_iter([
            (header::DATE, header_value(&date)?),
            (header::AUTHORIZATION, authorization),
        ]))
    }
}

fn header_value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

fn http_date(now: Duration) -> Result<String, String> {
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    let time = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    Ok(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

pub(super) fn read_key(pem: &str) -> Result<RsaKeyPair, String> {
    let (label, der) = section(pem)?;
    let read = match label.as_str() {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
        label => return Err(format!("a {label} is no RSA key")),
    };
    read.map_err(|error| error.to_string())
}

/// The label and the bytes of the first section of a PEM file.
pub(super) fn section(pem: &str) -> Result<(String, Vec<u8>), String> {
    let mut lines = pem.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN "));
    let label = lines.next().and_then(|line| line.strip_prefix("-----BEGIN "));
    let label = label.and_then(|line| line.strip_suffix("-----")).ok_or("no PEM section")?;
    let body: String = lines.take_while(|line| !line.starts_with("-----END ")).collect();
    let der = BASE64_STANDARD.decode(body).map_err(|error| error.to_string())?;
    Ok((label.to_owned(), der))
}
