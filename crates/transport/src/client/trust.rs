//! Certificates that are trusted themselves, rather than for who signed them.
//!
//! `openssl req -x509` makes certificates that may sign others, and people use them as they are, on
//! both ends. Go takes one that stands in the CA file itself; webpki refuses it, as an authority
//! must not speak for itself.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

/// The certificates of a CA file.
#[derive(Debug)]
pub(crate) struct Trusted(pub(crate) Vec<CertificateDer<'static>>);

impl Trusted {
    /// Whether what webpki refuses is trusted itself, and still good. Its name is not looked at.
    pub(crate) fn excuses(
        &self,
        refusal: &Error,
        certificate: &CertificateDer<'_>,
        now: UnixTime,
    ) -> bool {
        let is_odd = matches!(refusal, Error::InvalidCertificate(CertificateError::Other(_)));
        is_odd && self.0.iter().any(|known| known == certificate) && is_good(certificate, now)
    }
}

fn is_good(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let now = i64::try_from(now.as_secs()).ok().and_then(|now| ASN1Time::from_timestamp(now).ok());
    now.is_some_and(|now| certificate.validity().is_valid_at(now))
}

/// Servers whose certificates are signed by an authority of a CA file, or stand there themselves.
#[derive(Debug)]
pub(super) struct Servers {
    signed: Arc<WebPkiServerVerifier>,
    trusted: Trusted,
}

impl Servers {
    pub(super) fn new(
        authorities: Vec<CertificateDer<'static>>,
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Servers, String> {
        let signed = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let signed = signed.build().map_err(|error| error.to_string())?;
        Ok(Servers { signed, trusted: Trusted(authorities) })
    }
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.signed.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(refusal) if self.trusted.excuses(&refusal, certificate, now) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}
