//! `digitalocean_sd_configs`: droplets and managed databases.

use std::time::Duration;

use http::HeaderMap;
use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, group, host_port, sanitize, texts},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub http: client::Config,
    pub role: Role,
    pub port: u16,
    pub refresh_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Droplets,
    Databases,
}

const API: &str = "https://api.digitalocean.com/v2";

pub(crate) struct DigitalOcean {
    role: Role,
    port: u16,
    service: Service,
}

impl Polled for Config {
    type Lookup = DigitalOcean;

    fn lookup(&self, runtime: &Runtime) -> Result<DigitalOcean, String> {
        let service = Service::new(&self.http, runtime)?;
        Ok(DigitalOcean { role: self.role, port: self.port, service })
    }
}

impl Lookup for DigitalOcean {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let (list, source) = match self.role {
            Role::Droplets => ("droplets", "DigitalOcean"),
            Role::Databases => ("databases", "DigitalOceanDatabases"),
        };
        let next = |page: &Value| get(&page["links"]["pages"], "next").to_owned();
        let first = format!("{API}/{list}?per_page=100");
        let pages = self.service.pages(first, &HeaderMap::new(), next).await?;
        let found =
            pages.iter().flat_map(|page| each(&page[list])).filter_map(|it| match self.role {
                Role::Droplets => self.droplet(it),
                Role::Databases => Some(self.database(it)),
            });
        Ok(vec![group(source, found.map(|found| found.labels()).collect())])
    }
}

impl DigitalOcean {
    /// Nothing for one without an address.
    fn droplet(&self, droplet: &Value) -> Option<Found> {
        each(&droplet["networks"]["v4"]).next()?;
        let address = |version: &str, kind: &str| {
            let network = each(&droplet["networks"][version]).find(|it| get(it, "type") == kind);
            network.map_or("", |network| get(network, "ip_address")).to_owned()
        };
        let public = address("v4", "public");
        let mut found = Found::at(&host_port(&public, self.port));
        found.copy(
            "__meta_digitalocean_",
            droplet,
            &[
                ("droplet_id", "/id"),
                ("droplet_name", "/name"),
                ("image", "/image/slug"),
                ("image_name", "/image/name"),
                ("region", "/region/slug"),
                ("size", "/size_slug"),
                ("status", "/status"),
                ("vpc", "/vpc_uuid"),
            ],
        );
        found.set("__meta_digitalocean_private_ipv4", address("v4", "private"));
        found.set("__meta_digitalocean_public_ipv4", public);
        found.set("__meta_digitalocean_public_ipv6", address("v6", "public"));
        found.set("__meta_digitalocean_features", enclosed(&texts(&droplet["features"]), ","));
        found.set("__meta_digitalocean_tags", enclosed(&texts(&droplet["tags"]), ","));
        Some(found)
    }

    fn database(&self, database: &Value) -> Found {
        let (public, private) =
            (get(&database["connection"], "host"), get(&database["private_connection"], "host"));
        let host = if private.is_empty() { public } else { private };
        let mut found = Found::at(&host_port(host, self.port));
        found.copy(
            "__meta_digitalocean_db_",
            database,
            &[
                ("engine", "/engine"),
                ("host", "/connection/host"),
                ("id", "/id"),
                ("name", "/name"),
                ("num_nodes", "/num_nodes"),
                ("private_host", "/private_connection/host"),
                ("region", "/region"),
                ("size", "/size"),
                ("status", "/status"),
                ("version", "/version"),
            ],
        );
        for tag in texts(&database["tags"]) {
            found.set(&format!("__meta_digitalocean_db_tag_{}", sanitize(&tag)), "true");
        }
        found
    }
}
