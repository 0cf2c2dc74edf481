//! `linode_sd_configs`: instances of Linode.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use model::TargetGroup;
use runtime::Runtime;
use serde_json::{Value, json};
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, group, host_port, text, texts},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub http: client::Config,
    pub port: u16,
    /// Empty means all.
    pub region: String,
    pub tag_separator: String,
    pub refresh_interval: Duration,
}

const API: &str = "https://api.linode.com/v4";

pub(crate) struct Linode {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = Linode;

    fn lookup(&self, runtime: &Runtime) -> Result<Linode, String> {
        let mut service = Service::new(&self.http, runtime)?;
        if !self.region.is_empty() {
            service =
                service.with_header("x-filter", &json!({ "region": self.region }).to_string())?;
        }
        Ok(Linode { config: self.clone(), service })
    }
}

impl Lookup for Linode {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let instances = self.pages("linode/instances").await?;
        let names: BTreeMap<String, String> = self
            .pages("networking/ips")
            .await?
            .iter()
            .map(|ip| (get(ip, "address").to_owned(), get(ip, "rdns").to_owned()))
            .collect();
        let ranges = self.pages("networking/ipv6/ranges").await?;
        let targets = instances.iter().filter_map(|it| self.target(it, &names, &ranges));
        Ok(vec![group("Linode", targets.map(|found| found.labels()).collect())])
    }
}

impl Linode {
    async fn pages(&self, list: &str) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        for page in 1.. {
            let url = format!("{API}/{list}?page={page}&page_size=500");
            let answer = self.service.get_json(&url).await?;
            all.extend(each(&answer["data"]).cloned());
            if page >= answer["pages"].as_u64().unwrap_or(1) {
                break;
            }
        }
        Ok(all)
    }

    /// Nothing for an instance without an address.
    fn target(
        &self,
        instance: &Value,
        names: &BTreeMap<String, String>,
        ranges: &[Value],
    ) -> Option<Found> {
        let addresses = texts(&instance["ipv4"]);
        let public = addresses.iter().find(|ip| !is_private(ip)).cloned().unwrap_or_default();
        let private = addresses.iter().find(|ip| is_private(ip)).cloned().unwrap_or_default();
        let extra: Vec<&String> =
            addresses.iter().filter(|ip| **ip != public && **ip != private).collect();
        let ipv6 = get(instance, "ipv6").split('/').next().unwrap_or_default().to_owned();
        if addresses.is_empty() {
            return None;
        }
        let separator = self.config.tag_separator.as_str();
        let mut found = Found::at(&host_port(&public, self.config.port));
        found.copy(
            "__meta_linode_",
            instance,
            &[
                ("instance_id", "/id"),
                ("instance_label", "/label"),
                ("image", "/image"),
                ("region", "/region"),
                ("type", "/type"),
                ("status", "/status"),
                ("group", "/group"),
                ("hypervisor", "/hypervisor"),
                ("specs_vcpus", "/specs/vcpus"),
                ("gpus", "/specs/gpus"),
            ],
        );
        let bytes =
            |value: &Value| value.as_u64().map_or(String::new(), |mb| (mb << 20).to_string());
        let specs = &instance["specs"];
        for (name, key) in [("disk", "disk"), ("memory", "memory"), ("transfer", "transfer")] {
            found.set(&format!("__meta_linode_specs_{name}_bytes"), bytes(&specs[key]));
        }
        let is_backed_up = instance["backups"]["enabled"] == true;
        found.set("__meta_linode_backups", if is_backed_up { "enabled" } else { "disabled" });
        for (name, address) in
            [("private_ipv4", &private), ("public_ipv4", &public), ("public_ipv6", &ipv6)]
        {
            found.set(&format!("__meta_linode_{name}"), address);
            let reverse = names.get(address).map_or("", String::as_str);
            found.set(&format!("__meta_linode_{name}_rdns"), reverse);
        }
        let routed = ranges.iter().filter(|range| get(range, "route_target") == ipv6);
        let routed: Vec<String> =
            routed.map(|it| format!("{}/{}", get(it, "range"), text(&it["prefix"]))).collect();
        found.set("__meta_linode_ipv6_ranges", enclosed(&routed, separator));
        found.set("__meta_linode_extra_ips", enclosed(&extra, separator));
        found.set("__meta_linode_tags", enclosed(&texts(&instance["tags"]), separator));
        Some(found)
    }
}

/// Linode's private addresses: 192.168.128.0/17.
fn is_private(address: &str) -> bool {
    let address: Result<Ipv4Addr, _> = address.parse();
    address.is_ok_and(|address| address.to_bits() >> 15 == 0xC0A8_8000 >> 15)
}
