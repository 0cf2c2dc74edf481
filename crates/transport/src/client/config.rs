//! Upstream's `http_config`, as plain data.

use std::{fmt, path::PathBuf};

use url::Url;

/// How to reach a server and who to say that we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub authentication: Authentication,
    pub tls: Tls,
    pub follow_redirects: bool,
    pub enable_http2: bool,
    pub proxy: Proxy,
    /// Sent with every request, also more than once under a name.
    pub headers: Vec<Header>,
    /// Where to connect to whatever host the URL names: a socket file of this machine.
    pub unix_socket: Option<PathBuf>,
    /// Whether each connection goes to any one of the addresses that the host's name has, so that
    /// all of them get their share.
    pub round_robin_dns: bool,
}

/// At most one way to say who we are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Authentication {
    #[default]
    None,
    Basic {
        username: Option<Secret>,
        password: Option<Secret>,
    },
    /// `scheme` is usually `Bearer`.
    Authorization {
        scheme: String,
        credentials: Option<Secret>,
    },
    OAuth2(Box<OAuth2>),
    /// A signature for Amazon's services.
    SigV4(Box<SigV4>),
    /// A token of Google's cloud.
    Google(Box<Google>),
    /// A token of Microsoft's cloud.
    Azure(Box<Azure>),
}

/// A text that must not be shown, or the file that holds it. Files are read again on each use.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    Inline(String),
    File(PathBuf),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Inline(_) => f.write_str("<secret>"),
            Secret::File(path) => path.fmt(f),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub name: String,
    pub values: Vec<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Certificates in PEM that are trusted instead of the system's.
    pub ca: Option<Secret>,
    /// Our certificate chain in PEM.
    pub certificate: Option<Secret>,
    pub key: Option<Secret>,
    /// The name that the server's certificate must have; empty stands for the URL's host.
    pub server_name: String,
    pub insecure_skip_verify: bool,
    pub min_version: Option<TlsVersion>,
    pub max_version: Option<TlsVersion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxy {
    pub url: Option<Url>,
    pub no_proxy: String,
    pub from_environment: bool,
    pub connect_headers: Vec<Header>,
}

/// Credentials that are exchanged for a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OAuth2 {
    pub client_id: String,
    pub client_secret: Option<Secret>,
    pub client_certificate_key_id: String,
    pub client_certificate_key: Option<Secret>,
    pub signature_algorithm: String,
    pub grant_type: String,
    pub issuer: String,
    pub audience: String,
    /// Claims as JSON texts.
    pub claims: Vec<(String, String)>,
    pub scopes: Vec<String>,
    pub token_url: String,
    pub endpoint_params: Vec<(String, String)>,
    pub tls: Tls,
    pub proxy: Proxy,
}

/// Amazon's signature version 4. What is empty is looked for where Amazon's programs look, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SigV4 {
    pub region: String,
    pub access_key: String,
    pub secret_key: Option<Secret>,
    pub session_token: Option<String>,
    pub profile: String,
    /// A role to take on with the credentials.
    pub role_arn: String,
    pub external_id: String,
    pub session_name: String,
    pub tags: Vec<(String, String)>,
    pub use_fips_sts_endpoint: bool,
    /// What is signed for: `aps`, `sns`, `ec2`.
    pub service: String,
}

/// An account of Google's cloud. Without a file it is looked for where Google's programs look, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Google {
    pub credentials_file: PathBuf,
    pub scope: String,
}

/// An identity in Microsoft's cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Azure {
    /// Where tokens are given, up to the tenant.
    pub authority: String,
    pub scope: String,
    pub identity: AzureIdentity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AzureIdentity {
    /// The machine's own, or that of several.
    Managed {
        client_id: String,
    },
    /// What a file says, as Kubernetes keeps it.
    Workload {
        client_id: String,
        tenant_id: String,
        token_file: String,
    },
    Certificate(AzureCertificate),
    /// The first that is found where Microsoft's programs look, too.
    Environment {
        tenant_id: String,
    },
}

/// A certificate in PEM; the key may lie in the same file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AzureCertificate {
    pub client_id: String,
    pub tenant_id: String,
    pub path: String,
    pub key_path: String,
    /// Whether the whole chain is shown with each claim.
    pub send_chain: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            authentication: Authentication::None,
            tls: Tls::default(),
            follow_redirects: true,
            enable_http2: true,
            proxy: Proxy::default(),
            headers: Vec::new(),
            unix_socket: None,
            round_robin_dns: false,
        }
    }
}
