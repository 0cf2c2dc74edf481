//! An instance that speaks for itself: it shows the certificate that its host gives it, and gets a
//! token for a key that it has just made.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, PublicKeyX509Der},
    rsa::KeySize,
    signature::{KeyPair as _, RsaKeyPair},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{HeaderMap, Method};
use runtime::Runtime;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::signature::{Signer, read_key, section};
use crate::{
    found::get,
    service::{self, Service},
    token::secret_header,
};

/// What a host tells its instances.
const METADATA: &str = "http://169.254.169.254/opc/v2/identity";
/// A token that ends sooner than this is not used any more.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

/// Keeps a signer for as long as its token is good.
#[derive(Default)]
pub(super) struct Principal(Option<(Arc<Signer>, Duration)>);

impl Principal {
    pub(super) async fn signer(
        &mut self,
        region: &str,
        service: &Service,
        runtime: &Runtime,
    ) -> Result<Arc<Signer>, String> {
        let now = runtime.clock.now();
        if let Some((signer, _)) = self.0.as_ref().filter(|it| now + EXPIRY_MARGIN < it.1) {
            return Ok(signer.clone());
        }
        let (signer, until) = log_in(region, service, now).await?;
        let signer = Arc::new(signer);
        self.0 = Some((signer.clone(), until));
        Ok(signer)
    }
}

/// A signer with a key of its own, and until when since the epoch Oracle knows it.
async fn log_in(
    region: &str,
    service: &Service,
    now: Duration,
) -> Result<(Signer, Duration), String> {
    let (certificate, intermediate) =
        (metadata(service, "cert.pem").await?, metadata(service, "intermediate.pem").await?);
    let (certificate, intermediate) = (section(&certificate)?.1, section(&intermediate)?.1);
    let tenancy = tenancy(&certificate)?;
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    let fingerprint: Vec<String> = hash.as_ref().iter().map(|it| format!("{it:02X}")).collect();
    let key_id = format!("{tenancy}/fed-x509/{}", fingerprint.join(":"));
    let key = read_key(&metadata(service, "key.pem").await?)?;
    let leaf = Signer::with_key(&tenancy, key_id, key);
    let own = runtime::blocking(|| RsaKeyPair::generate(KeySize::Rsa2048));
    let own = own.map_err(|_| "oci_sd: cannot make a key".to_owned())?;
    let public: PublicKeyX509Der<'_> =
        own.public_key().as_der().map_err(|_| "oci_sd: cannot show a key".to_owned())?;
    let question = json!({
        "certificate": BASE64_STANDARD.encode(&certificate),
        "intermediateCertificates": [BASE64_STANDARD.encode(&intermediate)],
        "publicKey": BASE64_STANDARD.encode(public.as_ref()),
    });
    let (url, question) =
        (format!("https://auth.{region}.oraclecloud.com/v1/x509"), question.to_string());
    let headers = leaf.post(&url, &question, now)?;
    let response = service.send(Method::POST, &url, headers, Bytes::from(question)).await?;
    let answer = service::json(&response)?;
    let token = get(&answer, "token");
    let until = expiry(token).ok_or("oci_sd: the answer has no token")?;
    Ok((Signer::with_key(&tenancy, format!("ST${token}"), own), until))
}

async fn metadata(service: &Service, name: &str) -> Result<String, String> {
    let headers: HeaderMap = secret_header(http::header::AUTHORIZATION, "Bearer Oracle")?;
    let url = format!("{METADATA}/{name}");
    let response = service.send(Method::GET, &url, headers, Bytes::new()).await?;
    let body = service::body(&response)?;
    String::from_utf8(body.to_vec()).map_err(|error| format!("read {url}: {error}"))
}

/// Whose instance the certificate is for.
fn tenancy(certificate: &[u8]) -> Result<String, String> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let units = certificate.subject().iter_organizational_unit();
    let mut texts = units.filter_map(|unit| unit.as_str().ok());
    let tenancy = texts.find_map(|unit| {
        unit.strip_prefix("opc-tenant:").or_else(|| unit.strip_prefix("opc-identity:"))
    });
    tenancy.map(str::to_owned).ok_or_else(|| "oci_sd: the certificate names no tenancy".to_owned())
}

/// When a JSON Web Token ends, since the epoch.
fn expiry(token: &str) -> Option<Duration> {
    let claims = token.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["exp"].as_u64().map(Duration::from_secs)
}
