//! From `http_config` as it is written to what the HTTP client takes.

use std::{collections::BTreeMap, path::PathBuf};

use settings::{
    http::{HttpClient, OAuth2, Proxy, SigV4, Tls, TlsVersion},
    values::FilePath,
};
use transport::client::{self, Authentication, Error, Secret};
use url::Url;

use crate::payload;

/// The client's settings; an error for what nothing here can do.
pub fn to_client(settings: &HttpClient) -> Result<client::Config, Error> {
    Ok(client::Config {
        authentication: authentication(settings)?,
        tls: tls(&settings.tls_config)?,
        follow_redirects: settings.follow_redirects,
        enable_http2: settings.enable_http2,
        proxy: proxy(&settings.proxy)?,
        headers: settings
            .http_headers
            .iter()
            .map(|(name, header)| client::Header {
                name: name.clone(),
                values: header
                    .values
                    .iter()
                    .map(|value| Secret::Inline(value.clone()))
                    .chain(header.secrets.iter().map(|secret| Secret::Inline(secret.0.clone())))
                    .chain(header.files.iter().map(file))
                    .collect(),
            })
            .collect(),
        unix_socket: None,
        round_robin_dns: false,
    })
}

fn file(path: &FilePath) -> Secret {
    Secret::File(PathBuf::from(&path.0))
}

/// A text or the file that holds it. A reference asks for a secret manager, and there is none.
fn secret(text: &str, path: &FilePath, reference: &str) -> Result<Option<Secret>, Error> {
    if !reference.is_empty() {
        return Err(Error::Unsupported { what: "a reference to a secret manager" });
    }
    Ok(match (text.is_empty(), path.is_empty()) {
        (false, _) => Some(Secret::Inline(text.to_owned())),
        (true, false) => Some(file(path)),
        (true, true) => None,
    })
}

fn authentication(settings: &HttpClient) -> Result<Authentication, Error> {
    if let Some(settings) = &settings.oauth2 {
        return Ok(Authentication::OAuth2(Box::new(oauth2(settings)?)));
    }
    if let Some(basic) = &settings.basic_auth {
        return Ok(Authentication::Basic {
            username: secret(&basic.username, &basic.username_file, &basic.username_ref)?,
            password: secret(&basic.password.0, &basic.password_file, &basic.password_ref)?,
        });
    }
    Ok(match &settings.authorization {
        Some(authorization) => Authentication::Authorization {
            scheme: authorization.kind.clone(),
            credentials: secret(
                &authorization.credentials.0,
                &authorization.credentials_file,
                &authorization.credentials_ref,
            )?,
        },
        None => Authentication::None,
    })
}

fn oauth2(settings: &OAuth2) -> Result<client::OAuth2, Error> {
    Ok(client::OAuth2 {
        client_id: settings.client_id.clone(),
        client_secret: secret(
            &settings.client_secret.0,
            &settings.client_secret_file,
            &settings.client_secret_ref,
        )?,
        client_certificate_key_id: settings.client_certificate_key_id.clone(),
        client_certificate_key: secret(
            &settings.client_certificate_key.0,
            &settings.client_certificate_key_file,
            &settings.client_certificate_key_ref,
        )?,
        signature_algorithm: settings.signature_algorithm.clone(),
        grant_type: settings.grant_type.clone(),
        issuer: settings.iss.clone(),
        audience: settings.audience.clone(),
        claims: settings
            .claims
            .iter()
            .map(|(name, value)| (name.clone(), payload::to_go_json(&payload::to_json(value))))
            .collect(),
        scopes: settings.scopes.clone(),
        token_url: settings.token_url.clone(),
        endpoint_params: pairs(&settings.endpoint_params),
        tls: tls(&settings.tls_config)?,
        proxy: proxy(&settings.proxy)?,
    })
}

/// Signs requests for `service`, unless the settings name another one.
pub fn sigv4(settings: &SigV4, service: &str) -> Authentication {
    let service = match settings.service_name.as_str() {
        "" => service,
        name => name,
    };
    let secret_key = &settings.secret_key;
    Authentication::SigV4(Box::new(client::SigV4 {
        region: settings.region.clone(),
        access_key: settings.access_key.clone(),
        secret_key: (!secret_key.is_empty()).then(|| Secret::Inline(secret_key.0.clone())),
        session_token: None,
        profile: settings.profile.clone(),
        role_arn: settings.role_arn.clone(),
        external_id: settings.external_id.clone(),
        session_name: settings.session_name.clone(),
        tags: pairs(&settings.tags),
        use_fips_sts_endpoint: settings.use_fips_sts_endpoint,
        service: service.to_owned(),
    }))
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The certificates of a `tls_config` that stands alone.
pub fn tls(tls: &Tls) -> Result<client::Tls, Error> {
    Ok(client::Tls {
        ca: secret(&tls.ca, &tls.ca_file, &tls.ca_ref)?,
        certificate: secret(&tls.cert, &tls.cert_file, &tls.cert_ref)?,
        key: secret(&tls.key.0, &tls.key_file, &tls.key_ref)?,
        server_name: tls.server_name.clone(),
        insecure_skip_verify: tls.insecure_skip_verify,
        min_version: tls_version(&tls.min_version),
        max_version: tls_version(&tls.max_version),
    })
}

fn tls_version(version: &TlsVersion) -> Option<client::TlsVersion> {
    match version.as_str() {
        "TLS10" => Some(client::TlsVersion::Tls10),
        "TLS11" => Some(client::TlsVersion::Tls11),
        "TLS12" => Some(client::TlsVersion::Tls12),
        "TLS13" => Some(client::TlsVersion::Tls13),
        _ => None,
    }
}

fn proxy(written: &Proxy) -> Result<client::Proxy, Error> {
    let url = match written.proxy_url.0.as_str() {
        "" => None,
        text => Some(Url::parse(text).map_err(|error| Error::Config {
            what: "proxy_url".to_owned(),
            reason: error.to_string(),
        })?),
    };
    Ok(client::Proxy {
        url,
        no_proxy: written.no_proxy.clone(),
        from_environment: written.proxy_from_environment,
        connect_headers: written
            .proxy_connect_header
            .iter()
            .map(|(name, values)| client::Header {
                name: name.clone(),
                values: values.iter().map(|value| Secret::Inline(value.0.clone())).collect(),
            })
            .collect(),
    })
}
