//! From our TLS settings to those of rustls.

use std::sync::{Arc, LazyLock};

use runtime::Disk;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};

use super::{Config, Error, Result, Secret, config::TlsVersion, trust::Servers};

/// The system's trusted certificates, read once.
static SYSTEM_ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    // Certificates that cannot be read are not trusted; that is all.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
});

pub(super) fn client_config(config: &Config, disk: &dyn Disk) -> Result<ClientConfig> {
    let tls = &config.tls;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(tls.min_version, tls.max_version)?)
        .map_err(|error| bad("tls_config", error))?;
    let builder = if tls.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAnyone(provider)))
    } else {
        match &tls.ca {
            Some(ca) => {
                let pem = read(ca, disk)?;
                let servers = Servers::new(certificates(&pem)?, roots(&pem)?, provider)
                    .map_err(|error| bad("CA certificate", error))?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(servers))
            }
            None => builder.with_root_certificates(SYSTEM_ROOTS.clone()),
        }
    };
    let mut built = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(&read(certificate, disk)?)?;
            let key = PrivateKeyDer::from_pem_slice(read(key, disk)?.as_bytes())
                .map_err(|error| bad("client key", error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| bad("client certificate", error))?
        }
        _ => builder.with_no_client_auth(),
    };
    built.alpn_protocols = match config.enable_http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Ok(built)
}

/// rustls begins at 1.2, so smaller minimums mean 1.2 and smaller maximums cannot be met.
pub(crate) fn versions(
    min: Option<TlsVersion>,
    max: Option<TlsVersion>,
) -> Result<Vec<&'static SupportedProtocolVersion>> {
    let known = [
        (TlsVersion::Tls12, &rustls::version::TLS12),
        (TlsVersion::Tls13, &rustls::version::TLS13),
    ];
    let wanted = |version: TlsVersion| {
        min.is_none_or(|min| min <= version) && max.is_none_or(|max| version <= max)
    };
    let versions: Vec<_> =
        known.into_iter().filter(|(version, _)| wanted(*version)).map(|(_, known)| known).collect();
    match versions.is_empty() {
        true => Err(Error::Unsupported { what: "TLS below version 1.2" }),
        false => Ok(versions),
    }
}

pub(crate) fn system_roots() -> Arc<RootCertStore> {
    SYSTEM_ROOTS.clone()
}

pub(crate) fn roots(pem: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| bad("CA certificate", error))?;
    }
    Ok(roots)
}

pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| bad("certificate", error))?;
    match certificates.is_empty() {
        true => Err(bad("certificate", "no certificate in PEM form")),
        false => Ok(certificates),
    }
}

pub(crate) fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| bad("key", error))
}

pub(crate) fn read(secret: &Secret, disk: &dyn Disk) -> Result<String> {
    match secret {
        Secret::Inline(text) => Ok(text.clone()),
        Secret::File(path) => {
            disk.read_to_string(path).map_err(|error| bad(&path.display().to_string(), error))
        }
    }
}

fn bad(what: &str, reason: impl ToString) -> Error {
    Error::Config { what: what.to_owned(), reason: reason.to_string() }
}

/// `insecure_skip_verify`: whoever answers is believed, but must still sign the handshake.
#[derive(Debug)]
struct TrustAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
