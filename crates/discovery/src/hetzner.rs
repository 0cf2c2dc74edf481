//! `hetzner_sd_configs`: servers of Hetzner Cloud and of Hetzner Robot.

use std::{collections::BTreeMap, time::Duration};

use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use crate::{
    found::{Found, each, get, group, host_port, text},
    refresh::{Lookup, Polled},
    service::{Service, escape},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub http: client::Config,
    pub role: Role,
    pub port: u16,
    pub label_selector: String,
    pub refresh_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Robot,
    Cloud,
}

const CLOUD: &str = "https://api.hetzner.cloud/v1";
const ROBOT: &str = "https://robot-ws.your-server.de/server";

pub(crate) struct Hetzner {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = Hetzner;

    fn lookup(&self, runtime: &Runtime) -> Result<Hetzner, String> {
        Ok(Hetzner { config: self.clone(), service: Service::new(&self.http, runtime)? })
    }
}

impl Lookup for Hetzner {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let targets = match self.config.role {
            Role::Robot => {
                let servers = self.service.get_json(ROBOT).await?;
                each(&servers).map(|server| self.robot(&server["server"]).labels()).collect()
            }
            Role::Cloud => {
                let networks = self.pages("networks", "").await?;
                let names: BTreeMap<String, String> = networks
                    .iter()
                    .map(|network| (text(&network["id"]), text(&network["name"])))
                    .collect();
                let servers = self.pages("servers", &self.config.label_selector).await?;
                servers.iter().map(|server| self.cloud(server, &names).labels()).collect()
            }
        };
        Ok(vec![group("hetzner", targets)])
    }
}

impl Hetzner {
    async fn pages(&self, list: &str, selector: &str) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        let mut page = Some(1);
        while let Some(number) = page {
            let selector = match selector {
                "" => String::new(),
                selector => format!("&label_selector={}", escape(selector)),
            };
            let url = format!("{CLOUD}/{list}?page={number}&per_page=50{selector}");
            let answer = self.service.get_json(&url).await?;
            all.extend(each(&answer[list]).cloned());
            page = answer["meta"]["pagination"]["next_page"].as_u64();
        }
        Ok(all)
    }

    fn cloud(&self, server: &Value, networks: &BTreeMap<String, String>) -> Found {
        let public = get(&server["public_net"]["ipv4"], "ip");
        let mut found = Found::at(&host_port(public, self.config.port));
        found.set("__meta_hetzner_role", "hcloud");
        found.copy(
            "__meta_hetzner_",
            server,
            &[
                ("server_id", "/id"),
                ("server_name", "/name"),
                ("server_status", "/status"),
                ("public_ipv4", "/public_net/ipv4/ip"),
                ("public_ipv6_network", "/public_net/ipv6/ip"),
                ("datacenter", "/datacenter/name"),
                ("hcloud_datacenter_location", "/datacenter/location/name"),
                ("hcloud_datacenter_location_network_zone", "/datacenter/location/network_zone"),
                // Hetzner is about to answer without data centres.
                ("hcloud_location", "/datacenter/location/name"),
                ("hcloud_location_network_zone", "/datacenter/location/network_zone"),
                ("hcloud_location", "/location/name"),
                ("hcloud_location_network_zone", "/location/network_zone"),
                ("hcloud_server_type", "/server_type/name"),
                ("hcloud_cpu_cores", "/server_type/cores"),
                ("hcloud_cpu_type", "/server_type/cpu_type"),
                ("hcloud_disk_size_gb", "/server_type/disk"),
                ("hcloud_image_name", "/image/name"),
                ("hcloud_image_description", "/image/description"),
                ("hcloud_image_os_flavor", "/image/os_flavor"),
                ("hcloud_image_os_version", "/image/os_version"),
            ],
        );
        if let Some(memory) = server["server_type"]["memory"].as_f64() {
            found.set("__meta_hetzner_hcloud_memory_size_gb", format!("{memory:.0}"));
        }
        for private in each(&server["private_net"]) {
            if let Some(name) = networks.get(&text(&private["network"])) {
                let label =
                    format!("__meta_hetzner_hcloud_private_ipv4_{}", crate::found::sanitize(name));
                found.set(&label, get(private, "ip"));
            }
        }
        let prefix = "__meta_hetzner_hcloud_label";
        found.map_present(&format!("{prefix}_"), &format!("{prefix}present_"), &server["labels"]);
        found
    }

    fn robot(&self, server: &Value) -> Found {
        let mut found = Found::at(&host_port(get(server, "server_ip"), self.config.port));
        found.set("__meta_hetzner_role", "robot");
        found.copy(
            "__meta_hetzner_",
            server,
            &[
                ("server_id", "/server_number"),
                ("server_name", "/server_name"),
                ("server_status", "/status"),
                ("public_ipv4", "/server_ip"),
                ("robot_product", "/product"),
                ("robot_cancelled", "/cancelled"),
            ],
        );
        found.set("__meta_hetzner_datacenter", get(server, "dc").to_lowercase());
        found.set("__meta_hetzner_robot_datacenter", get(server, "dc").to_lowercase());
        let network = each(&server["subnet"]).find(|subnet| get(subnet, "ip").contains(':'));
        if let Some(network) = network {
            let (ip, mask) = (get(network, "ip"), text(&network["mask"]));
            found.set("__meta_hetzner_public_ipv6_network", format!("{ip}/{mask}"));
        }
        found
    }
}
