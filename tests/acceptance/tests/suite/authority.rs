//! Certificates for nodes on loopback.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};

/// When a certificate is good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    Now,
    Past,
}

/// Signs for others.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is randomness");
        Authority(CertifiedIssuer::self_signed(params, key).expect("good parameters"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for 127.0.0.1, and its key.
    pub(crate) fn certificate(&self) -> (String, String) {
        self.certificate_of("node", Lifetime::Now)
    }

    /// The same with a name.
    pub(crate) fn certificate_of(&self, name: &str, lifetime: Lifetime) -> (String, String) {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("good names");
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        if lifetime == Lifetime::Past {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().expect("there is randomness");
        let certificate = params.signed_by(&key, &self.0).expect("a good authority");
        (certificate.pem(), key.serialize_pem())
    }
}
