//! `scaleway_sd_configs`: instances and bare metal servers of Scaleway.

use std::time::Duration;

use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client::{self, Header, Secret};

use crate::{
    found::{Found, each, enclosed, get, group, host_port, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub api_url: String,
    pub http: client::Config,
    pub role: Role,
    pub project_id: String,
    pub zone: String,
    pub secret_key: Secret,
    pub name_filter: String,
    pub tags_filter: Vec<String>,
    pub port: u16,
    pub refresh_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Instance,
    BareMetal,
}

/// Entries in one answer.
const PAGE: usize = 100;

pub(crate) struct Scaleway {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = Scaleway;

    fn lookup(&self, runtime: &Runtime) -> Result<Scaleway, String> {
        let mut http = self.http.clone();
        let token =
            Header { name: "X-Auth-Token".to_owned(), values: vec![self.secret_key.clone()] };
        http.headers.push(token);
        Ok(Scaleway { config: self.clone(), service: Service::new(&http, runtime)? })
    }
}

impl Lookup for Scaleway {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let found = match self.config.role {
            Role::Instance => {
                let servers = self.pages("instance/v1", "project").await?;
                servers.iter().filter_map(|server| self.instance(server)).collect::<Vec<_>>()
            }
            Role::BareMetal => {
                let servers = self.pages("baremetal/v1", "project_id").await?;
                servers.iter().filter_map(|server| self.bare_metal(server)).collect()
            }
        };
        Ok(vec![group("scaleway", found.iter().map(Found::labels).collect())])
    }
}

impl Scaleway {
    async fn pages(&self, api: &str, project: &str) -> Result<Vec<Value>, String> {
        let Config { api_url, zone, project_id, name_filter, tags_filter, .. } = &self.config;
        let mut query = format!("{project}={}", escape(project_id));
        if !name_filter.is_empty() {
            query.push_str(&format!("&name={}", escape(name_filter)));
        }
        if !tags_filter.is_empty() {
            query.push_str(&format!("&tags={}", escape(&tags_filter.join(","))));
        }
        let mut servers = Vec::new();
        for page in 1.. {
            let base = api_url.trim_end_matches('/');
            let url =
                format!("{base}/{api}/zones/{zone}/servers?{query}&page={page}&per_page={PAGE}");
            let answer = self.service.get_json(&url).await?;
            let before = servers.len();
            servers.extend(each(&answer["servers"]).cloned());
            if servers.len() - before < PAGE {
                break;
            }
        }
        Ok(servers)
    }

    /// The best address: a public one, or a private one; nothing without any.
    fn instance(&self, server: &Value) -> Option<Found> {
        let public = each(&server["public_ips"]);
        let public_v4 = public.into_iter().find(|ip| get(ip, "family") == "inet");
        let public_v4 =
            public_v4.map_or(get(&server["public_ip"], "address"), |ip| get(ip, "address"));
        let public_v6 = each(&server["public_ips"]).find(|ip| get(ip, "family") == "inet6");
        let public_v6 = public_v6.map_or(get(&server["ipv6"], "address"), |ip| get(ip, "address"));
        let private = get(server, "private_ip");
        let address = [public_v4, public_v6, private].into_iter().find(|it| !it.is_empty())?;
        let mut found = Found::at(&host_port(address, self.config.port));
        found.copy(
            "__meta_scaleway_instance_",
            server,
            &[
                ("boot_type", "/boot_type"),
                ("hostname", "/hostname"),
                ("id", "/id"),
                ("image_arch", "/arch"),
                ("image_id", "/image/id"),
                ("image_name", "/image/name"),
                ("location_cluster_id", "/location/cluster_id"),
                ("location_hypervisor_id", "/location/hypervisor_id"),
                ("location_node_id", "/location/node_id"),
                ("name", "/name"),
                ("organization_id", "/organization"),
                ("private_ipv4", "/private_ip"),
                ("project_id", "/project"),
                ("security_group_id", "/security_group/id"),
                ("security_group_name", "/security_group/name"),
                ("status", "/state"),
                ("type", "/commercial_type"),
                ("zone", "/zone"),
            ],
        );
        let list = |kind: &str| {
            let addresses = each(&server["public_ips"]).filter(|ip| get(ip, "family") == kind);
            let addresses: Vec<&str> = addresses.map(|ip| get(ip, "address")).collect();
            enclosed(&addresses, ",")
        };
        found.set("__meta_scaleway_instance_public_ipv4_addresses", list("inet"));
        found.set("__meta_scaleway_instance_public_ipv6_addresses", list("inet6"));
        found.set("__meta_scaleway_instance_public_ipv4", public_v4);
        found.set("__meta_scaleway_instance_public_ipv6", public_v6);
        let region = get(server, "zone").rsplit_once('-').map_or("", |(region, _)| region);
        found.set("__meta_scaleway_instance_region", region);
        found.set("__meta_scaleway_instance_tags", enclosed(&texts(&server["tags"]), ","));
        Some(found)
    }

    fn bare_metal(&self, server: &Value) -> Option<Found> {
        let address = |version: &str| {
            let ip = each(&server["ips"]).find(|ip| get(ip, "version") == version);
            ip.map_or("", |ip| get(ip, "address"))
        };
        let (v4, v6) = (address("IPv4"), address("IPv6"));
        let best = [v4, v6].into_iter().find(|address| !address.is_empty())?;
        let mut found = Found::at(&host_port(best, self.config.port));
        found.copy(
            "__meta_scaleway_baremetal_",
            server,
            &[
                ("id", "/id"),
                ("name", "/name"),
                ("project_id", "/project_id"),
                ("status", "/status"),
                ("type", "/offer_name"),
                ("os_name", "/install/os_name"),
                ("os_version", "/install/os_version"),
                ("zone", "/zone"),
            ],
        );
        found.set("__meta_scaleway_baremetal_public_ipv4", v4);
        found.set("__meta_scaleway_baremetal_public_ipv6", v6);
        found.set("__meta_scaleway_baremetal_tags", enclosed(&texts(&server["tags"]), ","));
        Some(found)
    }
}
