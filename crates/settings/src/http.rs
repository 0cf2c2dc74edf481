//! `http_config`: how to speak HTTP to a target, a service discovery, an Alertmanager, a store.

mod sigv4;
mod tls;

use std::collections::BTreeMap;

pub use sigv4::SigV4;
pub use tls::{Tls, TlsVersion};

use crate::{
    decode::{Broken, Section},
    record,
    values::{FilePath, Secret, Url},
};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Headers that nobody may set: they belong to the connection, to us, or to other settings.
const RESERVED_HEADERS: [&str; 18] = [
    "Authorization",
    "Host",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Www-Authenticate",
    "Accept-Encoding",
    "X-Prometheus-Remote-Write-Version",
    "X-Prometheus-Remote-Read-Version",
    "X-Prometheus-Scrape-Timeout-Seconds",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
];

record! {
    /// The keys of `http_config`, which stand among the keys of the section that has them.
    pub struct HttpClient: "config.plain" {
        basic_auth: Option<BasicAuth>,
        authorization: Option<Authorization>,
        oauth2: Option<OAuth2>,
        /// The older way to write `authorization`; [`HttpClient::check`] moves it there.
        bearer_token: Secret,
        bearer_token_file: FilePath,
        tls_config: Tls,
        follow_redirects: bool = always,
        enable_http2: bool = always,
        proxy: Proxy = inline,
        http_headers: BTreeMap<String, Header>,
    }
}

record! {
    pub struct BasicAuth: "config.plain" {
        username: String,
        username_file: FilePath,
        username_ref: String,
        password: Secret,
        password_file: FilePath,
        password_ref: String,
    }
}

record! {
    pub struct Authorization: "config.Authorization" {
        kind as "type": String,
        credentials: Secret,
        credentials_file: FilePath,
        credentials_ref: String,
    }
}

record! {
    pub struct OAuth2: "config.plain" {
        client_id: String,
        client_secret: Secret,
        client_secret_file: FilePath,
        client_secret_ref: String,
        client_certificate_key_id: String,
        client_certificate_key: Secret,
        client_certificate_key_file: FilePath,
        client_certificate_key_ref: String,
        grant_type: String,
        signature_algorithm: String,
        iss: String,
        audience: String,
        claims: BTreeMap<String, crate::yaml::Yaml>,
        scopes: Vec<String>,
        token_url: String,
        endpoint_params: BTreeMap<String, String>,
        tls_config: Tls,
        proxy: Proxy = inline,
    }
}

record! {
    /// The keys about proxies.
    pub struct Proxy: "config.ProxyConfig" {
        proxy_url: Url,
        no_proxy: String,
        proxy_from_environment: bool,
        proxy_connect_header: BTreeMap<String, Vec<Secret>>,
    }
}

record! {
    /// The values of one header: as they are, hidden, and from files.
    pub struct Header: "config.Header" {
        values: Vec<String>,
        secrets: Vec<Secret>,
        files: Vec<FilePath>,
    }
}

impl Section for BasicAuth {}
impl Section for Authorization {}
impl Section for OAuth2 {}
impl Section for Proxy {}
impl Section for Header {}

/// How many of several alternatives are given.
fn given<const N: usize>(alternatives: [bool; N]) -> usize {
    alternatives.into_iter().filter(|given| *given).count()
}

impl Section for HttpClient {
    fn defaults() -> HttpClient {
        HttpClient { follow_redirects: true, enable_http2: true, ..HttpClient::default() }
    }

    /// At most one way to authenticate. A record that inlines this one must call it.
    fn check(&mut self) -> Result<(), Broken> {
        self.check_bearer_token()?;
        if let Some(basic) = &self.basic_auth {
            basic.check_alternatives()?;
        }
        self.check_authorization()?;
        if let Some(oauth2) = &self.oauth2 {
            if self.basic_auth.is_some() {
                return Err(
                    "at most one of basic_auth, oauth2 & authorization must be configured".into()
                );
            }
            oauth2.check_alternatives()?;
        }
        self.proxy.check_alternatives()?;
        for name in self.http_headers.keys() {
            if let Some(reserved) = RESERVED_HEADERS.iter().find(|it| it.eq_ignore_ascii_case(name))
            {
                return Err(format!("setting header {reserved:?} is not allowed").into());
            }
        }
        Ok(())
    }
}

impl HttpClient {
    /// Whether `basic_auth`, `authorization` or `oauth2` is set.
    pub fn has_auth(&self) -> bool {
        self.basic_auth.is_some() || self.authorization.is_some() || self.oauth2.is_some()
    }

