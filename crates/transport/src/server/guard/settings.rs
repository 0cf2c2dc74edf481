//! Upstream's web configuration file, as plain data.

use std::{collections::BTreeMap, time::Duration};

use crate::client::{Secret, TlsVersion};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub tls: Option<Tls>,
    pub http2: bool,
    /// Added to every answer.
    pub headers: BTreeMap<String, String>,
    /// The hash of each user's password, by bcrypt; nobody is asked if there are none.
    pub users: BTreeMap<String, String>,
    pub rate: Option<Rate>,
}

/// One more request each `interval`, and `burst` of them at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub interval: Duration,
    pub burst: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Our chain in PEM.
    pub certificate: Secret,
    pub key: Secret,
    pub client_auth: ClientAuth,
    /// Who signs the certificates of clients; without it the system's authorities do.
    pub client_ca: Option<Secret>,
    /// The certificate of a client must have one of these names; empty lets any name in.
    pub client_allowed_sans: Vec<String>,
    pub min_version: TlsVersion,
    pub max_version: TlsVersion,
    /// By Go's names; empty leaves them to us. Those of TLS 1.3 are not a matter of choice.
    pub cipher_suites: Vec<String>,
    /// By Go's names; empty leaves them to us.
    pub curve_preferences: Vec<String>,
}

/// What is asked of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuth {
    #[default]
    NoClientCert,
    /// A certificate, if there is one; whoever signed it.
    RequestClientCert,
    /// A certificate, whoever signed it.
    RequireAnyClientCert,
    /// A certificate that is signed, if there is one.
    VerifyClientCertIfGiven,
    RequireAndVerifyClientCert,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            tls: None,
            http2: true,
            headers: BTreeMap::new(),
            users: BTreeMap::new(),
            rate: None,
        }
    }
}
