//! `gce_sd_configs`: Google's virtual machines.

mod access;

use std::time::Duration;

use http::HeaderMap;
use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use self::access::Access;
use crate::{
    found::{Found, each, enclosed, get, group, host_port, sanitize, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape},
    token::{Tokens, bearer},
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

pub(crate) struct Gce {
    config: Config,
    access: Access,
    service: Service,
    runtime: Runtime,
    tokens: Tokens,
}

impl Polled for Config {
    type Lookup = Gce;

    fn lookup(&self, runtime: &Runtime) -> Result<Gce, String> {
        let access = Access::find(&*runtime.disk, |name| std::env::var(name).ok())?;
        let http = client::Config { authentication: access.authentication(), ..self.http.clone() };
        Ok(Gce {
            config: self.clone(),
            access,
            service: Service::new(&http, runtime)?,
            runtime: runtime.clone(),
            tokens: Tokens::default(),
        })
    }
}

impl Lookup for Gce {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let headers = match &self.access {
            Access::Account(_) => HeaderMap::new(),
            access => {
                let fetching = access.token(&self.service, &self.runtime);
                bearer(&self.tokens.get(&self.runtime, fetching).await?)?
            }
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
