//! `gce_sd_configs`: Google's virtual machines.

use std::{path::Path, time::Duration};

use http::{HeaderMap, HeaderValue, Method};
use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use tokio::sync::Mutex;
use transport::client::{self, Authentication, OAuth2, Secret};

use crate::{
    found::{Found, each, enclosed, get, group, host_port, sanitize, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape, json},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub project: String,
    pub zone: String,
    pub filter: String,
    pub tag_separator: String,
    pub port: u16,
    pub refresh_interval: Duration,
}

const SCOPE: &str = "https://www.googleapis.com/auth/compute.readonly";
const TOKEN_URL: &str =
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
/// A token that ends sooner than this is not used any more.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

pub(crate) struct Gce {
    config: Config,
    service: Service,
    runtime: Runtime,
    /// Whether we are who the machine is, rather than somebody of a key file.
    is_machine: bool,
    /// Of the machine, and until when it is good.
    token: Mutex<Option<(String, Duration)>>,
}

impl Polled for Config {
    type Lookup = Gce;

    fn lookup(&self, runtime: &Runtime) -> Result<Gce, String> {
        let key_file = std::env::var("GOOGLE_APPLICATION_CREDENTIALS").ok();
        let mut http = client::Config::default();
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
            token: Mutex::default(),
        })
    }

    fn refresh_interval(&self) -> Duration {
        self.refresh_interval
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
        let Config { project, zone, filter, .. } = &self.config;
        let base = format!(
            "https://compute.googleapis.com/compute/v1/projects/{project}/zones/{zone}/instances"
        );
        let mut targets = Vec::new();
        let mut next = String::new();
        loop {
            let mut query = format!("maxResults=500&filter={}", escape(filter));
            if !next.is_empty() {
                query.push_str(&format!("&pageToken={}", escape(&next)));
            }
            let (url, headers) = (format!("{base}?{query}"), self.headers().await?);
            let response = self.service.send(Method::GET, &url, headers, Default::default());
            let page = json(&response.await?)?;
            let found = each(&page["items"]).filter_map(|instance| self.target(instance));
            targets.extend(found.map(|found| found.labels()));
            next = get(&page, "nextPageToken").to_owned();
            if next.is_empty() {
                return Ok(vec![group(format!("GCE_{project}_{zone}"), targets)]);
            }
        }
    }
}

impl Gce {
    async fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        if self.is_machine {
            let value = format!("Bearer {}", self.token().await?);
            let value = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
            headers.insert(http::header::AUTHORIZATION, value);
        }
        Ok(headers)
    }

    async fn token(&self) -> Result<String, String> {
        let mut kept = self.token.lock().await;
        let now = self.runtime.clock.monotonic();
        if let Some((token, _)) = kept.as_ref().filter(|(_, end)| now + EXPIRY_MARGIN < *end) {
            return Ok(token.clone());
        }
        let google = HeaderValue::from_static("Google");
        let mut headers = HeaderMap::new();
        headers.insert("metadata-flavor", google);
        let response = self.service.send(Method::GET, TOKEN_URL, headers, Default::default());
        let answer = json(&response.await?)?;
        let token = get(&answer, "access_token").to_owned();
        let lifetime = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or_default());
        *kept = Some((token.clone(), now + lifetime));
        Ok(token)
    }

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
