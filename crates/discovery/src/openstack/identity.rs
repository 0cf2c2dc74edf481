//! Who we are to OpenStack's identity service (version 3), and which services it knows.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use transport::client::Secret;

use super::Config;
use crate::{
    found::{each, get},
    service::{Service, json as read_json},
    token::secret_header,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Of the identity service; empty means that of the environment.
    pub endpoint: String,
    pub user: Who,
    pub password: Option<Secret>,
    /// Instead of a password.
    pub application: Who,
    pub application_secret: Option<Secret>,
    pub scope: Scope,
}

/// Somebody, by an id or by a name and a domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    pub id: String,
    pub name: String,
}

/// What the token shall be for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    pub project: Who,
    pub domain: Who,
}

/// A token, and where services are.
pub(super) struct Session {
    pub(super) headers: HeaderMap,
    /// Of the token: services with their endpoints.
    catalog: Value,
    region: String,
    availability: String,
}

impl Session {
    pub(super) async fn open(service: &Service, config: &Config) -> Result<Session, String> {
        let credentials =
            config.credentials.or_environment(|name| std::env::var(name).unwrap_or_default());
        let url = format!("{}/auth/tokens", versioned(&credentials.endpoint));
        let kind = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        let question = credentials.question().to_string().into();
        let response = service.send(Method::POST, &url, headers, question).await?;
        let mut answer = read_json(&response)
            .map_err(|error| format!("could not authenticate to OpenStack: {error}"))?;
        let token = response.headers.get("x-subject-token").and_then(|it| it.to_str().ok());
        let token = token.ok_or("could not authenticate to OpenStack: no token")?;
        Ok(Session {
            headers: secret_header(HeaderName::from_static("x-auth-token"), token)?,
            catalog: answer["token"]["catalog"].take(),
            region: config.region.clone(),
            availability: config.availability.clone(),
        })
    }

    /// Where a service of the region is, without a version that its paths have.
    pub(super) fn endpoint(&self, kind: &str) -> Result<String, String> {
        let is_here = |endpoint: &&Value| {
            let region = [get(endpoint, "region"), get(endpoint, "region_id")];
            get(endpoint, "interface") == self.availability
                && (self.region.is_empty() || region.contains(&self.region.as_str()))
        };
        let services = each(&self.catalog).filter(|service| get(service, "type") == kind);
        let endpoint = services.flat_map(|service| each(&service["endpoints"])).find(is_here);
        let endpoint = endpoint.ok_or_else(|| {
            format!("no suitable endpoint of {kind} could be found in the service catalog")
        })?;
        let url = get(endpoint, "url").trim_end_matches('/');
        let is_versioned_path = kind != "compute";
        Ok(if is_versioned_path { url.trim_end_matches("/v2.0") } else { url }.to_owned())
    }
}

/// The address of version 3, if it has no version.
fn versioned(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    match endpoint.ends_with("/v3") {
        true => endpoint.to_owned(),
        false => format!("{endpoint}/v3"),
    }
}

impl Credentials {
    /// Without an endpoint, all that OpenStack's own tools read from the environment.
    fn or_environment(&self, variable: impl Fn(&str) -> String) -> Credentials {
        if !self.endpoint.is_empty() {
            return self.clone();
        }
        let who = |id, name| Who { id: variable(id), name: variable(name) };
        let secret = |name| Some(variable(name)).filter(|it| !it.is_empty()).map(Secret::Inline);
        Credentials {
            endpoint: variable("OS_AUTH_URL"),
            user: who("OS_USERID", "OS_USERNAME"),
            password: secret("OS_PASSWORD"),
            application: who("OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME"),
            application_secret: secret("OS_APPLICATION_CREDENTIAL_SECRET"),
            scope: Scope {
                project: who("OS_PROJECT_ID", "OS_PROJECT_NAME"),
                domain: who("OS_DOMAIN_ID", "OS_DOMAIN_NAME"),
            },
        }
    }

    fn question(&self) -> Value {
        let domain = &self.scope.domain;
        let named = |who: &Who| match who.id.as_str() {
            "" => json!({ "name": who.name, "domain": domain.json() }),
            id => json!({ "id": id }),
        };
        if let Some(secret) = &self.application_secret {
            let mut application = json!({ "secret": inline(secret) });
            match self.application.id.as_str() {
                "" => {
                    application["name"] = json!(self.application.name);
                    application["user"] = named(&self.user);
                }
                id => application["id"] = json!(id),
            }
            // Such credentials have their scope in them.
            return json!({ "auth": { "identity":
                { "methods": ["application_credential"], "application_credential": application }
            } });
        }
        let mut user = named(&self.user);
        user["password"] = json!(self.password.as_ref().map_or("", inline));
        let identity = json!({ "methods": ["password"], "password": { "user": user } });
        let project = &self.scope.project;
        match (project.id.as_str(), project.name.as_str()) {
            ("", "") => json!({ "auth": { "identity": identity } }),
            _ => {
                json!({ "auth": { "identity": identity, "scope": { "project": named(project) } } })
            }
        }
    }
}

impl Who {
    fn json(&self) -> Value {
        match self.id.as_str() {
            "" => json!({ "name": self.name }),
            id => json!({ "id": id }),
        }
    }
}

/// OpenStack's secrets are written into the configuration.
fn inline(secret: &Secret) -> &str {
    match secret {
        Secret::Inline(text) => text,
        Secret::File(_) => "",
    }
}
