//! Where Azure's clouds are, and the tokens that open them.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use runtime::Runtime;
use serde_json::Value;
use transport::client::Secret;
use url::form_urlencoded::Serializer;

use super::{Authentication, Config};
use crate::{
    found::{get, text},
    service::{self, Service, escape},
    token::{Token, Tokens, bearer},
};

/// One of Azure's separate worlds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cloud {
    pub(super) name: &'static str,
    pub(super) login: &'static str,
    pub(super) resources: &'static str,
}

const CLOUDS: [Cloud; 4] = [
    Cloud {
        name: "AzurePublicCloud",
        login: "https://login.microsoftonline.com",
        resources: "https://management.azure.com",
    },
    Cloud {
        name: "AzureChinaCloud",
        login: "https://login.chinacloudapi.cn",
        resources: "https://management.chinacloudapi.cn",
    },
    Cloud {
        name: "AzureUSGovernment",
        login: "https://login.microsoftonline.us",
        resources: "https://management.usgovcloudapi.net",
    },
    Cloud {
        name: "AzureUSGovernmentCloud",
        login: "https://login.microsoftonline.us",
        resources: "https://management.usgovcloudapi.net",
    },
];

pub(super) fn cloud(name: &str) -> Result<&'static Cloud, String> {
    let cloud = CLOUDS.iter().find(|cloud| cloud.name.eq_ignore_ascii_case(name));
    cloud.ok_or_else(|| format!("there is no cloud configuration matching the name {name:?}"))
}

/// The address at which a machine is told who it is.
const MACHINE: &str =
    "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Gets tokens and keeps them.
pub(super) struct Access {
    cloud: &'static Cloud,
    way: Way,
    runtime: Runtime,
    tokens: Tokens,
}

enum Way {
    Client {
        tenant: String,
        id: String,
        secret: Secret,
    },
    /// The file has a token of another system, which stands for a secret.
    Workload {
        tenant: String,
        id: String,
        file: String,
    },
    Machine {
        id: String,
    },
}

impl Access {
    pub(super) fn new(
        config: &Config,
        cloud: &'static Cloud,
        runtime: &Runtime,
    ) -> Result<Access, String> {
        let way = way(config, |name| std::env::var(name).unwrap_or_default())?;
        Ok(Access { cloud, way, runtime: runtime.clone(), tokens: Tokens::default() })
    }

    /// What a request for resources has to show.
    pub(super) async fn headers(&mut self, service: &Service) -> Result<HeaderMap, String> {
        let fetching = fetch(self.cloud, &self.way, &self.runtime, service);
        bearer(&self.tokens.get(&self.runtime, fetching).await?)
    }
}

fn way(config: &Config, environment: impl Fn(&str) -> String) -> Result<Way, String> {
    let or_environment = |value: &str, name: &str| match value {
        "" => environment(name),
        value => value.to_owned(),
    };
    let tenant = or_environment(&config.tenant_id, "AZURE_TENANT_ID");
    let id = or_environment(&config.client_id, "AZURE_CLIENT_ID");
    let file = environment("AZURE_FEDERATED_TOKEN_FILE");
    match config.authentication {
        Authentication::OAuth => {
            let secret = config.client_secret.clone();
            let secret = secret.ok_or("azure SD configuration requires a client_secret")?;
            Ok(Way::Client { tenant, id, secret })
        }
        Authentication::ManagedIdentity => Ok(Way::Machine { id: config.client_id.clone() }),
        Authentication::WorkloadIdentity if file.is_empty() => {
            Err("no token file: AZURE_FEDERATED_TOKEN_FILE is not set".to_owned())
        }
        Authentication::WorkloadIdentity => Ok(Way::Workload { tenant, id, file }),
        Authentication::Sdk => match environment("AZURE_CLIENT_SECRET") {
            secret if !secret.is_empty() && !tenant.is_empty() => {
                Ok(Way::Client { tenant, id, secret: Secret::Inline(secret) })
            }
            _ if !file.is_empty() => Ok(Way::Workload { tenant, id, file }),
            _ => Ok(Way::Machine { id }),
        },
    }
}

async fn fetch(
    cloud: &Cloud,
    way: &Way,
    runtime: &Runtime,
    service: &Service,
) -> Result<Token, String> {
    let asked = runtime.clock.monotonic();
    let read = |path: &Path| {
        let read = runtime::blocking(|| runtime.disk.read_to_string(path));
        read.map_err(|error| format!("read {}: {error}", path.display()))
    };
    let answer = match way {
        Way::Machine { id } => {
            let mut url = format!("{MACHINE}&resource={}", escape(cloud.resources));
            if !id.is_empty() {
                url.push_str(&format!("&client_id={}", escape(id)));
            }
            let name = HeaderName::from_static("metadata");
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static("true"))]);
            service.ask(&url, headers).await?
        }
        Way::Client { tenant, id, secret } => {
            let secret = match secret {
                Secret::Inline(secret) => secret.clone(),
                Secret::File(path) => read(path)?,
            };
            let form = [("client_id", id.as_str()), ("client_secret", secret.trim())];
            exchange(cloud, tenant, &form, service).await?
        }
        Way::Workload { tenant, id, file } => {
            let assertion = read(Path::new(file))?;
            let form = [
                ("client_id", id.as_str()),
                ("client_assertion_type", ASSERTION),
                ("client_assertion", assertion.trim()),
            ];
            exchange(cloud, tenant, &form, service).await?
        }
    };
    let value = get(&answer, "access_token").to_owned();
    if value.is_empty() {
        return Err("the answer has no token".to_owned());
    }
    // Machines are told a number as a text.
    let seconds = text(&answer["expires_in"]).parse().unwrap_or_default();
    Ok(Token { value, until: asked + Duration::from_secs(seconds) })
}

async fn exchange(
    cloud: &Cloud,
    tenant: &str,
    credentials: &[(&str, &str)],
    service: &Service,
) -> Result<Value, String> {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", cloud.login);
    let form = {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        form.append_pair("scope", &format!("{}/.default", cloud.resources));
        Bytes::from(form.extend_pairs(credentials).finish())
    };
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
    service::json(&service.send(Method::POST, &url, headers, form).await?)
}
