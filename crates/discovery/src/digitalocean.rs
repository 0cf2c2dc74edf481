//! `digitalocean_sd_configs`: droplets.

use std::time::Duration;

use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, group, host_port, texts},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub http: client::Config,
    pub port: u16,
    pub refresh_interval: Duration,
}

const FIRST: &str = "https://api.digitalocean.com/v2/droplets?per_page=100";

pub(crate) struct DigitalOcean {
    port: u16,
    service: Service,
}

impl Polled for Config {
    type Lookup = DigitalOcean;

    fn lookup(&self, runtime: &Runtime) -> Result<DigitalOcean, String> {
        Ok(DigitalOcean { port: self.port, service: Service::new(&self.http, runtime)? })
    }

    fn refresh_interval(&self) -> Duration {
        self.refresh_interval
    }
}

impl Lookup for DigitalOcean {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let mut targets = Vec::new();
        let mut next = FIRST.to_owned();
        while !next.is_empty() {
            let page = self.service.get_json(&next).await?;
            for droplet in each(&page["droplets"]) {
                // Without an address there is nothing to scrape.
                if !each(&droplet["networks"]["v4"]).collect::<Vec<_>>().is_empty() {
                    targets.push(self.target(droplet).labels());
                }
            }
            next = get(&page["links"]["pages"], "next").to_owned();
        }
        Ok(vec![group("DigitalOcean", targets)])
    }
}

impl DigitalOcean {
    fn target(&self, droplet: &Value) -> Found {
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
        found
    }
}
