//! From the listener's TLS settings to those of rustls.

use std::{net::IpAddr, sync::Arc};

use runtime::Disk;
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme, SupportedCipherSuite,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs},
    pki_types::{CertificateDer, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use tracing::warn;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::{ClientAuth, Tls};
use crate::client::{
    tls::{certificates, private_key, read, roots, system_roots, versions},
    trust::Trusted,
};

pub(super) fn server_config(
    tls: &Tls,
    http2: bool,
    disk: &dyn Disk,
) -> Result<ServerConfig, String> {
    let text = |error: crate::client::Error| error.to_string();
    let provider = Arc::new(provider(tls)?);
    let versions = versions(Some(tls.min_version), Some(tls.max_version)).map_err(text)?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions)
        .map_err(|error| error.to_string())?;
    let builder = match verifier(tls, &provider, disk)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let chain = certificates(&read(&tls.certificate, disk).map_err(text)?).map_err(text)?;
    let key = private_key(&read(&tls.key, disk).map_err(text)?).map_err(text)?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("failed to load X509KeyPair: {error}"))?;
    config.alpn_protocols = match http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Ok(config)
}

/// The algorithms that the settings leave.
fn provider(tls: &Tls) -> Result<CryptoProvider, String> {
    let mut provider = aws_lc_rs::default_provider();
    if !tls.cipher_suites.is_empty() {
        let name = |suite: &SupportedCipherSuite| suite.suite().as_str().unwrap_or_default();
        for wanted in &tls.cipher_suites {
            if !provider.cipher_suites.iter().any(|suite| name(suite) == wanted) {
                warn!(cipher = wanted, "This cipher suite is too old to be offered");
            }
        }
        provider.cipher_suites.retain(|suite| {
            suite.tls13().is_some() || tls.cipher_suites.iter().any(|wanted| wanted == name(suite))
        });
    }
    if !tls.curve_preferences.is_empty() {
        let known = std::mem::take(&mut provider.kx_groups);
        for wanted in &tls.curve_preferences {
            match known.iter().find(|group| go_name(**group) == Some(wanted)) {
                Some(group) => provider.kx_groups.push(*group),
                None => warn!(curve = wanted, "This curve is not offered"),
            }
        }
        if provider.kx_groups.is_empty() {
            return Err("none of curve_preferences can be offered".to_owned());
        }
    }
    Ok(provider)
}

fn go_name(group: &dyn SupportedKxGroup) -> Option<&'static str> {
    match group.name() {
        rustls::NamedGroup::secp256r1 => Some("CurveP256"),
        rustls::NamedGroup::secp384r1 => Some("CurveP384"),
        rustls::NamedGroup::secp521r1 => Some("CurveP521"),
        rustls::NamedGroup::X25519 => Some("X25519"),
        rustls::NamedGroup::X25519MLKEM768 => Some("X25519MLKEM768"),
        _ => None,
    }
}

fn verifier(
    tls: &Tls,
    provider: &Arc<CryptoProvider>,
    disk: &dyn Disk,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let (is_verified, is_required) = match tls.client_auth {
        ClientAuth::NoClientCert => return Ok(None),
        ClientAuth::RequestClientCert => (false, false),
        ClientAuth::RequireAnyClientCert => (false, true),
        ClientAuth::VerifyClientCertIfGiven => (true, false),
        ClientAuth::RequireAndVerifyClientCert => (true, true),
    };
    let mut trusted = Trusted(Vec::new());
    let authority = if is_verified {
        let roots = match &tls.client_ca {
            Some(ca) => {
                let pem = read(ca, disk).map_err(|error| error.to_string())?;
                trusted.0 = certificates(&pem).map_err(|error| error.to_string())?;
                Arc::new(roots(&pem).map_err(|error| error.to_string())?)
            }
            None => system_roots(),
        };
        let built = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build();
        Some(built.map_err(|error| format!("client CA: {error}"))?)
    } else {
        None
    };
    Ok(Some(Arc::new(Verifier {
        authority,
        trusted,
        is_required,
        allowed_sans: tls.client_allowed_sans.clone(),
        provider: provider.clone(),
    })))
}

#[derive(Debug)]
struct Verifier {
    /// `None` takes any certificate whose key the client has.
    authority: Option<Arc<dyn ClientCertVerifier>>,
    trusted: Trusted,
    is_required: bool,
    allowed_sans: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.authority.as_ref().map_or(&[], |authority| authority.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if let Some(authority) = &self.authority
            && let Err(refusal) = authority.verify_client_cert(certificate, intermediates, now)
            && !self.trusted.excuses(&refusal, certificate, now)
        {
            return Err(refusal);
        }
        if !self.allowed_sans.is_empty() && !has_name_of(certificate, &self.allowed_sans) {
            let reason = "could not find allowed SANs in client cert";
            return Err(rustls::Error::General(reason.to_owned()));
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether the certificate has one of the names: of hosts, people, addresses or resources.
fn has_name_of(certificate: &CertificateDer<'_>, allowed: &[String]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|name| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            allowed.iter().any(|allowed| allowed == name)
        }
        GeneralName::IPAddress(bytes) => {
            let address = to_address(bytes);
            allowed.iter().any(|allowed| address.is_some() && allowed.parse().ok() == address)
        }
        _ => false,
    })
}

fn to_address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}
