//! `gce_sd_configs`: Google's virtual machines.

use std::{path::Path, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client::{self, Authentication, OAuth2, Secret};

use crate::{
    found::{Found, each, enclosed, get, group, host_port, sanitize, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape},
    token::{Token, Tokens, bearer},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub project: String,
    pub zone: String,
    pub filter: String,
    pub tag_separator: String,
    /// Without credentials, which the environment has.
    pub http: client::Config,
    pub port: u16,
    pub refresh_interval: Duration,
}

const SCOPE: &str = "https://www.googleapis.com/auth/compute.readonly";
const TOKEN_URL: &str =
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";

pub(crate) struct Gce {
    config: Config,
    service: Service,
    runtime: Runtime,
    /// Whether we are who the machine is, rather than somebody of a key file.
    is_machine: bool,
    /// Of the machine.
    tokens: Tokens,
}

impl Polled for Config {
    type Lookup = Gce;

    fn lookup(&self, runtime: &Runtime) -> Result<Gce, String> {
        let key_file = std::env::var("GOOGLE_APPLICATION_CREDENTIALS").ok();
        let mut http = self.http.clone();
        if let Some(path) = &key_file {
            let text = runtime.disk.read_to_string(Path::new(path));
            let text = text.map_err(|error| format!("read {path}: {error}"))?;
            http.authentication =
                service_account(&text).map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(Gce {
            config: self.clone(),
            service: Service::new(&http, runtime)?,
            runtime: runtime.clone(),
            is_machine: key_file.is_none(),
            tokens: Tokens::default(),
        })
    }
}

/// The key of a service account signs for itself.
fn service_account(text: &str) -> Result<Authentication, String> {
    let key: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if get(&key, "type") != "service_account" {
        return Err("only keys of service accounts are supported".to_owned());
    }
    Ok(Authentication::OAuth2(Box::new(OAuth2 {
        client_id: get(&key, "client_email").to_owned(),
        client_certificate_key: Some(Secret::Inline(get(&key, "private_key").to_owned())),
        client_certificate_key_id: get(&key, "private_key_id").to_owned(),
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
        token_url: get(&key, "token_uri").to_owned(),
        scopes: vec![SCOPE.to_owned()],
        ..OAuth2::default()
    })))
}

impl Lookup for Gce {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let headers = match self.is_machine {
            true => bearer(
                &self
                    .tokens
                    .get(&self.runtime, machine_token(&self.service, &self.runtime))
                    .await?,
            )?,
            false => HeaderMap::new(),
        };
        let Config { project, zone, filter, .. } = &self.config;
        let first = format!(
            "https://compute.googleapis.com/compute/v1/projects/{project}/zones/{zone}/instances\
             ?maxResults=500&filter={}",
            escape(filter)
        );
        let next = |page: &Value| match get(page, "nextPageToken") {
            "" => String::new(),
            token => format!("{first}&pageToken={}", escape(token)),
        };
        let pages = self.service.pages(first.clone(), &headers, next).await?;
        let instances = pages.iter().flat_map(|page| each(&page["items"]));
        let found = instances.filter_map(|instance| self.target(instance));
        let targets = found.map(|found| found.labels()).collect();
        Ok(vec![group(format!("GCE_{project}_{zone}"), targets)])
    }
}

/// The token of the machine that we run on.
async fn machine_token(service: &Service, runtime: &Runtime) -> Result<Token, String> {
    let name = HeaderName::from_static("metadata-flavor");
    let headers = HeaderMap::from_iter([(name, HeaderValue::from_static("Google"))]);
    let answer = service.ask(TOKEN_URL, headers).await?;
    let lifetime = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or_default());
    let until = runtime.clock.monotonic() + lifetime;
    Ok(Token { value: get(&answer, "access_token").to_owned(), until })
}

impl Gce {
    /// Nothing for a machine without a network.
    fn target(&self, instance: &Value) -> Option<Found> {
        let interface = each(&instance["networkInterfaces"]).next()?;
        let private = get(interface, "networkIP");
        let mut found = Found::at(&host_port(private, self.config.port));
        found.copy(
            "__meta_gce_",
            instance,
            &[
                ("instance_id", "/id"),
                ("instance_name", "/name"),
                ("instance_status", "/status"),
                ("machine_type", "/machineType"),
                ("zone", "/zone"),
            ],
        );
        found.copy(
            "__meta_gce_",
            interface,
            &[("network", "/network"), ("subnetwork", "/subnetwork")],
        );
        found.set("__meta_gce_project", &self.config.project);
        found.set("__meta_gce_private_ip", private);
        for interface in each(&instance["networkInterfaces"]) {
            let name = sanitize(get(interface, "name"));
            found.set(&format!("__meta_gce_interface_ipv4_{name}"), get(interface, "networkIP"));
        }
        let public =
            each(&interface["accessConfigs"]).find(|it| get(it, "type") == "ONE_TO_ONE_NAT");
        found.set("__meta_gce_public_ip", public.map_or("", |it| get(it, "natIP")));
        let tags = texts(&instance["tags"]["items"]);
        found.set("__meta_gce_tags", enclosed(&tags, &self.config.tag_separator));
        for item in each(&instance["metadata"]["items"]) {
            let label = format!("__meta_gce_metadata_{}", sanitize(get(item, "key")));
            found.set(&label, get(item, "value"));
        }
        found.map("__meta_gce_label_", &instance["labels"]);
        Some(found)
    }
}