    fn has_bearer_token(&self) -> bool {
        !self.bearer_token.is_empty() || !self.bearer_token_file.is_empty()
    }

    fn check_bearer_token(&self) -> Result<(), Broken> {
        if !self.bearer_token.is_empty() && !self.bearer_token_file.is_empty() {
            return Err("at most one of bearer_token & bearer_token_file must be configured".into());
        }
        if (self.basic_auth.is_some() || self.oauth2.is_some()) && self.has_bearer_token() {
            return Err("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured".into());
        }
        Ok(())
    }

    fn check_authorization(&mut self) -> Result<(), Broken> {
        let has_bearer_token = self.has_bearer_token();
        let Some(authorization) = &mut self.authorization else {
            if has_bearer_token {
                self.authorization = Some(Authorization {
                    kind: "Bearer".to_owned(),
                    credentials: std::mem::take(&mut self.bearer_token),
                    credentials_file: std::mem::take(&mut self.bearer_token_file),
                    credentials_ref: String::new(),
                });
            }
            return Ok(());
        };
        if has_bearer_token {
            return Err(
                "authorization is not compatible with bearer_token & bearer_token_file".into()
            );
        }
        let credentials = [
            !authorization.credentials.is_empty(),
            !authorization.credentials_file.is_empty(),
            !authorization.credentials_ref.is_empty(),
        ];
        if given(credentials) > 1 {
            return Err(
                "at most one of authorization credentials & credentials_file must be configured"
                    .into(),
            );
        }
        authorization.kind = match authorization.kind.trim() {
            "" => "Bearer".to_owned(),
            kind if kind.eq_ignore_ascii_case("basic") => {
                return Err(
                    "authorization type cannot be set to \"basic\", use \"basic_auth\" instead"
                        .into(),
                );
            }
            kind => kind.to_owned(),
        };
        if self.basic_auth.is_some() || self.oauth2.is_some() {
            return Err(
                "at most one of basic_auth, oauth2 & authorization must be configured".into()
            );
        }
        Ok(())
    }
}

impl BasicAuth {
    fn check_alternatives(&self) -> Result<(), Broken> {
        let username = [
            !self.username.is_empty(),
            !self.username_file.is_empty(),
            !self.username_ref.is_empty(),
        ];
        if given(username) > 1 {
            return Err("at most one of basic_auth username, username_file & username_ref must be configured".into());
        }
        let password = [
            !self.password.is_empty(),
            !self.password_file.is_empty(),
            !self.password_ref.is_empty(),
        ];
        if given(password) > 1 {
            return Err("at most one of basic_auth password, password_file & password_ref must be configured".into());
        }
        Ok(())
    }
}

impl OAuth2 {
    fn check_alternatives(&self) -> Result<(), Broken> {
        if self.client_id.is_empty() {
            return Err("oauth2 client_id must be configured".into());
        }
        if self.token_url.is_empty() {
            return Err("oauth2 token_url must be configured".into());
        }
        if self.grant_type == JWT_BEARER {
            let keys = [
                !self.client_certificate_key.is_empty(),
                !self.client_certificate_key_file.is_empty(),
                !self.client_certificate_key_ref.is_empty(),
            ];
            if given(keys) > 1 {
                return Err(format!(
                    "at most one of oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref must be configured using grant-type={JWT_BEARER}"
                ).into());
            }
            if !["", "RS256", "RS384", "RS512"].contains(&self.signature_algorithm.as_str()) {
                return Err("valid signature algorithms are RS256, RS384 and RS512".into());
            }
            return Ok(());
        }
        let secrets = [
            !self.client_secret.is_empty(),
            !self.client_secret_file.is_empty(),
            !self.client_secret_ref.is_empty(),
        ];
        if given(secrets) > 1 {
            return Err("at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using grant-type=client_credentials".into());
        }
        Ok(())
    }
}

impl Proxy {
    fn check_alternatives(&self) -> Result<(), Broken> {
        let has_url = !self.proxy_url.is_empty();
        if !self.proxy_connect_header.is_empty() && !self.proxy_from_environment && !has_url {
            return Err("if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured".into());
        }
        if self.proxy_from_environment && has_url {
            return Err(
                "if proxy_from_environment is configured, proxy_url must not be configured".into(),
            );
        }
        if self.proxy_from_environment && !self.no_proxy.is_empty() {
            return Err(
                "if proxy_from_environment is configured, no_proxy must not be configured".into()
            );
        }
        if !has_url && !self.no_proxy.is_empty() {
            return Err("if no_proxy is configured, proxy_url must also be configured".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
