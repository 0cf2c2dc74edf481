//! `triton_sd_configs`: containers and compute nodes of Joyent's Triton.

use std::time::Duration;

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, group, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub role: Role,
    pub dns_suffix: String,
    pub endpoint: String,
    /// Only containers of these; none means all.
    pub groups: Vec<String>,
    /// Of the API and of what it finds.
    pub port: u16,
    pub version: i64,
    pub tls: client::Tls,
    pub refresh_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Container,
    ComputeNode,
}

pub(crate) struct Triton {
    config: Config,
    url: String,
    service: Service,
}

impl Polled for Config {
    type Lookup = Triton;

    fn lookup(&self, runtime: &Runtime) -> Result<Triton, String> {
        let http = client::Config { tls: self.tls.clone(), ..client::Config::default() };
        let Config { endpoint, port, version, .. } = self;
        let path = match self.role {
            Role::Container => "discover",
            Role::ComputeNode => "gz/discover",
        };
        let mut url = format!("https://{endpoint}:{port}/v{version}/{path}");
        if !self.groups.is_empty() {
            url.push_str(&format!("?groups={}", escape(&self.groups.join(","))));
        }
        Ok(Triton { config: self.clone(), url, service: Service::new(&http, runtime)? })
    }
}

impl Lookup for Triton {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let answer = self.service.get_json(&self.url).await?;
        let targets = match self.config.role {
            Role::Container => each(&answer["containers"]).map(|it| self.container(it)).collect(),
            Role::ComputeNode => each(&answer["cns"]).map(|it| self.node(it)).collect(),
        };
        Ok(vec![group(self.url.clone(), targets)])
    }
}

impl Triton {
    fn at(&self, uuid: &str) -> Found {
        let Config { dns_suffix, port, .. } = &self.config;
        Found::at(&format!("{uuid}.{dns_suffix}:{port}"))
    }

    fn container(&self, container: &Value) -> Labels {
        let mut found = self.at(get(container, "vm_uuid"));
        found.copy(
            "__meta_triton_",
            container,
            &[
                ("machine_alias", "/vm_alias"),
                ("machine_brand", "/vm_brand"),
                ("machine_id", "/vm_uuid"),
                ("machine_image", "/vm_image_uuid"),
                ("server_id", "/server_uuid"),
            ],
        );
        found.set("__meta_triton_groups", enclosed(&texts(&container["groups"]), ","));
        found.labels()
    }

    fn node(&self, node: &Value) -> Labels {
        let mut found = self.at(get(node, "server_uuid"));
        let table = [("machine_alias", "/server_hostname"), ("machine_id", "/server_uuid")];
        found.copy("__meta_triton_", node, &table);
        found.labels()
    }
}
