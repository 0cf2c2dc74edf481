//! `vultr_sd_configs`: instances of Vultr.

use std::time::Duration;

use model::TargetGroup;
use runtime::Runtime;
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, group, host_port, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub http: client::Config,
    pub port: u16,
    pub refresh_interval: Duration,
}

const INSTANCES: &str = "https://api.vultr.com/v2/instances?per_page=100";

pub(crate) struct Vultr {
    port: u16,
    service: Service,
}

impl Polled for Config {
    type Lookup = Vultr;

    fn lookup(&self, runtime: &Runtime) -> Result<Vultr, String> {
        Ok(Vultr { port: self.port, service: Service::new(&self.http, runtime)? })
    }
}

impl Lookup for Vultr {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let mut targets = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.service.get_json(&format!("{INSTANCES}{cursor}")).await?;
            for instance in each(&page["instances"]) {
                let mut found = Found::at(&host_port(get(instance, "main_ip"), self.port));
                found.copy(
                    "__meta_vultr_instance_",
                    instance,
                    &[
                        ("id", "/id"),
                        ("label", "/label"),
                        ("os", "/os"),
                        ("os_id", "/os_id"),
                        ("region", "/region"),
                        ("plan", "/plan"),
                        ("main_ip", "/main_ip"),
                        ("internal_ip", "/internal_ip"),
                        ("main_ipv6", "/v6_main_ip"),
                        ("hostname", "/hostname"),
                        ("server_status", "/server_status"),
                        ("vcpu_count", "/vcpu_count"),
                        ("ram_mb", "/ram"),
                        ("allowed_bandwidth_gb", "/allowed_bandwidth"),
                        ("disk_gb", "/disk"),
                    ],
                );
                let lists = [("features", "features"), ("tags", "tags")];
                for (name, key) in lists {
                    let list = enclosed(&texts(&instance[key]), ",");
                    found.set(&format!("__meta_vultr_instance_{name}"), list);
                }
                targets.push(found.labels());
            }
            match get(&page["meta"]["links"], "next") {
                "" => return Ok(vec![group("Vultr", targets)]),
                next => cursor = format!("&cursor={}", escape(next)),
            }
        }
    }
}
